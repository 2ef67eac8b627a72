/*
 * Which module an address lies in. A module that is unloaded and another that is mapped in
 * its place are two: build id, range and path are compared at each look-up.
 */
#ifndef DLW_STACKS_MODULES_H
#define DLW_STACKS_MODULES_H

#include "graph/base/arena.h"

#include <stdint.h>

/* Both texts must live as long as the process. */
void dlw_modules_start(const char *exe, const char *folder);
/* 0: in none. Called with the stacks lock held; uses no lock of the loader's. */
uint32_t dlw_module_find_locked(struct dlw_arena *arena, uintptr_t address);
/* A module may have been unloaded. */
void dlw_modules_forget(void);
/* The number of such calls: as long as it stays the same an address is the same place in code. */
uint32_t dlw_modules_forgotten(void);

#endif
