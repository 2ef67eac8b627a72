#include "interpose/order/doubt.h"

#include "interpose/locks/identity.h"

/* The joiner waited for a condition with this lock, and nothing else is in the cycle. */
static bool is_parted(const struct dlw_thread *self, const struct dlw_finding *finding)
{
    for (uint32_t i = 0; i < finding->n_cycle; i++)
        if (finding->cycle[i].thread == self->id && self->parted_by &&
            finding->cycle[i].holds.lock == self->parted_by)
            return finding->n_cycle == 2;
    return false;
}

enum dlw_doubt dlw_doubt_of_locked(const struct dlw_thread *self, const struct dlw_finding *finding)
{
    for (uint32_t i = 0; i < finding->n_cycle; i++) {
        struct dlw_lock_facts facts;
        if (!dlw_lock_facts_locked(finding->cycle[i].wants.lock, &facts))
            continue;
        if (facts.kind == DLW_LOCK_THREAD)
            return is_parted(self, finding) ? DLW_DOUBT_CONDITION : DLW_DOUBT_JOIN;
        if (facts.kind == DLW_LOCK_SEMAPHORE && facts.attributes & DLW_ATTR_OUTLIVES)
            return DLW_DOUBT_SEMAPHORE;
    }
    return DLW_NO_DOUBT;
}
