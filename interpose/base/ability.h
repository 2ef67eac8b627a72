/*
 * What works here, and what doesn't. A process that gave up its rights, that lives in another pid
 * namespace than its /proc, or that has no timers left can be watched in part; that is noted where
 * it is met, and written to the journal (tell/lacks.h), so that nobody takes "nothing found" for
 * more than it says.
 */
#ifndef DLW_BASE_ABILITY_H
#define DLW_BASE_ABILITY_H

#include <stdbool.h>
#include <stdint.h>

enum dlw_ability {
#define ABILITY(constant, word, reduces, effect) DLW_ABILITY_##constant,
#include "interpose/base/ability.def"
    DLW_N_ABILITIES
};

struct dlw_ability_words {
    const char *word, *effect;
    bool reduces; /* what is found */
};
extern const struct dlw_ability_words dlw_ability_words[DLW_N_ABILITIES];

/* It is not there, `why` (lasts; a sentence part). The first reason stays. Any thread, any place:
 * takes no lock, makes no system call. */
void dlw_ability_lacks(enum dlw_ability ability, const char *why);
/* NULL: it is there, as far as is known. */
const char *dlw_ability_missing(enum dlw_ability ability);
/* How many were ever found missing: one relaxed load. */
uint32_t dlw_abilities_missing(void);

#endif
