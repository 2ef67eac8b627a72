/*
 * What locks cost (option profile): for each lock and place that takes it how often, how often it
 * was busy, how long that took and who held it meanwhile, and how long it was held, sampled.
 *
 * The switch stands outside the hot path. With it on no place is plain (stacks/rules.h), so that
 * each taking comes through dlw_held_note_more(), where it is counted. A hold is timed for one
 * taking in some 128: one more caller is noted with that lock, so that its unlock finds that
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
    /* What each taking looks at comes first, on one line. */
    _Alignas(64) _Atomic uintptr_t lock; /* 0: not in use; released when the rest is there */
    uintptr_t plain_pc;                  /* pc[0] where of its place no caller is noted, else 0 */
    uint64_t takings, contended;
    struct dlw_rule helper; /* where one caller is noted; else of base NONE */
    uint32_t as_of;         /* dlw_rules_are_as_of() when these two were noted */
    uintptr_t pc[DLW_PROFILE_LEVELS];
    uint8_t n, kind; /* of pc; enum dlw_lock_kind */
    uint64_t wait_ns, wait_longest_ns;
    uintptr_t holder_pc;                      /* during the longest wait; 0: not known */
    char holder[16];                          /* the thread that had it, by its name, or nothing */
    uint64_t holds, hold_ns, hold_longest_ns; /* sampled */
    uint64_t blocked, blocked_ns; /* others that waited for a hold from this place, and how long */
};

/* What the rule of a place says for its rows. */
struct dlw_profile_place {
    bool is_plain;
    const struct dlw_rule *helper; /* NULL: not noted */
    uint32_t as_of;
};

/* Counts a taking. Any thread for itself; a handler that comes in between is not counted. */
void dlw_profile_taken(struct dlw_thread *self, struct dlw_held_lock *held,
                       struct dlw_profile_place place);
/* In two steps, where one was counted of this lock and place before: their row, or NULL; and the
 * rest. */
struct dlw_profile_entry *dlw_profile_row(struct dlw_thread *self,
                                          const struct dlw_held_lock *held);
void dlw_profile_count(struct dlw_thread *self, struct dlw_held_lock *held,
                       struct dlw_profile_entry *row, struct dlw_profile_place place);

static DLW_HOT bool dlw_profile_is_current(const struct dlw_profile_entry *row)
{
    return row->as_of == dlw_rules_are_as_of();
}

static DLW_HOT bool dlw_profile_is_of(const struct dlw_profile_entry *row,
                                      const struct dlw_held_lock *held)
{
    return atomic_load_explicit(&row->lock, memory_order_relaxed) ==
           atomic_load_explicit(&held->lock, memory_order_relaxed);
}

/*
 * As it mostly is: the lock and place are those that were counted last in this entry of the held
 * stack, and the taking is not to be timed. Then nothing is looked up. The first says it of places
 * where no caller is noted.
 *
 * A handler that comes in between may count in the same row too, or make a larger table: then one
 * of the two is lost, which is less than to be prepared for it would cost.
 */
static DLW_HOT bool dlw_profile_is_plain(const struct dlw_thread *self,
                                         const struct dlw_held_lock *held)
{
    return __builtin_expect(self->until_timed > 1, 1) && held->counted->plain_pc == held->pc[0] &&
           dlw_profile_is_of(held->counted, held) && dlw_profile_is_current(held->counted);
}

/* Of places where one is. Of both: while the rules are those by which that was found out. */
static DLW_HOT bool dlw_profile_is_helper(const struct dlw_held_lock *held)
{
    return held->counted->pc[0] == held->pc[0] && dlw_profile_is_of(held->counted, held) &&
           dlw_profile_is_current(held->counted) && held->counted->helper.base != DLW_RULE_NONE;
}

static DLW_HOT void dlw_profile_count_again(struct dlw_thread *self,
                                            const struct dlw_held_lock *held)
{
    self->until_timed--;
    held->counted->takings++;
}

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
