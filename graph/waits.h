/*
 * The wait-for graph: who waits for whom now. It stores nothing. Threads publish
 * their waits where others can read them, and the one that begins to wait asks
 * here whether it closes a cycle. What the world looks like comes from callbacks,
 * so the same code serves the live process, a test's model, and the outside view.
 *
 * Publish first, then look, both sequentially consistent: of two threads that close
 * a cycle at the same moment at least one sees it whole. A cycle counts only when
 * every wait and every ownership in it reads the same a second time with equal
 * sequence numbers; then all of its threads stood still together in between.
 *
 * Two kinds of wait (E. Knapp, "Deadlock Detection in Distributed Databases", ACM
 * Computing Surveys 19(4), 1987: the AND and OR models):
 *  - AND: a lock, a join, a once-routine. Each holder by itself keeps the waiter
 *    waiting, so one holder that can never go on is enough: a cycle is a deadlock.
 *  - OR: a semaphore, a condition, a barrier. Any thread might wake it, so it is dead only when
 *    every thread that could is itself dead: found by reduction over all threads.
 */
#ifndef DLW_WAITS_H
#define DLW_WAITS_H

#include "graph/base/arena.h"
#include "graph/finding.h"

struct dlw_wait {
    uint64_t sequence; /* changes with every begin and end of a wait */
    uint64_t on;       /* the world's name of what is waited for */
    uint64_t since_ns;
    uint8_t kind; /* enum dlw_wait_kind; NONE: running */
    uint8_t mode; /* asked for */
    bool timed;   /* ends by itself: proves nothing */
};

struct dlw_owner {
    uint32_t thread; /* 0: a holder that no longer exists (it ended, or stayed in the parent of a
                        fork) */
    uint8_t mode;
    bool ahead; /* holds nothing yet: a writer waiting in front of this reader */
};

struct dlw_live_view {
    void *context;
    /* What `thread` waits for; false when that can't be known (then nothing is concluded through
     * it). */
    bool (*wait_of)(void *context, uint32_t thread, struct dlw_wait *out);
    /* Who keeps `wait` of `thread` from going on, of an AND wait; returns how many were written (at
     * most `room`), negative when it can't be known. Two witnesses agree or it can't be known. */
    int (*owners_of)(void *context, uint32_t thread, const struct dlw_wait *wait,
                     struct dlw_owner *out, uint32_t room);
    /* All threads of the process, for the reduction; negative when not all are known. */
    int (*threads)(void *context, uint32_t *out, uint32_t room);
    /* May `thread` ever wake this OR wait? (It could post the semaphore, signal the condition.)
     * NULL: any thread may. */
    bool (*could_wake)(void *context, uint32_t thread, const struct dlw_wait *wait);
};

struct dlw_wait_step {
    uint32_t thread;
    struct dlw_wait wait;
    struct dlw_owner owner; /* who is waited for: the next step's thread */
};

struct dlw_wait_cycle {
    struct dlw_wait_step *steps; /* in the arena, `room` long */
    uint32_t length, room;
};

/*
 * Does `start` close a cycle of AND waits (a thread that waits for itself, or for a holder that no
 * longer exists, is one of length 1)? Breadth first, each thread once, O(threads + holdings), so
 * the cycle is a shortest one. On true `out` is the cycle through `start`, verified twice. Scratch
 * memory comes from the arena; out of memory is false.
 */
bool dlw_waits_find_cycle(const struct dlw_live_view *world, struct dlw_arena *scratch,
                          uint32_t start, struct dlw_wait_cycle *out);
void dlw_wait_cycle_free(struct dlw_arena *scratch, struct dlw_wait_cycle *cycle);

/*
 * The threads that can never go on, whatever the others do: the greatest set in which each thread
 * is in an untimed wait and is an AND waiter with an owner in the set, or an OR waiter of which
 * everyone who could wake it is in the set. Writes their ids (at most `room`), returns how many
 * there are; negative when something could not be known or did not read the same twice. A thread in
 * a wait of kind SYSCALL counts as running.
 */
int dlw_waits_reduce(const struct dlw_live_view *world, struct dlw_arena *scratch, uint32_t *out,
                     uint32_t room);

#endif
