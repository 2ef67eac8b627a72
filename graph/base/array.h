/*
 * A growing array in an arena, for the scratch stacks and lists of searches.
 * Zeroed is empty. Elements move when it grows.
 */
#ifndef DLW_BASE_ARRAY_H
#define DLW_BASE_ARRAY_H

#include "graph/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The array with `*room` doubled until `need` elements of `size` bytes fit; NULL when memory is out
 * (then it is as it was). */
static inline void *dlw_array_grown(struct dlw_arena *arena, void *items, uint32_t *room,
                                    uint32_t need, size_t size)
{
    uint32_t more = *room ? *room : 16;

    if (need <= *room)
        return items;
    while (more < need)
        more *= 2;
    void *grown = dlw_arena_resize(arena, items, *room * size, more * size);
    if (grown)
        *room = more;
    return grown;
}

/* The same in place: an lvalue pointer and its room, true on success. */
#define dlw_array_fit(arena, items, room, need)                                                    \
    (__extension__({                                                                               \
        uint32_t need_ = (need);                                                                   \
        void *fit_ = need_ <= (room)                                                               \
                         ? (items)                                                                 \
                         : dlw_array_grown((arena), (items), &(room), need_, sizeof(*(items)));    \
        if (need_ && fit_)                                                                         \
            (items) = fit_;                                                                        \
        !need_ || fit_;                                                                            \
    }))

static inline void dlw_array_release(struct dlw_arena *arena, void *items, uint32_t room,
                                     size_t size)
{
    dlw_arena_free(arena, items, room * size);
}

#endif
