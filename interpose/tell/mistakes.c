#include "interpose/tell/mistakes.h"

#include "interpose/base/state.h"

#include "interpose/base/table.h"

static _Atomic uint32_t n_findings; /* numbers given out; relaxed: each is used by one */

/* Findings are the same when kind, verdict and all their stacks are. A thread that has ended by
 * returning shows only where it was created, so there it is also where it took the lock. */
struct reported {
    UT_hash_handle hh;
    uint64_t places;
    uint32_t id;
    uint64_t count, said; /* in the journal */
};
static struct reported *told;

static uint64_t mix(uint64_t x)
{
    x *= DLW_GOLDEN;
    return x ^ x >> 32;
}

/* One line that joins is one mistake, whichever thread it joins and whatever that takes. */
static uint64_t join_places_of(const struct dlw_finding *finding)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_cycle_entry *next = &finding->cycle[(i + 1) % finding->n_cycle];
        if (next->holds.stack == 0) /* the end of a thread is taken nowhere */
            sum += mix(finding->cycle[i].wants.stack + 1);
    }
    return sum;
}

static uint64_t places_of(const struct dlw_finding *finding)
{
    /* Of these two the same places may show later as an error. */
    bool is_lowered = finding->doubt == DLW_DOUBT_SEMAPHORE || finding->doubt == DLW_DOUBT_SCOPE;
    uint64_t sum = mix((finding->kind * 64U + finding->harmless) * 2 + is_lowered + 1);

    if (finding->doubt == DLW_DOUBT_JOIN || finding->doubt == DLW_DOUBT_CONDITION)
        return mix(sum + join_places_of(finding));

    for (uint32_t i = 0; i < finding->n_cycle; i++)
        sum += mix(mix(finding->cycle[i].holds.stack + 1) + finding->cycle[i].wants.stack);
    for (uint32_t i = 0; i < finding->n_threads; i++)
        sum += mix(mix(finding->threads[i].stack + 7) + i);
    if (finding->kind == DLW_EXIT_HOLDING_LOCK)
        sum += mix(finding->threads[0].holds[0].stack + 11);
    return mix(sum);
}

/* Several threads may see one deadlock close, and read different stacks: it is known again by its
 * threads and locks. */
static bool is_seen_deadlock(const struct dlw_finding *finding)
{
    static uint64_t seen[64];
    static unsigned n;
    uint64_t sum = 1;

    if (finding->kind != DLW_DEADLOCK)
        return false;
    for (uint32_t i = 0; i < finding->n_cycle; i++)
        sum += mix(mix(finding->cycle[i].thread) + finding->cycle[i].wants.lock);
    for (unsigned i = 0; i < 64; i++)
        if (seen[i] == sum)
            return true;
    seen[n++ % 64] = sum;
    return false;
}

/* A call that is wrong each time may be made a million times a second: the first counts are said
 * each, then one for each eighth more, and the last. */
static void count_locked(struct dlw_journal *journal, struct reported *known, bool is_end)
{
    if (known->count == known->said || (!is_end && known->count - known->said <= known->said / 8))
        return;
    known->said = known->count;
    dlw_journal_again(journal, known->id, known->count);
}

uint32_t dlw_mistake_new_id(void)
{
    return atomic_fetch_add_explicit(&n_findings, 1, memory_order_relaxed) + 1;
}

uint32_t dlw_mistake_note_locked(struct dlw_journal *journal, const struct dlw_finding *finding)
{
    uint64_t places = places_of(finding);
    struct reported *known = NULL;

    if (is_seen_deadlock(finding))
        return 0;

    HASH_FIND(hh, told, &places, sizeof(places), known);
    if (known) {
        known->count++;
        count_locked(journal, known, false);
        return 0;
    }
    known = dlw_arena_alloc(&arena, sizeof(*known));
    if (!known)
        return 0;
    known->places = places;
    known->id = dlw_mistake_new_id();
    known->count = known->said = 1;
    HASH_ADD(hh, told, places, sizeof(known->places), known);
    return known->id;
}

void dlw_mistakes_end_locked(struct dlw_journal *journal)
{
    for (struct reported *known = told; known; known = known->hh.next)
        count_locked(journal, known, true);
}

void dlw_mistakes_after_fork(void)
{
    atomic_store_explicit(&n_findings, 0, memory_order_relaxed);
    HASH_CLEAR(hh, told);
    told = NULL;
}
