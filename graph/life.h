/*
 * Happens-before as far as thread life gives it: create, join and barriers.
 * Not locks: two critical sections that ran one after the other today may run
 * the other way round tomorrow, two that are separated by a join never.
 *
 * A thread's life is cut into segments. A segment ends where the thread
 * creates, joins or passes a barrier, and only if something was recorded in it
 * (a segment nobody refers to orders nothing). Segments form a graph: each
 * names those directly before it. A was before B when B reaches A.
 * Numbers rise along every path, which bounds the search.
 *
 * Memory follows what refers to segments: evidence holds them by reference
 * (dlw_life_ref/unref) and chains of unreferenced ones are shortened, so a
 * million threads created and joined one after another cost nothing.
 *
 * Not thread-safe: called with the graph lock held. All calls that allocate
 * return 0 when memory is out, and 0 is a segment that is ordered with nothing.
 */
#ifndef DLW_LIFE_H
#define DLW_LIFE_H

#include "graph/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct dlw_life;              /* opaque */
typedef uint32_t dlw_segment; /* index, 0: none */

struct dlw_life *dlw_life_new(struct dlw_arena *arena);
void dlw_life_free(struct dlw_life *life);

/* The first segment of a thread. `creator` is the creator's segment at the create (0 for the first
 * thread). */
dlw_segment dlw_life_start(struct dlw_life *life, uint32_t thread, dlw_segment creator);

/*
 * The caller has done something that orders what it did before ahead of others
 * (it is creating a thread). Returns the segment to go on in: a new one if anything
 * was recorded in the current one, else the same. Takes over the caller's reference.
 */
dlw_segment dlw_life_advance(struct dlw_life *life, dlw_segment current);

/* As advance, and everything in `other` (a joined thread's last, a barrier round) came before the
 * new segment. */
dlw_segment dlw_life_join(struct dlw_life *life, dlw_segment current, dlw_segment other);

/* A segment of no thread after both: barrier rounds gather their arrivals with it. `round` may be
 * 0. Takes over `round`'s reference. */
dlw_segment dlw_life_gather(struct dlw_life *life, dlw_segment round, dlw_segment arrival);

/*
 * From here on the caller is in this scope (one test of a test program), and so are the threads
 * that it creates; NULL: in none. The text is known by its address and outlives the graph. Returns
 * the segment to go on in, as advance does.
 */
dlw_segment dlw_life_enter(struct dlw_life *life, dlw_segment current, const char *scope);
const char *dlw_life_scope(const struct dlw_life *life, dlw_segment segment);
bool dlw_life_has_scopes(const struct dlw_life *life); /* was there ever one */
/* Both are in a scope, and not in the same: that one is before the other is how this program runs
 * its tests, and says nothing of another that runs the same code. */
bool dlw_life_is_other_scope(const struct dlw_life *life, dlw_segment a, dlw_segment b);

void dlw_life_ref(struct dlw_life *life, dlw_segment segment);
void dlw_life_unref(struct dlw_life *life, dlw_segment segment);
/* Something refers to what happened in this segment: it may no longer be merged with its successor.
 */
void dlw_life_mark_recorded(struct dlw_life *life, dlw_segment segment);

uint32_t dlw_life_thread(const struct dlw_life *life, dlw_segment segment);
/*
 * A number shared by all segments that have the same joins and barriers behind them:
 * evidence of another era may be unordered with what evidence of this era is ordered with.
 */
uint32_t dlw_life_era(const struct dlw_life *life, dlw_segment segment);
bool dlw_life_is_before(struct dlw_life *life, dlw_segment a, dlw_segment b);
/* Does `b` go on right after `a`? Then to join `a` changes nothing. */
bool dlw_life_is_directly_before(const struct dlw_life *life, dlw_segment a, dlw_segment b);
/* Neither is before the other, and they are of different threads. */
bool dlw_life_are_concurrent(struct dlw_life *life, dlw_segment a, dlw_segment b);

size_t dlw_life_count(const struct dlw_life *life);          /* segments alive */
void dlw_life_check_invariants(const struct dlw_life *life); /* traps on a broken one */

#endif
