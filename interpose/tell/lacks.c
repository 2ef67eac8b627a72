#include "interpose/tell/lacks.h"

#include "interpose/base/ability.h"
#include "interpose/base/proc.h"
#include "interpose/base/state.h"
#include "interpose/python/runtime.h"
#include "interpose/threads/alarm.h"
#include "report/emit/helper.h"
#include "report/emit/say.h"

#include <stdatomic.h>
#include <string.h>

/* How many were missing when it was told last. */
static _Atomic uint32_t n_told;
static bool is_told[DLW_N_ABILITIES]; /* guarded by the emit lock */

bool dlw_lacks_is_news(void)
{
    return dlw_abilities_missing() != atomic_load_explicit(&n_told, memory_order_relaxed);
}

void dlw_lacks_tell_locked(struct dlw_journal *journal, bool says)
{
    atomic_store_explicit(&n_told, dlw_abilities_missing(), memory_order_relaxed);
    for (unsigned i = 0; i < DLW_N_ABILITIES; i++) {
        const struct dlw_ability_words *words = &dlw_ability_words[i];
        const char *why = dlw_ability_missing(i);
        if (!why || is_told[i])
            continue;
        is_told[i] = true;
        dlw_journal_lacks(journal, words->word, why, words->effect, words->reduces);
        if (says && words->reduces)
            dlw_say(why, ": ", words->effect, NULL);
    }
}

void dlw_lacks_look(void)
{
    if (atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return;
    const char *why = dlw_proc_hides_sleepers();

    if (dlw_self && dlw_self != &dlw_nobody)
        dlw_alarm_try(dlw_self);

    if (why)
        dlw_ability_lacks(DLW_ABILITY_SLEEPERS, why);
    if (!dlw_helper_is_possible())
        dlw_ability_lacks(DLW_ABILITY_HELPER, "no process can be started unnoticed");
}

void dlw_lacks_say_all(void)
{
    char works[256];
    size_t n = 0;

    works[0] = 0;
    for (unsigned i = 0; i < DLW_N_ABILITIES; i++) {
        const struct dlw_ability_words *words = &dlw_ability_words[i];
        size_t length = strlen(words->word);
        bool is_pythons = i == DLW_ABILITY_PYTHON || i == DLW_ABILITY_PYTHON_LOCKS;
        if (dlw_ability_missing(i)) {
            dlw_say("does not work: ", words->word, " (", dlw_ability_missing(i),
                    "): ", words->effect, NULL);
        } else if (n + length + 3 < sizeof(works) && (!is_pythons || dlw_python())) {
            works[n] = ' ';
            memcpy(works + n + 1, words->word, length + 1);
            n += length + 1;
        }
    }
    dlw_say("works:", works, NULL);
}

void dlw_lacks_after_fork(void)
{
    memset(is_told, 0, sizeof(is_told));
    atomic_store_explicit(&n_told, 0, memory_order_relaxed);
}
