/*
 * CPython in a process that is looked at: each thread's Python frames, and where among its native
 * frames they were run. The interpreter's own frames are marked as folded.
 *
 * Only the process's memory is read, by the layouts of report/emit/python/layout.h. A thread that
 * runs may be at other frames a moment later; so they are read until two readings agree, and what
 * can't be had says why.
 */
#ifndef DLW_COMMAND_INSPECT_PYTHON_H
#define DLW_COMMAND_INSPECT_PYTHON_H

#include "report/command/inspect/target/target.h"
#include "report/emit/python/frames.h"

/* With the stacks unwound and the runtime recognised. At most `depth` Python frames a thread. Says
 * so where there is a CPython whose frames can't be read. */
void dlw_python_read(struct dlw_target *target, struct dlw_doc *doc, size_t depth);

/* The line of code and instruction, as they stand in a frame. False: there is no CPython that can
 * be read. */
bool dlw_python_line(struct dlw_target *target, uint64_t code, uint64_t instruction,
                     struct dlw_seen_line *out);

/* The interpreter in the target. (find.c) */
struct dlw_python_seen {
    uint64_t runtime;                /* address of _PyRuntime */
    Dwfl_Module *module;             /* that it lies in */
    struct dlw_python_layout layout; /* version 0: not known */
    const char *why;                 /* it is not in full, or NULL */
};
/* False: there is none. */
bool dlw_python_find(struct dlw_target *target, struct dlw_python_seen *out);

/* (gil.c) When all waits have been read: those for a GIL, which look like waits for a condition...
 */
void dlw_python_gils_read(struct dlw_target *target);
/* ...and once the other threads are known to have stood still until after that. */
void dlw_python_gils_settle(struct dlw_target *target);

/* Sets is_folded and n_lines of the thread's places. (pair.c) */
void dlw_python_pair(const struct dlw_python_seen *seen, const struct dlw_target *target,
                     struct dlw_seen_thread *thread);

#endif
