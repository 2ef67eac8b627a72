/* Semaphores that only look like locks, and those that only look like events. */
#include "tests/random/locks.h"
#include "tests/random/scenes.h"

/* Declared, and made by the thread that uses it first, taken at once: so CPython makes its locks.
 */
static struct lock new_made_taken(struct program *p, struct role *maker)
{
    const char *name = new_name(p, "made");
    struct lock made = {.kind = SEMAPHORE, .units = 1, .name = name, .expr = name};
    text_put(&p->globals, "static sem_t %s;\n", name);
    say(maker, "%s", make_lock(&made));
    say(maker, "MUST(%s);", take(&made, EXCLUSIVE, TRY));
    return made;
}

static void say_both(struct role *role, const struct lock *first, const struct lock *second)
{
    say(role, "MUST(%s);", take(first, EXCLUSIVE, BLOCK));
    say(role, "MUST(%s);", take(second, EXCLUSIVE, BLOCK));
    say(role, "%s\n    %s", drop(second), drop(first));
}

/* Made taken, waited for under a lock by its maker, and posted by one that has had that lock. */
void scene_made_taken(struct program *p)
{
    struct lock lock = new_lock(p, NORMAL);
    struct role *maker = new_role(p), *poster = new_role(p);
    struct lock made = new_made_taken(p, maker);
    say(maker, "step();");
    say(maker, "await(%d);", p->turn + 2);
    say(maker, "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
    say(maker, "MUST(%s);", take(&made, EXCLUSIVE, BLOCK));
    say(maker, "%s", drop(&lock));
    say(poster, "await(%d);", p->turn + 1);
    say(poster, "MUST(%s);\n    %s", take(&lock, EXCLUSIVE, BLOCK), drop(&lock));
    say(poster, "step();");
    say(poster, "%s", drop(&made));
    say_spawn(&p->main, maker);
    say_spawn(&p->main, poster);
    say_join(&p->main, maker);
    say_join(&p->main, poster);
    p->turn += 2;
}

/* Made taken, and then used as a lock, in both orders. */
void scene_made_taken_lock(struct program *p)
{
    struct lock lock = new_lock(p, NORMAL);
    struct role *maker = new_role(p), *other = new_role(p);
    struct lock made = new_made_taken(p, maker);
    say(maker, "%s", drop(&made));
    say_both(maker, &made, &lock);
    say(maker, "step();");
    say(other, "await(%d);", p->turn + 1);
    say_both(other, &lock, &made);
    p->turn++;
    say_spawn(&p->main, maker);
    say_spawn(&p->main, other);
    say_join(&p->main, maker);
    say_join(&p->main, other);
    const char *entries[] = {
        keep("%s holds %s @%s, wants %s @%s", maker->name, seen(&made, EXCLUSIVE), maker->function,
             seen(&lock, EXCLUSIVE), maker->function),
        keep("%s holds %s @%s, wants %s @%s", other->name, seen(&lock, EXCLUSIVE), other->function,
             seen(&made, EXCLUSIVE), other->function)};
    expect(p, "lock-order-inversion error possible: %s", cycle_of(entries, 2));
}

/* Made taken, waited for by its maker, and nobody is left to post it: an event, so a stall. */
void scene_made_taken_stall(struct program *p)
{
    struct role *maker = new_role(p);
    struct lock made = new_made_taken(p, maker);
    say(&p->main, "signal(SIGUSR1, SIG_DFL);");
    say(maker, "MUST(%s);", take(&made, EXCLUSIVE, BLOCK));
    say_spawn(&p->main, maker);
    say_join(&p->main, maker);
    const char *threads[] = {
        keep("main join thread @%s", p->main.function),
        keep("%s semaphore %s @%s", maker->name, seen_as_wanted(&made), maker->function)};
    expect(p, "stall error certain: %s", threads_of(threads, 2));
}
