#include "interpose/locks/shared_semaphores.h"

#include "graph/base/arena.h"
#include "interpose/base/hash.h"
#include "interpose/base/proc.h"
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

/* Each segment has twice the slots of the one before. One address has few places in each, those in
 * the newest first; the next segment is made where all are taken. What finds no place at all is
 * told of by is_full. */
enum { SEGMENTS = 12, FIRST_SLOTS = 64, PLACES = 8 };
static struct use *_Atomic segments[SEGMENTS];
static _Atomic unsigned n_segments;
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

/* False: there are as many as can be, memory is out, or must not be asked for: a process that has
 * confined itself posts on. Of two threads that make one, one gives its own back. The releases pair
 * with the acquires of whoever finds it there. */
static bool make_segment(unsigned number)
{
    struct use *none = NULL;

    if (number == SEGMENTS || atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return false;
    size_t size = slots_of(number) * sizeof(struct use);
    struct use *made = dlw_pages_map(size);
    if (!made)
        return false;
    if (!atomic_compare_exchange_strong_explicit(&segments[number], &none, made,
                                                 memory_order_acq_rel, memory_order_acquire))
        dlw_pages_unmap(made, size);
    atomic_compare_exchange_strong_explicit(&n_segments, &number, number + 1, memory_order_release,
                                            memory_order_relaxed);
    return true;
}

/* The next of the places of an address, from the first on; NULL: that were all. */
struct places {
    uint32_t hash, i;
    unsigned segment; /* counts down, 0: at the end */
};

static struct places places_of(uintptr_t address)
{
    uint32_t hash = (uint32_t)((address >> 4) * DLW_GOLDEN >> 32);

    return (struct places){hash, 0, atomic_load_explicit(&n_segments, memory_order_acquire)};
}

static struct use *next_place(struct places *places)
{
    if (places->i == PLACES) {
        places->i = 0;
        places->segment--;
    }
    if (!places->segment)
        return NULL;
    struct use *slots = atomic_load_explicit(&segments[places->segment - 1], memory_order_acquire);
    return &slots[(places->hash + places->i++) & (slots_of(places->segment - 1) - 1)];
}

static uintptr_t address_of(const struct use *use)
{
    return atomic_load_explicit(&use->semaphore, memory_order_relaxed);
}

/* NULL: it has none; then *free is the first place for it, if there is one. Relaxed: what else the
 * slot says is read for itself. */
static struct use *find(uintptr_t address, struct use **free)
{
    struct places places = places_of(address);
    struct use *use;

    *free = NULL;
    while ((use = next_place(&places))) {
        uintptr_t there = address_of(use);
        if (there == address)
            return use;
        if (!there && !*free)
            *free = use;
    }
    return NULL;
}

/* Its slot is anybody's. Release: who claims it finds it empty. */
static void give_back(struct use *use, uintptr_t address)
{
    atomic_store_explicit(&use->holder, 0, memory_order_relaxed);
    atomic_store_explicit(&use->what, 0, memory_order_relaxed);
    atomic_compare_exchange_strong_explicit(&use->semaphore, &address, 0, memory_order_release,
                                            memory_order_relaxed);
}

static bool is_unmapped(uintptr_t address)
{
    uint32_t value;

    return dlw_proc_try_read(address, &value, sizeof(value)) == DLW_PROC_GONE;
}

/* Of memory that was unmapped nobody tells. */
static void give_back_unmapped(uintptr_t address)
{
    struct places places = places_of(address);
    struct use *use;

    while ((use = next_place(&places))) {
        uintptr_t there = address_of(use);
        if (there && is_unmapped(there))
            give_back(use, there);
    }
}

/*
 * The slot of the address, which it gets now if it has none. Two threads that come first, while a
 * third gives another address's slot back, may each get one: then the semaphore seems to be posted
 * by who has not taken it.
 */
static struct use *use_of(const sem_t *semaphore)
{
    uintptr_t address = (uintptr_t)semaphore;
    bool has_looked = false;

    for (;;) {
        struct use *free, *use = find(address, &free);
        uintptr_t none = 0;
        if (use || (!free && atomic_load_explicit(&is_full, memory_order_relaxed)))
            return use;
        if (free) {
            if (atomic_compare_exchange_strong_explicit(&free->semaphore, &none, address,
                                                        memory_order_acquire, memory_order_relaxed))
                return free;
        } else if (!has_looked) {
            has_looked = true;
            give_back_unmapped(address);
        } else if (!make_segment(atomic_load_explicit(&n_segments, memory_order_relaxed))) {
            atomic_store_explicit(&is_full, 1, memory_order_relaxed);
        }
    }
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
    uintptr_t address = (uintptr_t)semaphore;
    struct use *use, *free;

    while ((use = find(address, &free)))
        give_back(use, address);
}

void dlw_shared_semaphore_closed(const sem_t *semaphore)
{
    struct use *free, *use = find((uintptr_t)semaphore, &free);

    if (!use)
        return;
    if (is_unmapped((uintptr_t)semaphore)) {
        dlw_shared_semaphore_gone(semaphore);
        return;
    }
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
