/* Locks used against their rules, and the same calls within them. */
#include "tests/random/locks.h"
#include "tests/random/scenes.h"

static struct lock any_of(struct program *p, const enum kind *kinds, int n)
{
    return new_lock(p, kinds[pick(p, n)]);
}
#define ANY_OF(p, ...)                                                                             \
    any_of(p, (const enum kind[]){__VA_ARGS__},                                                    \
           (int)(sizeof((const enum kind[]){__VA_ARGS__}) / sizeof(enum kind)))

/* Another thread gives it back; in the twin, its own. */
void scene_unlock(struct program *p)
{
    struct lock lock = ANY_OF(p, NORMAL, ADAPTIVE, SHARED, C11, SPIN, READERS, WRITERS);
    struct role *thief = new_role(p);
    bool is_wrong = chance(p, 60), is_held = chance(p, 50);

    if (is_held || !is_wrong)
        say(&p->main, "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
    if (!is_wrong)
        say(&p->main, "%s", drop(&lock));
    if (is_wrong)
        say(thief, "%s", drop(&lock));
    say_spawn(&p->main, thief);
    say_join(&p->main, thief);
    /* glibc took a reader's share away: the writer still has it, as a stall to come would say. */
    if (is_wrong && is_held && is_rwlock(&lock))
        say(&p->main, "%s", drop(&lock));
    if (!is_wrong)
        return;
    const char *threads[] = {
        keep("%s running %s @%s", thief->name, seen_as_wanted(&lock), thief->function),
        keep("main running @?, holds %s @%s", seen(&lock, EXCLUSIVE), p->main.function)};
    expect(p, "unlock-not-owner error certain: %s", threads_of(threads, is_held ? 2 : 1));
}

/* Destroyed while it is held; in the twin, after. */
void scene_destroy(struct program *p)
{
    struct lock lock = ANY_OF(p, NORMAL, ADAPTIVE, RECURSIVE, ROBUST, C11, SPIN, READERS, WRITERS);
    struct role *holder = chance(p, 50) ? &p->main : new_role(p);
    bool is_wrong = chance(p, 60);

    say(holder, "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
    if (!is_wrong)
        say(holder, "%s", drop(&lock));
    say(holder, "%s", destroy(&lock));
    if (is_wrong)
        say(holder, "%s", drop(&lock));
    if (holder != &p->main) {
        say_spawn(&p->main, holder);
        say_join(&p->main, holder);
    }
    if (is_wrong)
        expect(p, "destroy-locked error certain: %s running %s @%s, holds %s @%s", holder->name,
               seen_as_wanted(&lock), holder->function, seen(&lock, EXCLUSIVE), holder->function);
}

/* Without the mutex; in the twin, with it. */
void scene_wait_without(struct program *p)
{
    struct lock lock = ANY_OF(p, NORMAL, ADAPTIVE);
    struct role *role = new_role(p);
    const char *cond = new_name(p, "cond");
    bool is_wrong = chance(p, 60);
    text_put(&p->globals, "static pthread_cond_t %s = PTHREAD_COND_INITIALIZER;\n", cond);
    if (!is_wrong)
        say(role, "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
    say(role, "pthread_cond_timedwait(&%s, &%s, in_ms(-1));", cond, lock.expr);
    say(role, "%s", drop(&lock));
    say_spawn(&p->main, role);
    say_join(&p->main, role);
    if (is_wrong)
        expect(p, "wait-without-mutex error certain: %s running %s @%s", role->name,
               seen_as_wanted(&lock), role->function);
}

/* A thread ends with it in hand; a robust one may be, a semaphore is nobody's. */
void scene_exit_holding(struct program *p)
{
    struct lock lock =
        ANY_OF(p, NORMAL, ADAPTIVE, RECURSIVE, ROBUST, SEMAPHORE, C11, SPIN, READERS, WRITERS);
    struct role *role = new_role(p);
    enum mode mode = is_rwlock(&lock) && chance(p, 50) ? SHARED_MODE : EXCLUSIVE;
    bool is_let = lock.kind == ROBUST || lock.kind == SEMAPHORE || chance(p, 30);
    bool is_by_exit = chance(p, 40), is_tried = chance(p, 30);
    const char *held_in = role->function, *call = keep("MUST(%s);", take(&lock, mode, is_tried));

    if (chance(p, 40))
        held_in = say_in_helper(p, role, call);
    else
        say(role, "%s", call);
    if (is_let && lock.kind != ROBUST && lock.kind != SEMAPHORE)
        say(role, "%s", drop(&lock));
    if (is_by_exit)
        say(role, "pthread_exit(NULL);");
    say_spawn(&p->main, role);
    say_join(&p->main, role);
    if (!is_let)
        expect(p, "exit-holding-lock warning certain: %s running %s @%s, holds %s @%s", role->name,
               seen_as_wanted(&lock), is_by_exit ? role->function : "play_role", seen(&lock, mode),
               held_in);
}
