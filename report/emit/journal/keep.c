#include "report/emit/journal/keep.h"

#include <stdatomic.h>
#include <string.h>

enum { CHUNK = 4096 - sizeof(struct dlw_records_chunk) };

static size_t bytes_of(size_t room)
{
    return sizeof(struct dlw_records_chunk) + room;
}

static bool add_chunk(struct dlw_kept *kept, struct dlw_arena *arena, size_t size)
{
    size_t room = size > CHUNK ? size : CHUNK;
    struct dlw_records_chunk *chunk = dlw_arena_alloc(arena, bytes_of(room));

    if (!chunk)
        return false;
    /* Whoever follows the pointer is outside: it reads a chunk that says it is empty. */
    if (kept->last)
        atomic_store_explicit(&kept->last->next, chunk, memory_order_release);
    else
        atomic_store_explicit(&kept->first, chunk, memory_order_release);
    kept->last = chunk;
    kept->room = room;
    return true;
}

bool dlw_keep(struct dlw_kept *kept, struct dlw_arena *arena, const char *lines, size_t size)
{
    uint64_t used =
        kept->last ? atomic_load_explicit(&kept->last->used, memory_order_relaxed) : kept->room;

    if (kept->room - used < size) {
        if (!add_chunk(kept, arena, size))
            return false;
        used = 0;
    }
    /* With room there is a last one. */
    memcpy(kept->last->bytes + used, lines, size); /* NOLINT(clang-analyzer-core.*) */
    atomic_store_explicit(&kept->last->used, used + size, memory_order_release);
    return true;
}

/* One larger than usual was filled by the piece that it was made for. */
void dlw_keep_nothing(struct dlw_kept *kept, struct dlw_arena *arena)
{
    struct dlw_records_chunk *chunk = atomic_load_explicit(&kept->first, memory_order_relaxed);

    atomic_store_explicit(&kept->first, NULL, memory_order_relaxed);
    while (chunk) {
        struct dlw_records_chunk *next = atomic_load_explicit(&chunk->next, memory_order_relaxed);
        uint64_t used = atomic_load_explicit(&chunk->used, memory_order_relaxed);
        size_t room = chunk == kept->last ? kept->room : used > CHUNK ? used : CHUNK;
        dlw_arena_free(arena, chunk, bytes_of(room));
        chunk = next;
    }
    kept->last = NULL;
    kept->room = 0;
}
