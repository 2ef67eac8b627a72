#include "report/emit/journal/repeats.h"

#include <string.h>

enum { FEWEST = 64 };

/* The key's place, or the free one where it would go. There is always a free one. Keys are hashes,
 * so their low bits will do. */
static struct dlw_repeat *place(struct dlw_repeat *slots, size_t room, uint64_t key)
{
    size_t at = (size_t)key & (room - 1);

    while (slots[at].key && slots[at].key != key)
        at = (at + 1) & (room - 1);
    return &slots[at];
}

static uint64_t usable(uint64_t key)
{
    return key ? key : 1;
}

struct dlw_repeat *dlw_repeats_find(const struct dlw_repeats *repeats, uint64_t key)
{
    struct dlw_repeat *found =
        repeats->room ? place(repeats->slots, repeats->room, usable(key)) : NULL;

    return found && found->key ? found : NULL;
}

static bool grow(struct dlw_repeats *repeats, struct dlw_arena *arena)
{
    size_t room = repeats->room ? 2 * repeats->room : FEWEST;
    struct dlw_repeat *slots = dlw_arena_alloc(arena, room * sizeof *slots);

    if (!slots)
        return false;
    for (size_t i = 0; i < repeats->room; i++)
        if (repeats->slots[i].key)
            *place(slots, room, repeats->slots[i].key) = repeats->slots[i];
    dlw_arena_free(arena, repeats->slots, repeats->room * sizeof *slots);
    repeats->slots = slots;
    repeats->room = room;
    return true;
}

struct dlw_repeat *dlw_repeats_add(struct dlw_repeats *repeats, struct dlw_arena *arena,
                                   uint64_t key)
{
    struct dlw_repeat *slot = dlw_repeats_find(repeats, key);

    if (slot)
        return slot;
    if (4 * (repeats->n + 1) > 3 * repeats->room && !grow(repeats, arena) &&
        repeats->n + 1 >= repeats->room)
        return NULL;
    slot = place(repeats->slots, repeats->room, usable(key));
    slot->key = usable(key);
    repeats->n++;
    return slot;
}

void dlw_repeats_clear(struct dlw_repeats *repeats)
{
    if (repeats->slots)
        memset(repeats->slots, 0, repeats->room * sizeof *repeats->slots);
    repeats->n = 0;
}

void dlw_repeats_free(struct dlw_repeats *repeats, struct dlw_arena *arena)
{
    dlw_arena_free(arena, repeats->slots, repeats->room * sizeof *repeats->slots);
    memset(repeats, 0, sizeof *repeats);
}
