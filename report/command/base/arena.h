/*
 * Memory of the command: everything that belongs to one document is taken from its region and given
 * back together, so nothing is freed piece by piece and a damaged input can't leak. Out of memory
 * ends the command with a message and status 2.
 */
#ifndef DLW_COMMAND_BASE_ARENA_H
#define DLW_COMMAND_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct dlw_region_chunk;
struct dlw_region {
    struct dlw_region_chunk *chunks; /* newest first; all-zero is a valid empty region */
};

/* Zeroed, aligned for anything, never NULL. */
void *dlw_region_alloc(struct dlw_region *region, size_t size);
/* NULL stays NULL. */
char *dlw_region_copy(struct dlw_region *region, const char *text);
char *dlw_region_cut(struct dlw_region *region, const char *text, size_t length);
char *dlw_region_print(struct dlw_region *region, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* An array of `n` elements that needs room for one more: the same array, or a larger copy where `n`
 * is a power of two. The array must have grown only through this call. */
void *dlw_region_grow(struct dlw_region *region, void *array, size_t n, size_t element);
void dlw_region_free(struct dlw_region *region);

#endif
