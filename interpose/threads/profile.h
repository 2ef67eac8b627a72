/*
 * What locks cost (option profile): for each lock and place that takes it how often, how often it
 * was busy, how long that took and who held it meanwhile, and how long it was held, sampled.
 *
 * The switch stands outside the hot path. With it on no place is plain (stacks/rules.h), so that
 * each taking comes through dlw_held_note_more(), where it is counted. A hold is timed for one
 * taking in some sixty-four: one more caller is noted with that lock, so that its unlock finds that
 * something can be learned about the place (dlw_held_tells), and comes here. Waits are timed all.
 *
 * Each thread counts in a table of its own; it is added to the process's when the thread ends.
 * Called with no internal lock held but where it is said.
 */
#ifndef DLW_THREADS_PROFILE_H
#define DLW_THREADS_PROFILE_H

#include "interpose/base/state.h"
#include "interpose/threads/held.h"

enum { DLW_PROFILE_LEVELS = 3 };

struct dlw_profile_entry {
    _Atomic uintptr_t lock; /* 0: not in use; released when the rest is there */
    uintptr_t pc[DLW_PROFILE_LEVELS];
    uint8_t n, kind; /* of pc; enum dlw_lock_kind */
    bool is_plain;   /* of its place no caller is noted */
    uint64_t takings, contended;
    uint64_t wait_ns, wait_longest_ns;
    uintptr_t holder_pc;                      /* during the longest wait; 0: not known */
    char holder[16];                          /* the thread that had it, by its name, or nothing */
    uint64_t holds, hold_ns, hold_longest_ns; /* sampled */
    uint64_t blocked, blocked_ns; /* others that waited for a hold from this place, and how long */
};

/* Counts a taking. Any thread for itself; a handler that comes in between is not counted. */
void dlw_profile_taken(struct dlw_thread *self, struct dlw_held_lock *held, bool is_plain);
/* The same for most: counted before, at a place of which no caller is noted, and not to be timed.
 * False: nothing was done. */
bool dlw_profile_taken_again(struct dlw_thread *self, const struct dlw_held_lock *held);
/* A lock is let go of, whose hold may be one that is timed: true, and then its callers say nothing.
 */
bool dlw_profile_let_go(struct dlw_thread *self, const struct dlw_held_lock *held);
/* The lock was busy; `ns` until it was had, or the wait was over: 0, too short to time. The
 * holder's place and thread as they were when the wait began. */
struct dlw_profile_holder dlw_profile_holder_of(uint32_t tid, uintptr_t lock);
void dlw_profile_waited(struct dlw_thread *self, uintptr_t lock, uint8_t kind, uintptr_t pc,
                        uint64_t ns, struct dlw_profile_holder holder);
/* The thread ends: what it counted goes to the process. */
void dlw_profile_ends(struct dlw_thread *self);
/* All that was counted, ended threads and living ones. With the profile's lock held, which stands
 * before the graph's: `visit` may intern stacks and write lines. */
void dlw_profile_each(void (*visit)(const struct dlw_profile_entry *entry));
/* Takings that found no room. */
uint64_t dlw_profile_lost(void);

bool dlw_profile_before_fork(void);
/* The child begins anew. */
void dlw_profile_after_fork(bool child);

#endif
