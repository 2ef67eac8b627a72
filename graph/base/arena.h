/*
 * Memory for structures that live inside a stranger's process: mapped pages,
 * never malloc. Size classes with free lists; large blocks are mapped alone
 * and given back to the kernel when freed.
 *
 * Blocks are zeroed and aligned to 16. An arena is not thread-safe: whoever
 * owns it holds the lock that guards it. Out of memory is NULL, never an abort.
 */
#ifndef DLW_BASE_ARENA_H
#define DLW_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#define DLW_ARENA_CLASSES 26

struct dlw_arena {
    char *bump;     /* next free byte of the current chunk */
    char *bump_end; /* one past its last byte */
    void *free_lists[DLW_ARENA_CLASSES];
    size_t in_use; /* bytes handed out and not freed, rounded to classes */
    size_t mapped; /* bytes taken from the kernel */
    size_t limit;  /* refuse to map beyond this many bytes; 0: no limit */
};

/* All-zero is a valid empty arena. */

void *dlw_arena_alloc(struct dlw_arena *arena, size_t size);
/* `size` is what was asked for when the block was allocated. NULL is ignored. */
void dlw_arena_free(struct dlw_arena *arena, void *block, size_t size);
/* Grows or shrinks; new bytes are zero. On failure NULL, and the old block stays. */
void *dlw_arena_resize(struct dlw_arena *arena, void *block, size_t old_size, size_t new_size);

/* Whole pages straight from the kernel, zeroed; NULL when refused. */
void *dlw_pages_map(size_t bytes);
void dlw_pages_unmap(void *pages, size_t bytes);

#endif
