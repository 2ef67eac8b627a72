/*
 * Rings of threads that all hold one lock before any asks for the next: those that close are
 * deadlocks, and those that a limit or a try opens again are not.
 */
#include "tests/random/locks.h"
#include "tests/random/scenes.h"

enum { MOST_STEPS = 5 };

struct ring {
    int n;
    struct lock locks[MOST_STEPS];
    bool is_end[MOST_STEPS]; /* not a lock: the end of the thread of that step */
    enum mode hold_mode[MOST_STEPS], want_mode[MOST_STEPS];
    enum way want_way[MOST_STEPS];
    struct role *roles[MOST_STEPS];
    const char *held_in[MOST_STEPS], *wanted_in[MOST_STEPS];
    bool main_takes_part; /* as the first */
    bool has_semaphore, has_end;
};

/* Priority ceilings want a priority at which nothing may be awaited. */
static enum kind ring_kind(struct program *p, const struct ring *ring)
{
    enum kind kind = any_kind(p);
    if (kind == PROTECT)
        kind = INHERIT;
    return kind == SEMAPHORE && ring->has_end ? NORMAL : kind;
}

static void draw_ring(struct program *p, struct ring *ring, bool has_ends)
{
    ring->n = chance(p, 50) ? 2 : 2 + pick(p, MOST_STEPS - 1);
    ring->main_takes_part = chance(p, 25);
    if (has_ends && chance(p, 30)) {
        /* The end of main is none, and two that join each other are told so by the C library. */
        int step = 1 + pick(p, ring->n - 1);
        ring->is_end[step] = true;
        ring->has_end = true;
    }
    for (int i = 0; i < ring->n; i++) {
        if (ring->is_end[i])
            continue;
        ring->locks[i] = new_lock(p, ring_kind(p, ring));
        ring->has_semaphore |= ring->locks[i].kind == SEMAPHORE;
        if (is_rwlock(&ring->locks[i])) {
            /* At least one side keeps the other out. */
            int sides = pick(p, 3);
            ring->hold_mode[i] = sides == 1 ? SHARED_MODE : EXCLUSIVE;
            ring->want_mode[(i + ring->n - 1) % ring->n] = sides == 2 ? SHARED_MODE : EXCLUSIVE;
        }
    }
}

static void make_roles(struct program *p, struct ring *ring)
{
    for (int i = 0; i < ring->n; i++) {
        ring->roles[i] = i == 0 && ring->main_takes_part ? &p->main : new_role(p);
        if (i > 0 || !ring->main_takes_part)
            say_spawn(&p->main, ring->roles[i]);
    }
}

static void say_hold(struct program *p, struct ring *ring, int i)
{
    struct role *role = ring->roles[i];
    ring->held_in[i] = role->function;
    if (!ring->is_end[i]) {
        const char *call = keep(
            "MUST(%s);", take(&ring->locks[i], ring->hold_mode[i], chance(p, 10) ? TRY : BLOCK));
        if (chance(p, 25))
            ring->held_in[i] = say_in_helper(p, role, call);
        else
            say(role, "%s", call);
    }
    say(role, "step();");
    say(role, "await(%d);", p->turn + ring->n + !ring->main_takes_part);
}

static const char *want_call(struct ring *ring, int i)
{
    int next = (i + 1) % ring->n;
    const struct lock *lock = &ring->locks[next];
    if (ring->is_end[next])
        return keep("JOIN(%s);", ring->roles[next]->handle);
    if (ring->want_way[i] == BLOCK)
        return keep("MUST(%s);\n    %s", take(lock, ring->want_mode[i], BLOCK), drop(lock));
    return keep("if (%s == 0)\n        %s", take(lock, ring->want_mode[i], ring->want_way[i]),
                drop(lock));
}

static void say_want(struct program *p, struct ring *ring, int i)
{
    struct role *role = ring->roles[i];
    const char *call = want_call(ring, i);
    ring->wanted_in[i] = role->function;
    if (chance(p, 25))
        ring->wanted_in[i] = say_in_helper(p, role, call);
    else
        say(role, "%s", call);
    if (!ring->is_end[i])
        say(role, "%s", drop(&ring->locks[i]));
}

static void say_ring(struct program *p, struct ring *ring)
{
    make_roles(p, ring);
    /* All threads have their handles before any is joined. */
    if (!ring->main_takes_part)
        say(&p->main, "step();");
    for (int i = 0; i < ring->n; i++) {
        say_hold(p, ring, i);
        say_want(p, ring, i);
    }
    for (int i = 0; i < ring->n; i++) {
        if (!ring->is_end[i] && !(i == 0 && ring->main_takes_part))
            say_join(&p->main, ring->roles[i]);
    }
    p->turn += ring->n + !ring->main_takes_part;
}

static const char *entries_of(struct ring *ring)
{
    const char *entries[MOST_STEPS];
    for (int i = 0; i < ring->n; i++) {
        int next = (i + 1) % ring->n;
        const char *holds =
            ring->is_end[i]
                ? "thread"
                : keep("%s @%s", seen(&ring->locks[i], ring->hold_mode[i]), ring->held_in[i]);
        entries[i] =
            keep("%s holds %s, wants %s @%s", ring->roles[i]->name, holds,
                 ring->is_end[next] ? "thread" : seen(&ring->locks[next], ring->want_mode[i]),
                 ring->wanted_in[i]);
    }
    return cycle_of(entries, ring->n);
}

/* Readers of the same locks who will never let go either, and who are not needed for the circle. */
static void add_readers(struct program *p, struct ring *ring)
{
    for (int i = 0; i < ring->n; i++) {
        if (ring->is_end[i] || !is_rwlock(&ring->locks[i]) || ring->hold_mode[i] == EXCLUSIVE ||
            !chance(p, 40))
            continue;
        struct role *reader = new_role(p);
        say(reader, "MUST(%s);", take(&ring->locks[i], SHARED_MODE, BLOCK));
        say(reader, "step();");
        say(reader, "pause();");
        say_spawn(&p->main, reader);
        p->turn++;
        say(&p->main, "await(%d);", p->turn);
    }
}

void scene_ring(struct program *p)
{
    struct ring ring = {0};
    draw_ring(p, &ring, true);
    if (ring.has_semaphore)
        say(&p->main, "signal(SIGUSR1, SIG_DFL);");
    else
        add_readers(p, &ring);
    say_ring(p, &ring);
    expect(p, "deadlock error certain: %s", entries_of(&ring));
}

/* One of them only tries, or waits with a limit. */
void scene_meeting(struct program *p)
{
    struct ring ring = {0};
    bool is_try = chance(p, 30);
    draw_ring(p, &ring, false);
    for (int i = 0; i < ring.n; i++) {
        struct lock *lock = &ring.locks[(i + 1) % ring.n];
        /* What a semaphore is shows only when all have posted what they took. */
        if (lock->kind == SEMAPHORE && !is_try)
            *lock = new_lock(p, NORMAL);
    }
    int i = pick(p, ring.n);
    if (is_try)
        ring.want_way[i] = TRY;
    else if (can_be_timed(&ring.locks[(i + 1) % ring.n]))
        ring.want_way[i] = SOON;
    else
        ring.want_way[i] = TRY;
    say_ring(p, &ring);
    if (ring.want_way[i] != TRY)
        expect(p, "lock-order-inversion error possible: %s", entries_of(&ring));
}

/* A thread that takes what it has. */
void scene_self(struct program *p)
{
    enum kind kinds[] = {NORMAL, ADAPTIVE, ROBUST, INHERIT, SHARED, READERS, WRITERS, SPIN, C11};
    struct lock lock = new_lock(p, kinds[pick(p, sizeof(kinds) / sizeof(*kinds))]);
    struct role *role = chance(p, 50) ? &p->main : new_role(p);
    bool is_read = is_rwlock(&lock);
    const char *held_in = role->function, *wanted_in = role->function;

    say(role, "MUST(%s);", take(&lock, is_read ? SHARED_MODE : EXCLUSIVE, BLOCK));
    const char *call = keep("MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
    if (chance(p, 50)) {
        wanted_in = new_name(p, "handler");
        text_put(&p->functions, "static void %s(int signal)\n{\n    (void)signal;\n    %s\n}\n\n",
                 wanted_in, call);
        say(role, "signal(SIGUSR1, %s);", wanted_in);
        say(role, "raise(SIGUSR1);");
    } else {
        say(role, "%s", call);
    }
    if (role != &p->main) {
        say_spawn(&p->main, role);
        say_join(&p->main, role);
    }
    expect(p, "deadlock error certain: %s holds %s @%s, wants %s @%s", role->name,
           seen(&lock, is_read ? SHARED_MODE : EXCLUSIVE), held_in, seen(&lock, EXCLUSIVE),
           wanted_in);
}

/* The same where the kind, the mode or the way lets it. */
void scene_self_let(struct program *p)
{
    enum kind kinds[] = {NORMAL, RECURSIVE, ERRORCHECK, C11_RECURSIVE, READERS, WRITERS};
    struct lock lock = new_lock(p, kinds[pick(p, sizeof(kinds) / sizeof(*kinds))]);
    struct role *role = new_role(p);
    say_spawn(&p->main, role);
    if (lock.kind == NORMAL) {
        say(role, "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
        say(role, "MUST(%s != EBUSY);", take(&lock, EXCLUSIVE, TRY));
        say(role, "MUST(pthread_mutex_timedlock(&%s, in_ms(5)) != ETIMEDOUT);", lock.expr);
    } else if (lock.kind == ERRORCHECK) {
        say(role, "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
        say(role, "MUST(%s != EDEADLK);", take(&lock, EXCLUSIVE, BLOCK));
    } else if (is_rwlock(&lock) && chance(p, 50)) {
        say(role, "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
        say(role, "MUST(%s != EDEADLK);", take(&lock, pick(p, 2) ? SHARED_MODE : EXCLUSIVE, BLOCK));
    } else {
        enum mode mode = is_rwlock(&lock) ? SHARED_MODE : EXCLUSIVE;
        say(role, "MUST(%s);", take(&lock, mode, BLOCK));
        say(role, "MUST(%s);", take(&lock, mode, BLOCK));
        say(role, "%s", drop(&lock));
    }
    say(role, "%s", drop(&lock));
    say_join(&p->main, role);
}

/* A reader that reads again behind a writer who waits: where writers go first it waits for ever. */
static struct role *say_reader_again(struct program *p, struct lock *lock, struct role *writer)
{
    struct role *reader = new_role(p);
    const char *tid = new_name(p, "tid");
    text_put(&p->globals, "static pid_t %s;\n", tid);
    say(reader, "MUST(%s);", take(lock, SHARED_MODE, BLOCK));
    say(reader, "step();");
    say(reader, "await(%d);", p->turn + 2);
    say(reader, "await_asleep(%s);", tid);
    say(reader, "MUST(%s);", take(lock, SHARED_MODE, BLOCK));
    say(reader, "%s", drop(lock));
    say(reader, "%s", drop(lock));
    say(writer, "await(%d);", p->turn + 1);
    say(writer, "%s = (pid_t)syscall(SYS_gettid);", tid);
    say(writer, "step();");
    say(writer, "MUST(%s);", take(lock, EXCLUSIVE, BLOCK));
    say(writer, "%s", drop(lock));
    say_spawn(&p->main, reader);
    say_spawn(&p->main, writer);
    say_join(&p->main, reader);
    say_join(&p->main, writer);
    p->turn += 2;
    return reader;
}

void scene_read_again(struct program *p)
{
    struct lock lock = new_lock(p, WRITERS);
    struct role *writer = new_role(p), *reader = say_reader_again(p, &lock, writer);
    const char *read = seen(&lock, SHARED_MODE), *write = seen(&lock, EXCLUSIVE);
    const char *entries[] = {keep("%s holds %s @%s, wants %s @%s", reader->name, read,
                                  reader->function, read, reader->function),
                             keep("%s holds %s @%s, wants %s @%s", writer->name, write,
                                  writer->function, write, writer->function)};
    expect(p, "deadlock error certain: %s", cycle_of(entries, 2));
}

void scene_read_again_let(struct program *p)
{
    struct lock lock = new_lock(p, READERS);
    say_reader_again(p, &lock, new_role(p));
}

/* Whoever wants what a thread had that has ended. */
void scene_holder_ended(struct program *p)
{
    enum kind kinds[] = {NORMAL, RECURSIVE, ERRORCHECK, ADAPTIVE, INHERIT,      SHARED,
                         SPIN,   READERS,   WRITERS,    C11,      C11_RECURSIVE};
    struct lock lock = new_lock(p, kinds[pick(p, sizeof(kinds) / sizeof(*kinds))]);
    struct role *holder = new_role(p), *asker = chance(p, 50) ? &p->main : new_role(p);
    enum mode mode = is_rwlock(&lock) && chance(p, 50) ? SHARED_MODE : EXCLUSIVE;
    bool is_by_exit = chance(p, 50);

    say(holder, "MUST(%s);", take(&lock, mode, BLOCK));
    if (is_by_exit)
        say(holder, "pthread_exit(NULL);");
    say_spawn(&p->main, holder);
    say_join(&p->main, holder);
    say(asker, "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
    if (asker != &p->main) {
        say_spawn(&p->main, asker);
        say_join(&p->main, asker);
    }
    expect(p, "deadlock error certain: %s holds %s @%s, %s wants %s @%s", holder->name,
           seen(&lock, mode), holder->function, asker->name, seen(&lock, EXCLUSIVE),
           asker->function);
    expect(p, "exit-holding-lock warning certain: %s running %s @%s, holds %s @%s", holder->name,
           seen_as_wanted(&lock), is_by_exit ? holder->function : "play_role", seen(&lock, mode),
           holder->function);
}

/* A robust one is handed over. */
void scene_holder_ended_let(struct program *p)
{
    struct lock lock = new_lock(p, ROBUST);
    struct role *holder = new_role(p);
    say(holder, "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
    say_spawn(&p->main, holder);
    say_join(&p->main, holder);
    say(&p->main, "MUST(%s != EOWNERDEAD);", take(&lock, EXCLUSIVE, BLOCK));
    say(&p->main, "MUST(pthread_mutex_consistent(&%s));", lock.expr);
    say(&p->main, "%s", drop(&lock));
}

/* In the child the thread that holds it isn't there. */
void scene_child_inherits(struct program *p)
{
    enum kind kinds[] = {NORMAL, RECURSIVE, ADAPTIVE, C11, READERS, WRITERS};
    struct lock lock = new_lock(p, kinds[pick(p, sizeof(kinds) / sizeof(*kinds))]);
    struct role *holder = new_role(p);
    bool hangs = chance(p, 50);
    const char *child = new_name(p, "child");

    say(holder, "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
    if (!hangs)
        say(holder, "%s", drop(&lock));
    say(holder, "step();");
    say(holder, "await(%d);", p->turn + 2);
    if (hangs)
        say(holder, "%s", drop(&lock));
    text_put(
        &p->functions,
        "static void %s(void)\n{\n    name_main();\n    MUST(%s);\n    %s\n    _exit(0);\n}\n\n",
        child, take(&lock, EXCLUSIVE, BLOCK), drop(&lock));
    say_spawn(&p->main, holder);
    say(&p->main, "await(%d);", p->turn + 1);
    say(&p->main, "if (fork() == 0)\n        %s();", child);
    say(&p->main, "wait(NULL);");
    say(&p->main, "step();");
    say_join(&p->main, holder);
    p->turn += 2;
    if (hangs)
        expect(p, "deadlock error certain: %s holds %s @%s, main wants %s @%s", holder->name,
               seen(&lock, EXCLUSIVE), holder->function, seen(&lock, EXCLUSIVE), child);
}
