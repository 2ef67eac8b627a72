#include "report/command/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dlw_region_chunk {
    struct dlw_region_chunk *next;
    size_t used, size;
    max_align_t bytes[];
};

enum { CHUNK = 64 * 1024, ALIGNMENT = _Alignof(max_align_t) };

static _Noreturn void out_of_memory(void)
{
    fputs("dlwatch: out of memory\n", stderr);
    exit(2);
}

static struct dlw_region_chunk *new_chunk(struct dlw_region *region, size_t size)
{
    size_t room = size > CHUNK / 4 ? size : CHUNK;
    struct dlw_region_chunk *chunk = calloc(1, sizeof(*chunk) + room);
    if (!chunk)
        out_of_memory();
    chunk->size = room;
    /* A large block must not end the use of a chunk that still has room. */
    if (region->chunks && room == size) {
        chunk->next = region->chunks->next;
        region->chunks->next = chunk;
    } else {
        chunk->next = region->chunks;
        region->chunks = chunk;
    }
    return chunk;
}

void *dlw_region_alloc(struct dlw_region *region, size_t size)
{
    if (size > SIZE_MAX / 2)
        out_of_memory();
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct dlw_region_chunk *chunk = region->chunks;
    if (!chunk || chunk->size - chunk->used < size)
        chunk = new_chunk(region, size);
    void *block = (char *)chunk->bytes + chunk->used;
    chunk->used += size;
    return block;
}

char *dlw_region_cut(struct dlw_region *region, const char *text, size_t length)
{
    char *copy = dlw_region_alloc(region, length + 1);
    memcpy(copy, text, length);
    return copy;
}

char *dlw_region_copy(struct dlw_region *region, const char *text)
{
    return text ? dlw_region_cut(region, text, strlen(text)) : NULL;
}

char *dlw_region_print(struct dlw_region *region, const char *format, ...)
{
    char small[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(small, sizeof(small), format, arguments);
    va_end(arguments);
    if (length < 0)
        out_of_memory();
    if ((size_t)length < sizeof(small))
        return dlw_region_cut(region, small, (size_t)length);
    char *text = dlw_region_alloc(region, (size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

void *dlw_region_grow(struct dlw_region *region, void *array, size_t n, size_t element)
{
    if (n & (n - 1))
        return array;
    size_t room = n ? 2 * n : 1;
    if (room > SIZE_MAX / 2 / element)
        out_of_memory();
    void *copy = dlw_region_alloc(region, room * element);
    if (n)
        memcpy(copy, array, n * element);
    return copy;
}

void dlw_region_free(struct dlw_region *region)
{
    while (region->chunks) {
        struct dlw_region_chunk *next = region->chunks->next;
        free(region->chunks);
        region->chunks = next;
    }
}
