#include "interpose/steer/yield.h"

#include "interpose/base/real.h"
#include "interpose/locks/ref.h"
#include "interpose/watch/live_view.h"
#include "interpose/watch/wait.h"

#include <errno.h>

static void *object_of(uintptr_t lock)
{
    return (void *)lock; /* NOLINT(performance-no-int-to-ptr) */
}

static uintptr_t lock_of(const struct dlw_held_lock *held)
{
    return atomic_load_explicit(&held->lock, memory_order_relaxed);
}

/* Robust ones may come back with another answer, and those with a protocol with none. */
static bool is_simple_mutex(const pthread_mutex_t *mutex)
{
    unsigned kind = dlw_mutex_kind(mutex);

    return kind <= 3 && (kind != PTHREAD_MUTEX_RECURSIVE || dlw_mutex_count(mutex) == 1);
}

/* A reader that reads again could be kept out by a writer who waits for its first hold. */
static bool is_had_twice(struct dlw_thread *self, uintptr_t lock, uint32_t below)
{
    for (uint32_t i = 0; i < below; i++)
        if (lock_of(dlw_held_at(self, i)) == lock)
            return true;
    return false;
}

bool dlw_yield_is_possible(struct dlw_thread *self, const struct dlw_held_lock *held)
{
    enum { NOT = DLW_HELD_TRY | DLW_HELD_TIMED | DLW_HELD_POOL | DLW_HELD_MADE | DLW_HELD_FIRST };

    uint32_t last = dlw_held_depth(self) - 1;
    if ((held->flags & NOT) || held != dlw_held_at(self, last) ||
        is_had_twice(self, lock_of(held), last))
        return false;
    switch (held->kind) {
    case DLW_LOCK_MUTEX:
        return is_simple_mutex(object_of(lock_of(held)));
    case DLW_LOCK_RWLOCK:
    case DLW_LOCK_SPIN:
    case DLW_LOCK_SEMAPHORE:
        return true;
    default:
        return false;
    }
}

void dlw_yield_gives_back(struct dlw_thread *self, struct dlw_held_lock *held)
{
    void *object = object_of(lock_of(held));
    unsigned kind = held->kind;

    dlw_held_pop(self, dlw_held_depth(self) - 1);
    if (kind == DLW_LOCK_MUTEX)
        real.pthread_mutex_unlock(object);
    else if (kind == DLW_LOCK_RWLOCK)
        real.pthread_rwlock_unlock(object);
    else if (kind == DLW_LOCK_SPIN)
        real.pthread_spin_unlock(object);
    else
        real.sem_post(object);
}

/* 0: it is had. */
static int try_it(unsigned kind, unsigned mode, void *object)
{
    if (kind == DLW_LOCK_MUTEX)
        return real.pthread_mutex_trylock(object);
    if (kind == DLW_LOCK_RWLOCK)
        return mode == DLW_SHARED ? real.pthread_rwlock_tryrdlock(object)
                                  : real.pthread_rwlock_trywrlock(object);
    return kind == DLW_LOCK_SPIN ? real.pthread_spin_trylock(object) : real.sem_trywait(object);
}

static int lock_it(unsigned kind, unsigned mode, void *object)
{
    if (kind == DLW_LOCK_MUTEX)
        return real.pthread_mutex_lock(object);
    if (kind == DLW_LOCK_RWLOCK)
        return mode == DLW_SHARED ? real.pthread_rwlock_rdlock(object)
                                  : real.pthread_rwlock_wrlock(object);
    return kind == DLW_LOCK_SPIN ? real.pthread_spin_lock(object) : real.sem_wait(object);
}

static uint8_t wait_kind(unsigned kind)
{
    if (kind == DLW_LOCK_SPIN)
        return DLW_WAIT_SPIN;
    return kind == DLW_LOCK_SEMAPHORE ? DLW_WAIT_SEMAPHORE : DLW_WAIT_LOCK;
}

/* The order is learned when it is had, as by its own call. */
static void lock_watched(struct dlw_thread *self, const struct dlw_wait_for *wait)
{
    int result;

    do {
        dlw_wait_begin(self, wait);
        result = lock_it(wait->lock_kind, wait->mode, object_of(wait->on));
        dlw_wait_end(self);
    } while (result != 0); /* a semaphore's wait was interrupted; too many readers */
}

struct dlw_held_lock *dlw_yield_takes_again(struct dlw_thread *self,
                                            const struct dlw_held_lock *was, struct dlw_call call)
{
    uintptr_t lock = lock_of(was);
    uint8_t mode = atomic_load_explicit(&was->mode, memory_order_relaxed);
    uint32_t traits = DLW_TRAITS(was->kind, mode, was->flags & ~(unsigned)DLW_HELD_TRIAL, 1);
    struct dlw_wait_for wait = {.on = lock,
                                .kind = wait_kind(was->kind),
                                .lock_kind = was->kind,
                                .mode = mode,
                                .call = call};

    if (try_it(was->kind, mode, object_of(lock)) != 0)
        lock_watched(self, &wait);
    if (dlw_thread_passes(self))
        return NULL;
    struct dlw_held_lock *held = dlw_held_push(self, object_of(lock), was->id, traits, call);
    self->calls -= DLW_TRAIL_CALLS; /* no call of the program's */
    if (held)
        dlw_held_note_again(self, held);
    return held;
}

/* ---- who waits for whom ---- */

enum { MOST = 64 };

struct reach {
    uint32_t tids[MOST], n;
};

static void reach(struct reach *reach, uint32_t tid)
{
    for (uint32_t i = 0; i < reach->n; i++)
        if (reach->tids[i] == tid)
            return;
    if (tid && reach->n < MOST)
        reach->tids[reach->n++] = tid;
}

static bool has_owner(const struct dlw_wait *wait)
{
    return wait->kind != DLW_WAIT_NONE && wait->kind != DLW_WAIT_CONDITION &&
           wait->kind != DLW_WAIT_BARRIER && wait->kind != DLW_WAIT_FUTEX &&
           wait->kind != DLW_WAIT_DESTROY && wait->kind != DLW_WAIT_SYSCALL;
}

static void go_on(struct reach *all, uint32_t tid)
{
    const struct dlw_live_view *view = &dlw_view_asleep; /* a semaphore's holders count, too */
    struct dlw_thread *thread = dlw_thread_by_tid(tid);
    struct dlw_owner owners[MOST];
    struct dlw_wait wait;

    for (unsigned i = 0; thread && i < DLW_YIELDS_TO; i++)
        reach(all, atomic_load_explicit(&thread->yields_to[i], memory_order_relaxed));
    if (!thread || !view->wait_of(view->context, tid, &wait) || !has_owner(&wait))
        return;
    int n = view->owners_of(view->context, tid, &wait, owners, MOST);
    for (int i = 0; i < n; i++)
        reach(all, owners[i].thread);
}

bool dlw_yield_is_waited_for(struct dlw_thread *self, const uint32_t *tids, uint32_t n)
{
    uint32_t me = atomic_load_explicit(&self->tid, memory_order_relaxed);
    struct reach all = {.n = 0};

    for (uint32_t i = 0; i < n; i++)
        reach(&all, tids[i]);
    for (uint32_t i = 0; i < all.n; i++) {
        if (all.tids[i] == me)
            return true;
        go_on(&all, all.tids[i]);
    }
    return false;
}
