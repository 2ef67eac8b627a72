/* A lock-order graph with a recorder of what it tells, for the targeted tests. */
#ifndef TESTS_GRAPH_WORLD_H
#define TESTS_GRAPH_WORLD_H

#include "graph/order/order.h"

#include <check.h>
#include <string.h>

enum { WORLD_FINDINGS = 64, WORLD_ENTRIES = 8, WORLD_HELD = 64 };

struct told_finding {
    uint8_t harmless, doubt;
    uint64_t gate;
    uint32_t n_cycle;
    struct dlw_cycle_entry cycle[WORLD_ENTRIES]; /* the first ones */
};

struct world {
    struct dlw_arena arena;
    struct dlw_life *life;
    struct dlw_order *order;
    struct told_finding findings[WORLD_FINDINGS];
    uint32_t n_findings;
    uint32_t n_learned;
    size_t in_use; /* of the arena, when nothing was in it */
};

static struct world world;

static inline void world_on_found(void *context, const struct dlw_finding *finding)
{
    struct told_finding *told = &world.findings[world.n_findings];

    (void)context;
    ck_assert_uint_lt(world.n_findings, WORLD_FINDINGS);
    ck_assert_int_eq(finding->kind, DLW_LOCK_ORDER_INVERSION);
    *told = (struct told_finding){.harmless = finding->harmless,
                                  .doubt = finding->doubt,
                                  .gate = finding->gate,
                                  .n_cycle = finding->n_cycle};
    for (uint32_t i = 0; i < finding->n_cycle && i < WORLD_ENTRIES; i++)
        told->cycle[i] = finding->cycle[i];
    world.n_findings++;
}

static inline void world_on_learned(void *context, const struct dlw_order_ask *ask,
                                    uint32_t held_index)
{
    (void)context;
    ck_assert_uint_lt(held_index, ask->n_held);
    world.n_learned++;
}

static inline void world_start_with(const struct dlw_order_limits *limits)
{
    memset(&world, 0, sizeof(world));
    world.life = dlw_life_new(&world.arena);
    world.order = dlw_order_new(&world.arena, world.life, limits);
    ck_assert_ptr_nonnull(world.order);
    world.in_use = world.arena.in_use;
}

static inline void world_start(void)
{
    world_start_with(NULL);
}

static inline void world_end(void)
{
    dlw_order_check_invariants(world.order);
    dlw_life_check_invariants(world.life);
    dlw_order_free(world.order);
    dlw_life_free(world.life);
    ck_assert_uint_eq(world.arena.in_use, 0);
}

static inline dlw_node world_lock(uint64_t name)
{
    dlw_node node = dlw_order_add(world.order, name, false);

    ck_assert_uint_ne(node, 0);
    return node;
}

/* A thread's part of a test. Zero segment: ordered with nothing. */
struct asker {
    uint32_t thread;
    dlw_segment segment;
    struct dlw_order_hold held[WORLD_HELD];
    uint32_t n_held;
};

static inline struct dlw_order_ask world_ask(const struct asker *asker, dlw_node want, uint8_t mode)
{
    return (struct dlw_order_ask){.thread = asker->thread,
                                  .segment = asker->segment,
                                  .held = asker->held,
                                  .n_held = asker->n_held,
                                  .want = want,
                                  .mode = mode,
                                  .stack = 1000 * asker->thread + want};
}

static inline unsigned world_learn(const struct dlw_order_ask *ask)
{
    const struct dlw_order_sink sink = {.found = world_on_found, .learned = world_on_learned};

    return dlw_order_learn(world.order, ask, &sink);
}

/* Asks for a lock, and holds it. */
static inline unsigned take(struct asker *asker, dlw_node lock, uint8_t mode)
{
    struct dlw_order_ask ask = world_ask(asker, lock, mode);
    unsigned verdict = asker->n_held ? world_learn(&ask) : DLW_ORDER_KNOWN;

    asker->held[asker->n_held++] =
        (struct dlw_order_hold){.node = lock, .stack = 100 * asker->thread + lock, .mode = mode};
    return verdict;
}

/* One thread takes these locks one inside the other, exclusively, and drops them all. */
static inline unsigned nest(uint32_t thread, dlw_segment segment, const dlw_node *locks, uint32_t n)
{
    struct asker asker = {.thread = thread, .segment = segment};
    unsigned verdict = 0;

    for (uint32_t i = 0; i < n; i++)
        verdict |= take(&asker, locks[i], DLW_EXCLUSIVE);
    return verdict;
}

/* One thread takes these two, and means the order. */
static inline void nest_intended(uint32_t thread, dlw_node outer, dlw_node inner, unsigned intent)
{
    struct asker asker = {.thread = thread};

    take(&asker, outer, DLW_EXCLUSIVE);
    asker.held[0].intent = (uint8_t)intent;
    take(&asker, inner, DLW_EXCLUSIVE);
}

#define NEST(thread, segment, ...)                                                                 \
    nest((thread), (segment), (const dlw_node[]){__VA_ARGS__},                                     \
         sizeof((const dlw_node[]){__VA_ARGS__}) / sizeof(dlw_node))

/* A thread created by `*creator`, which goes on in its next segment. */
static inline dlw_segment create_thread(uint32_t thread, dlw_segment *creator)
{
    dlw_segment before = *creator;

    dlw_life_ref(world.life, before);
    *creator = dlw_life_advance(world.life, before);
    dlw_segment segment = dlw_life_start(world.life, thread, before);
    dlw_life_unref(world.life, before);
    return segment;
}

static inline void join_thread(dlw_segment *joiner, dlw_segment joined)
{
    *joiner = dlw_life_join(world.life, *joiner, joined);
    dlw_life_unref(world.life, joined);
}

#endif
