/*
 * What the lock-objects of glibc and the threads' records say, as graph/waits.c asks for it.
 * Threads are called by tid here: that is what the locks themselves say.
 */
#include "interpose/watch/live_view.h"
#include "interpose/locks/ref.h"
#include "interpose/python/gils.h"
#include "interpose/threads/joinable.h"
#include "interpose/watch/gil.h"

#include "graph/base/sys.h"
#include "interpose/base/proc.h"
#include "interpose/locks/orphans.h"

#include <string.h>

static bool is_waiting(uint64_t sequence)
{
    return sequence & 1;
}

static uint64_t sequence_of(const struct dlw_thread *thread)
{
    return atomic_load_explicit(&thread->wait.sequence, memory_order_seq_cst);
}

/*
 * A lock that the caller itself waits for is there. One that another thread waits for may be gone
 * by the time it is looked at: it is read through the kernel, where that is an error and no fault.
 */
union object {
    pthread_mutex_t mutex;
    pthread_rwlock_t rwlock;
    sem_t semaphore;
    pthread_spinlock_t spin;
};

static const union object *object_at(uint32_t tid, uintptr_t lock, size_t size, union object *copy)
{
    if (dlw_self && tid == atomic_load_explicit(&dlw_self->tid, memory_order_relaxed))
        return (const union object *)lock; /* NOLINT(performance-no-int-to-ptr) */
    return dlw_proc_read(lock, copy, size) ? copy : NULL;
}

static bool wait_of(void *context, uint32_t tid, struct dlw_wait *out)
{
    struct dlw_thread *thread = dlw_thread_by_tid(tid);

    (void)context;
    if (!thread)
        return false;
    memset(out, 0, sizeof(*out));
    out->sequence = sequence_of(thread);
    if (!is_waiting(out->sequence))
        return true;
    out->on = atomic_load_explicit(&thread->wait.on, memory_order_relaxed);
    out->kind = atomic_load_explicit(&thread->wait.kind, memory_order_relaxed);
    out->mode = atomic_load_explicit(&thread->wait.mode, memory_order_relaxed);
    out->timed = dlw_thread_wait_ends(thread, out->kind);
    out->since_ns = atomic_load_explicit(&thread->wait.since, memory_order_relaxed);
    uintptr_t mutex = atomic_load_explicit(&thread->wait.relocks, memory_order_relaxed);
    /* signalled or not, the wait can't end before it has its mutex again */
    if (out->kind == DLW_WAIT_CONDITION && mutex) {
        out->kind = DLW_WAIT_LOCK;
        out->on = mutex;
        out->timed = false; /* the limit is for the signal, not for the mutex */
    }
    /* All of it was read before the second look. Pairs with the release fence in publish(): whoever
     * has read a word of the next wait finds this one's number gone. */
    atomic_thread_fence(memory_order_acquire);
    return sequence_of(thread) == out->sequence;
}

int dlw_view_find_held(struct dlw_thread *thread, uintptr_t lock)
{
    struct dlw_held_lock *held = atomic_load_explicit(&thread->held, memory_order_acquire);
    uint32_t depth = atomic_load_explicit(&thread->depth, memory_order_relaxed);

    for (uint32_t i = depth; held && i-- > 0;)
        if (atomic_load_explicit(&held[i].lock, memory_order_relaxed) == lock)
            return (int)i;
    return -1;
}

/*
 * The lock's word names its owner; the owner's own record must say the same. Or the owner has gone,
 * and was seen to go with the lock in hand.
 */
static int owner_by_tid(uint32_t tid, uintptr_t lock, struct dlw_owner *out)
{
    struct dlw_thread *thread = dlw_thread_by_tid(tid);
    struct dlw_orphan gone;

    if (tid == 0)
        return 0;
    *out = (struct dlw_owner){.thread = tid, .mode = DLW_EXCLUSIVE};
    if (thread && dlw_view_find_held(thread, lock) >= 0)
        return 1;
    if (!dlw_orphan_find(lock, &gone) || gone.tid != tid ||
        (gone.in_parent && dlw_proc_is_shared(lock)))
        return -1;
    out->thread = 0;
    return 1;
}

static int mutex_owner(uint32_t tid, uintptr_t lock, struct dlw_owner *out)
{
    union object copy;
    const union object *seen = object_at(tid, lock, sizeof(copy.mutex), &copy);

    if (!seen)
        return -1;
    return owner_by_tid(dlw_mutex_holder(&seen->mutex), lock, out);
}

/* A condition wait takes its mutex back; one that is recursive and was held twice it never gave up.
 */
static int relock_owner(uint32_t tid, uintptr_t lock, struct dlw_owner *out)
{
    int n = mutex_owner(tid, lock, out);

    return n == 1 && out->thread == tid ? 0 : n;
}

struct search {
    uintptr_t lock;
    uint8_t mode;
    bool ahead;
    uint32_t not_tid;
    struct dlw_owner *out;
    uint32_t room;
    int n;
};

static bool is_ahead(struct dlw_thread *thread, uintptr_t lock)
{
    return is_waiting(sequence_of(thread)) &&
           atomic_load_explicit(&thread->wait.on, memory_order_relaxed) == lock &&
           atomic_load_explicit(&thread->wait.mode, memory_order_relaxed) == DLW_EXCLUSIVE &&
           !atomic_load_explicit(&thread->wait.timed, memory_order_relaxed);
}

static bool visit_holder(void *context, struct dlw_thread *thread)
{
    struct search *s = context;
    uint32_t tid = atomic_load_explicit(&thread->tid, memory_order_relaxed);

    if (tid == 0 || s->n == (int)s->room)
        return true;
    if (s->ahead ? tid != s->not_tid && is_ahead(thread, s->lock)
                 : dlw_view_find_held(thread, s->lock) >= 0)
        s->out[s->n++] = (struct dlw_owner){.thread = tid, .mode = s->mode, .ahead = s->ahead};
    return true;
}

static int gone_holder(uintptr_t lock, struct dlw_owner *out)
{
    struct dlw_orphan gone;

    if (!dlw_orphan_find(lock, &gone) || (gone.in_parent && dlw_proc_is_shared(lock)))
        return 0;
    *out = (struct dlw_owner){.mode = gone.mode};
    return 1;
}

static int holders(uintptr_t lock, uint8_t mode, struct dlw_owner *out, uint32_t room)
{
    struct search s = {.lock = lock, .mode = mode, .out = out, .room = room};

    dlw_threads_each(visit_holder, &s);
    return s.n ? s.n : gone_holder(lock, out);
}

/* The waiter itself is listed last among the pool's holders: another holder could give its unit
 * back. */
static int pool_holders(uint32_t tid, uintptr_t lock, struct dlw_owner *out, uint32_t room)
{
    union object copy;
    const union object *seen = object_at(tid, lock, sizeof(copy.semaphore), &copy);

    if (!seen || !dlw_semaphore_is_taken(&seen->semaphore, lock))
        return -1;
    int n = holders(lock, DLW_EXCLUSIVE, out, room);

    for (int i = 0; n > 1 && i < n; i++)
        if (out[i].thread == tid) {
            out[i] = out[--n];
            break;
        }
    return n;
}

static int writers_ahead(uint32_t tid, uintptr_t lock, struct dlw_owner *out, uint32_t room)
{
    struct search s = {.lock = lock,
                       .mode = DLW_EXCLUSIVE,
                       .ahead = true,
                       .not_tid = tid,
                       .out = out,
                       .room = room};

    dlw_threads_each(visit_holder, &s);
    return s.n;
}

static int rwlock_owners(uint32_t tid, const struct dlw_wait *wait, struct dlw_owner *out,
                         uint32_t room)
{
    union object copy;
    const union object *seen = object_at(tid, wait->on, sizeof(copy.rwlock), &copy);

    if (!seen)
        return -1;
    uint32_t writer = dlw_rwlock_writer(&seen->rwlock);
    if (writer)
        return owner_by_tid(writer, wait->on, out);
    if (wait->mode == DLW_SHARED)
        return dlw_rwlock_prefers_writers(&seen->rwlock) ? writers_ahead(tid, wait->on, out, room)
                                                         : 0;
    return holders(wait->on, DLW_SHARED, out, room);
}

/* A join waits for a thread that lives; one that has ended keeps nobody. */
static int joined_thread(uint64_t handle, struct dlw_owner *out)
{
    uint32_t id;
    uint32_t tid;

    if (!dlw_joinable_find((pthread_t)handle, &id, &tid))
        return -1;
    *out = (struct dlw_owner){.thread = tid};
    return tid != 0;
}

static bool visit_keeper(void *context, struct dlw_thread *thread)
{
    struct search *s = context;
    struct dlw_held_lock *held = atomic_load_explicit(&thread->held, memory_order_acquire);
    uint32_t tid = atomic_load_explicit(&thread->tid, memory_order_relaxed);
    int i = tid ? dlw_view_find_held(thread, s->lock) : -1;

    if (i < 0 || s->n == (int)s->room)
        return true;
    uint8_t mode = atomic_load_explicit(&held[i].mode, memory_order_relaxed);
    if (mode == DLW_EXCLUSIVE || (s->mode == DLW_EXCLUSIVE && tid != s->not_tid))
        s->out[s->n++] = (struct dlw_owner){.thread = tid, .mode = mode};
    return true;
}

/* Who keeps a waiter from a custom lock. Readers let readers in, and a single reader may become the
 * writer. */
static int keepers(uint32_t tid, const struct dlw_wait *wait, struct dlw_owner *out, uint32_t room)
{
    struct search s = {
        .lock = wait->on, .mode = wait->mode, .not_tid = tid, .out = out, .room = room};

    dlw_threads_each(visit_keeper, &s);
    return s.n ? s.n : gone_holder(wait->on, out);
}

/* The word beside the GIL's mutex names it, and CPython's own words must say the same: a thread
 * that passes through the library may have dropped it since. */
static int gil_owner(uintptr_t gil, struct dlw_owner *out)
{
    pthread_mutex_t copy;

    if (!dlw_proc_read(gil + DLW_GIL_MUTEX, &copy, sizeof(copy)) || !dlw_gil_is_mutex(&copy))
        return -1;
    uint32_t tid = dlw_gil_owner(&copy);
    const struct dlw_thread *thread = dlw_thread_by_tid(tid);
    if (thread && !dlw_gil_is_with(gil, thread->handle))
        return -1;
    return owner_by_tid(tid, gil, out);
}

static int owners_of(void *context, uint32_t tid, const struct dlw_wait *wait,
                     struct dlw_owner *out, uint32_t room)
{
    struct dlw_thread *thread = dlw_thread_by_tid(tid);

    (void)context;
    if (!thread || room == 0)
        return -1;
    switch (atomic_load_explicit(&thread->wait.lock_kind, memory_order_relaxed)) {
    case DLW_LOCK_CONDITION:
        return relock_owner(tid, wait->on, out);
    case DLW_LOCK_MUTEX:
        return mutex_owner(tid, wait->on, out);
    case DLW_LOCK_RWLOCK:
        return rwlock_owners(tid, wait, out, room);
    case DLW_LOCK_SEMAPHORE:
        return pool_holders(tid, wait->on, out, room);
    case DLW_LOCK_THREAD:
        return joined_thread(wait->on, out);
    case DLW_LOCK_CUSTOM:
        return keepers(tid, wait, out, room);
    case DLW_LOCK_GIL:
        return gil_owner(wait->on, out);
    default:
        return holders(wait->on, DLW_EXCLUSIVE, out, room);
    }
}

const struct dlw_live_view dlw_view_now = {NULL, wait_of, owners_of, NULL, NULL};

/*
 * With everybody asleep a semaphore can only be posted by one of those who hold a unit of it (or by
 * a signal handler, which the report's wording leaves open): then its holders count as owners.
 */
static bool wait_of_all(void *context, uint32_t tid, struct dlw_wait *out)
{
    if (!wait_of(context, tid, out))
        return false;
    if (out->kind == DLW_WAIT_SEMAPHORE)
        out->kind = DLW_WAIT_LOCK;
    return true;
}

const struct dlw_live_view dlw_view_asleep = {NULL, wait_of_all, owners_of, NULL, NULL};

/* ---- one wait ---- */

static bool spins_in_vain(uint32_t tid, uintptr_t lock)
{
    union object copy;
    const union object *seen = object_at(tid, lock, sizeof(copy.spin), &copy);

    return seen && dlw_spin_is_locked(&seen->spin);
}

bool dlw_view_spins_in_vain(const struct dlw_thread *thread)
{
    return spins_in_vain(atomic_load_explicit(&thread->tid, memory_order_relaxed),
                         atomic_load_explicit(&thread->wait.on, memory_order_relaxed));
}

struct sleeper_on {
    uintptr_t low, high;
    bool found;
};

static bool visit_sleeper_on(void *context, struct dlw_thread *thread)
{
    struct sleeper_on *on = context;
    uint32_t tid = atomic_load_explicit(&thread->tid, memory_order_relaxed);
    uintptr_t futex = tid ? dlw_proc_futex(tid) : 0;

    on->found = futex >= on->low && futex < on->high;
    return !on->found;
}

bool dlw_view_lets_nobody_go(struct dlw_thread *self)
{
    uintptr_t mutex = atomic_load_explicit(&self->wait.relocks, memory_order_relaxed);
    struct sleeper_on on = {mutex, mutex + sizeof(pthread_mutex_t), false};

    if (mutex)
        dlw_threads_each(visit_sleeper_on, &on);
    return !on.found;
}

bool dlw_view_is_blocked(struct dlw_thread *self)
{
    uint32_t tid = atomic_load_explicit(&self->tid, memory_order_relaxed);
    uintptr_t on = atomic_load_explicit(&self->wait.on, memory_order_relaxed);
    const void *object = (const void *)on; /* NOLINT(performance-no-int-to-ptr) */
    bool destroys =
        atomic_load_explicit(&self->wait.kind, memory_order_relaxed) == DLW_WAIT_DESTROY;
    struct dlw_owner owner[2];
    struct dlw_wait wait;
    uint32_t value;

    switch (atomic_load_explicit(&self->wait.lock_kind, memory_order_relaxed)) {
    case DLW_LOCK_MUTEX:
        return dlw_mutex_keeps_waiting(object);
    case DLW_LOCK_SPIN:
        return dlw_spin_is_locked(object);
    case DLW_LOCK_SEMAPHORE:
        return dlw_semaphore_value(object) == 0;
    case DLW_LOCK_BARRIER:
        return destroys ? dlw_barrier_inside(object) != 0
                        : dlw_barrier_arrived(object) + 1 < dlw_barrier_count(object);
    case DLW_LOCK_FUTEX:
        return dlw_proc_read(on, &value, sizeof(value)) && value == self->wait.expected;
    case DLW_LOCK_CONDITION:
        return !destroys || dlw_condition_waiters(object) != 0;
    case DLW_LOCK_CUSTOM:
        if (atomic_load_explicit(&self->wait.kind, memory_order_relaxed) == DLW_WAIT_CONDITION)
            return true;
        return wait_of(NULL, tid, &wait) && owners_of(NULL, tid, &wait, owner, 2) > 0;
    default:
        return wait_of(NULL, tid, &wait) && owners_of(NULL, tid, &wait, owner, 2) > 0;
    }
}
