/*
 * What the whole library shares: the options, the switch, the graph and its lock.
 */
#ifndef DLW_BASE_STATE_H
#define DLW_BASE_STATE_H

#include "graph/base/arena.h"
#include "graph/base/lock.h"
#include "graph/life.h"
#include "graph/order/order.h"
#include "report/emit/options.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

extern struct dlw_options dlw_options;

/*
 * RANK_GRAPH: protects the lock records and their index, the order graph and
 * the segments. Held for one probe or one learn, never while stacks are walked or anything is
 * written.
 */
extern struct dlw_lock dlw_graph_lock;
extern struct dlw_arena dlw_graph_arena;
extern struct dlw_order *dlw_order_graph;
extern struct dlw_life *dlw_life_graph;
/* dlw_order_generation() and more, readable without the lock: keys made under another value are
 * stale. Each nested lock reads it, so it has a cache line to itself. */
struct dlw_shared_line {
    _Alignas(64) _Atomic uint32_t value;
};
extern struct dlw_shared_line dlw_generation;

/* A number that marks carry, drawn at start, so that those which another program left in memory
 * that both share are not believed. A forked child keeps it: the marks in its copy are its own. */
extern uint64_t dlw_nonce;
extern bool dlw_marks_are_on;
extern bool dlw_direct_is_on; /* plain mutexes are taken without libc (direct.h) */
/* Confined by seccomp: no system call that the program doesn't make itself but write. */
extern _Atomic bool dlw_confined;

/* It was switched on once, and has a journal, though it may have switched itself off since. False
 * again in a child that was given up (fork.c). */
extern bool dlw_has_started;
extern _Atomic bool dlw_is_on;
/* It is not switched on, since the program came without threads (real.h), but tells of what the
 * program starts. Set in the constructor. */
extern bool dlw_tells_starts;
/*
 * Last resort: says one line, leaves a record in the journal, and lets every later call pass. Safe
 * with internal locks held (what needs locks is done by the next call that leaves the guard).
 */
void dlw_switch_off(const char *reason);

/* Takes over what the order graph says of its generation. Called with the graph lock held. */
void dlw_generation_follow_locked(void);

/* SIGABRT as abort() does it, without the program's handler. Does not return. */
void dlw_abort(void) __attribute__((noreturn));

/* After a switch off: says it, once every lock is dropped. */
void dlw_tell_switched_off(void);
void dlw_pid_changed(void);

uint32_t dlw_pid(void); /* of the process this library was set up for */
uint64_t dlw_now(void); /* ns, monotonic */
double dlw_wall_time(void);

#endif
