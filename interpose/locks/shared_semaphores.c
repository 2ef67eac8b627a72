#include "interpose/locks/shared_semaphores.h"

#include "graph/base/arena.h"
#include "interpose/base/hash.h"
#include "interpose/base/state.h"
#include "report/emit/records.h"

#include <stddef.h>

/* What is known of one. POSTED, by a thread that had not taken it: no lock. GIVEN_BACK, by one that
 * had: it is not only an event that was made taken. */
enum { MADE_WITH_ONE = 1, MADE_OTHERWISE = 2, POSTED = 4, GIVEN_BACK = 8 };

struct use {
    _Atomic uintptr_t semaphore; /* its address, 0: the slot is free */
    _Atomic uint32_t holder;     /* tid, 0: nobody here */
    _Atomic uint32_t what;
    /* Of the holder, where it was taken: read while the holder stands still. */
    _Atomic uintptr_t pc, sp, fp;
};

/* Each segment has twice the slots of the one before. One address has few places in each; where all
 * are taken it goes into the next. What finds no place at all is told of by is_full. */
enum { SEGMENTS = 12, FIRST_SLOTS = 64, PLACES = 8 };
static struct use *_Atomic segments[SEGMENTS];
static _Atomic uint32_t is_full;

const struct dlw_records_semaphores dlw_records_semaphores = {
    .segments = segments,
    .is_full = &is_full,
    .n_segments = SEGMENTS,
    .first_slots = FIRST_SLOTS,
    .slot_size = sizeof(struct use),
    .semaphore = offsetof(struct use, semaphore),
    .holder = offsetof(struct use, holder),
    .what = offsetof(struct use, what),
    .pc = offsetof(struct use, pc),
    .sp = offsetof(struct use, sp),
    .fp = offsetof(struct use, fp),
    .made_with_one = MADE_WITH_ONE,
    .no_lock = MADE_OTHERWISE | POSTED,
    .given_back = GIVEN_BACK,
};

static uint32_t slots_of(unsigned segment)
{
    return (uint32_t)FIRST_SLOTS << segment;
}

/* NULL: memory is out, or must not be asked for: a process that has confined itself posts on. The
 * release pairs with the acquire of whoever finds it there. */
static struct use *segment_at(unsigned segment)
{
    struct use *seen = atomic_load_explicit(&segments[segment], memory_order_acquire);
    size_t size = slots_of(segment) * sizeof(struct use);

    if (seen || atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return seen;
    struct use *made = dlw_pages_map(size);
    if (!made || atomic_compare_exchange_strong_explicit(
                     &segments[segment], &seen, made, memory_order_acq_rel, memory_order_acquire))
        return made;
    dlw_pages_unmap(made, size);
    return seen;
}

/* The slot of the address, which it gets now if it has none. Relaxed: a slot is of one address for
 * ever, and what else it says is read for itself. */
static struct use *use_of(const sem_t *semaphore)
{
    uintptr_t address = (uintptr_t)semaphore;
    uint32_t hash = (uint32_t)((address >> 4) * DLW_GOLDEN >> 32);

    for (unsigned segment = 0; segment < SEGMENTS; segment++) {
        struct use *slots = segment_at(segment);
        for (uint32_t i = 0; slots && i < PLACES; i++) {
            struct use *use = &slots[(hash + i) & (slots_of(segment) - 1)];
            uintptr_t there = atomic_load_explicit(&use->semaphore, memory_order_relaxed);
            if (there == address || (!there && (atomic_compare_exchange_strong_explicit(
                                                    &use->semaphore, &there, address,
                                                    memory_order_relaxed, memory_order_relaxed) ||
                                                there == address)))
                return use;
        }
    }
    atomic_store_explicit(&is_full, 1, memory_order_relaxed);
    return NULL;
}

static void add(struct use *use, uint32_t what)
{
    if ((atomic_load_explicit(&use->what, memory_order_relaxed) & what) != what)
        atomic_fetch_or_explicit(&use->what, what, memory_order_relaxed);
}

static bool is_no_lock(const struct use *use)
{
    return atomic_load_explicit(&use->what, memory_order_relaxed) & (MADE_OTHERWISE | POSTED);
}

void dlw_shared_semaphore_made(const sem_t *semaphore, unsigned value)
{
    struct use *use = use_of(semaphore);

    if (use)
        add(use, value == 1 ? MADE_WITH_ONE : MADE_OTHERWISE);
}

void dlw_shared_semaphore_taken(const sem_t *semaphore, uint32_t tid, struct dlw_call call)
{
    struct use *use = use_of(semaphore);
    uint32_t nobody = 0;

    if (!use || is_no_lock(use))
        return;
    if (!atomic_compare_exchange_strong_explicit(&use->holder, &nobody, tid, memory_order_relaxed,
                                                 memory_order_relaxed)) {
        add(use, POSTED);
        return;
    }
    atomic_store_explicit(&use->pc, call.pc, memory_order_relaxed);
    atomic_store_explicit(&use->sp, call.sp, memory_order_relaxed);
    atomic_store_explicit(&use->fp, call.fp, memory_order_relaxed);
}

void dlw_shared_semaphore_posted(const sem_t *semaphore, uint32_t tid)
{
    struct use *use = use_of(semaphore);

    if (!use || is_no_lock(use))
        return;
    bool is_taker = tid && atomic_compare_exchange_strong_explicit(
                               &use->holder, &tid, 0, memory_order_relaxed, memory_order_relaxed);
    add(use, is_taker ? GIVEN_BACK : POSTED);
}

void dlw_shared_semaphore_gone(const sem_t *semaphore)
{
    struct use *use = use_of(semaphore);

    if (!use)
        return;
    atomic_store_explicit(&use->holder, 0, memory_order_relaxed);
    atomic_store_explicit(&use->what, 0, memory_order_relaxed);
}

void dlw_shared_semaphore_closed(const sem_t *semaphore)
{
    struct use *use = use_of(semaphore);

    if (!use)
        return;
    atomic_store_explicit(&use->holder, 0, memory_order_relaxed);
    atomic_fetch_and_explicit(&use->what, POSTED, memory_order_relaxed);
}

void dlw_shared_semaphores_after_fork(void)
{
    for (unsigned segment = 0; segment < SEGMENTS; segment++) {
        struct use *slots = atomic_load_explicit(&segments[segment], memory_order_acquire);
        for (uint32_t i = 0; slots && i < slots_of(segment); i++)
            if (atomic_load_explicit(&slots[i].holder, memory_order_relaxed))
                atomic_store_explicit(&slots[i].holder, 0, memory_order_relaxed);
    }
}
