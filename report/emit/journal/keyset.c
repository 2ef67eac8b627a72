#include "report/emit/journal/keyset.h"

#include <string.h>

enum { FEWEST = 64 };

/* The key's place, or the free one where it would go. There is always a free one. */
static uint64_t *place(uint64_t *keys, size_t room, uint64_t key)
{
    size_t at = (size_t)key & (room - 1);

    while (keys[at] && keys[at] != key)
        at = (at + 1) & (room - 1);
    return &keys[at];
}

static bool grow(struct dlw_keyset *set, struct dlw_arena *arena)
{
    size_t room = set->room ? 2 * set->room : FEWEST;
    uint64_t *keys = dlw_arena_alloc(arena, room * sizeof *keys);

    if (!keys)
        return false;
    for (size_t i = 0; i < set->room; i++)
        if (set->keys[i])
            *place(keys, room, set->keys[i]) = set->keys[i];
    dlw_arena_free(arena, set->keys, set->room * sizeof *keys);
    set->keys = keys;
    set->room = room;
    return true;
}

bool dlw_keyset_add(struct dlw_keyset *set, struct dlw_arena *arena, uint64_t key)
{
    key += key == 0;
    if (set->room && *place(set->keys, set->room, key))
        return false;
    if (4 * (set->n + 1) > 3 * set->room && !grow(set, arena) && set->n + 1 >= set->room)
        return true;
    *place(set->keys, set->room, key) = key;
    set->n++;
    return true;
}

void dlw_keyset_clear(struct dlw_keyset *set)
{
    if (set->keys)
        memset(set->keys, 0, set->room * sizeof *set->keys);
    set->n = 0;
}

void dlw_keyset_free(struct dlw_keyset *set, struct dlw_arena *arena)
{
    dlw_arena_free(arena, set->keys, set->room * sizeof *set->keys);
    memset(set, 0, sizeof *set);
}
