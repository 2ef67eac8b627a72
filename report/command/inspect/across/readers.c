#include "report/command/inspect/across/readers.h"

#include "report/command/inspect/across/mappers.h"

#include <string.h>

enum { READERS_SHIFT = 3 }; /* pthread_rwlock_t's first word: flags, then the count */

struct tally {
    struct dlw_target *const *party;
    size_t n_party;
    struct dlw_target *target; /* whose wait it is */
    struct dlw_shared_place place;
    uint32_t n_held;            /* a thread may have it several times */
    struct dlw_mappers mappers; /* of the memory that was asked for last */
};

static bool is_rwlock(const char *object)
{
    return object && !strcmp(object, dlw_lock_kind_word(DLW_LOCK_RWLOCK));
}

bool dlw_readers_are_wanted(const struct dlw_target *target, const struct dlw_seen_wait *wait)
{
    return target->records && wait->is_shared && is_rwlock(wait->object) &&
           wait->kind == DLW_WAIT_LOCK && wait->mode == DLW_EXCLUSIVE && !wait->is_timed &&
           !wait->is_missed && wait->holder == DLW_HOLDER_UNKNOWN && !wait->n_holders;
}

static bool is_read(const struct dlw_target *target, const struct dlw_seen_hold *hold,
                    const struct dlw_shared_place *place)
{
    return hold->mode == DLW_SHARED && is_rwlock(hold->object) &&
           dlw_shared_place_is(target, hold->lock, place);
}

static void count_thread(struct tally *tally, const struct dlw_target *target,
                         const struct dlw_seen_thread *thread, struct dlw_seen_wait *wait)
{
    uint32_t n = 0;
    for (size_t i = 0; i < thread->n_holds; i++)
        n += is_read(target, &thread->holds[i], &tally->place);
    if (!n)
        return;
    tally->n_held += n;
    wait->takers =
        dlw_region_grow(tally->target->region, wait->takers, wait->n_takers, sizeof *wait->takers);
    wait->takers[wait->n_takers++] = (struct dlw_seen_taker){target->pid, thread->inner};
}

/* Has the process shown all that it holds? */
static bool is_asked(const struct tally *tally, uint32_t pid)
{
    for (size_t i = 0; i < tally->n_party; i++)
        if (tally->party[i]->pid == pid)
            return tally->party[i]->records;
    return false;
}

static const char *doubt_of(const struct tally *tally)
{
    struct dlw_target *target = tally->target;
    const struct dlw_mappers *mappers = &tally->mappers;
    for (size_t i = 0; i < mappers->n; i++)
        if (!is_asked(tally, mappers->list[i].pid))
            return dlw_region_print(target->region,
                                    "process %u has the lock in its memory as well and keeps no "
                                    "records of what it holds",
                                    mappers->list[i].pid);
    if (mappers->is_hidden)
        return "/proc does not show the processes of other users, which may have the lock as well";
    if (mappers->n_closed)
        return dlw_region_print(target->region,
                                "%zu process%s can't be looked into and may read the lock as well",
                                mappers->n_closed, mappers->n_closed == 1 ? "" : "es");
    return NULL;
}

static const char *note_of(struct dlw_region *region, const struct dlw_seen_wait *wait)
{
    const char *first = dlw_region_print(region, "read by thread %u of process %u",
                                         wait->takers[0].inner, wait->takers[0].pid);
    return wait->n_takers == 1
               ? first
               : dlw_region_print(region, "%s and %zu more", first, wait->n_takers - 1);
}

static void trace_wait(struct tally *tally, struct dlw_seen_wait *wait)
{
    uint32_t word;
    tally->n_held = 0;
    wait->n_takers = 0;
    if (!dlw_shared_place(tally->target, wait->address, &tally->place))
        return;
    for (size_t i = 0; i < tally->n_party; i++)
        for (size_t k = 0; k < tally->party[i]->n_threads; k++)
            count_thread(tally, tally->party[i], &tally->party[i]->threads[k], wait);
    if (!tally->n_held || !dlw_target_u32(tally->target, wait->address, &word) ||
        word >> READERS_SHIFT != tally->n_held) {
        wait->n_takers = 0;
        return;
    }
    wait->note = note_of(tally->target->region, wait);
    dlw_mappers_keep(tally->target, dlw_target_mapping(tally->target, wait->address),
                     &tally->mappers);
    wait->doubt = doubt_of(tally);
}

void dlw_readers_trace(struct dlw_target *const *party, size_t n)
{
    struct tally tally = {.party = party, .n_party = n};
    for (size_t i = 0; i < n; i++) {
        tally.target = party[i];
        for (size_t k = 0; k < party[i]->n_threads; k++)
            if (party[i]->threads[k].stood_still &&
                dlw_readers_are_wanted(party[i], &party[i]->threads[k].wait))
                trace_wait(&tally, &party[i]->threads[k].wait);
    }
}
