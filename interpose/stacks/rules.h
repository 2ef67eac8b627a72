/*
 * Unwind rules. libunwind reads the unwind tables; what it says about a return
 * address (how far the frame reaches, where the frame pointer is saved) is kept in
 * one process-wide table, since it never changes while the code is mapped. After
 * that a step is two loads, and neither signal masks, pipes nor the loader's lock are touched.
 *
 * libunwind is asked with made-up registers: the rule is read off what it does
 * with them, so no stack memory is needed to learn one. Modules are found with
 * dlw_object_find(), which takes no lock.
 *
 * Called with no internal lock held and the caller's guard up.
 */
#ifndef DLW_STACKS_RULES_H
#define DLW_STACKS_RULES_H

#include "interpose/base/hash.h"
#include "interpose/base/platform.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define DLW_LEVELS 7 /* return addresses that are noted with a lock, at most */

/* Code was unmapped: forget all rules. */
void dlw_frames_forget(void);
bool dlw_frames_before_fork(void);
void dlw_frames_after_fork(bool child);

/* Does the code at both return addresses belong to one function? */
bool dlw_frames_same_function(uintptr_t a, uintptr_t b);

/* ---- the table, open to the hot path ---- */

enum dlw_rule_base {
    DLW_RULE_NONE, /* not in the table */
    DLW_RULE_SP,
    DLW_RULE_FP,
    DLW_RULE_SIGNAL,    /* the kernel's signal frame */
    DLW_RULE_END,       /* outermost frame */
    DLW_RULE_NO_TABLES, /* no unwind information */
    DLW_RULE_COMPLEX,   /* something this table can't express */
};

struct dlw_rule {
    int32_t cfa_offset; /* CFA = base + this */
    /* The caller's frame pointer is at CFA + 8 * fp_slot; 0: unchanged. And where its return
     * address is: DLW_RULE_PC_SLOT. */
    DLW_RULE_SLOTS
    uint8_t base; /* enum dlw_rule_base */
    /* For call sites that take locks. Hints, which threads store without synchronisation: */
    uint8_t levels; /* how many frames further out are noted with the lock, and DLW_RULE_ROLE */
    uint8_t trial;  /* how far held.c is with finding out how many are needed */
};

/* Of its return address from the CFA, in bytes. */
#define DLW_RULE_PC_OFFSET(rule) ((uintptr_t)((intptr_t)DLW_RULE_PC_SLOT(rule) * 8))

/* In a rule's levels: a role begins or ends here (steer/role.h), so the place is never plain. */
enum { DLW_RULE_ROLE = 128 };
/* Does any rule bear it? Relaxed: set before the first that does is published. */
extern _Atomic bool dlw_rules_have_role;
/* In `levels`: takings from here are counted (threads/profile.h), so that the place is never plain.
 */
enum { DLW_RULE_COUNTED = 64 };

struct dlw_rule_slot {
    _Atomic uintptr_t pc; /* release by the learner, acquire by readers: then `rule` is whole */
    struct dlw_rule rule;
};

struct dlw_rule_table {
    /* Slots - 1, written before the table is published. 0 once it is retired: whoever is still in
     * it meets one empty slot. */
    _Atomic uintptr_t mask;
    struct dlw_rule_slot slots[];
};

extern struct dlw_rule_table *_Atomic dlw_rules;

/* Ordered by the acquire with which the table was found. */
static inline uintptr_t dlw_rule_mask(const struct dlw_rule_table *table)
{
    return atomic_load_explicit(&table->mask, memory_order_relaxed);
}

static inline uintptr_t dlw_rule_hash(uintptr_t pc)
{
    return (pc * (uintptr_t)DLW_GOLDEN) >> 40;
}

/* NULL when the place is new. A few ns. */
static inline struct dlw_rule_slot *dlw_rule_find(uintptr_t pc)
{
    struct dlw_rule_table *table = atomic_load_explicit(&dlw_rules, memory_order_acquire);

    for (uintptr_t i = dlw_rule_hash(pc);; i++) {
        struct dlw_rule_slot *slot = &table->slots[i & dlw_rule_mask(table)];
        uintptr_t seen = atomic_load_explicit(&slot->pc, memory_order_acquire);
        if (seen == pc)
            return slot;
        if (seen == 0)
            return NULL;
    }
}

/*
 * Plain call sites: one return address is enough there, as at most call sites. A direct-mapped hint
 * in front of the table; of two sites that share a slot the last one stands in it.
 */
enum { DLW_PLAIN_PLACES = 2048 };
extern _Atomic uintptr_t dlw_plain_places[DLW_PLAIN_PLACES];

static inline _Atomic uintptr_t *dlw_plain_place(uintptr_t pc)
{
    return &dlw_plain_places[pc % DLW_PLAIN_PLACES];
}

static inline bool dlw_place_is_plain(uintptr_t pc)
{
    return atomic_load_explicit(dlw_plain_place(pc), memory_order_relaxed) == pc;
}

/* Counts what changes rules that others may have copied: code was unmapped, or a place was settled.
 * Acquire, before the rule is read: a copy is good while the count is still that. */
extern _Atomic uint32_t dlw_rules_changes;
static inline uint32_t dlw_rules_are_as_of(void)
{
    return atomic_load_explicit(&dlw_rules_changes, memory_order_acquire);
}

/* From now on `levels` frames further out are noted at this call site, and the trial is over. */
enum { DLW_TRIAL_OVER = 15 };
void dlw_rule_settle(struct dlw_rule_slot *slot, unsigned levels);
/* Cold: a helper had returned with a lock taken at `pc` when its stack was asked for. */
void dlw_rule_needs_all(uintptr_t pc);

/* Learns the rule of a place from libunwind (some µs) and returns it; NULL when memory is out. */
struct dlw_rule_slot *dlw_rule_learn(uintptr_t pc);

#endif
