/* What programs build of locks: a room that readers share, statics of C++, owners that have died,
 * locks between processes. */
#include "tests/random/locks.h"
#include "tests/random/scenes.h"

static const char *order_of(const struct role *role, const struct lock *held,
                            const struct lock *wanted)
{
    return keep("%s holds %s @%s, wants %s @%s", role->name, seen(held, EXCLUSIVE), role->function,
                seen(wanted, EXCLUSIVE), role->function);
}

static void say_both(struct role *role, const struct lock *first, const struct lock *second)
{
    say(role, "MUST(%s);", take(first, EXCLUSIVE, BLOCK));
    say(role, "MUST(%s);", take(second, EXCLUSIVE, BLOCK));
    say(role, "%s\n    %s", drop(second), drop(first));
}

/* ---- a room for readers: the first takes it for all, the last gives it back ---- */

struct room {
    struct lock door, room;
    const char *readers; /* how many are in */
};

static void say_enter(struct role *role, const struct room *room)
{
    say(role, "MUST(%s);", take(&room->door, EXCLUSIVE, BLOCK));
    say(role, "if (++%s == 1)\n        MUST(%s);", room->readers,
        take(&room->room, EXCLUSIVE, BLOCK));
    say(role, "%s", drop(&room->door));
}

static void say_leave(struct role *role, const struct room *room)
{
    say(role, "MUST(%s);", take(&room->door, EXCLUSIVE, BLOCK));
    say(role, "if (--%s == 0)\n        %s", room->readers, drop(&room->room));
    say(role, "%s", drop(&room->door));
}

/* A reader who is alone asks for the door while the room is his. */
static void expect_alone(struct program *p, const struct role *reader, const struct room *room)
{
    const char *entries[] = {order_of(reader, &room->door, &room->room),
                             order_of(reader, &room->room, &room->door)};
    expect(p, "lock-order-inversion note possible: %s", cycle_of(entries, 2));
}

/* His order and another's, over a semaphore that outlives its hold of the door. */
static void expect_doubt(struct program *p, const struct role *inside, const struct role *entering,
                         const struct room *room)
{
    const char *entries[] = {order_of(inside, &room->room, &room->door),
                             order_of(entering, &room->door, &room->room)};
    expect(p, "lock-order-inversion warning possible: %s", cycle_of(entries, 2));
}

enum visit {
    OVERLAPPING, /* the last reader posts what the first took */
    IN_TURN,     /* each is the first and the last */
    WRITER,      /* who takes the room alone */
    DOOR_INSIDE, /* who then asks for the door: with a reader at the door it hangs */
    N_VISITS
};

static void say_second(struct program *p, struct role *second, enum visit visit,
                       const struct room *room)
{
    say(second, "await(%d);", p->turn + 1);
    if (visit == IN_TURN || visit == OVERLAPPING)
        say_enter(second, room);
    if (visit == OVERLAPPING)
        say(second, "step();\n    await(%d);", p->turn + 3);
    if (visit == IN_TURN || visit == OVERLAPPING)
        say_leave(second, room);
    if (visit == WRITER)
        say(second, "MUST(%s);\n    %s", take(&room->room, EXCLUSIVE, BLOCK), drop(&room->room));
    if (visit == DOOR_INSIDE)
        say_both(second, &room->room, &room->door);
}

void scene_readers_room(struct program *p)
{
    const struct room room = {new_lock(p, NORMAL), new_lock(p, SEMAPHORE), new_name(p, "readers")};
    struct role *first = new_role(p), *second = new_role(p);
    enum visit visit = (enum visit)pick(p, N_VISITS);
    text_put(&p->globals, "static int %s;\n", room.readers);
    say_enter(first, &room);
    if (visit == OVERLAPPING)
        say(first, "step();\n    await(%d);", p->turn + 2);
    say_leave(first, &room);
    say(first, "step();");
    say_second(p, second, visit, &room);
    p->turn += visit == OVERLAPPING ? 3 : 1;
    say_spawn(&p->main, first);
    say_spawn(&p->main, second);
    say_join(&p->main, first);
    say_join(&p->main, second);
    expect_alone(p, first, &room);
    if (visit == IN_TURN)
        expect_doubt(p, first, second, &room);
    if (visit == DOOR_INSIDE)
        expect_doubt(p, second, first, &room);
}

/* ---- statics of C++ functions ---- */

static const char *new_guard(struct program *p)
{
    const char *guard = new_name(p, "guard");
    text_put(&p->globals,
             "int __cxa_guard_acquire(long long *);\nvoid __cxa_guard_release(long long *);\n"
             "void __cxa_guard_abort(long long *);\nstatic long long %s;\n",
             guard);
    return guard;
}

/* As a compiler writes it: what is there already is asked for no more. */
static void say_static(struct role *role, const char *guard, const char *within)
{
    say(role, "if (!(char)%s && __cxa_guard_acquire(&%s)) {", guard, guard);
    say(role, "    %s", within);
    say(role, "    __cxa_guard_release(&%s);\n    }", guard);
}

/* A static whose constructor takes a lock, asked for under that lock once it is there; now and then
 * the constructor throws the first time. */
void scene_guard(struct program *p)
{
    struct lock lock = new_lock(p, NORMAL);
    struct role *first = new_role(p), *second = new_role(p);
    const char *guard = new_guard(p);
    const char *within = keep("MUST(%s);\n        %s", take(&lock, EXCLUSIVE, BLOCK), drop(&lock));
    if (chance(p, 30))
        say(first, "MUST(!__cxa_guard_acquire(&%s));\n    __cxa_guard_abort(&%s);", guard, guard);
    say_static(first, guard, within);
    say(first, "step();");
    say(second, "await(%d);", p->turn + 1);
    say(second, "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
    say_static(second, guard, ";");
    say(second, "%s", drop(&lock));
    p->turn++;
    say_spawn(&p->main, first);
    say_spawn(&p->main, second);
    say_join(&p->main, first);
    say_join(&p->main, second);
}

/* The same while the constructor still runs. */
void scene_guard_meeting(struct program *p)
{
    struct lock lock = new_lock(p, NORMAL);
    struct role *first = new_role(p), *second = new_role(p);
    const char *guard = new_guard(p);
    say_static(first, guard,
               keep("step();\n        await(%d);\n        MUST(%s);", p->turn + 2,
                    take(&lock, EXCLUSIVE, BLOCK)));
    say(second, "MUST(%s);\n    step();\n    await(%d);", take(&lock, EXCLUSIVE, BLOCK),
        p->turn + 2);
    say_static(second, guard, ";");
    say_spawn(&p->main, first);
    say_spawn(&p->main, second);
    say_join(&p->main, first);
    say_join(&p->main, second);
    const char *entries[] = {keep("%s holds guard %s @%s, wants %s @%s", first->name, guard,
                                  first->function, seen(&lock, EXCLUSIVE), first->function),
                             keep("%s holds %s @%s, wants guard %s @%s", second->name,
                                  seen(&lock, EXCLUSIVE), second->function, guard,
                                  second->function)};
    expect(p, "deadlock error certain: %s", cycle_of(entries, 2));
}

/* ---- the owner of a robust mutex has died ---- */

enum heir {
    RECOVERS, /* and goes on under it */
    GIVES_UP, /* unlocks it as it is: nobody can have it any more */
    NESTS,    /* recovers, and takes another lock, which a third thread takes first */
    N_HEIRS
};

void scene_owner_died(struct program *p)
{
    struct lock robust = new_lock(p, ROBUST), inner = new_lock(p, NORMAL);
    struct role *owner = new_role(p), *heir = new_role(p), *third = new_role(p);
    enum heir kind = (enum heir)pick(p, N_HEIRS);
    say(owner, "MUST(%s);", take(&robust, EXCLUSIVE, chance(p, 30) ? TRY : BLOCK));
    say_spawn(&p->main, owner);
    if (chance(p, 50))
        say_join(&p->main, owner);
    else /* the heir may come first, and wait */
        say(heir, "JOIN(%s);", owner->handle);
    say(heir, "MUST(%s != EOWNERDEAD);", take(&robust, EXCLUSIVE, BLOCK));
    if (kind != GIVES_UP)
        say(heir, "MUST(pthread_mutex_consistent(&%s));", robust.expr);
    if (kind == NESTS)
        say(heir, "MUST(%s);\n    %s", take(&inner, EXCLUSIVE, BLOCK), drop(&inner));
    say(heir, "%s\n    step();", drop(&robust));
    say(third, "await(%d);", p->turn + 1);
    if (kind == NESTS)
        say_both(third, &inner, &robust);
    else
        say(third, "MUST(%s != %s);\n    %s", take(&robust, EXCLUSIVE, BLOCK),
            kind == GIVES_UP ? "ENOTRECOVERABLE" : "0", kind == GIVES_UP ? "" : drop(&robust));
    p->turn++;
    say_spawn(&p->main, heir);
    say_spawn(&p->main, third);
    say_join(&p->main, heir);
    say_join(&p->main, third);
    if (kind != NESTS)
        return;
    const char *entries[] = {order_of(heir, &robust, &inner), order_of(third, &inner, &robust)};
    expect(p, "lock-order-inversion error possible: %s", cycle_of(entries, 2));
}

/* ---- locks between processes ---- */

/* Parent and child take two shared locks in their own order, never at once: each process has one
 * order. Or the child dies with one in hand, and the parent recovers it. */
void scene_two_processes(struct program *p)
{
    const char *pair = new_name(p, "pair");
    struct role *role = chance(p, 50) ? &p->main : new_role(p);
    bool dies = chance(p, 40), is_reversed = chance(p, 50);
    text_put(&p->globals, "static pthread_mutex_t *%s;\n", pair);
    text_put(
        &p->setup,
        "    %s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);\n"
        "    for (int i = 0; i < 2; i++)\n"
        "        make_mutex(&%s[i], 0, PTHREAD_MUTEX_ROBUST, 0, PTHREAD_PROCESS_SHARED);\n",
        pair, pair);
    say(role, "if (fork() == 0) {");
    say(role, "    MUST(pthread_mutex_lock(&%s[%d]));", pair, is_reversed);
    say(role, "    MUST(pthread_mutex_lock(&%s[%d]));", pair, !is_reversed);
    say(role, "    pthread_mutex_unlock(&%s[%d]);", pair, !is_reversed);
    if (!dies)
        say(role, "    pthread_mutex_unlock(&%s[%d]);", pair, is_reversed);
    say(role, "    _exit(0);\n    }\n    wait(NULL);");
    for (int i = 0; i < 2; i++) {
        say(role, "if (pthread_mutex_lock(&%s[%d]) == EOWNERDEAD)", pair, i);
        say(role, "    pthread_mutex_consistent(&%s[%d]);", pair, i);
    }
    say(role, "pthread_mutex_unlock(&%s[1]);\n    pthread_mutex_unlock(&%s[0]);", pair, pair);
    if (role != &p->main) {
        say_spawn(&p->main, role);
        say_join(&p->main, role);
    }
}
