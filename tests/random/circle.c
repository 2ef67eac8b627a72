/*
 * Circles of lock orders that don't close: the steps run one after another, by turns.
 *
 * A circle of n locks has n steps; step i takes lock i, then lock i + 1. What makes a circle
 * harmless and what only looks like it is drawn for each circle, and verdict_of() says from the
 * draw alone what must be told. Every reason has its near miss beside it: the gate dropped before
 * the second lock, the barrier passed on the same side, the other thread joined, and so on.
 */
#include "tests/random/locks.h"
#include "tests/random/scenes.h"

#include <string.h>

enum { MOST_STEPS = 5 };

/* What stands between two steps, of which x comes first, and its name for people. */
#define RELATIONS(R)                                                                               \
    R(NOTHING, "")                                                                                 \
    R(JOINED, ", joined between") /* x's thread is joined, then y's created */                     \
    R(CANCELLED, ", cancelled and joined between")                                                 \
    R(ONLY_AWAITED, ", only awaited between")                                                      \
    R(OTHER_JOINED, ", another joined between")                                                    \
    R(MAIN_CREATES_AFTER, ", created after main's step") /* x is main's */                         \
    R(MAIN_CREATES_BEFORE, ", created before main's step")                                         \
    R(MAIN_JOINS_BEFORE, ", joined before main's step") /* y is main's */                          \
    R(MAIN_JOINS_AFTER, ", joined after main's step")                                              \
    R(CREATES_AFTER, ", creates after its step") /* x's thread creates y's */                      \
    R(CREATES_BEFORE, ", creates before its step")                                                 \
    R(BARRIER_BETWEEN, ", a barrier between")                                                      \
    R(BARRIER_BEFORE, ", a barrier before both")                                                   \
    R(BARRIER_AFTER, ", a barrier after both")                                                     \
    R(BARRIER_OF_OTHERS, ", barriers with a third")                                                \
    R(CONDITION, ", a condition between") /* orders nothing */                                     \
    R(EVENT, ", an event between")        /* nor does a semaphore */                               \
    R(SAME_THREAD, ", one thread for two steps")

/* What is held around steps. */
#define GATES(G)                                                                                   \
    G(NO_GATE, "")                                                                                 \
    G(GATE_OF_ONE, ", a gate of one step")                                                         \
    G(GATE_OF_TWO, ", a gate of two")                                                              \
    G(GATE_TRIED, ", a gate of two that one tries")                                                \
    G(GATE_DROPPED, ", a gate of two that one drops") /* before the second lock */                 \
    G(GATES_THAT_DIFFER, ", two gates")                                                            \
    G(GATE_READERS, ", a gate of two readers")                                                     \
    G(GATE_READER, ", a gate of a reader and a writer")                                            \
    G(GATE_POOL, ", a pool around all") /* there may be units for everyone */

#define NUMBER(name, words) name,
#define WORDS(name, words) [name] = words,
enum relation { RELATIONS(NUMBER) N_RELATIONS };
enum gate { GATES(NUMBER) N_GATES };
static const char *const relation_words[] = {RELATIONS(WORDS)};
static const char *const gate_words[] = {GATES(WORDS)};

enum place { PLAIN, HELPER, HANDLER, DESTRUCTOR, CLEANUP, N_PLACES };

struct step {
    enum mode hold_mode, want_mode;
    enum way hold_way, want_way;
    enum place place;    /* where the second lock is asked for */
    const char *who;     /* the thread's name */
    const char *held_in; /* function */
    const char *wanted_in;
    struct lock gate;
    enum mode gate_mode;
    bool has_gate, gate_is_dropped, gate_is_tried;
};

struct circle {
    int n;
    struct lock locks[MOST_STEPS];
    struct step steps[MOST_STEPS];
    struct role *roles[MOST_STEPS];
    int order[MOST_STEPS]; /* which step comes when */
    enum relation relation;
    int x, y; /* steps; x comes first */
    enum gate gate;
    int pool_units;
    int remade;    /* this lock is destroyed and made again, -1: none */
    int remade_at; /* before the step with this turn */
    struct role *other;
};

static struct lock *wanted(struct circle *c, int i)
{
    return &c->locks[(i + 1) % c->n];
}

static int turn_of(const struct circle *c, int step)
{
    for (int k = 0; k < c->n; k++) {
        if (c->order[k] == step)
            return k;
    }
    return -1;
}

/* What must be told, from the draw alone. */

static bool has_try(const struct circle *c)
{
    for (int i = 0; i < c->n; i++) {
        if (c->steps[i].want_way == TRY)
            return true;
    }
    return false;
}

/* A lock that was made again after a step that holds or wants it is another: the orders of the old
 * one are gone with it. */
static bool is_torn(const struct circle *c)
{
    if (c->remade < 0)
        return false;
    int holds = turn_of(c, c->remade), wants = turn_of(c, (c->remade + c->n - 1) % c->n);
    return holds < c->remade_at || wants < c->remade_at;
}

static int timed_steps(const struct circle *c)
{
    int n = 0;
    for (int i = 0; i < c->n; i++)
        n += c->steps[i].want_way == TIMED || c->steps[i].want_way == EXPIRED;
    return n;
}

static bool readers_meet(const struct circle *c)
{
    for (int i = 0; i < c->n; i++) {
        const struct lock *lock = &c->locks[(i + 1) % c->n];
        if (c->steps[i].want_mode == SHARED_MODE &&
            c->steps[(i + 1) % c->n].hold_mode == SHARED_MODE && lock->kind != WRITERS)
            return true;
    }
    return false;
}

static bool is_gated(const struct circle *c)
{
    return c->gate == GATE_OF_TWO || c->gate == GATE_TRIED || c->gate == GATE_READER ||
           (c->gate == GATE_POOL && c->pool_units < c->n);
}

static bool is_ordered(const struct circle *c)
{
    switch (c->relation) {
    case JOINED:
    case CANCELLED:
    case MAIN_CREATES_AFTER:
    case MAIN_JOINS_BEFORE:
    case CREATES_AFTER:
    case BARRIER_BETWEEN:
    case SAME_THREAD:
        return true;
    default:
        return false;
    }
}

/* NULL: nothing at all. */
static const char *verdict_of(const struct circle *c)
{
    if (has_try(c) || is_torn(c))
        return NULL;
    if (readers_meet(c) || is_gated(c) || is_ordered(c) || timed_steps(c) == c->n)
        return "note";
    return "error";
}

/* The draw. */

static enum mode any_mode(struct program *p, const struct lock *lock)
{
    return is_rwlock(lock) && chance(p, 50) ? SHARED_MODE : EXCLUSIVE;
}

static void draw_steps(struct program *p, struct circle *c)
{
    bool is_all_timed = chance(p, 8);
    for (int i = 0; i < c->n; i++) {
        struct step *step = &c->steps[i];
        step->hold_mode = any_mode(p, &c->locks[i]);
        step->want_mode = any_mode(p, wanted(c, i));
        if (chance(p, 10))
            step->hold_way = TRY;
        if ((is_all_timed || chance(p, 8)) && can_be_timed(wanted(c, i)))
            step->want_way = chance(p, 70) ? TIMED : EXPIRED;
        step->place = chance(p, 40) ? (enum place)pick(p, N_PLACES) : PLAIN;
    }
    if (chance(p, 6))
        c->steps[pick(p, c->n)].want_way = TRY;
}

static void set_gate(struct step *step, struct lock gate, enum mode mode)
{
    step->has_gate = true;
    step->gate = gate;
    step->gate_mode = mode;
}

static void draw_gate(struct program *p, struct circle *c)
{
    if (chance(p, 60))
        return;
    c->gate = (enum gate)pick(p, N_GATES);
    enum kind kind = any_kind(p);
    if (c->gate == GATE_READERS || c->gate == GATE_READER)
        kind = chance(p, 50) ? READERS : WRITERS;
    /* A semaphore that is held once may yet be none (it has been posted by nobody). */
    struct lock gate = new_lock(p, kind);
    int a = pick(p, c->n), b = (a + 1 + pick(p, c->n - 1)) % c->n;
    struct step *first = &c->steps[a], *second = &c->steps[b];
    if (c->gate == GATE_POOL) {
        c->pool_units = c->n - 2 + pick(p, 3);
        c->pool_units += !c->pool_units;
        gate = new_pool(p, c->pool_units);
        for (int i = 0; i < c->n; i++)
            set_gate(&c->steps[i], gate, EXCLUSIVE);
    } else if (c->gate != NO_GATE) {
        set_gate(first, gate, c->gate == GATE_READERS ? SHARED_MODE : EXCLUSIVE);
        first->gate_is_tried = c->gate == GATE_TRIED;
        if (c->gate == GATES_THAT_DIFFER)
            gate = new_lock(p, any_kind(p));
        if (c->gate != GATE_OF_ONE)
            set_gate(second, gate,
                     c->gate == GATE_READERS || c->gate == GATE_READER ? SHARED_MODE : EXCLUSIVE);
        second->gate_is_dropped = c->gate == GATE_DROPPED;
    }
}

static void draw_relation(struct program *p, struct circle *c)
{
    for (int i = 0; i < c->n; i++)
        c->order[i] = i;
    shuffle(p, c->order, c->n);
    int a = pick(p, c->n - 1), b = a + 1 + pick(p, c->n - a - 1);
    c->x = c->order[a];
    c->y = c->order[b];
    if (chance(p, 50))
        c->relation = (enum relation)pick(p, N_RELATIONS);
    if (chance(p, 6)) {
        c->remade = pick(p, c->n);
        c->remade_at = pick(p, c->n);
    }
}

/* How the threads come and go. */

static bool is_mains(const struct circle *c, int step)
{
    enum relation r = c->relation;
    return (step == c->x && (r == MAIN_CREATES_AFTER || r == MAIN_CREATES_BEFORE)) ||
           (step == c->y && (r == MAIN_JOINS_BEFORE || r == MAIN_JOINS_AFTER));
}

static void make_roles(struct program *p, struct circle *c)
{
    for (int k = 0; k < c->n; k++) {
        int i = c->order[k];
        if (is_mains(c, i))
            c->roles[i] = &p->main;
        else if (i == c->y && c->relation == SAME_THREAD)
            c->roles[i] = c->roles[c->x];
        else
            c->roles[i] = new_role(p);
        c->steps[i].who = c->roles[i]->name;
    }
    if (c->relation == OTHER_JOINED || c->relation == BARRIER_OF_OTHERS)
        c->other = new_role(p);
}

static bool is_created_later(const struct circle *c, int step)
{
    switch (c->relation) {
    case JOINED:
    case CANCELLED:
    case ONLY_AWAITED:
    case OTHER_JOINED:
    case MAIN_CREATES_AFTER:
    case CREATES_AFTER:
    case CREATES_BEFORE:
        return step == c->y;
    default:
        return false;
    }
}

static void say_barrier(struct role *role, const char *barrier)
{
    say(role, "pthread_barrier_wait(&%s);", barrier);
}

static const char *new_barrier(struct program *p, int n)
{
    const char *name = new_name(p, "barrier");
    text_put(&p->globals, "static pthread_barrier_t %s;\n", name);
    text_put(&p->setup, "    pthread_barrier_init(&%s, NULL, %d);\n", name, n);
    return name;
}

/* What x's and y's threads do before and after their steps, for the relation's sake. */
struct bonds {
    const char *before_x, *after_x, *before_y, *after_y;
};

static struct bonds bonds_of(struct program *p, struct circle *c)
{
    struct bonds bonds = {0};
    const char *first, *name, *pass;
    switch (c->relation) {
    case CANCELLED:
        bonds.after_x = "for (;;)\n        pause();";
        break;
    case BARRIER_BETWEEN:
    case BARRIER_BEFORE:
    case BARRIER_AFTER:
        pass = keep("pthread_barrier_wait(&%s);", new_barrier(p, 2));
        bonds.before_x = c->relation == BARRIER_BEFORE ? pass : NULL;
        bonds.after_x = c->relation == BARRIER_BEFORE ? NULL : pass;
        bonds.before_y = c->relation == BARRIER_AFTER ? NULL : pass;
        bonds.after_y = c->relation == BARRIER_AFTER ? pass : NULL;
        break;
    case BARRIER_OF_OTHERS:
        first = new_barrier(p, 2);
        name = new_barrier(p, 2);
        bonds.after_x = keep("pthread_barrier_wait(&%s);", first);
        bonds.before_y = keep("pthread_barrier_wait(&%s);", name);
        /* In this order the other thread would tie them together. */
        say_barrier(c->other, name);
        say_barrier(c->other, first);
        break;
    case CONDITION:
        name = new_name(p, "told");
        text_put(&p->globals,
                 "static pthread_mutex_t %s_mutex = PTHREAD_MUTEX_INITIALIZER;\n"
                 "static pthread_cond_t %s_cond = PTHREAD_COND_INITIALIZER;\nstatic int %s;\n",
                 name, name, name);
        bonds.after_x = keep("LOCK(%s_mutex);\n    %s = 1;\n    pthread_cond_signal(&%s_cond);\n"
                             "    UNLOCK(%s_mutex);",
                             name, name, name, name);
        bonds.before_y = keep("LOCK(%s_mutex);\n    while (!%s)\n        "
                              "pthread_cond_wait(&%s_cond, &%s_mutex);\n    UNLOCK(%s_mutex);",
                              name, name, name, name, name);
        break;
    case EVENT:
        name = new_name(p, "event");
        text_put(&p->globals, "static sem_t %s;\n", name);
        text_put(&p->setup, "    sem_init(&%s, 0, 0);\n", name);
        bonds.after_x = keep("sem_post(&%s);", name);
        bonds.before_y = keep("sem_wait(&%s);", name);
        break;
    default:
        break;
    }
    return bonds;
}

/* One step. */

/* Where the second lock is asked for; the name of that function. */
static const char *say_want(struct program *p, struct role *role, const struct step *step,
                            const struct lock *lock)
{
    const char *body =
        keep("MUST(%s);\n    %s", take(lock, step->want_mode, step->want_way), drop(lock));
    enum place place = step->place;
    const char *name;
    if (lock->kind == PROTECT || role == &p->main)
        place = place == PLAIN ? PLAIN : HELPER;
    switch (place) {
    case HELPER:
        return say_in_helper(p, role, body);
    case HANDLER:
        name = new_name(p, "handler");
        text_put(&p->functions, "static void %s(int signal)\n{\n    (void)signal;\n    %s\n}\n\n",
                 name, body);
        say(role, "signal(SIGUSR1, %s);", name);
        say(role, "raise(SIGUSR1);");
        return name;
    case CLEANUP:
        name = new_name(p, "cleanup");
        text_put(&p->functions, "static void %s(void *arg)\n{\n    (void)arg;\n    %s\n}\n\n", name,
                 body);
        say(role, "pthread_cleanup_push(%s, NULL);", name);
        say(role, "pthread_cleanup_pop(1);");
        return name;
    default:
        say(role, "%s", body);
        return role->function;
    }
}

/* The whole step as the thread's last act, in a destructor of thread-specific data. */
static void say_destructor(struct program *p, struct role *role, const char *body,
                           struct step *step)
{
    const char *name = new_name(p, "destructor");
    text_put(&p->functions, "static void %s(void *arg)\n{\n    (void)arg;\n%s}\n\n", name, body);
    text_put(&p->globals, "static pthread_key_t %s_key;\n", name);
    text_put(&p->setup, "    pthread_key_create(&%s_key, %s);\n", name, name);
    text_put(&p->globals, "static void %s(void *arg);\n", name);
    say(role, "pthread_setspecific(%s_key, \"\");", name);
    if (step->held_in == role->function)
        step->held_in = name;
    if (step->wanted_in == role->function)
        step->wanted_in = name;
}

static void say_first(struct program *p, struct role *role, struct step *step,
                      const struct lock *lock)
{
    const char *call = keep("MUST(%s);", take(lock, step->hold_mode, step->hold_way));
    step->held_in = role->function;
    if (chance(p, 25))
        step->held_in = say_in_helper(p, role, call);
    else
        say(role, "%s", call);
}

static bool wants_priority(const struct step *step, const struct lock *hold,
                           const struct lock *want)
{
    return hold->kind == PROTECT || want->kind == PROTECT ||
           (step->has_gate && step->gate.kind == PROTECT);
}

static void say_noise(struct program *p, struct role *role)
{
    if (!chance(p, 15))
        return;
    struct lock noise = new_lock(p, NORMAL);
    say(role, "MUST(%s);", take(&noise, EXCLUSIVE, chance(p, 50) ? BLOCK : TRY));
    say(role, "%s", drop(&noise));
}

static void say_step(struct program *p, struct circle *c, int i)
{
    struct step *step = &c->steps[i];
    struct role *role = c->roles[i];
    struct text whole = role->body;
    bool is_last_act = step->place == DESTRUCTOR && role != &p->main && c->relation == NOTHING;
    bool has_priority = wants_priority(step, &c->locks[i], wanted(c, i));

    if (is_last_act)
        role->body = (struct text){0};
    say(role, "await(%d);", p->turn);
    if (has_priority)
        say(role, "set_priority(SCHED_FIFO);");
    if (step->has_gate)
        say(role, "MUST(%s);",
            take(&step->gate, step->gate_mode, step->gate_is_tried ? TRY : BLOCK));
    say_noise(p, role);
    say_first(p, role, step, &c->locks[i]);
    if (step->has_gate && step->gate_is_dropped)
        say(role, "%s", drop(&step->gate));
    say_noise(p, role);
    step->wanted_in = say_want(p, role, step, wanted(c, i));
    say(role, "%s", drop(&c->locks[i]));
    if (step->has_gate && !step->gate_is_dropped)
        say(role, "%s", drop(&step->gate));
    if (has_priority)
        say(role, "set_priority(SCHED_OTHER);");
    say(role, "step();");
    p->turn++;
    if (is_last_act) {
        struct text body = role->body;
        role->body = whole;
        say_destructor(p, role, body.chars, step);
    }
}

static void say_bond(struct role *role, const char *bond)
{
    if (bond)
        say(role, "%s", bond);
}

/* What main does when x's step is over and y's thread is still to be made. */
static void say_between(struct program *p, struct circle *c)
{
    struct role *x = c->roles[c->x];
    if (x != &p->main)
        say(&p->main, "await(%d);", p->turn);
    if (c->relation == CANCELLED)
        say(&p->main, "pthread_cancel(%s);", x->handle);
    if (c->relation == JOINED || c->relation == CANCELLED || c->relation == MAIN_JOINS_BEFORE)
        say_join(&p->main, x);
    if (c->relation == OTHER_JOINED)
        say_join(&p->main, c->other);
    if (c->relation == CREATES_AFTER)
        say_spawn(x, c->roles[c->y]);
    else if (is_created_later(c, c->y) && c->relation != CREATES_BEFORE)
        say_spawn(&p->main, c->roles[c->y]);
}

static bool is_joined_early(const struct circle *c, int i)
{
    return i == c->x &&
           (c->relation == JOINED || c->relation == CANCELLED || c->relation == MAIN_JOINS_BEFORE);
}

static void say_remake(struct program *p, const struct lock *lock)
{
    say(&p->main, "await(%d);", p->turn);
    say(&p->main, "%s", destroy(lock));
    say(&p->main, "%s", make_lock(lock));
    say(&p->main, "step();");
    p->turn++;
}

static void say_all(struct program *p, struct circle *c)
{
    struct bonds bonds = bonds_of(p, c);
    for (int i = 0; i < c->n; i++) {
        if (!is_mains(c, i) && !is_created_later(c, i) &&
            !(c->relation == SAME_THREAD && i == c->y))
            say_spawn(&p->main, c->roles[i]);
    }
    if (c->other)
        say_spawn(&p->main, c->other);
    if (c->relation == CREATES_BEFORE)
        say_spawn(c->roles[c->x], c->roles[c->y]);
    for (int k = 0; k < c->n; k++) {
        int i = c->order[k];
        if (c->remade >= 0 && c->remade_at == k)
            say_remake(p, &c->locks[c->remade]);
        say_bond(c->roles[i], i == c->x ? bonds.before_x : i == c->y ? bonds.before_y : NULL);
        say_step(p, c, i);
        say_bond(c->roles[i], i == c->x ? bonds.after_x : i == c->y ? bonds.after_y : NULL);
        if (i == c->x)
            say_between(p, c);
    }
    for (int k = 0; k < c->n; k++) {
        int i = c->order[k];
        if (!is_mains(c, i) && !is_joined_early(c, i) && !(c->relation == SAME_THREAD && i == c->y))
            say_join(&p->main, c->roles[i]);
    }
    if (c->other && c->relation != OTHER_JOINED)
        say_join(&p->main, c->other);
}

static void expect_verdict(struct program *p, struct circle *c)
{
    const char *severity = verdict_of(c), *entries[MOST_STEPS];
    if (!severity)
        return;
    for (int i = 0; i < c->n; i++) {
        const struct step *step = &c->steps[i];
        entries[i] =
            keep("%s holds %s @%s, wants %s @%s", step->who, seen(&c->locks[i], step->hold_mode),
                 step->held_in, seen(wanted(c, i), step->want_mode), step->wanted_in);
    }
    expect(p, "lock-order-inversion %s possible: %s", severity, cycle_of(entries, c->n));
}

void scene_circle(struct program *p)
{
    struct circle c = {.n = chance(p, 50) ? 2 : 2 + pick(p, MOST_STEPS - 1), .remade = -1};
    for (int i = 0; i < c.n; i++)
        c.locks[i] = chance(p, 10) ? new_heap_lock(p, any_kind(p)) : new_lock(p, any_kind(p));
    draw_steps(p, &c);
    draw_relation(p, &c);
    draw_gate(p, &c);
    make_roles(p, &c);
    say_all(p, &c);
    expect_verdict(p, &c);
    text_put(&p->title, " of %d%s%s", c.n, relation_words[c.relation], gate_words[c.gate]);
}
