/*
 * Joins as steps of a circle: who joins under a lock that the joined thread has taken. And once
 * routines, which are held while they run.
 */
#include "tests/random/locks.h"
#include "tests/random/scenes.h"

enum { MOST_STEPS = 4 };

enum twist { PLAIN, JOINED_OUTSIDE, TRIED, OTHER_LOCK, N_TWISTS };

static enum kind plain_kind(struct program *p)
{
    enum kind kinds[] = {NORMAL, RECURSIVE, ERRORCHECK, ADAPTIVE, ROBUST, INHERIT, SPIN, C11};
    return kinds[pick(p, sizeof(kinds) / sizeof(*kinds))];
}

static enum kind marked_kind(struct program *p)
{
    enum kind kinds[] = {NORMAL, RECURSIVE, ERRORCHECK, ADAPTIVE, C11};
    return kinds[pick(p, sizeof(kinds) / sizeof(*kinds))];
}

/*
 * The joiner holds lock 0 and joins a thread that has taken lock 1, under which (where there are
 * more) others take the next, the last of them lock 0.
 */
void scene_join_circle(struct program *p)
{
    struct lock locks[MOST_STEPS];
    int n = 1 + pick(p, MOST_STEPS); /* locks */
    enum twist twist = (enum twist)pick(p, N_TWISTS);
    struct role *joiner = chance(p, 50) ? &p->main : new_role(p), *joined = new_role(p);
    const char *entries[MOST_STEPS + 1];

    /* What the joined thread takes is known again only where the lock bears a mark, or where the
     * joiner holds it. */
    for (int i = 0; i < n; i++)
        locks[i] = new_lock(p, i == 1 ? marked_kind(p) : plain_kind(p));
    say_spawn(&p->main, joined);
    if (joiner != &p->main)
        say_spawn(&p->main, joiner);
    for (int i = 1; i < n; i++) {
        struct role *other = new_role(p);
        struct lock *next = &locks[(i + 1) % n];
        say_spawn(&p->main, other);
        say(other, "await(%d);", p->turn);
        say(other, "MUST(%s);", take(&locks[i], EXCLUSIVE, BLOCK));
        say(other, "MUST(%s);", take(next, EXCLUSIVE, BLOCK));
        say(other, "%s", drop(next));
        say(other, "%s", drop(&locks[i]));
        say(other, "step();");
        p->turn++;
        entries[i + 1] =
            keep("%s holds %s @%s, wants %s @%s", other->name, seen(&locks[i], EXCLUSIVE),
                 other->function, seen(next, EXCLUSIVE), other->function);
    }
    struct lock *first = &locks[1 % n], other_lock = *first;
    if (twist == OTHER_LOCK)
        other_lock = new_lock(p, plain_kind(p));
    say(joined, "await(%d);", p->turn);
    say(joined, "MUST(%s);", take(&other_lock, EXCLUSIVE, twist == TRIED ? TRY : BLOCK));
    say(joined, "%s", drop(&other_lock));
    say(joined, "step();");
    say(joiner, "await(%d);", p->turn + 1);
    p->turn++;
    say(joiner, "MUST(%s);", take(&locks[0], EXCLUSIVE, BLOCK));
    if (twist == JOINED_OUTSIDE)
        say(joiner, "%s", drop(&locks[0]));
    say_join(joiner, joined);
    if (twist != JOINED_OUTSIDE)
        say(joiner, "%s", drop(&locks[0]));
    entries[0] = keep("%s holds %s @%s, wants thread @%s", joiner->name, seen(&locks[0], EXCLUSIVE),
                      joiner->function, joiner->function);
    entries[1] = keep("%s holds thread, wants %s @%s", joined->name, seen(first, EXCLUSIVE),
                      joined->function);
    for (int i = 0; i < p->n_roles; i++) {
        /* Those of this scene who nobody joins yet. */
        if (&p->roles[i] > joined || &p->roles[i] == joiner)
            say_join(&p->main, &p->roles[i]);
    }
    if (twist == PLAIN)
        expect(p, "lock-order-inversion warning possible: %s", cycle_of(entries, n + 1));
}

/* The routine of a once takes a lock under which others ask for the once. */
void scene_once(struct program *p)
{
    struct lock lock = new_lock(p, plain_kind(p));
    struct role *first = new_role(p), *second = new_role(p);
    const char *once = new_name(p, "once"), *routine = new_name(p, "routine");
    bool is_apart = chance(p, 30), is_meeting = p->is_over;
    text_put(&p->globals, "static pthread_once_t %s = PTHREAD_ONCE_INIT;\n", once);
    text_put(&p->functions, "static void %s(void)\n{\n", routine);
    if (is_meeting)
        text_put(&p->functions, "    step();\n    await(%d);\n", p->turn + 2);
    text_put(&p->functions, "    MUST(%s);\n    %s\n}\n\n", take(&lock, EXCLUSIVE, BLOCK),
             drop(&lock));
    say(first, "pthread_once(&%s, %s);", once, routine);
    if (!is_meeting) {
        say(first, "step();");
        say(second, "await(%d);", p->turn + 1);
    }
    say(second, "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
    if (is_meeting) {
        say(second, "step();");
        say(second, "await(%d);", p->turn + 2);
    }
    if (is_apart && !is_meeting)
        say(second, "%s", drop(&lock));
    say(second, "pthread_once(&%s, %s);", once, routine);
    if (!is_apart || is_meeting)
        say(second, "%s", drop(&lock));
    say_spawn(&p->main, first);
    say_spawn(&p->main, second);
    say_join(&p->main, first);
    say_join(&p->main, second);
    p->turn += is_meeting ? 2 : 1;
    if (is_apart && !is_meeting)
        return;
    const char *entries[] = {keep("%s holds once %s @%s, wants %s @%s", first->name, once,
                                  first->function, seen(&lock, EXCLUSIVE), routine),
                             keep("%s holds %s @%s, wants once %s @%s", second->name,
                                  seen(&lock, EXCLUSIVE), second->function, once,
                                  second->function)};
    expect(p, "%s: %s",
           is_meeting ? "deadlock error certain" : "lock-order-inversion error possible",
           cycle_of(entries, 2));
}

void scene_once_meeting(struct program *p)
{
    scene_once(p);
}
