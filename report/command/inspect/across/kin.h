/*
 * Which of the processes that can't be looked into may share with others what only fork hands on:
 * memory without a file, open files.
 */
#ifndef DLW_COMMAND_INSPECT_ACROSS_KIN_H
#define DLW_COMMAND_INSPECT_ACROSS_KIN_H

#include "report/command/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dlw_pids {
    uint32_t *list;
    size_t n;
};
void dlw_pids_add(struct dlw_region *region, struct dlw_pids *pids, uint32_t pid);

/* 0: it can't be known. */
uint32_t dlw_kin_parent(uint32_t pid);
/* The process that this one is a copy of, by fork; 0: it has started a program since, or it can't
 * be known. A parent that has ended is no longer the one. */
uint32_t dlw_kin_original(uint32_t pid);

/*
 * How many of `closed` may have what all of `owners` have. One that has started a program since it
 * was forked has not, unless an owner is a copy of it, or of a copy of it. With `outlives_exec`
 * (open files) only those that are older than all owners are left out for that: an open file that
 * an older one kept open for the programs that it starts is not thought of.
 */
size_t dlw_kin_count(const struct dlw_pids *closed, const struct dlw_pids *owners,
                     bool outlives_exec);

#endif
