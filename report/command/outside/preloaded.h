/* A process that runs under libdlwatch.so keeps records of its own. */
#ifndef DLW_OUTSIDE_PRELOADED_H
#define DLW_OUTSIDE_PRELOADED_H

#include "report/command/outside/target.h"

/* The address in the process of the library's public state; 0: not preloaded, or not of a version
 * that has one. */
uint64_t dlw_preloaded_state(struct dlw_target *target);

#endif
