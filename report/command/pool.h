/*
 * Memory of the command: everything that belongs to one document is taken from its pool and given
 * back together, so nothing is freed piece by piece and a damaged input can't leak. Out of memory
 * ends the command with a message and status 2.
 */
#ifndef DLW_COMMAND_POOL_H
#define DLW_COMMAND_POOL_H

#include <stddef.h>
#include <stdint.h>

struct dlw_pool_chunk;
struct dlw_pool {
    struct dlw_pool_chunk *chunks; /* newest first; all-zero is a valid empty pool */
};

/* Zeroed, aligned for anything, never NULL. */
void *dlw_pool_alloc(struct dlw_pool *pool, size_t size);
/* NULL stays NULL. */
char *dlw_pool_copy(struct dlw_pool *pool, const char *text);
char *dlw_pool_cut(struct dlw_pool *pool, const char *text, size_t length);
char *dlw_pool_print(struct dlw_pool *pool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* An array of `n` elements that needs room for one more: the same array, or a larger copy where `n`
 * is a power of two. The array must have grown only through this call. */
void *dlw_pool_grow(struct dlw_pool *pool, void *array, size_t n, size_t element);
void dlw_pool_free(struct dlw_pool *pool);

#endif
