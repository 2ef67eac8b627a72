#include "interpose/base/ability.h"

#include <stdatomic.h>
#include <stddef.h>

const struct dlw_ability_words dlw_ability_words[DLW_N_ABILITIES] = {
#define ABILITY(constant, word, reduces, effect) {word, effect, reduces},
#include "interpose/base/ability.def"
};

/* Release, and acquire below: the reason is read by whoever writes the journal. */
static const char *_Atomic reasons[DLW_N_ABILITIES];
static _Atomic uint32_t n_missing;

void dlw_ability_lacks(enum dlw_ability ability, const char *why)
{
    const char *none = NULL;

    if (atomic_compare_exchange_strong_explicit(&reasons[ability], &none, why, memory_order_release,
                                                memory_order_relaxed))
        atomic_fetch_add_explicit(&n_missing, 1, memory_order_relaxed);
}

const char *dlw_ability_missing(enum dlw_ability ability)
{
    return atomic_load_explicit(&reasons[ability], memory_order_acquire);
}

uint32_t dlw_abilities_missing(void)
{
    return atomic_load_explicit(&n_missing, memory_order_relaxed);
}
