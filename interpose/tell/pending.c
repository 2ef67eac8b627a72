#include "interpose/tell/pending.h"

#include "interpose/base/state.h"

#include <string.h>

static void know(struct dlw_pending *pending, uint64_t lock)
{
    struct dlw_lock_facts facts;

    if (lock == 0 || dlw_pending_facts(pending, lock) || !dlw_lock_facts_locked(lock, &facts))
        return;
    if (pending->n_facts == pending->room) {
        uint32_t room = pending->room ? pending->room * 2 : 8;
        void *larger = dlw_arena_resize(&dlw_graph_arena, pending->facts,
                                        pending->room * sizeof(facts), room * sizeof(facts));
        if (!larger)
            return;
        pending->facts = larger;
        pending->room = room;
    }
    pending->facts[pending->n_facts++] = facts;
}

const struct dlw_lock_facts *dlw_pending_facts(const struct dlw_pending *pending, uint64_t lock)
{
    for (uint32_t i = 0; i < pending->n_facts; i++)
        if (pending->facts[i].lock == lock)
            return &pending->facts[i];
    return NULL;
}

static struct dlw_pending_item *add(struct dlw_pending *pending, size_t extra)
{
    size_t size = sizeof(struct dlw_pending_item) + extra;
    struct dlw_pending_item *item = dlw_arena_alloc(&dlw_graph_arena, size);

    if (!item)
        return NULL;
    item->size = size;
    *pending->last = item;
    pending->last = &item->next;
    return item;
}

void dlw_pending_edge_locked(struct dlw_pending *pending, const struct dlw_journal_edge *edge)
{
    size_t gates = edge->n_gates * sizeof(*edge->gates);
    struct dlw_pending_item *item = add(pending, gates);

    if (!item)
        return;
    item->is_edge = true;
    item->edge = *edge;
    item->edge.gates = (const uint64_t *)(item + 1);
    if (gates)
        memcpy(item + 1, edge->gates, gates);
    know(pending, edge->from);
    know(pending, edge->to);
    for (uint32_t i = 0; i < edge->n_gates; i++)
        know(pending, edge->gates[i]);
}

void dlw_pending_trait_locked(struct dlw_pending *pending, uint64_t lock,
                              enum dlw_journal_trait trait)
{
    struct dlw_pending_item *item = add(pending, 0);

    if (!item)
        return;
    item->is_trait = true;
    item->trait = trait;
    item->edge.from = lock;
    know(pending, lock);
}

static size_t states_size(const struct dlw_finding *finding)
{
    size_t size = finding->n_threads * sizeof(*finding->threads);

    for (uint32_t i = 0; i < finding->n_threads; i++)
        size += finding->threads[i].n_holds * sizeof(struct dlw_held);
    return size;
}

static void copy_states(struct dlw_pending *pending, struct dlw_thread_state *to,
                        const struct dlw_finding *finding)
{
    struct dlw_held *holds = (struct dlw_held *)(to + finding->n_threads);

    for (uint32_t i = 0; i < finding->n_threads; i++) {
        to[i] = finding->threads[i];
        if (to[i].n_holds)
            memcpy(holds, finding->threads[i].holds, to[i].n_holds * sizeof(*holds));
        to[i].holds = holds;
        know(pending, to[i].on);
        for (uint32_t k = 0; k < to[i].n_holds; k++)
            know(pending, holds[k].lock);
        holds += to[i].n_holds;
    }
}

static struct dlw_pending_item *copy_finding(struct dlw_pending *pending,
                                             const struct dlw_finding *finding)
{
    size_t cycle = finding->n_cycle * sizeof(*finding->cycle);
    struct dlw_pending_item *item = add(pending, cycle + states_size(finding));

    if (!item)
        return NULL;
    struct dlw_cycle_entry *entries = (struct dlw_cycle_entry *)(item + 1);
    item->finding = *finding;
    item->finding.cycle = entries;
    if (cycle)
        memcpy(entries, finding->cycle, cycle);
    for (uint32_t i = 0; i < finding->n_cycle; i++) {
        know(pending, entries[i].holds.lock);
        know(pending, entries[i].wants.lock);
    }
    know(pending, finding->gate);
    struct dlw_thread_state *states = (struct dlw_thread_state *)(entries + finding->n_cycle);
    item->finding.threads = states;
    copy_states(pending, states, finding);
    return item;
}

void dlw_pending_finding_locked(struct dlw_pending *pending, const struct dlw_finding *finding)
{
    copy_finding(pending, finding);
}

void dlw_pending_withheld_locked(struct dlw_pending *pending, const struct dlw_finding *finding,
                                 uint32_t id)
{
    struct dlw_pending_item *item = copy_finding(pending, finding);

    if (item)
        item->withheld = id;
}

void dlw_pending_waits_locked(struct dlw_pending *pending, const struct dlw_thread_state *threads,
                              uint32_t n)
{
    struct dlw_finding all = {.n_threads = n, .threads = threads};
    struct dlw_pending_item *item = copy_finding(pending, &all);

    if (item)
        item->is_snapshot = true;
}

struct dlw_journal_bounds dlw_pending_bounds_locked(void)
{
    struct dlw_order_totals totals = dlw_order_totals(dlw_order_graph);

    return (struct dlw_journal_bounds){totals.dropped, totals.given_up, totals.untold};
}

void dlw_pending_free(struct dlw_pending *pending)
{
    if (!dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return;
    for (struct dlw_pending_item *item = pending->first, *next; item; item = next) {
        next = item->next;
        dlw_arena_free(&dlw_graph_arena, item, item->size);
    }
    dlw_arena_free(&dlw_graph_arena, pending->facts, pending->room * sizeof(*pending->facts));
    dlw_lock_release(&dlw_graph_lock);
}

void dlw_pending_to_serials(struct dlw_pending_item *item)
{
    if (item->is_edge || item->is_trait) {
        uint64_t *gates = (uint64_t *)item->edge.gates;
        item->edge.from = dlw_lock_serial(item->edge.from);
        item->edge.to = dlw_lock_serial(item->edge.to);
        for (uint32_t i = 0; i < item->edge.n_gates; i++)
            gates[i] = dlw_lock_serial(gates[i]);
        return;
    }
    struct dlw_cycle_entry *cycle = (struct dlw_cycle_entry *)item->finding.cycle;
    struct dlw_thread_state *threads = (struct dlw_thread_state *)item->finding.threads;
    item->finding.gate = dlw_lock_serial(item->finding.gate);
    for (uint32_t i = 0; i < item->finding.n_cycle; i++) {
        cycle[i].holds.lock = dlw_lock_serial(cycle[i].holds.lock);
        cycle[i].wants.lock = dlw_lock_serial(cycle[i].wants.lock);
    }
    for (uint32_t i = 0; i < item->finding.n_threads; i++) {
        struct dlw_held *holds = (struct dlw_held *)threads[i].holds;
        threads[i].on = dlw_lock_serial(threads[i].on);
        for (uint32_t k = 0; k < threads[i].n_holds; k++)
            holds[k].lock = dlw_lock_serial(holds[k].lock);
    }
}
