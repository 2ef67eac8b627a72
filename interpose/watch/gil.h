/*
 * CPython's global lock as a lock. Inside it is a flag under a mutex with a condition, and who
 * waits for it does so in slices of some ms: no call of pthread's tells who has it, or that a wait
 * for it has no limit. Both show at the mutex: who unlocks it with the flag set, which was nobody's
 * before, has taken the GIL; who unlocks it with the flag cleared has dropped it.
 *
 * A GIL is recognised when it is dropped for the first time (an interpreter does that while it
 * starts, before it runs a line) or waited for: its condition is signalled from the interpreter's
 * own code, and lies where the interpreter keeps it. Its mutex then bears the mark of a signal,
 * which keeps it off the held stacks and out of the fast paths, and in the other word the tid of
 * who has the GIL: guarded by that mutex, and gone by itself when it is initialised anew, as in a
 * forked child. The lock's address is that of the GIL's first field.
 */
#ifndef DLW_WATCH_GIL_H
#define DLW_WATCH_GIL_H

#include "interpose/base/platform.h"
#include "interpose/locks/identity.h"
#include "interpose/python/runtime.h"

#include <pthread.h>

#define DLW_GIL_MARK 0x0C7EA7F100000000ULL
/* In the same word of the mutex under which a thread that was asked for the GIL waits until another
 * has it: no lock of the program's either. */
#define DLW_GIL_SWITCH_MARK 0x0C7EA7F200000000ULL

/* The one that was signalled last; 0: none, or it has ended. A hint, stored and read relaxed: what
 * is at the address is looked at before it is believed. */
extern _Atomic uintptr_t dlw_gil_last;

/* A mutex that bears the mark of a signal: is it that of a GIL? */
static inline bool dlw_gil_is_mutex(pthread_mutex_t *mutex)
{
    const struct dlw_mark *mark = dlw_mutex_mark(mutex);

    return atomic_load_explicit(&mark->id, memory_order_relaxed) == DLW_MARK_SIGNAL &&
           atomic_load_explicit(&mark->chain, memory_order_relaxed) >> 32 == DLW_GIL_MARK >> 32;
}

/* The tid of who has it, 0: nobody. `mutex` bears the mark, or is a copy. */
static inline uint32_t dlw_gil_owner(pthread_mutex_t *mutex)
{
    return (uint32_t)atomic_load_explicit(&dlw_mutex_mark(mutex)->chain, memory_order_relaxed);
}

/* The interpreter signals this condition, and may hold the mutex behind it. True: it is a GIL's. */
bool dlw_gil_is_signalled_slow(struct dlw_thread *self, pthread_cond_t *condition);

/* Is it one of the GIL that was signalled last? Two compares: each drop and each taking signals. */
static inline bool dlw_gil_has_condition(const pthread_cond_t *condition)
{
    uintptr_t gil = atomic_load_explicit(&dlw_gil_last, memory_order_relaxed);
    uintptr_t offset = (uintptr_t)condition - gil;

    return offset == DLW_GIL_CONDITION
               ? dlw_gil_is_mutex((pthread_mutex_t *)(gil + DLW_GIL_MUTEX)) /* NOLINT */
               : offset == DLW_GIL_SWITCH_CONDITION;
}
/* The same before it waits for it with a limit. True: it is a GIL's, with this mutex. */
bool dlw_gil_is_waited_for(struct dlw_thread *self, pthread_cond_t *condition,
                           pthread_mutex_t *mutex);

/* Around one slice of a wait. */
void dlw_gil_slice_begins(struct dlw_thread *self, pthread_mutex_t *mutex, struct dlw_call call);
void dlw_gil_slice_ends(struct dlw_thread *self, pthread_mutex_t *mutex);

/* A module was closed, perhaps with a GIL in it. */
static inline void dlw_gil_forget_last(void)
{
    atomic_store_explicit(&dlw_gil_last, 0, memory_order_relaxed);
}

/* Unlocks the mutex of a GIL. `from` is the frame of pthread_mutex_unlock(). */
int dlw_gil_unlock(struct dlw_thread *self, pthread_mutex_t *mutex, const struct dlw_frame *from);
/* It is about to be destroyed. */
void dlw_gil_ends(struct dlw_thread *self, pthread_mutex_t *mutex);

#endif
