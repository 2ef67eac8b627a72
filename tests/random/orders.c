/* What a creator that holds a lock keeps in order, and what a cancel under way lets go. */
#include "tests/random/locks.h"
#include "tests/random/scenes.h"

enum handshake {
    AFTER,   /* the child takes the creator's lock, lets go of it, and then makes its step */
    UNDER,   /* it makes its step under it: a common lock */
    BEFORE,  /* it makes its step first */
    TRIED,   /* it only tries for the lock */
    DROPPED, /* the creator lets go before its own step */
    WAITED,  /* the same, in a condition wait */
    N_HANDSHAKES
};

static void say_order(struct role *role, const struct lock *first, const struct lock *second)
{
    say(role, "MUST(%s);", take(first, EXCLUSIVE, BLOCK));
    say(role, "MUST(%s);", take(second, EXCLUSIVE, BLOCK));
    say(role, "%s", drop(second));
    say(role, "%s", drop(first));
}

static void say_creator(struct program *p, struct role *creator, const struct role *child,
                        enum handshake twist, const struct lock *start, const struct lock *a,
                        const struct lock *b, const char *cond)
{
    say(creator, "MUST(%s);", take(start, EXCLUSIVE, BLOCK));
    say_spawn(creator, child);
    if (twist == WAITED)
        say(creator, "while (!%s)\n        pthread_cond_wait(&%s_cond, &%s);", cond, cond,
            start->expr);
    if (twist == DROPPED)
        say(creator, "%s", drop(start));
    if (twist == BEFORE)
        say(creator, "await(%d);", p->turn + 1);
    say_order(creator, a, b);
    if (twist != DROPPED)
        say(creator, "%s", drop(start));
    if (twist != BEFORE)
        say(creator, "step();");
}

static void say_child(struct program *p, struct role *child, enum handshake twist,
                      const struct lock *start, const struct lock *a, const struct lock *b,
                      const char *cond)
{
    bool is_asking = twist == AFTER || twist == UNDER || twist == WAITED;
    if (twist == TRIED || twist == DROPPED)
        say(child, "await(%d);", p->turn + 1);
    if (is_asking)
        say(child, "MUST(%s);", take(start, EXCLUSIVE, BLOCK));
    if (twist == WAITED)
        say(child, "%s = 1;\n    pthread_cond_signal(&%s_cond);", cond, cond);
    if (twist == TRIED)
        say(child, "MUST(%s);", take(start, EXCLUSIVE, TRY));
    if (twist == TRIED || twist == AFTER || twist == WAITED)
        say(child, "%s", drop(start));
    if (twist == WAITED)
        say(child, "await(%d);", p->turn + 1);
    say_order(child, b, a);
    if (twist == UNDER)
        say(child, "%s", drop(start));
    if (twist == BEFORE) {
        say(child, "step();");
        say(child, "MUST(%s);\n    %s", take(start, EXCLUSIVE, BLOCK), drop(start));
    }
}

void scene_handshake(struct program *p)
{
    struct lock start = new_lock(p, NORMAL), a = new_lock(p, NORMAL), b = new_lock(p, NORMAL);
    enum handshake twist = (enum handshake)pick(p, N_HANDSHAKES);
    struct role *creator = chance(p, 50) ? &p->main : new_role(p), *child = new_role(p);
    const char *cond = new_name(p, "begun");

    text_put(&p->globals,
             "static pthread_cond_t %s_cond = PTHREAD_COND_INITIALIZER;\n"
             "static int %s;\n",
             cond, cond);
    say_creator(p, creator, child, twist, &start, &a, &b, cond);
    say_child(p, child, twist, &start, &a, &b, cond);
    p->turn++;
    if (creator != &p->main) {
        say_spawn(&p->main, creator);
        say_join(&p->main, creator);
    }
    say_join(&p->main, child);
    const char *entries[] = {keep("%s holds %s @%s, wants %s @%s", creator->name,
                                  seen(&a, EXCLUSIVE), creator->function, seen(&b, EXCLUSIVE),
                                  creator->function),
                             keep("%s holds %s @%s, wants %s @%s", child->name, seen(&b, EXCLUSIVE),
                                  child->function, seen(&a, EXCLUSIVE), child->function)};
    expect(p, "lock-order-inversion %s possible: %s",
           twist == AFTER || twist == UNDER ? "note" : "error", cycle_of(entries, 2));
}

/* The creator's lock is itself the one that the child wants: it really hangs on another day. */
void scene_handshake_wanted(struct program *p)
{
    struct lock start = new_lock(p, NORMAL), other = new_lock(p, NORMAL);
    struct role *child = new_role(p), *creator = chance(p, 50) ? &p->main : new_role(p);
    say(creator, "MUST(%s);", take(&start, EXCLUSIVE, BLOCK));
    say_spawn(creator, child);
    say(creator, "MUST(%s);", take(&other, EXCLUSIVE, BLOCK));
    say(creator, "%s\n    %s\n    step();", drop(&other), drop(&start));
    say(child, "await(%d);", p->turn + 1);
    say_order(child, &other, &start);
    p->turn++;
    if (creator != &p->main) {
        say_spawn(&p->main, creator);
        say_join(&p->main, creator);
    }
    say_join(&p->main, child);
    const char *entries[] = {
        keep("%s holds %s @%s, wants %s @%s", creator->name, seen(&start, EXCLUSIVE),
             creator->function, seen(&other, EXCLUSIVE), creator->function),
        keep("%s holds %s @%s, wants %s @%s", child->name, seen(&other, EXCLUSIVE), child->function,
             seen(&start, EXCLUSIVE), child->function)};
    expect(p, "lock-order-inversion error possible: %s", cycle_of(entries, 2));
}

/* A joins under a lock that C wants, B, who joins C; where B is cancelled, A goes on. */
static void say_joiners(struct program *p, bool is_cancelled)
{
    struct lock lock = new_lock(p, NORMAL);
    struct role *last = new_role(p), *middle = new_role(p);
    say(&p->main, "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
    say(last, "MUST(%s);\n    %s", take(&lock, EXCLUSIVE, BLOCK), drop(&lock));
    say_join(middle, last);
    say_spawn(&p->main, last);
    say_spawn(&p->main, middle);
    if (is_cancelled)
        say(&p->main, "pthread_cancel(%s);", middle->handle);
    say_join(&p->main, middle);
    say(&p->main, "%s", drop(&lock));
    if (is_cancelled) {
        say_join(&p->main, last);
        return;
    }
    const char *entries[] = {
        keep("main holds %s @%s, wants thread @%s", seen(&lock, EXCLUSIVE), p->main.function,
             p->main.function),
        keep("%s holds thread, wants thread @%s", middle->name, middle->function),
        keep("%s holds thread, wants %s @%s", last->name, seen(&lock, EXCLUSIVE), last->function)};
    expect(p, "deadlock error certain: %s", cycle_of(entries, 3));
}

void scene_cancelled_joiner(struct program *p)
{
    say_joiners(p, true);
}

void scene_joiners(struct program *p)
{
    say_joiners(p, false);
}
