/*
 * Hash tables inside a stranger's process: uthash with an arena in place of malloc, and without
 * exit() where memory is out: what could not be added is not in the table. Each file that includes
 * this has an arena of its own. Included last, and before it what the file wants in another way:
 * HASH_FUNCTION, HASH_KEYCMP, uthash_nonfatal_oom.
 */
#ifndef DLW_BASE_TABLE_H
#define DLW_BASE_TABLE_H

#include "graph/base/arena.h"
#include "interpose/base/hash.h"

static struct dlw_arena arena;
#define uthash_malloc(size) dlw_arena_alloc(&arena, size)
#define uthash_free(block, size) dlw_arena_free(&arena, block, size)
#define HASH_NONFATAL_OOM 1
#ifndef uthash_nonfatal_oom
#define uthash_nonfatal_oom(element) ((void)(element))
#endif
#include <uthash.h>

#endif
