#include "interpose/watch/gil.h"

#include "interpose/base/ability.h"
#include "interpose/base/direct.h"
#include "interpose/base/proc.h"
#include "interpose/base/real.h"
#include "interpose/locks/orphans.h"
#include "interpose/locks/ref.h"
#include "interpose/order/acquire.h"
#include "interpose/order/chain_cache.h"
#include "interpose/python/gils.h"
#include "interpose/watch/wait.h"

_Atomic uintptr_t dlw_gil_last;

static pthread_mutex_t *mutex_of(uintptr_t gil)
{
    return (pthread_mutex_t *)(gil + DLW_GIL_MUTEX); /* NOLINT(performance-no-int-to-ptr) */
}

static uintptr_t gil_of(const pthread_mutex_t *mutex)
{
    return (uintptr_t)mutex - DLW_GIL_MUTEX;
}

static struct dlw_lock_ref ref_of(uintptr_t gil)
{
    return (struct dlw_lock_ref){.address = gil, .kind = DLW_LOCK_GIL};
}

/* ---- who has it ---- */

/* Somebody took it before it was recognised. */
#define UNKNOWN_OWNER 0xFFFFFFFFU

static void set_owner(pthread_mutex_t *mutex, uint32_t tid)
{
    atomic_store_explicit(&dlw_mutex_mark(mutex)->chain, DLW_GIL_MARK | tid, memory_order_relaxed);
}

static uint32_t tid_of(const struct dlw_thread *self)
{
    return atomic_load_explicit(&self->tid, memory_order_relaxed);
}

/* ---- recognising one ---- */

/* The one that forces a switch is no lock of the program's either. */
static void mark_switch(uintptr_t gil)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)(gil + DLW_GIL_SWITCH_MUTEX); /* NOLINT */

    if (!dlw_mutex_has_mark(mutex))
        return;
    atomic_store_explicit(&dlw_mutex_mark(mutex)->chain, DLW_GIL_SWITCH_MARK, memory_order_relaxed);
    atomic_store_explicit(&dlw_mutex_mark(mutex)->id, DLW_MARK_SIGNAL, memory_order_relaxed);
}

/* The calling thread holds the mutex. */
static bool recognise(struct dlw_thread *self, uintptr_t gil)
{
    pthread_mutex_t *mutex = mutex_of(gil);

    if (dlw_mutex_holder(mutex) != tid_of(self))
        return false;
    if (!dlw_mutex_has_mark(mutex)) {
        dlw_ability_lacks(DLW_ABILITY_PYTHON, "marks are off");
        return false;
    }
    dlw_held_forget(self, mutex);
    set_owner(mutex, dlw_gil_locked(gil) ? UNKNOWN_OWNER : 0);
    atomic_store_explicit(&dlw_mutex_mark(mutex)->id, DLW_MARK_SIGNAL, memory_order_relaxed);
    mark_switch(gil);
    return true;
}

bool dlw_gil_is_signalled_slow(struct dlw_thread *self, pthread_cond_t *condition)
{
    uintptr_t gil = dlw_gil_of_condition((uintptr_t)condition);
    const uintptr_t to_switch = DLW_GIL_SWITCH_CONDITION - DLW_GIL_CONDITION;

    if (!gil)
        return dlw_gil_of_condition((uintptr_t)condition - to_switch) != 0;
    if (dlw_gil_is_mutex(mutex_of(gil)) || recognise(self, gil))
        atomic_store_explicit(&dlw_gil_last, gil, memory_order_relaxed);
    return true;
}

bool dlw_gil_is_waited_for(struct dlw_thread *self, pthread_cond_t *condition,
                           pthread_mutex_t *mutex)
{
    if ((uintptr_t)mutex - (uintptr_t)condition != DLW_GIL_MUTEX - DLW_GIL_CONDITION)
        return false;
    if (dlw_gil_is_mutex(mutex))
        return true;
    uintptr_t gil = dlw_gil_of_condition((uintptr_t)condition);
    return gil && recognise(self, gil);
}

/* ---- a wait, which keeps one number over its slices ---- */

static bool is_waiting_for(const struct dlw_thread *self, uintptr_t gil)
{
    return (atomic_load_explicit(&self->wait.sequence, memory_order_relaxed) & 1) &&
           atomic_load_explicit(&self->wait.kind, memory_order_relaxed) == DLW_WAIT_GIL &&
           atomic_load_explicit(&self->wait.on, memory_order_relaxed) == gil;
}

void dlw_gil_slice_begins(struct dlw_thread *self, pthread_mutex_t *mutex, struct dlw_call call)
{
    uintptr_t gil = gil_of(mutex);
    struct dlw_lock_ref ref = ref_of(gil);
    struct dlw_wait_for wait = {.on = gil,
                                .kind = DLW_WAIT_GIL,
                                .lock_kind = DLW_LOCK_GIL,
                                .mode = DLW_EXCLUSIVE,
                                .orders = &ref,
                                .call = call};

    self->calls++;
    if (is_waiting_for(self, gil))
        dlw_guard_set(self, DLW_GUARD_WAITING);
    else
        dlw_wait_begin(self, &wait);
}

/* Between two slices the thread is its own again, but its wait stands: it does nothing then but
 * look, and wait on or take the GIL. */
void dlw_gil_slice_ends(struct dlw_thread *self, pthread_mutex_t *mutex)
{
    if (dlw_gil_locked(gil_of(mutex)))
        dlw_guard_clear(self, DLW_GUARD_WAITING);
    else
        dlw_wait_end(self);
}

/* ---- taken and dropped ---- */

/* A chain that was asked about once needs no look-up while it stays the same and the graph of
 * orders is of the same generation: most threads take the GIL under the same locks, or none, again
 * and again. */
static bool is_settled(const struct dlw_thread *self, const struct dlw_held_lock *held)
{
    return (held->key ^ self->salt) == self->gil_chain &&
           self->generation == atomic_load_explicit(&dlw_generation.value, memory_order_relaxed);
}

static DLW_NOINLINE void settle(struct dlw_thread *self, struct dlw_held_lock *held,
                                const struct dlw_frame *from)
{
    struct dlw_lock_ref ref = ref_of(atomic_load_explicit(&held->lock, memory_order_relaxed));
    struct dlw_call call = dlw_call_of(from);

    if (dlw_chain_is_cached(self, held->key, NULL) ||
        !dlw_validate_acquired(self, held, &ref, &call))
        self->gil_chain = held->key ^ self->salt;
}

/* Each of these functions ends with the call of the next, so that the short way keeps nothing in
 * registers that it would have to save. */

static bool is_direct(const struct dlw_thread *self, const pthread_mutex_t *mutex)
{
    return __builtin_expect(
        dlw_direct_fits(mutex) && self->owner != 0 && dlw_mutex_owner(mutex) == self->owner, 1);
}

static int unlock(const struct dlw_thread *self, pthread_mutex_t *mutex)
{
    if (!is_direct(self, mutex))
        return real.pthread_mutex_unlock(mutex);
    dlw_direct_unlock(mutex);
    return 0;
}

/* Where it was taken tells little: it is dropped and taken again between any two instructions. So
 * one level is noted, and no more is learned of the place. */
enum { TRAITS = DLW_TRAITS(DLW_LOCK_GIL, DLW_EXCLUSIVE, 0, 1) };

static DLW_NOINLINE int take_any(struct dlw_thread *self, pthread_mutex_t *mutex,
                                 const struct dlw_frame *from)
{
    uintptr_t gil = gil_of(mutex);
    int result = unlock(self, mutex);

    if (dlw_orphan_is_any())
        dlw_orphan_forget(gil);
    struct dlw_held_lock *held =
        dlw_held_push(self, (void *)gil, dlw_lock_tenant(gil, DLW_LOCK_GIL), /* NOLINT */
                      TRAITS, dlw_call_of(from));
    if (held && held != dlw_held_at(self, 0))
        settle(self, held, from);
    return result;
}

/* An order may be learned, which takes its time: with the mutex free again. */
static DLW_NOINLINE int unlock_and_settle(struct dlw_thread *self, pthread_mutex_t *mutex,
                                          const struct dlw_frame *from)
{
    uint32_t index = dlw_held_depth(self) - 1;

    dlw_direct_unlock(mutex);
    settle(self, dlw_held_at(self, index), from);
    return 0;
}

static DLW_NOINLINE int take(struct dlw_thread *self, pthread_mutex_t *mutex,
                             const struct dlw_frame *from)
{
    uintptr_t gil = gil_of(mutex);
    uint32_t depth = dlw_held_depth(self);

    set_owner(mutex, tid_of(self));
    if (!dlw_held_is_ready(self, depth) || dlw_orphan_is_any() || !is_direct(self, mutex))
        return take_any(self, mutex, from);
    struct dlw_held_lock *held = dlw_held_claim(self, depth);
    dlw_held_fill(self, held, depth, (void *)gil, /* NOLINT(performance-no-int-to-ptr) */
                  dlw_lock_tenant(gil, DLW_LOCK_GIL), TRAITS, dlw_call_of(from));
    if (depth != 0 && !is_settled(self, held))
        return unlock_and_settle(self, mutex, from);
    dlw_direct_unlock(mutex);
    return 0;
}

static void dropped(struct dlw_thread *self, uintptr_t gil)
{
    int index = dlw_held_find(self, (const void *)gil); /* NOLINT(performance-no-int-to-ptr) */

    if (index >= 0)
        dlw_held_pop(self, (uint32_t)index);
}

static DLW_NOINLINE int drop_any(struct dlw_thread *self, pthread_mutex_t *mutex)
{
    dropped(self, gil_of(mutex));
    return unlock(self, mutex);
}

static DLW_NOINLINE int drop(struct dlw_thread *self, pthread_mutex_t *mutex)
{
    uint32_t depth = dlw_held_depth(self);
    struct dlw_held_lock *last = dlw_held_at(self, depth - 1);

    set_owner(mutex, 0);
    if (depth == 0 || self->holes || !dlw_held_is_of(last, (const void *)gil_of(mutex)) ||
        !is_direct(self, mutex)) /* NOLINT(performance-no-int-to-ptr) */
        return drop_any(self, mutex);
    dlw_held_drop(self, last, depth - 1);
    dlw_direct_unlock(mutex);
    return 0;
}

/* A thread that must leave, since the interpreter ends, unlocks the mutex while another has the
 * GIL. */
static int unlock_now(struct dlw_thread *self, pthread_mutex_t *mutex, const struct dlw_frame *from)
{
    if (!dlw_gil_locked(gil_of(mutex)))
        return drop(self, mutex);
    return dlw_gil_owner(mutex) == 0 ? take(self, mutex, from) : unlock(self, mutex);
}

static DLW_NOINLINE int unlock_after_wait(struct dlw_thread *self, pthread_mutex_t *mutex,
                                          const struct dlw_frame *from)
{
    if (is_waiting_for(self, gil_of(mutex)))
        dlw_wait_end(self);
    return unlock_now(self, mutex, from);
}

int dlw_gil_unlock(struct dlw_thread *self, pthread_mutex_t *mutex, const struct dlw_frame *from)
{
    return atomic_load_explicit(&self->wait.sequence, memory_order_relaxed) & 1
               ? unlock_after_wait(self, mutex, from)
               : unlock_now(self, mutex, from);
}

void dlw_gil_ends(struct dlw_thread *self, pthread_mutex_t *mutex)
{
    struct dlw_lock_ref ref = ref_of(gil_of(mutex));

    dlw_gil_forget_last();
    dropped(self, ref.address);
    dlw_guard_enter(self);
    dlw_held_disown_everywhere(ref.address); /* by whoever ended the interpreter before */
    dlw_lock_reborn(&ref, 0);
    dlw_guard_leave(self);
}
