/*
 * Which module an address lies in. A module that is unloaded and another that is mapped in
 * its place are two: build id, range and path are compared at each look-up.
 */
#ifndef DLW_STACKS_MODULES_H
#define DLW_STACKS_MODULES_H

#include "graph/base/arena.h"

#include "report/emit/journal/journal.h"

#include <stdbool.h>
#include <stdint.h>

/* What a module is by its headers. */
struct dlw_module_described {
    struct dlw_journal_module module;
    unsigned char build_id[64];
};

/* Of the module that the address lies in, without any lock. False: in none. The path is the
 * loader's. */
bool dlw_module_describe(uintptr_t address, struct dlw_module_described *out);

/* Both texts must live as long as the process. */
void dlw_modules_start(const char *exe, const char *folder);
/* 0: in none. Called with the stacks lock held; uses no lock of the loader's. */
uint32_t dlw_module_find_locked(struct dlw_arena *arena, uintptr_t address);
/* A module may have been unloaded. */
void dlw_modules_forget(void);
/* The number of such calls: as long as it stays the same an address is the same place in code. */
uint32_t dlw_modules_forgotten(void);

#endif
