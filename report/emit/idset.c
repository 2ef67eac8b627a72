#include "report/emit/idset.h"

#include <string.h>

enum { WORD_BITS = 64, FEWEST_WORDS = 16 };

/* Ids are dense: one beyond this is a mistake, not a reason to map gigabytes. */
#define LARGEST_ID (UINT64_C(1) << 36)

bool dlw_idset_has(const struct dlw_idset *set, uint64_t id)
{
    uint64_t word = id / WORD_BITS;

    return word < set->n_words && (set->words[word] >> (id % WORD_BITS) & 1);
}

static bool grow(struct dlw_idset *set, struct dlw_arena *arena, size_t needed)
{
    size_t n_words = set->n_words ? set->n_words : FEWEST_WORDS;

    while (n_words < needed)
        n_words *= 2;
    uint64_t *words =
        dlw_arena_resize(arena, set->words, set->n_words * sizeof *words, n_words * sizeof *words);
    if (!words)
        return false;
    set->words = words;
    set->n_words = n_words;
    return true;
}

bool dlw_idset_add(struct dlw_idset *set, struct dlw_arena *arena, uint64_t id)
{
    uint64_t word = id / WORD_BITS;

    if (id > LARGEST_ID || (word >= set->n_words && !grow(set, arena, word + 1)))
        return false;
    set->words[word] |= UINT64_C(1) << (id % WORD_BITS);
    return true;
}

void dlw_idset_clear(struct dlw_idset *set)
{
    if (set->words)
        memset(set->words, 0, set->n_words * sizeof *set->words);
}

void dlw_idset_free(struct dlw_idset *set, struct dlw_arena *arena)
{
    dlw_arena_free(arena, set->words, set->n_words * sizeof *set->words);
    memset(set, 0, sizeof *set);
}
