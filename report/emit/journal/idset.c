#include "report/emit/journal/idset.h"

#include "graph/base/index.h"

#include <string.h>

enum { WORD_BITS = 64, FEWEST_WORDS = 16 };

/* The word's place, or the free one where it would go. There is always a free one. */
static struct dlw_idset_word *place(struct dlw_idset_word *words, size_t room, uint64_t number)
{
    size_t at = (size_t)dlw_mix(number) & (room - 1);

    while (words[at].number && words[at].number != number)
        at = (at + 1) & (room - 1);
    return &words[at];
}

static uint64_t number_of(uint64_t id)
{
    return id / WORD_BITS + 1;
}

bool dlw_idset_has(const struct dlw_idset *set, uint64_t id)
{
    return set->room && (place(set->words, set->room, number_of(id))->bits >> (id % WORD_BITS) & 1);
}

static bool grow(struct dlw_idset *set, struct dlw_arena *arena)
{
    size_t room = set->room ? 2 * set->room : FEWEST_WORDS;
    struct dlw_idset_word *words = dlw_arena_alloc(arena, room * sizeof *words);

    if (!words)
        return false;
    for (size_t i = 0; i < set->room; i++)
        if (set->words[i].number)
            *place(words, room, set->words[i].number) = set->words[i];
    dlw_arena_free(arena, set->words, set->room * sizeof *words);
    set->words = words;
    set->room = room;
    return true;
}

bool dlw_idset_add(struct dlw_idset *set, struct dlw_arena *arena, uint64_t id)
{
    if (4 * (set->n + 1) > 3 * set->room && !grow(set, arena) && set->n + 1 >= set->room)
        return false;
    struct dlw_idset_word *word = place(set->words, set->room, number_of(id));
    set->n += word->number == 0;
    word->number = number_of(id);
    word->bits |= UINT64_C(1) << (id % WORD_BITS);
    return true;
}

void dlw_idset_remove(struct dlw_idset *set, uint64_t id)
{
    if (dlw_idset_has(set, id))
        place(set->words, set->room, number_of(id))->bits &= ~(UINT64_C(1) << (id % WORD_BITS));
}

void dlw_idset_each(const struct dlw_idset *set, void (*visit)(void *context, uint64_t id),
                    void *context)
{
    for (size_t i = 0; i < set->room; i++)
        for (uint64_t rest = set->words[i].bits; rest; rest &= rest - 1)
            visit(context,
                  (set->words[i].number - 1) * WORD_BITS + (unsigned)__builtin_ctzll(rest));
}

void dlw_idset_clear(struct dlw_idset *set)
{
    if (set->words)
        memset(set->words, 0, set->room * sizeof *set->words);
    set->n = 0;
}

void dlw_idset_free(struct dlw_idset *set, struct dlw_arena *arena)
{
    dlw_arena_free(arena, set->words, set->room * sizeof *set->words);
    memset(set, 0, sizeof *set);
}
