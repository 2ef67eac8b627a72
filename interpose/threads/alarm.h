/*
 * An alarm reaches one thread while it sleeps in a wait that it has published, and lets it look
 * around. The wait itself is the program's own: no call is altered.
 *
 * It is a kernel timer (timer_create(2), SIGEV_THREAD_ID) with a signal that glibc keeps for
 * itself: programs can neither block it nor handle it. Only a futex wait without a limit is
 * interrupted: the kernel begins it again by itself (futex(2), signal(7), SA_RESTART) and the
 * program sees nothing. So an alarm is set for a published wait only, is cleared as soon as that
 * wait is over, and never set for a thread whose wait could tell (dlw_wait_slot.may_ring).
 *
 * Each thread has one alarm. Any thread may set it for a thread that waits; only its own thread
 * clears it, but for the two cases named below. Times are in ns.
 */
#ifndef DLW_THREADS_ALARM_H
#define DLW_THREADS_ALARM_H

#include "interpose/threads/record.h"

#include <stdbool.h>
#include <stdint.h>

/* What happens when it rings: called in the thread's own wait, on its own stack, with all signals
 * blocked and no internal lock held. `asleep`: the kernel had put the thread to sleep. */
typedef void dlw_alarm_handler(struct dlw_thread *self, bool asleep);
void dlw_alarm_start(dlw_alarm_handler *handler);

/* False when it can't be had: the thread's wait must not be interrupted or is over, the kernel has
 * no timer for us, or the process is confined. True also when another one is set already. */
bool dlw_alarm_set(struct dlw_thread *thread, uint64_t after);
static inline bool dlw_alarm_is_set(const struct dlw_thread *thread)
{
    /* Pairs with the store of the thread whose alarm rings, before it looks around. */
    uint32_t state = atomic_load_explicit(&thread->alarm, memory_order_seq_cst);

    return state == DLW_ALARM_SETTING || state == DLW_ALARM_SET;
}

/* The wait of the calling thread is over. */
void dlw_alarm_clear_set(struct dlw_thread *self);
static inline void dlw_alarm_clear(struct dlw_thread *self)
{
    if (__builtin_expect(atomic_load_explicit(&self->alarm, memory_order_acquire) != DLW_ALARM_NONE,
                         0))
        dlw_alarm_clear_set(self);
}
/* The thread is about to be cancelled: its wait may end without a word. By any other thread. */
void dlw_alarm_withdraw(struct dlw_thread *thread);
/* Before the process confines itself: no timer is touched later. */
void dlw_alarm_withdraw_all(void);

/* Is one to be had? What is missing is noted (base/ability.h). Not in a confined process. */
void dlw_alarm_try(struct dlw_thread *self);

/* The record's thread ends. */
void dlw_alarm_drop(struct dlw_thread *record);
/* The first thread was made: glibc may have put its own handler in place of ours. */
void dlw_alarm_renew(void);
/* Timers are not inherited. */
void dlw_alarm_after_fork(struct dlw_thread *self);

/* While it rings: is the word that the thread slept on still as it was? Who wakes a thread changes
 * that first. */
bool dlw_alarm_still_sleeps(const struct dlw_thread *self);

#endif
