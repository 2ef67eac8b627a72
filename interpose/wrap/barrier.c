/*
 * pthread_barrier_*. A barrier has no owner: its waiters count in stalls. And it orders: what its
 * threads did before a round came before what any of them does after it.
 */
#include "interpose/base/real.h"
#include "interpose/base/state.h"
#include "interpose/locks/ref.h"
#include "interpose/order/segments.h"
#include "interpose/watch/misuse.h"
#include "interpose/watch/wait.h"

#define HASH_FUNCTION(key, bytes, hash) ((hash) = hash_address(key))
static unsigned hash_address(const void *key)
{
    return (unsigned)(*(const uintptr_t *)key * DLW_GOLDEN >> 32);
}
#include "interpose/base/table.h"

struct round {
    uint32_t arrived, count;
    _Atomic uint32_t left; /* who is the last is the last to touch the round */
    _Atomic bool is_over; /* all have arrived; read by others while one of its waits is published */
    dlw_segment segment;  /* after all arrivals so far; with a reference */
};

/* All under the graph lock, but for what a thread that leaves reads: it is written no more then. */
struct barrier {
    UT_hash_handle hh;
    uintptr_t address;
    struct round *current;
};
static struct barrier *barriers;
static struct round *spare; /* most processes have one under way at a time */

static struct round *new_round_locked(void)
{
    struct round *round = spare;

    spare = NULL;
    if (!round)
        return dlw_arena_alloc(&arena, sizeof(*round));
    *round = (struct round){.arrived = 0};
    return round;
}

static void drop_round_locked(struct round *round)
{
    dlw_life_unref(dlw_life_graph, round->segment);
    if (spare)
        dlw_arena_free(&arena, round, sizeof(*round));
    else
        spare = round;
}

static struct barrier *barrier_of_locked(uintptr_t address)
{
    struct barrier *barrier = NULL;

    HASH_FIND(hh, barriers, &address, sizeof(address), barrier);
    if (barrier)
        return barrier;
    barrier = dlw_arena_alloc(&arena, sizeof(*barrier));
    if (barrier) {
        barrier->address = address;
        HASH_ADD(hh, barriers, address, sizeof(barrier->address), barrier);
    }
    return barrier;
}

/* A thread's part in a round. */
struct passage {
    struct round *round; /* NULL: memory is out */
    dlw_segment behind;  /* a segment right behind which it goes on already, or 0 */
};

/* Notes the arrival. */
static struct passage arrive(struct dlw_thread *self, pthread_barrier_t *object)
{
    struct passage passage = {NULL, 0};

    if (!dlw_lock_acquire(&dlw_graph_lock))
        return passage;
    struct barrier *barrier = barrier_of_locked((uintptr_t)object);
    if (barrier && !barrier->current)
        barrier->current = new_round_locked();
    if (barrier && barrier->current) {
        struct round *round = barrier->current;
        round->count = dlw_barrier_count(object);
        dlw_learn_goes_out_locked(self);
        round->segment = dlw_life_gather(dlw_life_graph, round->segment, self->segment);
        passage.round = round;
        if (dlw_life_is_directly_before(dlw_life_graph, round->segment, self->segment))
            passage.behind = round->segment;
        if (++round->arrived >= round->count) {
            barrier->current = NULL;
            atomic_store_explicit(&round->is_over, true, memory_order_relaxed);
        }
    }
    dlw_lock_release(&dlw_graph_lock);
    return passage;
}

/* All have arrived: the round stays as it is, ordered by libc's barrier. They come here at the same
 * time, and most have nothing to learn: those don't wait for each other's lock. */
static void leave(struct dlw_thread *self, struct passage passage)
{
    struct round *round = passage.round;
    uint32_t count = round->count;

    if (round->segment != passage.behind) {
        if (!dlw_lock_acquire(&dlw_graph_lock))
            return;
        dlw_learn_passed_locked(self, round->segment);
        dlw_lock_release(&dlw_graph_lock);
    }
    /* Acquire and release: the others are done with it before the last gives it back. */
    if (atomic_fetch_add_explicit(&round->left, 1, memory_order_acq_rel) + 1 < count ||
        !dlw_lock_acquire(&dlw_graph_lock))
        return;
    drop_round_locked(round);
    dlw_lock_release(&dlw_graph_lock);
}

DLW_EXPORT int pthread_barrier_wait(pthread_barrier_t *barrier)
{
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_wait_for wait = {.on = (uintptr_t)barrier,
                                .kind = DLW_WAIT_BARRIER,
                                .lock_kind = DLW_LOCK_BARRIER,
                                .call = DLW_CALL_HERE()};

    if (dlw_thread_passes(self))
        return real.pthread_barrier_wait(barrier);
    self->calls++;
    dlw_guard_enter(self);
    struct passage passage = arrive(self, barrier);
    struct round *round = passage.round;
    dlw_guard_leave(self);
    wait.is_over = round ? &round->is_over : NULL;
    if (!round || !atomic_load_explicit(&round->is_over, memory_order_relaxed))
        dlw_wait_begin(self, &wait);
    int result = real.pthread_barrier_wait(barrier);
    dlw_wait_end(self);
    if (round) {
        dlw_guard_enter(self);
        leave(self, passage);
        dlw_guard_leave(self);
    }
    return result;
}

/* Drops the barrier that lived at this address. */
static void forget(struct dlw_thread *self, pthread_barrier_t *object)
{
    uintptr_t address = (uintptr_t)object;
    struct barrier *barrier = NULL;

    if (dlw_thread_passes(self))
        return;
    self->calls++;
    dlw_guard_enter(self);
    if (dlw_lock_acquire(&dlw_graph_lock)) {
        HASH_FIND(hh, barriers, &address, sizeof(address), barrier);
        if (barrier) {
            HASH_DEL(barriers, barrier);
            dlw_arena_free(&arena, barrier, sizeof(*barrier));
        }
        dlw_lock_release(&dlw_graph_lock);
    }
    dlw_guard_leave(self);
}

DLW_EXPORT int pthread_barrier_init(pthread_barrier_t *restrict barrier,
                                    const pthread_barrierattr_t *restrict attributes,
                                    unsigned count)
{
    struct dlw_thread *self = dlw_thread_self();
    int result = real.pthread_barrier_init(barrier, attributes, count);

    if (result == 0)
        forget(self, barrier);
    return result;
}

DLW_EXPORT int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_lock_ref ref = dlw_lock_ref_at((uintptr_t)barrier, DLW_LOCK_BARRIER);
    struct dlw_call call = DLW_CALL_HERE();
    bool waits = !dlw_thread_passes(self) && dlw_barrier_inside(barrier) != 0;

    if (waits)
        dlw_misuse_destroy_begin(self, &ref, &call);
    int result = real.pthread_barrier_destroy(barrier);
    if (waits)
        dlw_wait_end(self);
    if (result == 0)
        forget(self, barrier);
    return result;
}
