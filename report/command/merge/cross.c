/*
 * What only shows across journals: the united edges go through the same lock-order graph that the
 * library has, and a circle counts when pieces of evidence can be chosen for its steps of which no
 * single journal has all. Where one has them, its own process has judged them, with all that it
 * knew of gates, threads and their lives. What a run has told by itself is not told again.
 *
 * Threads of different runs are taken to be different threads, the main ones too: what one test
 * drives from its main thread, a server runs in any. The finding says when that was so.
 */
#include "report/command/merge/history.h"

#include "graph/order/order.h"

#include <stdlib.h>
#include <string.h>

/* What stands behind the numbers that the graph knows; all begin at 1. */
struct cross {
    struct dlw_history *history;
    struct dlw_arena arena;
    struct dlw_life *life;
    struct dlw_order *order;
    struct dlw_h_lock **locks;
    dlw_node *nodes;
    size_t n_locks;
    struct dlw_h_variant **variants; /* by thread id */
    size_t n_variants;
    struct dlw_h_stack **stacks;
    size_t n_stacks;
    struct dlw_h_finding *drafts;
    size_t n_drafts;
};

bool dlw_h_is_sure(const struct dlw_h_lock *lock)
{
    static const char *const sure[] = {"variable ", "name ", "data "};
    for (size_t i = 0; i < sizeof(sure) / sizeof(sure[0]); i++)
        if (strncmp(lock->lasting, sure[i], strlen(sure[i])) == 0)
            return true;
    return false;
}

static int compare_entities(const void *a, const void *b)
{
    const struct dlw_entity *const *x = a, *const *y = b;
    return dlw_key_compare(&(*x)->key, &(*y)->key);
}

static uint32_t number_of_lock(struct cross *cross, struct dlw_h_lock *lock)
{
    if (lock->entity.id)
        return lock->entity.id;
    struct dlw_region *region = &cross->history->region;
    bool prefers_writers = lock->attributes && strstr(lock->attributes, "prefer-writer");
    cross->locks =
        dlw_region_grow(region, cross->locks, cross->n_locks, sizeof(struct dlw_h_lock *));
    cross->nodes = dlw_region_grow(region, cross->nodes, cross->n_locks, sizeof(dlw_node));
    cross->locks[cross->n_locks] = lock;
    cross->nodes[cross->n_locks] = dlw_order_add(cross->order, cross->n_locks + 1, prefers_writers);
    cross->n_locks++;
    return lock->entity.id = (uint32_t)cross->n_locks;
}

static dlw_node node_of(struct cross *cross, struct dlw_h_lock *lock)
{
    uint32_t number = number_of_lock(cross, lock);
    return cross->nodes[number - 1];
}

static uint32_t number_of_stack(struct cross *cross, struct dlw_h_stack *stack)
{
    if (!stack || stack->entity.id)
        return stack ? stack->entity.id : 0;
    cross->stacks = dlw_region_grow(&cross->history->region, cross->stacks, cross->n_stacks,
                                    sizeof(struct dlw_h_stack *));
    cross->stacks[cross->n_stacks++] = stack;
    return stack->entity.id = (uint32_t)cross->n_stacks;
}

/* Each piece of evidence is a thread of its own: another run's is another thread. */
static uint32_t thread_of(struct cross *cross, struct dlw_h_variant *variant)
{
    cross->variants = dlw_region_grow(&cross->history->region, cross->variants, cross->n_variants,
                                      sizeof(struct dlw_h_variant *));
    cross->variants[cross->n_variants++] = variant;
    return (uint32_t)cross->n_variants;
}

/* Of the journals that have it the one that stands for all: whichever order they came in. */
static const struct dlw_h_journal *journal_of(const struct cross *cross,
                                              const struct dlw_h_variant *variant)
{
    struct dlw_h_journal *const *by_index = cross->history->by_index;
    const struct dlw_h_journal *least = NULL;
    size_t n = dlw_seen_numbers(&variant->journals, NULL);
    uint32_t *journals = malloc((n + 1) * sizeof(*journals));
    if (!journals)
        return NULL;
    dlw_seen_numbers(&variant->journals, journals);
    for (size_t i = 0; i < n; i++)
        if (!least || dlw_key_compare(&by_index[journals[i]]->entity.key, &least->entity.key) < 0)
            least = by_index[journals[i]];
    free(journals);
    return least;
}

/* The one with the fewest journals: what all have in common is among them. */
static const struct dlw_seen *fewest(const struct cross *cross, const uint32_t *threads, uint32_t n)
{
    const struct dlw_seen *result = NULL;
    size_t least = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct dlw_seen *journals = &cross->variants[threads[i] - 1]->journals;
        size_t count = dlw_seen_numbers(journals, NULL);
        if (!result || count < least) {
            result = journals;
            least = count;
        }
    }
    return result;
}

static bool all_have(const struct cross *cross, const uint32_t *threads, uint32_t n,
                     uint32_t journal)
{
    for (uint32_t i = 0; i < n; i++)
        if (!dlw_seen_has(&cross->variants[threads[i] - 1]->journals, journal))
            return false;
    return true;
}

/* A journal that has each piece has judged them itself, with all that it knew of the threads'
 * lives. True as well where it can't be told. */
static bool are_of_one_journal(const struct cross *cross, const uint32_t *threads, uint32_t n)
{
    const struct dlw_seen *seen = fewest(cross, threads, n);
    size_t count = dlw_seen_numbers(seen, NULL);
    uint32_t *journals = malloc((count + 1) * sizeof(*journals));
    bool result = count == 0 || !journals;
    if (journals)
        dlw_seen_numbers(seen, journals);
    for (size_t i = 0; i < count && !result; i++)
        result = all_have(cross, threads, n, journals[i]);
    free(journals);
    return result;
}

/* Seen in the same one journal only, by the only thread there that does such work: it is not in two
 * places at once. */
static bool are_of_one_thread(const struct dlw_h_variant *a, const struct dlw_h_variant *b)
{
    uint32_t in_a, in_b;
    if (!a->role || a->role != b->role || a->role->is_several ||
        dlw_seen_numbers(&a->journals, NULL) != 1 || dlw_seen_numbers(&b->journals, NULL) != 1)
        return false;
    dlw_seen_numbers(&a->journals, &in_a);
    dlw_seen_numbers(&b->journals, &in_b);
    return in_a == in_b;
}

/* May these pieces of evidence stand for a circle that only shows across journals? */
static bool is_across(void *context, const uint32_t *threads, uint32_t n)
{
    const struct cross *cross = context;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = i + 1; j < n; j++)
            if (are_of_one_thread(cross->variants[threads[i] - 1], cross->variants[threads[j] - 1]))
                return false;
    return !are_of_one_journal(cross, threads, n);
}

static bool has_lock(const struct dlw_h_finding *finding, const struct dlw_h_lock *lock)
{
    for (size_t i = 0; i < finding->n_parts; i++)
        if (finding->parts[i].holds[0].lock == lock)
            return true;
    return false;
}

/* Has a run told of a circle over these locks by itself? */
static bool is_told(const struct cross *cross, const struct dlw_finding *finding)
{
    const struct dlw_h_finding *known, *next;
    HASH_ITER(entity.hh, cross->history->findings, known, next)
    {
        uint32_t n = 0;
        if (!known->is_cycle || known->across || known->harmless ||
            known->n_parts != finding->n_cycle)
            continue;
        while (n < finding->n_cycle &&
               has_lock(known, cross->locks[finding->cycle[n].holds.lock - 1]))
            n++;
        if (n == finding->n_cycle)
            return true;
    }
    return false;
}

static struct dlw_h_hold hold_of(const struct cross *cross, const struct dlw_held *held, bool timed)
{
    struct dlw_h_hold hold = {.lock = cross->locks[held->lock - 1],
                              .stack = held->stack ? cross->stacks[held->stack - 1] : NULL,
                              .shared = held->mode == DLW_SHARED,
                              .timed = timed};
    return hold;
}

/* A semaphore that others post is no lock. Of a class only some may be. */
static bool is_no_lock(const struct dlw_h_lock *lock)
{
    return lock->is_signal && dlw_h_is_sure(lock);
}

static bool may_be_no_lock(const struct dlw_h_lock *lock)
{
    return lock->is_signal || lock->outlives;
}

static const char *reason_of(const struct dlw_h_finding *draft, bool sure)
{
    bool all_main = true;
    for (size_t i = 0; i < draft->n_parts; i++)
        all_main &= draft->parts[i].role && draft->parts[i].role->is_main;
    if (!sure)
        return "seen across runs; some of these locks are known by the place that made them only, "
               "so in one run they may be different objects";
    return all_main ? "seen across runs; each of these locks is one variable, the same in all; it "
                      "was the main thread each time, so it takes a second thread to hang"
                    : "seen across runs; each of these locks is one variable, the same in all";
}

static void found(void *context, const struct dlw_finding *finding)
{
    struct cross *cross = context;
    struct dlw_region *region = &cross->history->region;
    if (finding->harmless != DLW_FEASIBLE || finding->n_cycle < 2 || is_told(cross, finding))
        return;
    bool sure = true, doubtful = false;
    struct dlw_h_finding draft = {.kind = dlw_kind_word(DLW_LOCK_ORDER_INVERSION),
                                  .is_cycle = true,
                                  .across = true,
                                  .n_parts = finding->n_cycle};
    draft.parts = dlw_region_alloc(region, finding->n_cycle * sizeof(*draft.parts));
    for (uint32_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_cycle_entry *entry = &finding->cycle[i];
        struct dlw_h_part *part = &draft.parts[i];
        const struct dlw_h_variant *variant = cross->variants[entry->thread - 1];
        part->role = variant->role;
        part->scope = variant->scope;
        part->journal = variant->teller ? variant->teller : journal_of(cross, variant);
        part->wants = hold_of(cross, &entry->wants, entry->timed);
        part->holds = dlw_region_alloc(region, sizeof(*part->holds));
        part->holds[0] = hold_of(cross, &entry->holds, false);
        part->n_holds = 1;
        sure &= dlw_h_is_sure(part->holds[0].lock);
        doubtful |= may_be_no_lock(part->holds[0].lock);
    }
    draft.reason = reason_of(&draft, sure);
    if (doubtful) {
        draft.doubt = DLW_DOUBT_SEMAPHORE;
        draft.reason =
            dlw_region_print(region, "%s; a semaphore in it may be no lock", draft.reason);
    }
    cross->drafts = dlw_region_grow(region, cross->drafts, cross->n_drafts, sizeof(draft));
    cross->drafts[cross->n_drafts++] = draft;
}

/* Where a thread of that work takes the gate, as far as the journals tell. */
static struct dlw_h_stack *gate_stack(struct cross *cross, const struct dlw_h_edge *edge,
                                      const struct dlw_h_variant *variant,
                                      const struct dlw_h_lock *gate)
{
    const struct dlw_h_lock *const others[] = {edge->to, edge->from};
    for (size_t k = 0; k < 2; k++) {
        const struct dlw_h_edge *known = dlw_h_known_edge(cross->history, gate, others[k]);
        for (size_t i = 0; known && i < known->n; i++)
            if (known->variants[i].role == variant->role && known->variants[i].hold)
                return known->variants[i].hold;
    }
    return NULL;
}

static void learn(struct cross *cross, const struct dlw_h_edge *edge, struct dlw_h_variant *variant)
{
    struct dlw_region *region = &cross->history->region;
    size_t n = 0;
    const struct dlw_order_sink sink = {.context = cross, .found = found, .accepts = is_across};
    struct dlw_order_hold *held = dlw_region_alloc(region, (variant->n_gates + 1) * sizeof(*held));
    for (size_t i = 0; i < variant->n_gates; i++)
        if (!is_no_lock(variant->gates[i])) {
            held[n].stack =
                number_of_stack(cross, gate_stack(cross, edge, variant, variant->gates[i]));
            held[n++].node = node_of(cross, variant->gates[i]);
        }
    held[n].node = node_of(cross, edge->from);
    held[n].stack = number_of_stack(cross, variant->hold);
    held[n].mode = variant->from_mode;
    struct dlw_order_ask ask = {.thread = thread_of(cross, variant),
                                .held = held,
                                .n_held = (uint32_t)n + 1,
                                .want = node_of(cross, edge->to),
                                .mode = variant->to_mode,
                                .timed = variant->timed,
                                .stack = number_of_stack(cross, variant->want)};
    dlw_order_learn(cross->order, &ask, &sink);
}

/* In the order of their keys: the graph tells the first of several circles through an edge. */
static void learn_all(struct cross *cross)
{
    struct dlw_history *history = cross->history;
    size_t n = 0;
    struct dlw_h_edge *edge, *next,
        **sorted = calloc(HASH_CNT(entity.hh, history->edges) + 1, sizeof(struct dlw_h_edge *));
    if (!sorted)
        return;
    HASH_ITER(entity.hh, history->edges, edge, next)
    sorted[n++] = edge;
    qsort(sorted, n, sizeof(*sorted), compare_entities);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0;
             j < sorted[i]->n && !is_no_lock(sorted[i]->from) && !is_no_lock(sorted[i]->to); j++)
            learn(cross, sorted[i], &sorted[i]->variants[j]);
    free(sorted);
}

static void forget_numbers(struct cross *cross)
{
    for (size_t i = 0; i < cross->n_locks; i++)
        cross->locks[i]->entity.id = 0;
    for (size_t i = 0; i < cross->n_stacks; i++)
        cross->stacks[i]->entity.id = 0;
}

size_t dlw_history_cross(struct dlw_history *history)
{
    /* Only the innermost held lock makes the edge; the others are its gates. */
    const struct dlw_order_limits limits = {.evidence_per_edge = DLW_H_VARIANTS,
                                            .window = 1,
                                            .search_steps = 200000,
                                            .reserve_steps = 50000000,
                                            .saturate_threads = 1u << 30};
    struct cross cross = {.history = history};
    cross.life = dlw_life_new(&cross.arena);
    cross.order = cross.life ? dlw_order_new(&cross.arena, cross.life, &limits) : NULL;
    if (!cross.order)
        return 0;
    learn_all(&cross);
    forget_numbers(&cross);
    for (size_t i = 0; i < cross.n_drafts; i++)
        dlw_h_finding(history, &cross.drafts[i]);
    dlw_order_free(cross.order);
    dlw_life_free(cross.life);
    return cross.n_drafts;
}
