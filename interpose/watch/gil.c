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

    if (dlw_mutex_has_mark(mutex))
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

bool dlw_gil_is_signalled(struct dlw_thread *self, pthread_cond_t *condition)
{
    uintptr_t gil = dlw_gil_of_condition((uintptr_t)condition);
    const uintptr_t to_switch = DLW_GIL_SWITCH_CONDITION - DLW_GIL_CONDITION;

    if (!gil)
        return dlw_gil_of_condition((uintptr_t)condition - to_switch) != 0;
    if (!dlw_gil_is_mutex(mutex_of(gil)))
        recognise(self, gil);
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
        self->guard |= DLW_GUARD_WAITING;
    else
        dlw_wait_begin(self, &wait);
}

/* Between two slices the thread is its own again, but its wait stands: it does nothing then but
 * look, and wait on or take the GIL. */
void dlw_gil_slice_ends(struct dlw_thread *self, pthread_mutex_t *mutex)
{
    if (dlw_gil_locked(gil_of(mutex)))
        self->guard &= ~(uint32_t)DLW_GUARD_WAITING;
    else
        dlw_wait_end(self);
}

/* ---- taken and dropped ---- */

/* Where it was taken tells little: it is dropped and taken again between any two instructions. So
 * one level is noted, and no more is learned of the place. */
static void taken(struct dlw_thread *self, uintptr_t gil, struct dlw_call call)
{
    if (dlw_orphan_is_any())
        dlw_orphan_forget(gil);
    struct dlw_held_lock *held =
        dlw_held_push(self, (void *)gil, dlw_lock_tenant(gil, DLW_LOCK_GIL), /* NOLINT */
                      DLW_TRAITS(DLW_LOCK_GIL, DLW_EXCLUSIVE, 0, 1), call);
    if (!held || held == dlw_held_at(self, 0) || dlw_chain_is_cached(self, held->key, NULL))
        return;
    struct dlw_lock_ref ref = ref_of(gil);
    dlw_validate_acquired(self, held, &ref, &call);
}

static void dropped(struct dlw_thread *self, uintptr_t gil)
{
    int index = dlw_held_find(self, (const void *)gil); /* NOLINT(performance-no-int-to-ptr) */

    if (index >= 0)
        dlw_held_pop(self, (uint32_t)index);
}

static int unlock(const struct dlw_thread *self, pthread_mutex_t *mutex)
{
    if (self->owner == 0 || !dlw_direct_fits(mutex) || dlw_mutex_owner(mutex) != self->owner)
        return real.pthread_mutex_unlock(mutex);
    dlw_direct_unlock(mutex);
    return 0;
}

/* A thread that must leave, since the interpreter ends, unlocks the mutex while another has the
 * GIL. */
int dlw_gil_unlock(struct dlw_thread *self, pthread_mutex_t *mutex, struct dlw_call call)
{
    uintptr_t gil = gil_of(mutex);
    uint32_t owner = dlw_gil_owner(mutex);
    bool takes = dlw_gil_locked(gil) && owner == 0;

    if (is_waiting_for(self, gil))
        dlw_wait_end(self);
    if (takes) {
        set_owner(mutex, tid_of(self));
    } else if (!dlw_gil_locked(gil)) {
        if (owner != 0)
            set_owner(mutex, 0);
        dropped(self, gil);
    }
    int result = unlock(self, mutex);
    /* With the mutex free again: an order may be learned, which takes its time. */
    if (takes)
        taken(self, gil, call);
    return result;
}

void dlw_gil_ends(struct dlw_thread *self, pthread_mutex_t *mutex)
{
    struct dlw_lock_ref ref = ref_of(gil_of(mutex));

    dropped(self, ref.address);
    dlw_guard_enter(self);
    dlw_held_disown_everywhere(ref.address); /* by whoever ended the interpreter before */
    dlw_lock_reborn(&ref, 0);
    dlw_guard_leave(self);
}
