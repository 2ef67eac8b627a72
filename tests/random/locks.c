#include "tests/random/locks.h"

#include <string.h>

#define MUTEX(make)                                                                                \
    {                                                                                              \
        "pthread_mutex_t", "mutex", make, "pthread_mutex_destroy(&%s);",                           \
            "pthread_mutex_unlock(&%s);",                                                          \
        {                                                                                          \
            {                                                                                      \
                "pthread_mutex_lock(&%s)", "pthread_mutex_trylock(&%s)",                           \
                    "pthread_mutex_timedlock(&%s, in_ms(LATER))",                                  \
                    "pthread_mutex_clocklock(&%s, CLOCK_REALTIME, in_ms(-1))",                     \
                    "pthread_mutex_timedlock(&%s, in_ms(20))"                                      \
            }                                                                                      \
        }                                                                                          \
    }
#define RWLOCK(make)                                                                               \
    {                                                                                              \
        "pthread_rwlock_t", "rwlock", make, "pthread_rwlock_destroy(&%s);",                        \
            "pthread_rwlock_unlock(&%s);",                                                         \
        {                                                                                          \
            {"pthread_rwlock_wrlock(&%s)", "pthread_rwlock_trywrlock(&%s)",                        \
             "pthread_rwlock_timedwrlock(&%s, in_ms(LATER))",                                      \
             "pthread_rwlock_timedwrlock(&%s, in_ms(-1))",                                         \
             "pthread_rwlock_timedwrlock(&%s, in_ms(20))"},                                        \
            {                                                                                      \
                "pthread_rwlock_rdlock(&%s)", "pthread_rwlock_tryrdlock(&%s)",                     \
                    "pthread_rwlock_timedrdlock(&%s, in_ms(LATER))",                               \
                    "pthread_rwlock_clockrdlock(&%s, CLOCK_REALTIME, in_ms(-1))",                  \
                    "pthread_rwlock_timedrdlock(&%s, in_ms(20))"                                   \
            }                                                                                      \
        }                                                                                          \
    }
#define C11_MUTEX(make)                                                                            \
    {                                                                                              \
        "mtx_t", "mutex", make, "mtx_destroy(&%s);", "mtx_unlock(&%s);",                           \
        {                                                                                          \
            {                                                                                      \
                "mtx_lock(&%s)", "mtx_trylock(&%s)", "mtx_timedlock(&%s, in_ms(LATER))",           \
                    "mtx_timedlock(&%s, in_ms(-1))", "mtx_timedlock(&%s, in_ms(20))"               \
            }                                                                                      \
        }                                                                                          \
    }

static const struct {
    const char *type, *seen, *make, *destroy, *drop;
    const char *take[2][N_WAYS];
} kinds[N_KINDS] = {
    [NORMAL] = MUTEX("pthread_mutex_init(&%s, NULL);"),
    [RECURSIVE] = MUTEX("make_mutex(&%s, PTHREAD_MUTEX_RECURSIVE, 0, 0, 0);"),
    [ERRORCHECK] = MUTEX("make_mutex(&%s, PTHREAD_MUTEX_ERRORCHECK, 0, 0, 0);"),
    [ADAPTIVE] = MUTEX("make_mutex(&%s, PTHREAD_MUTEX_ADAPTIVE_NP, 0, 0, 0);"),
    [ROBUST] = MUTEX("make_mutex(&%s, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 0, 0);"),
    [INHERIT] = MUTEX("make_mutex(&%s, PTHREAD_MUTEX_NORMAL, 0, PTHREAD_PRIO_INHERIT, 0);"),
    [PROTECT] = MUTEX("make_mutex(&%s, PTHREAD_MUTEX_NORMAL, 0, PTHREAD_PRIO_PROTECT, 0);"),
    [SHARED] = MUTEX("make_mutex(&%s, PTHREAD_MUTEX_NORMAL, 0, 0, PTHREAD_PROCESS_SHARED);"),
    [READERS] = RWLOCK("make_rwlock(&%s, PTHREAD_RWLOCK_PREFER_READER_NP);"),
    [WRITERS] = RWLOCK("make_rwlock(&%s, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);"),
    [SPIN] = {"pthread_spinlock_t",
              "spin",
              "pthread_spin_init(&%s, 0);",
              "pthread_spin_destroy(&%s);",
              "pthread_spin_unlock(&%s);",
              {{"pthread_spin_lock(&%s)", "pthread_spin_trylock(&%s)", NULL, NULL, NULL}}},
    [SEMAPHORE] = {"sem_t",
                   "semaphore",
                   "sem_init(&%s, 0, 1);",
                   "sem_destroy(&%s);",
                   "sem_post(&%s);",
                   {{"sem_wait(&%s)", "sem_trywait(&%s)", "sem_timedwait(&%s, in_ms(LATER))",
                     "sem_clockwait(&%s, CLOCK_REALTIME, in_ms(-1))",
                     "sem_timedwait(&%s, in_ms(20))"}}},
    [C11] = C11_MUTEX("mtx_init(&%s, mtx_timed);"),
    [C11_RECURSIVE] = C11_MUTEX("mtx_init(&%s, mtx_timed | mtx_recursive);"),
    [CUSTOM] = {"struct custom",
                "custom",
                "make_custom(&%s);",
                "dlwatch_destroyed(&%s);",
                "DISOWN(%s);",
                {{"(OWN(%s), 0)", "!custom_try(&%s, DLWATCH_EXCLUSIVE)", NULL, NULL, NULL}}},
};

bool priority_is_allowed;

/* `format`, a row's, has one %s. */
static const char *filled(const char *format, const char *expr)
{
    const char *hole = strstr(format, "%s");
    return keep("%.*s%s%s", (int)(hole - format), format, expr, hole + 2);
}

const char *make_lock(const struct lock *lock)
{
    if (lock->kind == SEMAPHORE)
        return keep("sem_init(&%s, 0, %d);", lock->expr, lock->units);
    return filled(kinds[lock->kind].make, lock->expr);
}

struct lock new_lock(struct program *p, enum kind kind)
{
    const char *name = new_name(p, "lock");
    struct lock lock = {.kind = kind, .units = 1, .name = name, .expr = name};
    if (kind == NORMAL && chance(p, 70)) {
        text_put(&p->globals, "static pthread_mutex_t %s = PTHREAD_MUTEX_INITIALIZER;\n", name);
    } else {
        text_put(&p->globals, "static %s %s;\n", kinds[kind].type, name);
        text_put(&p->setup, "    %s\n", make_lock(&lock));
    }
    return lock;
}

struct lock new_heap_lock(struct program *p, enum kind kind)
{
    const char *name = new_name(p, "heap");
    struct lock lock = {.kind = kind, .units = 1, .name = "-", .expr = keep("(*%s)", name)};
    text_put(&p->globals, "static %s *%s;\n", kinds[kind].type, name);
    text_put(&p->setup, "    %s = malloc(sizeof(*%s));\n    %s\n", name, name, make_lock(&lock));
    return lock;
}

struct lock new_pool(struct program *p, int units)
{
    const char *name = new_name(p, "pool");
    struct lock lock = {.kind = SEMAPHORE, .units = units, .name = name, .expr = name};
    text_put(&p->globals, "static sem_t %s;\n", name);
    text_put(&p->setup, "    %s\n", make_lock(&lock));
    return lock;
}

enum kind any_kind(struct program *p)
{
    enum kind kind = chance(p, 30) ? NORMAL : (enum kind)pick(p, N_KINDS);
    return kind == PROTECT && !priority_is_allowed ? INHERIT : kind;
}

bool is_rwlock(const struct lock *lock)
{
    return lock->kind == READERS || lock->kind == WRITERS;
}

bool can_be_timed(const struct lock *lock)
{
    return lock->kind != SPIN && lock->kind != CUSTOM;
}

const char *take(const struct lock *lock, enum mode mode, enum way way)
{
    return filled(kinds[lock->kind].take[mode][way], lock->expr);
}

const char *drop(const struct lock *lock)
{
    return filled(kinds[lock->kind].drop, lock->expr);
}

const char *destroy(const struct lock *lock)
{
    return filled(kinds[lock->kind].destroy, lock->expr);
}

const char *seen_as_wanted(const struct lock *lock)
{
    return keep("%s %s", kinds[lock->kind].seen, lock->name);
}

const char *seen(const struct lock *lock, enum mode mode)
{
    return keep("%s %s%s", kinds[lock->kind].seen, lock->name,
                !is_rwlock(lock)      ? ""
                : mode == SHARED_MODE ? " shared"
                                      : " exclusive");
}
