#include "report/command/inspect/across/semaphores.h"

#include "report/command/inspect/across/asleep.h"
#include "report/command/inspect/across/children.h"
#include "report/command/inspect/across/mappers.h"
#include "report/command/inspect/target/proc.h"

#include <string.h>

struct tally {
    struct dlw_target *const *party;
    size_t n_party;
    struct dlw_target *target; /* whose wait it is */
    struct dlw_shared_place place;
    struct dlw_mappers mappers; /* of the memory that was asked for last */
    size_t n_holders;
    struct dlw_seen_taker holder;
    bool is_no_lock, is_made_with_one, was_given_back;
};

bool dlw_semaphore_is_wanted(const struct dlw_target *target, const struct dlw_seen_wait *wait)
{
    return target->records && wait->kind == DLW_WAIT_SEMAPHORE && wait->is_shared &&
           wait->address && !wait->is_timed && !wait->is_missed;
}

static void count(struct tally *tally, const struct dlw_target *target)
{
    for (size_t i = 0; i < target->n_semaphores; i++) {
        const struct dlw_seen_semaphore *semaphore = &target->semaphores[i];
        if (!dlw_shared_place_is(target, semaphore->address, &tally->place))
            continue;
        tally->is_no_lock |= semaphore->is_no_lock;
        tally->is_made_with_one |= semaphore->is_made_with_one;
        tally->was_given_back |= semaphore->was_given_back;
        if (!semaphore->holder)
            continue;
        tally->n_holders++;
        tally->holder = (struct dlw_seen_taker){target->pid, semaphore->holder};
    }
}

/* A parent that waits for its children posts nothing either. */
static bool is_blocked(const struct tally *tally, uint32_t pid)
{
    struct dlw_target other = {.region = tally->target->region, .pid = pid};
    int machine = tally->target->machine;
    struct dlw_call call;
    uint32_t *list;
    size_t n = dlw_proc_list(&other, &list);
    for (size_t i = 0; i < n; i++)
        if (dlw_proc_inner(pid, list[i]) &&
            !(dlw_proc_call(pid, list[i], &call) &&
              (dlw_call_is_endless(machine, &call) || dlw_call_is_for_child(machine, &call))))
            return false;
    return n > 0;
}

static bool are_all_blocked(const struct tally *tally)
{
    for (size_t i = 0; i < tally->mappers.n; i++)
        if (!is_blocked(tally, tally->mappers.list[i].pid))
            return false;
    return true;
}

/* Has the process shown all that it does with semaphores? */
static bool is_asked(const struct tally *tally, uint32_t pid)
{
    for (size_t i = 0; i < tally->n_party; i++)
        if (tally->party[i]->pid == pid)
            return tally->party[i]->knows_semaphores;
    return false;
}

/*
 * Processes that can't be looked into, as there are many for whoever is not root, are no doubt: of
 * one unit made one is with the circle, so that they have taken and posted it equally often, as one
 * does with a lock, if they have it at all.
 */
static const char *doubt_of(const struct tally *tally)
{
    struct dlw_region *region = tally->target->region;
    const struct dlw_mappers *mappers = &tally->mappers;
    for (size_t i = 0; i < mappers->n; i++)
        if (!is_asked(tally, mappers->list[i].pid))
            return dlw_region_print(region,
                                    "process %u has the semaphore in its memory as well and keeps "
                                    "no records of who takes and posts it",
                                    mappers->list[i].pid);
    if (mappers->is_hidden)
        return "/proc does not show the processes of other users, which may post the semaphore";
    if (!tally->is_made_with_one)
        return "none of the processes saw the semaphore made: it may be no lock";
    return NULL;
}

/* Who takes a unit at once and then waits for another has made an event, which others post. */
static bool is_event(const struct tally *tally, const struct dlw_seen_thread *thread)
{
    return tally->holder.pid == tally->target->pid && tally->holder.inner == thread->inner &&
           !tally->was_given_back;
}

static void trace_wait(struct tally *tally, struct dlw_seen_thread *thread)
{
    struct dlw_region *region = tally->target->region;
    struct dlw_seen_wait *wait = &thread->wait;
    uint32_t value;
    wait->n_takers = 0;
    tally->n_holders = 0;
    tally->is_no_lock = tally->is_made_with_one = tally->was_given_back = false;
    if (!dlw_shared_place(tally->target, wait->address, &tally->place) ||
        !dlw_target_u32(tally->target, wait->address, &value) || value)
        return;
    for (size_t i = 0; i < tally->n_party; i++)
        count(tally, tally->party[i]);
    if (tally->n_holders != 1 || tally->is_no_lock || is_event(tally, thread))
        return;
    dlw_mappers_keep(tally->target, dlw_target_mapping(tally->target, wait->address),
                     &tally->mappers);
    if (!are_all_blocked(tally))
        return;
    wait->takers = dlw_region_grow(region, NULL, 0, sizeof *wait->takers);
    wait->takers[wait->n_takers++] = tally->holder;
    wait->note = dlw_region_print(region, "taken by thread %u of process %u", tally->holder.inner,
                                  tally->holder.pid);
    wait->doubt = doubt_of(tally);
}

void dlw_semaphores_trace(struct dlw_target *const *party, size_t n)
{
    struct tally tally = {.party = party, .n_party = n};
    for (size_t i = 0; i < n; i++) {
        tally.target = party[i];
        for (size_t k = 0; k < party[i]->n_threads; k++)
            if (party[i]->threads[k].stood_still &&
                dlw_semaphore_is_wanted(party[i], &party[i]->threads[k].wait))
                trace_wait(&tally, &party[i]->threads[k]);
    }
}
