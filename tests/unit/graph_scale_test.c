/* The lock-order graph when there is much of it, and when memory is short. */
#include "tests/unit/graph_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

Suite *graph_scale_suite(void);

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static dlw_node *locks(uint32_t n)
{
    dlw_node *nodes = malloc(n * sizeof(*nodes));

    for (uint32_t i = 0; i < n; i++)
        nodes[i] = world_lock(i);
    return nodes;
}

static void remove_all(dlw_node *nodes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        dlw_order_remove(world.order, nodes[i]);
    free(nodes);
    ck_assert_uint_eq(world.arena.in_use, world.in_use);
}

static void find_cycle_of(uint32_t n)
{
    dlw_node *nodes = locks(n);

    for (uint32_t i = 0; i < n; i++)
        NEST(i + 1, 0, nodes[i], nodes[(i + 1) % n]);
    ck_assert_uint_eq(world.n_findings, 1);
    ck_assert_uint_eq(world.findings[0].n_cycle, n);
    ck_assert_int_eq(world.findings[0].harmless, DLW_FEASIBLE);
    remove_all(nodes, n);
}

START_TEST(test_cycle_is_found_when_it_is_long)
{
    find_cycle_of(300);
    world.n_findings = 0;
    find_cycle_of(2000);
}
END_TEST

/* Each edge joins a chain at the end where the order has to be changed. */
static double reverse_chains(uint32_t n)
{
    dlw_node *nodes = locks(n);
    double start = seconds();

    for (uint32_t i = n - 1; i > 0; i--)
        NEST(1, 0, nodes[i], nodes[i - 1]);
    double down = seconds() - start;
    dlw_order_check_invariants(world.order);
    remove_all(nodes, n);
    nodes = locks(n);
    start = seconds();
    for (uint32_t i = 1; i < n; i++)
        NEST(1, 0, nodes[i], nodes[i - 1]);
    double up = seconds() - start;
    remove_all(nodes, n);
    printf("graph_scale: reverse chain of %u: %.3f s and %.3f s\n", n, down, up);
    return down + up;
}

START_TEST(test_reverse_chain_costs_no_more_an_edge_when_it_is_long)
{
    enum { N = 25000, TIMES = 4 };
    double shorter = reverse_chains(N), longer = reverse_chains(N * TIMES);

    ck_assert_double_lt(longer, shorter * TIMES * 2.5); /* quadratic: TIMES times that much */
}
END_TEST

/* Pairs are joined against their order, so that neither end is loose. */
START_TEST(test_order_is_repaired_when_no_end_is_loose)
{
    enum { N = 50000 };
    dlw_node *nodes = locks(N);

    for (uint32_t i = 0; i < N; i += 2)
        NEST(1, 0, nodes[i], nodes[i + 1]);
    for (uint32_t i = 2; i < N; i += 2)
        NEST(1, 0, nodes[i + 1], nodes[i - 2]);
    dlw_order_check_invariants(world.order);
    remove_all(nodes, N);
    nodes = locks(N);
    for (uint32_t i = 0; i < N; i += 2)
        NEST(1, 0, nodes[i], nodes[i + 1]);
    for (uint32_t i = N - 2; i >= 2; i -= 2)
        NEST(1, 0, nodes[i + 1], nodes[i - 2]);
    dlw_order_check_invariants(world.order);
    remove_all(nodes, N);
}
END_TEST

START_TEST(test_memory_per_lock_when_each_has_one_edge)
{
    enum { N = 1000000 };
    dlw_node *nodes = locks(N);

    for (uint32_t i = 1; i < N; i++)
        NEST(1, 0, nodes[i - 1], nodes[i]);
    double each = (double)(world.arena.in_use - world.in_use) / N;
    printf("graph_scale: %.1f bytes for each lock with one edge and its own held set\n", each);
    ck_assert_double_lt(each, 97.0);
    remove_all(nodes, N);
}
END_TEST

/* As by one line of a program: the stacks are equal too. */
static void take_under(uint32_t thread, dlw_node outer, dlw_node inner)
{
    const struct dlw_order_hold held = {.node = outer, .stack = 1};
    struct dlw_order_ask ask = {
        .thread = thread, .held = &held, .n_held = 1, .want = inner, .stack = 2};

    ck_assert_uint_eq(world_learn(&ask), DLW_ORDER_NEWS);
}

START_TEST(test_memory_per_lock_when_all_are_taken_at_one_place)
{
    enum { N = 1000000 };
    dlw_node *nodes = locks(N);

    for (uint32_t i = 1; i < N; i++)
        take_under(1, nodes[0], nodes[i]);
    double each = (double)(world.arena.in_use - world.in_use) / N;
    printf("graph_scale: %.1f bytes for each lock with one edge and the same evidence\n", each);
    ck_assert_double_lt(each, 77.0);
    remove_all(nodes, N);
}
END_TEST

static void count_pieces(void *context, dlw_node from, dlw_node to,
                         const struct dlw_order_ask *evidence, uint32_t held_index)
{
    uint32_t(*n)[4] = context;

    (void)from;
    (void)held_index;
    n[to][evidence->thread]++;
}

START_TEST(test_evidence_stays_right_when_edges_that_share_it_part)
{
    enum { N = 5 };
    dlw_node *nodes = locks(N);
    uint32_t n[N + 1][4] = {{0}};

    for (uint32_t i = 1; i < N; i++)
        take_under(1, nodes[0], nodes[i]);
    for (uint32_t i = 2; i < N; i++) /* goes on behind what is shared, and is shared itself */
        take_under(2, nodes[0], nodes[i]);
    for (uint32_t i = 3; i < N; i++)
        take_under(3, nodes[0], nodes[i]);
    dlw_order_check_invariants(world.order);
    dlw_order_remove(world.order, nodes[3]);
    dlw_order_check_invariants(world.order);
    dlw_order_each(world.order, count_pieces, n);
    for (uint32_t i = 1; i < N; i++)
        for (uint32_t thread = 1; thread <= 3; thread++)
            ck_assert_uint_eq(n[nodes[i]][thread], i != 3 && thread <= i);
    nodes[3] = world_lock(3);
    remove_all(nodes, N);
}
END_TEST

START_TEST(test_edges_stay_few_when_ten_thousand_are_held)
{
    enum { N = 10000 };
    dlw_node *nodes = locks(N);
    struct dlw_order_hold *held = calloc(N, sizeof(*held));
    dlw_chain *chains = calloc(N + 1, sizeof(*chains));

    for (uint32_t i = 0; i < N; i++) {
        uint32_t first = i > 16 ? i - 16 : 0; /* the window is enough */
        struct dlw_order_ask ask = {.thread = 1,
                                    .held = held + first,
                                    .n_held = i - first,
                                    .chain = chains[i],
                                    .want = nodes[i]};
        if (i)
            ck_assert_uint_eq(world_learn(&ask), DLW_ORDER_NEWS);
        held[i] = (struct dlw_order_hold){.node = nodes[i], .mode = DLW_EXCLUSIVE};
        chains[i + 1] = dlw_order_chain_push(world.order, chains[i], nodes[i], DLW_EXCLUSIVE);
    }
    ck_assert_uint_le(dlw_order_totals(world.order).edges, 16 * N);
    dlw_order_check_invariants(world.order);
    for (uint32_t i = 0; i < N; i++)
        dlw_order_chain_unref(world.order, chains[i + 1]);
    free(held);
    free(chains);
    remove_all(nodes, N);
}
END_TEST

START_TEST(test_number_is_not_reused_when_a_held_set_names_it)
{
    dlw_node first = world_lock(1);
    dlw_chain chain = dlw_order_chain_push(world.order, 0, first, DLW_EXCLUSIVE);

    dlw_order_remove(world.order, first);
    dlw_node second = world_lock(2);
    ck_assert_uint_ne(second, first);
    dlw_order_chain_unref(world.order, chain);
    dlw_node third = world_lock(3);
    ck_assert_uint_eq(third, first);
    dlw_order_remove(world.order, second);
    dlw_order_remove(world.order, third);
    ck_assert_uint_eq(world.arena.in_use, world.in_use);
}
END_TEST

START_TEST(test_component_falls_apart_when_its_bridge_goes)
{
    dlw_node keep[2] = {world_lock(1), world_lock(2)};

    for (int round = 0; round < 2000; round++) {
        dlw_node bridge = world_lock(3);
        NEST(1, 0, keep[0], keep[1]);
        NEST(1, 0, keep[1], bridge);
        NEST(1, 0, bridge, keep[0]);
        dlw_order_remove(world.order, bridge);
        world.n_findings = 0;
    }
    dlw_order_check_invariants(world.order);
    /* Rebuilt by now: the two are apart again, and merging them is news. */
    size_t merged = dlw_order_totals(world.order).components_merged;
    ck_assert_uint_gt(merged, 2100); /* one a round, had they stayed together */
    dlw_order_remove(world.order, keep[0]);
    dlw_order_remove(world.order, keep[1]);
    ck_assert_uint_eq(world.arena.in_use, world.in_use);
}
END_TEST

static void count_found(void *context, const struct dlw_finding *finding)
{
    uint32_t *n = context;

    n[finding->harmless == DLW_FEASIBLE]++;
}

/* Takes two locks, each time by another thread and at places of its own or always the same. */
static void take_pair(uint32_t thread, dlw_node outer, dlw_node inner, uint32_t place, uint32_t *n)
{
    const struct dlw_order_hold held = {.node = outer, .stack = place};
    const struct dlw_order_ask ask = {
        .thread = thread, .held = &held, .n_held = 1, .want = inner, .stack = place};
    const struct dlw_order_sink sink = {.context = n, .found = count_found};

    dlw_order_learn(world.order, &ask, &sink);
}

/* In a wheel each lock is taken before those up to a third of the way on: there are no cycles of
 * two or three, and very many longer ones. */
static void turn_wheel(dlw_node *nodes, uint32_t size, uint32_t *n)
{
    for (uint32_t i = 0; i < size; i++)
        for (uint32_t k = 1; 3 * k < size; k++)
            take_pair(i * size + k + 1, nodes[i], nodes[(i + k) % size], i * size + k, n);
}

START_TEST(test_searches_are_given_up_and_counted_when_cycles_are_many)
{
    enum { SIZE = 200 };
    dlw_node *nodes = locks(SIZE);
    uint32_t n[2] = {0};

    turn_wheel(nodes, SIZE, n);
    ck_assert_uint_gt(n[true], 0);
    struct dlw_order_totals totals = dlw_order_totals(world.order);
    ck_assert_uint_gt(totals.given_up, 0);
    ck_assert_uint_lt(totals.given_up, totals.evidence);
    remove_all(nodes, SIZE);
}
END_TEST

/* The first component has used up what is common to all. */
START_TEST(test_a_small_cycle_is_found_when_a_large_component_has_spent_the_steps)
{
    enum { SIZE = 200, RING = 5 };
    dlw_node *nodes = locks(SIZE);
    dlw_node *ring = locks(RING);
    uint32_t n[2] = {0};

    turn_wheel(nodes, SIZE, n);
    n[true] = 0;
    for (uint32_t i = 0; i < RING; i++)
        take_pair(i + 1, ring[i], ring[(i + 1) % RING], i + 1, n);
    ck_assert_uint_eq(n[true], 1);
    for (uint32_t i = 0; i < RING; i++)
        dlw_order_remove(world.order, ring[i]);
    free(ring);
    remove_all(nodes, SIZE);
}
END_TEST

START_TEST(test_cycles_of_one_place_are_told_so_often_and_then_counted)
{
    enum { PAIRS = 50, MOST = 20 };
    const struct dlw_order_limits limits = {.alike = MOST};
    uint32_t n[2] = {0};

    world_end();
    world_start_with(&limits);
    dlw_node *nodes = locks(2 * PAIRS);
    for (uint32_t i = 0; i < 2 * PAIRS; i += 2) {
        take_pair(1, nodes[i], nodes[i + 1], 7, n);
        take_pair(2, nodes[i + 1], nodes[i], 7, n);
    }
    ck_assert_uint_eq(n[true], MOST);
    ck_assert_uint_eq(dlw_order_totals(world.order).untold, PAIRS - MOST);
    take_pair(3, nodes[0], nodes[3], 8, n); /* elsewhere: told */
    take_pair(4, nodes[3], nodes[0], 8, n);
    ck_assert_uint_eq(n[true], MOST + 1);
    dlw_order_remove(world.order, nodes[0]); /* the first pair makes room for another */
    nodes[0] = world_lock(0);
    take_pair(1, nodes[0], nodes[2], 7, n);
    take_pair(2, nodes[2], nodes[0], 7, n);
    ck_assert_uint_eq(n[true], MOST + 2);
    remove_all(nodes, 2 * PAIRS);
}
END_TEST

START_TEST(test_graph_stays_sound_when_memory_runs_out)
{
    enum { N = 6000 };
    struct dlw_arena *arena = &world.arena;
    uint32_t refused = 0;

    for (size_t extra = 0; extra < 1500 * 1024; extra += 100000) {
        static dlw_node nodes[N];
        arena->limit = arena->mapped + extra;
        for (uint32_t i = 0; i < N; i++)
            nodes[i] = dlw_order_add(world.order, i, false);
        for (uint32_t i = 0; i < 2 * N; i++) {
            uint32_t from = i * 7 % N;
            uint32_t to = (i * 13 + i / N * 5 + 1) % N;
            if (from == to || !nodes[from] || !nodes[to])
                continue;
            refused += (NEST(i % 5 + 1, 0, nodes[from], nodes[to]) & DLW_ORDER_NO_MEMORY) != 0;
            world.n_findings = 0;
        }
        dlw_order_check_invariants(world.order);
        for (uint32_t i = 0; i < N; i++) {
            if (nodes[i])
                dlw_order_remove(world.order, nodes[i]);
        }
        ck_assert_uint_eq(arena->in_use, world.in_use);
        arena->limit = 0;
    }
    ck_assert_uint_gt(refused, 0);
}
END_TEST

Suite *graph_scale_suite(void)
{
    Suite *suite = suite_create("graph_scale");
    TCase *scale = tcase_create("scale");

    tcase_set_timeout(scale, 120);
    tcase_add_checked_fixture(scale, world_start, world_end);
    tcase_add_test(scale, test_cycle_is_found_when_it_is_long);
    tcase_add_test(scale, test_reverse_chain_costs_no_more_an_edge_when_it_is_long);
    tcase_add_test(scale, test_order_is_repaired_when_no_end_is_loose);
    tcase_add_test(scale, test_memory_per_lock_when_each_has_one_edge);
    tcase_add_test(scale, test_memory_per_lock_when_all_are_taken_at_one_place);
    tcase_add_test(scale, test_evidence_stays_right_when_edges_that_share_it_part);
    tcase_add_test(scale, test_edges_stay_few_when_ten_thousand_are_held);
    tcase_add_test(scale, test_number_is_not_reused_when_a_held_set_names_it);
    tcase_add_test(scale, test_component_falls_apart_when_its_bridge_goes);
    tcase_add_test(scale, test_searches_are_given_up_and_counted_when_cycles_are_many);
    tcase_add_test(scale, test_a_small_cycle_is_found_when_a_large_component_has_spent_the_steps);
    tcase_add_test(scale, test_cycles_of_one_place_are_told_so_often_and_then_counted);
    tcase_add_test(scale, test_graph_stays_sound_when_memory_runs_out);
    suite_add_tcase(suite, scale);
    return suite;
}
