/* The table of rules: a place is learned once, found without a lock, and forgotten with its code.
 */
#include "interpose/stacks/rules.h"

#include "graph/base/arena.h"
#include "graph/base/lock.h"
#include "graph/base/sys.h"
#include "interpose/base/objects.h"
#include "interpose/base/patch.h"
#include "interpose/base/state.h"
#include "interpose/python/runtime.h"
#include "interpose/stacks/libunwind.h"
#include "interpose/threads/hooks.h"

#include <string.h>
#include <sys/mman.h>

enum { FIRST_SLOTS = 1024 };

/*
 * RANK_UNWIND: protects growing and inserting into the rule table, and all that is libunwind's. It
 * is the one lock held while libunwind is called: libunwind has locks of its own, for its pools,
 * and a fork must wait until they are free too, else the child's first question waits for ever for
 * a thread that stayed in the parent. That is safe because libunwind, asked this way, calls back
 * nothing but the answers of libunwind.c, which take no lock. Held for some µs, nests nothing of
 * ours.
 */
static struct dlw_lock table_lock = DLW_LOCK_INIT(DLW_RANK_UNWIND);
/* Before the first real table: one empty slot, so that find needs no test for NULL. */
static union {
    struct dlw_rule_table table;
    char room[sizeof(struct dlw_rule_table) + sizeof(struct dlw_rule_slot)];
} no_rules;
struct dlw_rule_table *_Atomic dlw_rules = &no_rules.table;
_Atomic uintptr_t dlw_plain_places[DLW_PLAIN_PLACES];
static uintptr_t n_rules;

static size_t table_bytes(uintptr_t slots)
{
    return sizeof(struct dlw_rule_table) +
           slots * (sizeof(struct dlw_rule_slot) + sizeof(uint32_t));
}

/*
 * Tables that were outgrown or forgotten, by size, oldest first. A reader may still be in one: it
 * is emptied only when the next is given up, and used again only after some more of its size.
 * Guarded by the table lock.
 */
enum { RETIRED = 8, SIZES = 20 };
static struct retired {
    struct dlw_rule_table *tables[RETIRED];
    unsigned n;
} retired[SIZES];

static struct retired *retired_of(uintptr_t slots)
{
    unsigned size = (unsigned)__builtin_ctzl(slots / FIRST_SLOTS);

    return size < SIZES ? &retired[size] : NULL;
}

static struct dlw_rule_table *take_retired(struct retired *of)
{
    struct dlw_rule_table *oldest = of->tables[0];

    of->n--;
    memmove(&of->tables[0], &of->tables[1], of->n * sizeof(of->tables[0]));
    return oldest;
}

static void retire(struct dlw_rule_table *table)
{
    uintptr_t slots = dlw_rule_mask(table) + 1;
    struct retired *of = table == &no_rules.table ? NULL : retired_of(slots);

    if (!of)
        return;
    if (of->n > 0)
        dlw_syscall(SYS_madvise, of->tables[of->n - 1], table_bytes(slots), MADV_DONTNEED);
    if (of->n < RETIRED)
        of->tables[of->n++] = table;
}

static struct dlw_rule_table *table_new(uintptr_t slots)
{
    struct retired *of = retired_of(slots);
    struct dlw_rule_table *table =
        of && of->n == RETIRED ? take_retired(of) : dlw_pages_map(table_bytes(slots));

    if (table)
        atomic_store_explicit(&table->mask, slots - 1, memory_order_relaxed);
    return table;
}

/* pc minus the start of its function, one for each slot, right behind the slots. The place is
 * worked out, not kept in the table: a pointer there would become NULL under a reader when the
 * table is retired. */
static uint32_t *offsets_of(struct dlw_rule_table *table, uintptr_t mask)
{
    return (uint32_t *)(void *)&table->slots[mask + 1];
}

static struct dlw_rule_slot *put(struct dlw_rule_table *table, uintptr_t pc, struct dlw_rule rule,
                                 uint32_t function_offset)
{
    uintptr_t mask = dlw_rule_mask(table);
    uintptr_t i = dlw_rule_hash(pc) & mask;

    while (atomic_load_explicit(&table->slots[i].pc, memory_order_relaxed) != 0) {
        if (atomic_load_explicit(&table->slots[i].pc, memory_order_relaxed) == pc)
            return &table->slots[i];
        i = (i + 1) & mask;
    }
    table->slots[i].rule = rule;
    offsets_of(table, mask)[i] = function_offset;
    /* Pairs with the acquire in dlw_rule_find. */
    atomic_store_explicit(&table->slots[i].pc, pc, memory_order_release);
    return &table->slots[i];
}

static struct dlw_rule_table *grow_locked(struct dlw_rule_table *old)
{
    uintptr_t n_old = old == &no_rules.table ? 0 : dlw_rule_mask(old) + 1;
    struct dlw_rule_table *table = table_new(n_old ? n_old * 2 : FIRST_SLOTS);

    if (!table)
        return NULL;
    for (uintptr_t i = 0; i < n_old; i++) {
        uintptr_t pc = atomic_load_explicit(&old->slots[i].pc, memory_order_relaxed);
        if (pc)
            put(table, pc, old->slots[i].rule, offsets_of(old, n_old - 1)[i]);
    }
    /* Pairs with the acquire in dlw_rule_find. */
    atomic_store_explicit(&dlw_rules, table, memory_order_release);
    retire(old);
    return table;
}

_Atomic bool dlw_rules_have_role;
_Atomic uint32_t dlw_rules_changes;

/* Release: who sees the count reads no rule from before. */
static void note_change(void)
{
    atomic_fetch_add_explicit(&dlw_rules_changes, 1, memory_order_release);
}

static struct dlw_rule_slot *learn_locked(uintptr_t pc)
{
    struct dlw_rule_table *table = atomic_load_explicit(&dlw_rules, memory_order_relaxed);
    uint64_t function;
    struct dlw_rule rule = dlw_libunwind_ask_locked(pc, &function);
    uint64_t distance = pc - function;

    rule.levels = DLW_LEVELS - 1;
    if (dlw_hooks.place_has_role(pc)) {
        rule.levels |= DLW_RULE_ROLE;
        atomic_store_explicit(&dlw_rules_have_role, true, memory_order_relaxed);
    }
    rule.levels |= dlw_options.profile ? DLW_RULE_COUNTED : 0;
    if (n_rules * 2 >= dlw_rule_mask(table) + 1 || table == &no_rules.table)
        table = grow_locked(table);
    if (!table)
        return NULL;
    n_rules++;
    return put(table, pc, rule, function && distance < UINT32_MAX ? (uint32_t)distance : 0);
}

struct dlw_rule_slot *dlw_rule_learn(uintptr_t pc)
{
    if (!dlw_lock_acquire_or_skip(&table_lock))
        return NULL;
    struct dlw_rule_slot *slot = dlw_rule_find(pc); /* another thread may have asked meanwhile */
    if (!slot) {
        slot = learn_locked(pc);
        dlw_patch_saw(pc);
    }
    dlw_lock_release(&table_lock);
    dlw_python_meets(pc);
    return slot;
}

void dlw_rule_settle(struct dlw_rule_slot *slot, unsigned levels)
{
    unsigned role = slot->rule.levels & DLW_RULE_ROLE;

    levels |= dlw_options.profile ? DLW_RULE_COUNTED : 0;
    __atomic_store_n(&slot->rule.levels, (uint8_t)(levels | role), __ATOMIC_RELAXED);
    __atomic_store_n(&slot->rule.trial, DLW_TRIAL_OVER, __ATOMIC_RELAXED);
    note_change();
    if (levels) { /* it is no plain call site any more */
        uintptr_t pc = atomic_load_explicit(&slot->pc, memory_order_relaxed);
        atomic_compare_exchange_strong_explicit(dlw_plain_place(pc), &pc, 0, memory_order_relaxed,
                                                memory_order_relaxed);
    }
}

void dlw_rule_needs_all(uintptr_t pc)
{
    struct dlw_rule_slot *slot = dlw_rule_find(pc);

    if (slot)
        dlw_rule_settle(slot, DLW_LEVELS - 1);
}

/* A reader may be in a table that is retired meanwhile: it reads zeros, which are no function. */
bool dlw_frames_same_function(uintptr_t a, uintptr_t b)
{
    struct dlw_rule_slot *slot_a = dlw_rule_find(a);
    struct dlw_rule_slot *slot_b = dlw_rule_find(b);
    struct dlw_rule_table *table = atomic_load_explicit(&dlw_rules, memory_order_acquire);
    uintptr_t mask = dlw_rule_mask(table);
    uintptr_t ia = (uintptr_t)(slot_a - table->slots);
    uintptr_t ib = (uintptr_t)(slot_b - table->slots);

    if (a == b)
        return true;
    if (!slot_a || !slot_b || ia > mask || ib > mask)
        return false;
    uint32_t offset_a = offsets_of(table, mask)[ia];
    uint32_t offset_b = offsets_of(table, mask)[ib];
    return offset_a && offset_b && a - offset_a == b - offset_b;
}

/* Is any rule's code unmapped? Most libraries that are closed took no lock. */
static bool has_dead_rules(const struct dlw_rule_table *table)
{
    struct dl_find_object object;

    for (uintptr_t i = 0; table != &no_rules.table && i <= dlw_rule_mask(table); i++) {
        uintptr_t pc = atomic_load_explicit(&table->slots[i].pc, memory_order_relaxed);
        if (pc && table->slots[i].rule.base != DLW_RULE_NO_TABLES && !dlw_object_find(pc, &object))
            return true;
    }
    return false;
}

void dlw_frames_forget(void)
{
    struct dlw_rule_table *old = atomic_load_explicit(&dlw_rules, memory_order_acquire);

    if (!has_dead_rules(old))
        return;
    if (!dlw_lock_acquire(&table_lock))
        return;
    old = atomic_load_explicit(&dlw_rules, memory_order_relaxed);
    struct dlw_rule_table *table = table_new(dlw_rule_mask(old) + 1); /* as many will be needed */
    if (table) {
        n_rules = 0;
        atomic_store_explicit(&dlw_rules, table, memory_order_release);
        note_change();
        for (unsigned i = 0; i < DLW_PLAIN_PLACES; i++)
            atomic_store_explicit(&dlw_plain_places[i], 0, memory_order_relaxed);
        retire(old);
    }
    dlw_lock_release(&table_lock);
}

bool dlw_frames_before_fork(void)
{
    return dlw_lock_acquire(&table_lock);
}

void dlw_frames_after_fork(bool child)
{
    if (child)
        dlw_lock_reset(&table_lock);
    else
        dlw_lock_release(&table_lock);
}
