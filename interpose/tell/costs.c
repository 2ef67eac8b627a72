#include "interpose/tell/costs.h"

#include "graph/kinds.h"
#include "interpose/stacks/intern.h"

static uint32_t stack_of(const uintptr_t *pc, unsigned n)
{
    struct dlw_walked frames[DLW_PROFILE_LEVELS];

    for (unsigned i = 0; i < n; i++)
        frames[i] = (struct dlw_walked){.pc = pc[i]};
    return n && pc[0] ? dlw_intern_walked(frames, n, DLW_WALK_COMPLETE) : 0;
}

struct dlw_journal_profile dlw_costs_resolve(const struct dlw_profile_entry *entry)
{
    uintptr_t lock = atomic_load_explicit(&entry->lock, memory_order_relaxed);

    return (struct dlw_journal_profile){
        .address = lock,
        .kind = dlw_lock_kind_word((enum dlw_lock_kind)entry->kind),
        .module = dlw_module_of(lock),
        .place = stack_of(entry->pc, entry->n),
        .holder = stack_of(&entry->holder_pc, 1),
        .holder_name = entry->holder,
        .takings = entry->takings,
        .contended = entry->contended,
        .wait = entry->wait_ns,
        .wait_longest = entry->wait_longest_ns,
        .holds = entry->holds,
        .hold = entry->hold_ns,
        .hold_longest = entry->hold_longest_ns,
        .blocked = entry->blocked,
        .blocked_time = entry->blocked_ns,
    };
}
