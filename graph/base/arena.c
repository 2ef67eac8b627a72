/*
 * Four size classes to each power of two, from 16 bytes to 1 KiB and then plain
 * doublings to 64 KiB: at most a quarter of a small block is lost to rounding.
 * Larger blocks are their own mapping.
 */
#include "graph/base/arena.h"

#include "graph/base/sys.h"

#include <string.h>
#include <sys/mman.h>

enum { CHUNK_BYTES = 256 * 1024, LARGEST_CLASS = 64 * 1024, PAGE_BYTES = 4096 };

static const uint32_t class_bytes[DLW_ARENA_CLASSES] = {
    16,  32,  48,  64,  80,  96,  112,  128,  160,  192,  224,   256,   320,
    384, 448, 512, 640, 768, 896, 1024, 2048, 4096, 8192, 16384, 32768, 65536,
};

static unsigned class_of(size_t size)
{
    unsigned low = 0;
    unsigned high = DLW_ARENA_CLASSES - 1;

    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (class_bytes[mid] >= size)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

static size_t round_to_pages(size_t bytes)
{
    return (bytes + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
}

void *dlw_pages_map(size_t bytes)
{
    long got = dlw_syscall(SYS_mmap, 0, round_to_pages(bytes), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return got < 0 && got > -PAGE_BYTES ? NULL
                                        : (void *)got; /* NOLINT(performance-no-int-to-ptr) */
}

void dlw_pages_unmap(void *pages, size_t bytes)
{
    dlw_syscall(SYS_munmap, pages, round_to_pages(bytes));
}

static int within_limit(const struct dlw_arena *arena, size_t more)
{
    return arena->limit == 0 || arena->mapped + more <= arena->limit;
}

static void *map_for(struct dlw_arena *arena, size_t bytes)
{
    void *pages = within_limit(arena, bytes) ? dlw_pages_map(bytes) : NULL;
    if (pages)
        arena->mapped += round_to_pages(bytes);
    return pages;
}

/* The tail of a chunk that is too short for the block asked for is given up. */
static void *bump_alloc(struct dlw_arena *arena, size_t bytes)
{
    if ((size_t)(arena->bump_end - arena->bump) < bytes) {
        char *chunk = map_for(arena, CHUNK_BYTES);
        if (!chunk)
            return NULL;
        arena->bump = chunk;
        arena->bump_end = chunk + CHUNK_BYTES;
    }
    void *block = arena->bump;
    arena->bump += bytes;
    return block;
}

void *dlw_arena_alloc(struct dlw_arena *arena, size_t size)
{
    if (size > LARGEST_CLASS) {
        void *pages = map_for(arena, size);
        if (pages)
            arena->in_use += round_to_pages(size);
        return pages;
    }
    unsigned c = class_of(size);
    void *block = arena->free_lists[c];
    if (block) {
        memcpy(&arena->free_lists[c], block, sizeof(void *));
        memset(block, 0, class_bytes[c]);
    } else {
        block = bump_alloc(arena, class_bytes[c]);
    }
    if (block)
        arena->in_use += class_bytes[c];
    return block;
}

void dlw_arena_free(struct dlw_arena *arena, void *block, size_t size)
{
    if (!block)
        return;
    if (size > LARGEST_CLASS) {
        dlw_pages_unmap(block, size);
        arena->in_use -= round_to_pages(size);
        arena->mapped -= round_to_pages(size);
        return;
    }
    unsigned c = class_of(size);
    memcpy(block, &arena->free_lists[c], sizeof(void *));
    arena->free_lists[c] = block;
    arena->in_use -= class_bytes[c];
}

/* Moves page tables, not bytes: growing a table of a gigabyte needs no second one. */
static void *remap(struct dlw_arena *arena, void *block, size_t old_size, size_t new_size)
{
    size_t from = round_to_pages(old_size);
    size_t to = round_to_pages(new_size);

    if (to > from && !within_limit(arena, to - from))
        return NULL;
    long got = dlw_syscall(SYS_mremap, block, from, to, MREMAP_MAYMOVE);
    if (got < 0 && got > -PAGE_BYTES)
        return NULL;
    char *moved = (void *)got; /* NOLINT(performance-no-int-to-ptr) */
    if (new_size < old_size)
        memset(moved + new_size, 0, to - new_size);
    arena->in_use += to - from;
    arena->mapped += to - from;
    return moved;
}

void *dlw_arena_resize(struct dlw_arena *arena, void *block, size_t old_size, size_t new_size)
{
    if (block && old_size <= LARGEST_CLASS && new_size <= LARGEST_CLASS &&
        class_of(old_size) == class_of(new_size)) {
        if (new_size > old_size)
            memset((char *)block + old_size, 0, new_size - old_size);
        return block;
    }
    if (block && old_size > LARGEST_CLASS && new_size > LARGEST_CLASS)
        return remap(arena, block, old_size, new_size);
    void *fresh = dlw_arena_alloc(arena, new_size);
    if (!fresh)
        return NULL;
    if (block)
        memcpy(fresh, block, old_size < new_size ? old_size : new_size);
    dlw_arena_free(arena, block, old_size);
    return fresh;
}
