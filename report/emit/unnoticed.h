/*
 * Could a short-lived process beside the watched one be noticed by it, or stand in its way? As an
 * orphan it falls to the next subreaper, it counts against limits, and in a new pid namespace it
 * would be the first process, without which no other can live there.
 */
#ifndef DLW_EMIT_UNNOTICED_H
#define DLW_EMIT_UNNOTICED_H

#include <stdbool.h>

/* A few system calls and small files of /proc; where they can't be read: false. */
bool dlw_unnoticed_is_possible(void);

#endif
