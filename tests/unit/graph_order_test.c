/* The lock-order graph, rule by rule. Locks are called A, B, C; threads 1, 2, 3. */
#include "tests/unit/graph_world.h"

Suite *graph_order_suite(void);

static dlw_node a, b, c;

static void start_abc(void)
{
    world_start();
    a = world_lock('A');
    b = world_lock('B');
    c = world_lock('C');
}

static void assert_findings(uint32_t n)
{
    ck_assert_uint_eq(world.n_findings, n);
}

static void assert_last(uint8_t harmless, uint32_t n_cycle)
{
    ck_assert_uint_gt(world.n_findings, 0);
    ck_assert_int_eq(world.findings[world.n_findings - 1].harmless, harmless);
    ck_assert_uint_eq(world.findings[world.n_findings - 1].n_cycle, n_cycle);
}

START_TEST(test_nothing_when_orders_agree)
{
    NEST(1, 0, a, b, c);
    NEST(2, 0, a, c);
    NEST(3, 0, b, c);
    assert_findings(0);
}
END_TEST

START_TEST(test_inversion_when_two_threads_disagree)
{
    NEST(1, 0, a, b);
    NEST(2, 0, b, a);
    assert_findings(1);
    assert_last(DLW_FEASIBLE, 2);
    const struct dlw_cycle_entry *entry = world.findings[0].cycle;
    const struct dlw_cycle_entry *next = world.findings[0].cycle + 1;
    if (entry->thread == 2) {
        entry = next;
        next = world.findings[0].cycle;
    }
    ck_assert_uint_eq(entry->thread, 1);
    ck_assert_uint_eq(entry->holds.lock, 'A');
    ck_assert_uint_eq(entry->holds.stack, 100 + a);
    ck_assert_uint_eq(entry->wants.lock, 'B');
    ck_assert_uint_eq(entry->wants.stack, 1000 + b);
    ck_assert_uint_eq(next->thread, 2);
    ck_assert_uint_eq(next->holds.lock, 'B');
    ck_assert_uint_eq(next->wants.lock, 'A');
}
END_TEST

START_TEST(test_inversion_once_when_repeated)
{
    for (int i = 0; i < 5; i++) {
        NEST(1, 0, a, b);
        NEST(2, 0, b, a);
        NEST(3, 0, b, a);
    }
    assert_findings(1);
}
END_TEST

START_TEST(test_one_thread_when_alone)
{
    NEST(1, 0, a, b);
    NEST(1, 0, b, a);
    assert_findings(1);
    assert_last(DLW_ONE_THREAD, 2);
    NEST(1, 0, b, a);
    assert_findings(1);
}
END_TEST

START_TEST(test_inversion_when_first_thread_also_did_it)
{
    NEST(1, 0, a, b);
    NEST(2, 0, a, b);
    NEST(1, 0, b, a);
    assert_findings(1);
    assert_last(DLW_FEASIBLE, 2);
}
END_TEST

START_TEST(test_inversion_when_second_thread_follows_harmless)
{
    uint32_t before = dlw_order_generation(world.order);

    NEST(1, 0, a, b);
    NEST(1, 0, b, a);
    ck_assert_uint_ne(dlw_order_generation(world.order), before);
    NEST(2, 0, b, a);
    assert_findings(2);
    assert_last(DLW_FEASIBLE, 2);
}
END_TEST

START_TEST(test_guarded_when_one_gate_is_around)
{
    dlw_node gate = world_lock('G');

    NEST(1, 0, gate, a, b);
    NEST(2, 0, gate, b, a);
    assert_findings(1);
    assert_last(DLW_GUARDED, 2);
    ck_assert_uint_eq(world.findings[0].gate, 'G');
    NEST(3, 0, b, a); /* without the gate, against thread 1 */
    assert_findings(2);
    assert_last(DLW_FEASIBLE, 2);
}
END_TEST

START_TEST(test_inversion_when_gates_are_shared)
{
    dlw_node gate = world_lock('G');
    struct asker one = {.thread = 1};
    struct asker two = {.thread = 2};

    take(&one, gate, DLW_SHARED);
    take(&one, a, DLW_EXCLUSIVE);
    take(&one, b, DLW_EXCLUSIVE);
    take(&two, gate, DLW_SHARED);
    take(&two, b, DLW_EXCLUSIVE);
    take(&two, a, DLW_EXCLUSIVE);
    assert_findings(1);
    assert_last(DLW_FEASIBLE, 2);
}
END_TEST

START_TEST(test_guarded_when_one_gate_is_exclusive)
{
    dlw_node gate = world_lock('G');
    struct asker one = {.thread = 1};

    take(&one, gate, DLW_SHARED);
    take(&one, a, DLW_EXCLUSIVE);
    take(&one, b, DLW_EXCLUSIVE);
    NEST(2, 0, gate, b, a);
    assert_findings(1);
    assert_last(DLW_GUARDED, 2);
}
END_TEST

/* A ring of three, each holding a unit of this pool. */
static void ring_around_pool(dlw_node pool)
{
    const dlw_node ring[] = {a, b, c};

    for (uint32_t i = 0; i < 3; i++) {
        struct asker asker = {.thread = i + 1};
        take(&asker, pool, DLW_SHARED);
        take(&asker, ring[i], DLW_EXCLUSIVE);
        take(&asker, ring[(i + 1) % 3], DLW_EXCLUSIVE);
    }
}

START_TEST(test_guarded_when_a_pool_has_fewer_units_than_the_cycle_steps)
{
    dlw_node pool = world_lock('P');

    dlw_order_set_units(world.order, pool, 2);
    ring_around_pool(pool);
    assert_findings(1);
    assert_last(DLW_GUARDED, 3);
    ck_assert_uint_eq(world.findings[0].gate, 'P');
    NEST(4, 0, a, b); /* one step without a unit: two have the two */
    assert_findings(2);
    assert_last(DLW_FEASIBLE, 3);
}
END_TEST

START_TEST(test_inversion_when_a_pool_has_a_unit_for_each_step)
{
    dlw_node pool = world_lock('P');

    dlw_order_set_units(world.order, pool, 3);
    ring_around_pool(pool);
    assert_findings(1);
    assert_last(DLW_FEASIBLE, 3);
}
END_TEST

START_TEST(test_guarded_when_gate_has_died)
{
    dlw_node gate = world_lock('G');

    NEST(1, 0, gate, a, b);
    NEST(2, 0, gate, b, a);
    dlw_order_remove(world.order, gate);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_ne(world_lock('X'), gate); /* evidence still names it */
    NEST(3, 0, a, b);
    assert_findings(2);
    assert_last(DLW_FEASIBLE, 2); /* 3 against 2, who held what no longer is */
}
END_TEST

static void read_read(bool prefers_writers)
{
    struct asker one = {.thread = 1};
    struct asker two = {.thread = 2};
    dlw_node first = dlw_order_add(world.order, 'R', prefers_writers);
    dlw_node second = dlw_order_add(world.order, 'S', false);

    take(&one, first, DLW_SHARED);
    take(&one, second, DLW_EXCLUSIVE);
    take(&two, second, DLW_EXCLUSIVE);
    take(&two, first, DLW_SHARED);
    assert_findings(1);
}

START_TEST(test_all_shared_when_readers_meet)
{
    read_read(false);
    assert_last(DLW_ALL_SHARED, 2);
}
END_TEST

START_TEST(test_inversion_when_readers_meet_and_writers_go_first)
{
    read_read(true);
    assert_last(DLW_FEASIBLE, 2);
}
END_TEST

START_TEST(test_ordered_when_joined_and_real_when_a_third_comes)
{
    dlw_segment main_segment = dlw_life_start(world.life, 9, 0);
    dlw_segment one = create_thread(1, &main_segment);

    NEST(1, one, a, b);
    join_thread(&main_segment, one);
    dlw_segment two = create_thread(2, &main_segment);
    dlw_segment three = create_thread(3, &main_segment);
    NEST(2, two, b, a);
    assert_findings(1);
    assert_last(DLW_ORDERED, 2);
    ck_assert_uint_eq(NEST(3, three, a, b), DLW_ORDER_NEWS);
    assert_findings(2);
    assert_last(DLW_FEASIBLE, 2);
}
END_TEST

static void nest_in_test(const char *scope, uint32_t thread, dlw_segment *main_segment,
                         dlw_node first, dlw_node second)
{
    *main_segment = dlw_life_enter(world.life, *main_segment, scope);
    dlw_segment segment = create_thread(thread, main_segment);
    NEST(thread, segment, first, second);
    join_thread(main_segment, segment);
}

static const struct told_finding *last_told(void)
{
    return &world.findings[world.n_findings - 1];
}

START_TEST(test_doubt_when_only_other_scopes_are_ordered)
{
    const char *one = "One", *two = "Two";
    dlw_segment main_segment = dlw_life_start(world.life, 9, 0);

    nest_in_test(one, 1, &main_segment, a, b);
    nest_in_test(two, 2, &main_segment, b, a);
    assert_findings(1);
    assert_last(DLW_FEASIBLE, 2);
    ck_assert_int_eq(last_told()->doubt, DLW_DOUBT_SCOPE);
    ck_assert_ptr_eq(last_told()->cycle[0].scope, two);
    ck_assert_ptr_eq(last_told()->cycle[1].scope, one);
    nest_in_test(one, 3, &main_segment, b, a);
    assert_findings(1);
    dlw_segment four = create_thread(4, &main_segment);
    dlw_segment five = create_thread(5, &main_segment);
    NEST(4, four, a, b);
    NEST(5, five, b, a);
    assert_findings(2);
    assert_last(DLW_FEASIBLE, 2);
    ck_assert_int_eq(last_told()->doubt, DLW_NO_DOUBT);
    dlw_order_check_invariants(world.order);
    dlw_life_check_invariants(world.life);
}
END_TEST

START_TEST(test_ordered_when_two_steps_are_of_one_scope)
{
    const char *one = "One", *two = "Two", *three = "Three";
    dlw_segment main_segment = dlw_life_start(world.life, 9, 0);

    nest_in_test(one, 1, &main_segment, a, b);
    nest_in_test(two, 2, &main_segment, b, c);
    nest_in_test(one, 3, &main_segment, c, a);
    assert_findings(1);
    assert_last(DLW_ORDERED, 3);
    nest_in_test(NULL, 4, &main_segment, c, a);
    assert_findings(1);
    nest_in_test(three, 5, &main_segment, c, a);
    assert_findings(2);
    assert_last(DLW_FEASIBLE, 3);
    ck_assert_int_eq(last_told()->doubt, DLW_DOUBT_SCOPE);
}
END_TEST

/* An edge keeps eight pieces: the last scope's must be among them, and those of others too. */
static dlw_segment fill_with_scopes(const char *names, uint32_t n)
{
    dlw_segment main_segment = dlw_life_start(world.life, 999, 0);

    for (uint32_t thread = 1; thread <= n; thread++)
        nest_in_test(&names[thread - 1], thread, &main_segment, a, b);
    ck_assert_uint_le(dlw_order_totals(world.order).evidence, 8);
    return main_segment;
}

START_TEST(test_last_scope_finds_room_when_the_edge_is_full)
{
    static const char names[100];
    dlw_segment main_segment = fill_with_scopes(names, 100);
    dlw_segment one = create_thread(101, &main_segment);
    dlw_segment two = create_thread(102, &main_segment);

    NEST(101, one, a, b);
    NEST(102, two, b, a);
    assert_findings(1);
    ck_assert_int_eq(last_told()->doubt, DLW_NO_DOUBT);
}
END_TEST

START_TEST(test_other_scopes_stay_when_one_has_many_threads)
{
    static const char names[4];
    dlw_segment main_segment = fill_with_scopes(names, 4);

    for (uint32_t thread = 5; thread < 50; thread++)
        nest_in_test(&names[3], thread, &main_segment, a, b);
    nest_in_test(&names[3], 101, &main_segment, b, a);
    assert_findings(1);
    ck_assert_int_eq(last_told()->doubt, DLW_DOUBT_SCOPE);
}
END_TEST

START_TEST(test_inversion_when_creator_goes_on)
{
    dlw_segment main_segment = dlw_life_start(world.life, 9, 0);

    NEST(9, main_segment, a, b);
    dlw_segment one = create_thread(1, &main_segment);
    NEST(1, one, b, a);
    assert_findings(1);
    assert_last(DLW_ORDERED, 2);
    NEST(9, main_segment, a, b);
    assert_findings(2);
    assert_last(DLW_FEASIBLE, 2);
}
END_TEST

START_TEST(test_cycle_of_three_when_threads_differ)
{
    NEST(1, 0, a, b);
    NEST(2, 0, b, c);
    NEST(2, 0, c, a);
    assert_last(DLW_ONE_THREAD, 3);
    NEST(3, 0, c, a);
    assert_findings(2);
    assert_last(DLW_FEASIBLE, 3);
}
END_TEST

START_TEST(test_short_cycle_only_when_a_longer_contains_it)
{
    NEST(1, 0, a, b);
    NEST(2, 0, b, a);
    NEST(3, 0, b, c);
    NEST(4, 0, c, a); /* A B C A contains A B */
    assert_findings(1);
}
END_TEST

START_TEST(test_shortest_first_when_one_lock_closes_two)
{
    NEST(1, 0, c, b);
    NEST(2, 0, b, a);
    struct asker three = {.thread = 3};
    take(&three, a, DLW_EXCLUSIVE);
    take(&three, b, DLW_EXCLUSIVE);
    assert_findings(1);
    take(&three, c, DLW_EXCLUSIVE); /* A->C: C B A C contains A B; B->C: a new pair */
    assert_findings(2);
    assert_last(DLW_FEASIBLE, 2);
}
END_TEST

START_TEST(test_timed_when_one_side_is)
{
    struct asker one = {
        .thread = 1, .held = {{.node = a, .stack = 7, .mode = DLW_EXCLUSIVE}}, .n_held = 1};
    struct dlw_order_ask ask = world_ask(&one, b, DLW_EXCLUSIVE);

    ask.timed = true;
    world_learn(&ask);
    NEST(2, 0, b, a);
    assert_findings(1);
    ck_assert_int_eq(world.findings[0].cycle[0].timed + world.findings[0].cycle[1].timed, 1);
}
END_TEST

START_TEST(test_all_timed_is_harmless_until_one_is_not)
{
    struct asker one = {
        .thread = 1, .held = {{.node = a, .stack = 7, .mode = DLW_EXCLUSIVE}}, .n_held = 1};
    struct asker two = {
        .thread = 2, .held = {{.node = b, .stack = 8, .mode = DLW_EXCLUSIVE}}, .n_held = 1};
    struct dlw_order_ask ab = world_ask(&one, b, DLW_EXCLUSIVE);
    struct dlw_order_ask ba = world_ask(&two, a, DLW_EXCLUSIVE);

    ab.timed = ba.timed = true;
    world_learn(&ab);
    world_learn(&ba);
    assert_findings(1);
    assert_last(DLW_ALL_TIMED, 2);
    ba.timed = false;
    world_learn(&ba);
    assert_findings(2);
    assert_last(DLW_FEASIBLE, 2);
}
END_TEST

/* Verdicts. */

static unsigned probe_pair(uint32_t thread, dlw_segment segment)
{
    struct asker asker = {.thread = thread,
                          .segment = segment,
                          .held = {{.node = a, .stack = 0, .mode = 0}},
                          .n_held = 1};
    struct dlw_order_ask ask = world_ask(&asker, b, DLW_EXCLUSIVE);

    return dlw_order_probe(world.order, &ask);
}

START_TEST(test_saturated_when_three_threads_agree)
{
    ck_assert_uint_eq(probe_pair(1, 0), DLW_ORDER_NEWS);
    NEST(1, 0, a, b);
    ck_assert_uint_eq(probe_pair(1, 0), DLW_ORDER_KNOWN);
    ck_assert_uint_eq(probe_pair(2, 0), DLW_ORDER_NEWS);
    NEST(2, 0, a, b);
    ck_assert_uint_eq(probe_pair(3, 0), DLW_ORDER_NEWS);
    NEST(3, 0, a, b);
    ck_assert_uint_eq(probe_pair(1, 0), DLW_ORDER_SATURATED);
    ck_assert_uint_eq(probe_pair(4, 0), DLW_ORDER_SATURATED);
}
END_TEST

START_TEST(test_not_saturated_when_the_era_is_another)
{
    dlw_segment main_segment = dlw_life_start(world.life, 9, 0);
    dlw_segment threads[3];

    for (uint32_t i = 0; i < 3; i++)
        threads[i] = create_thread(i + 1, &main_segment);
    for (uint32_t i = 0; i < 3; i++)
        NEST(i + 1, threads[i], a, b);
    ck_assert_uint_eq(probe_pair(9, main_segment), DLW_ORDER_SATURATED);
    join_thread(&main_segment, threads[0]);
    ck_assert_uint_eq(probe_pair(9, main_segment), DLW_ORDER_NEWS);
}
END_TEST

START_TEST(test_not_saturated_when_on_a_cycle)
{
    for (uint32_t thread = 1; thread <= 3; thread++)
        NEST(thread, 0, a, b);
    uint32_t generation = dlw_order_generation(world.order);
    NEST(1, 0, b, a);
    ck_assert_uint_ne(dlw_order_generation(world.order), generation);
    ck_assert_uint_eq(probe_pair(4, 0), DLW_ORDER_NEWS);
}
END_TEST

START_TEST(test_known_when_fewer_gates_were_seen)
{
    dlw_node gate = world_lock('G');

    NEST(1, 0, a, b);
    uint32_t learned = world.n_learned;
    NEST(1, 0, gate, a, b); /* G->A and G->B only */
    ck_assert_uint_eq(world.n_learned, learned + 2);
}
END_TEST

START_TEST(test_live_thread_is_kept_when_the_edge_is_full_of_dead)
{
    dlw_segment main_segment = dlw_life_start(world.life, 999, 0);

    for (uint32_t thread = 1; thread <= 100; thread++) {
        dlw_segment segment = create_thread(thread, &main_segment);
        NEST(thread, segment, a, b);
        join_thread(&main_segment, segment);
    }
    ck_assert_uint_le(dlw_order_totals(world.order).evidence, 8);
    dlw_segment one = create_thread(101, &main_segment);
    dlw_segment two = create_thread(102, &main_segment);
    NEST(101, one, a, b);
    NEST(102, two, b, a);
    assert_findings(1);
    assert_last(DLW_FEASIBLE, 2);
}
END_TEST

START_TEST(test_told_thrice_when_threads_come_and_go)
{
    dlw_segment main_segment = dlw_life_start(world.life, 999, 0);

    for (uint32_t thread = 1; thread <= 100; thread++) {
        dlw_segment segment = create_thread(thread, &main_segment);
        struct asker asker = {
            .thread = thread, .segment = segment, .held = {{.node = a, .stack = 7}}, .n_held = 1};
        struct dlw_order_ask ask = world_ask(&asker, b, DLW_EXCLUSIVE);
        ask.stack = 8;
        ck_assert_uint_eq(world_learn(&ask), DLW_ORDER_NEWS);
        join_thread(&main_segment, segment);
    }
    ck_assert_uint_eq(world.n_learned, 3);
}
END_TEST

START_TEST(test_steps_merge_when_the_window_is_narrow)
{
    const struct dlw_order_limits limits = {.window = 1};

    world_end();
    world_start_with(&limits);
    a = world_lock('A');
    b = world_lock('B');
    c = world_lock('C');
    NEST(1, 0, a, b, c); /* edges A->B, B->C only */
    NEST(2, 0, c, a);
    assert_findings(1);
    assert_last(DLW_FEASIBLE, 2); /* 1 holds A wants C, 2 holds C wants A */
}
END_TEST

START_TEST(test_steps_merge_across_the_seam_when_the_window_is_narrow)
{
    const struct dlw_order_limits limits = {.window = 1};

    world_end();
    world_start_with(&limits);
    a = world_lock('A');
    b = world_lock('B');
    c = world_lock('C');
    NEST(2, 0, c, a);
    NEST(1, 0, a, b, c);
    assert_findings(1);
    assert_last(DLW_FEASIBLE, 2);
}
END_TEST

START_TEST(test_nothing_is_told_when_not_wanted)
{
    const struct dlw_order_sink sink = {.learned = world_on_learned};
    struct asker two = {.thread = 2, .held = {{.node = b, .stack = 0, .mode = 0}}, .n_held = 1};
    struct dlw_order_ask ask = world_ask(&two, a, DLW_EXCLUSIVE);

    NEST(1, 0, a, b);
    ck_assert_uint_eq(dlw_order_learn(world.order, &ask, &sink), DLW_ORDER_NEWS);
    assert_findings(0);
    NEST(3, 0, b, a);
    assert_findings(1);
}
END_TEST

START_TEST(test_intended_when_one_order_is_vouched_for)
{
    NEST(1, 0, a, b);
    nest_intended(2, b, a, DLW_INTENT_VOUCHED);
    assert_findings(1);
    assert_last(DLW_INTENDED, 2);
    NEST(3, 0, b, a); /* elsewhere it isn't */
    assert_findings(2);
    assert_last(DLW_FEASIBLE, 2);
}
END_TEST

START_TEST(test_intended_when_levels_rise_all_around)
{
    nest_intended(1, a, b, DLW_INTENT_RISING);
    nest_intended(2, b, a, DLW_INTENT_RISING);
    assert_findings(1);
    assert_last(DLW_INTENDED, 2);
}
END_TEST

START_TEST(test_inversion_when_levels_rise_on_one_side_only)
{
    nest_intended(1, a, b, DLW_INTENT_RISING);
    NEST(2, 0, b, a);
    assert_findings(1);
    assert_last(DLW_FEASIBLE, 2);
}
END_TEST

START_TEST(test_intended_when_a_long_cycle_goes_through_it)
{
    NEST(1, 0, a, b);
    nest_intended(2, b, c, DLW_INTENT_VOUCHED);
    NEST(3, 0, c, a);
    assert_findings(1);
    assert_last(DLW_INTENDED, 3);
}
END_TEST

/* Thread 2 holds both A and B when it asks for C: of its two edges only B -> C is vouched for. */
START_TEST(test_inversion_when_another_lock_was_held_around)
{
    struct asker asker = {.thread = 2};

    take(&asker, a, DLW_EXCLUSIVE);
    take(&asker, b, DLW_EXCLUSIVE);
    asker.held[1].intent = DLW_INTENT_VOUCHED;
    take(&asker, c, DLW_EXCLUSIVE);
    NEST(1, 0, c, b);
    assert_last(DLW_INTENDED, 2);
    NEST(3, 0, c, a);
    assert_last(DLW_FEASIBLE, 2);
}
END_TEST

/* What was meant once is learned anew when it no longer is. */
START_TEST(test_news_when_the_intent_has_changed)
{
    struct asker asker = {.thread = 1};

    take(&asker, a, DLW_EXCLUSIVE);
    asker.held[0].intent = DLW_INTENT_VOUCHED;
    struct dlw_order_ask ask = world_ask(&asker, b, DLW_EXCLUSIVE);
    world_learn(&ask);
    ck_assert_uint_eq(dlw_order_probe(world.order, &ask) & DLW_ORDER_NEWS, 0);
    asker.held[0].intent = DLW_INTENT_NONE;
    ck_assert_uint_eq(dlw_order_probe(world.order, &ask), DLW_ORDER_NEWS);
    world_learn(&ask);
    asker.held[0].intent = DLW_INTENT_RISING;
    ck_assert_uint_eq(dlw_order_probe(world.order, &ask) & DLW_ORDER_NEWS, 0);
}
END_TEST

Suite *graph_order_suite(void)
{
    Suite *suite = suite_create("graph_order");
    TCase *rules = tcase_create("rules");

    tcase_add_checked_fixture(rules, start_abc, world_end);
    tcase_add_test(rules, test_nothing_when_orders_agree);
    tcase_add_test(rules, test_inversion_when_two_threads_disagree);
    tcase_add_test(rules, test_inversion_once_when_repeated);
    tcase_add_test(rules, test_one_thread_when_alone);
    tcase_add_test(rules, test_inversion_when_first_thread_also_did_it);
    tcase_add_test(rules, test_inversion_when_second_thread_follows_harmless);
    tcase_add_test(rules, test_guarded_when_one_gate_is_around);
    tcase_add_test(rules, test_inversion_when_gates_are_shared);
    tcase_add_test(rules, test_guarded_when_one_gate_is_exclusive);
    tcase_add_test(rules, test_guarded_when_a_pool_has_fewer_units_than_the_cycle_steps);
    tcase_add_test(rules, test_inversion_when_a_pool_has_a_unit_for_each_step);
    tcase_add_test(rules, test_guarded_when_gate_has_died);
    tcase_add_test(rules, test_all_shared_when_readers_meet);
    tcase_add_test(rules, test_inversion_when_readers_meet_and_writers_go_first);
    tcase_add_test(rules, test_ordered_when_joined_and_real_when_a_third_comes);
    tcase_add_test(rules, test_doubt_when_only_other_scopes_are_ordered);
    tcase_add_test(rules, test_ordered_when_two_steps_are_of_one_scope);
    tcase_add_test(rules, test_last_scope_finds_room_when_the_edge_is_full);
    tcase_add_test(rules, test_other_scopes_stay_when_one_has_many_threads);
    tcase_add_test(rules, test_inversion_when_creator_goes_on);
    tcase_add_test(rules, test_cycle_of_three_when_threads_differ);
    tcase_add_test(rules, test_short_cycle_only_when_a_longer_contains_it);
    tcase_add_test(rules, test_shortest_first_when_one_lock_closes_two);
    tcase_add_test(rules, test_timed_when_one_side_is);
    tcase_add_test(rules, test_all_timed_is_harmless_until_one_is_not);
    tcase_add_test(rules, test_saturated_when_three_threads_agree);
    tcase_add_test(rules, test_not_saturated_when_the_era_is_another);
    tcase_add_test(rules, test_not_saturated_when_on_a_cycle);
    tcase_add_test(rules, test_known_when_fewer_gates_were_seen);
    tcase_add_test(rules, test_live_thread_is_kept_when_the_edge_is_full_of_dead);
    tcase_add_test(rules, test_told_thrice_when_threads_come_and_go);
    tcase_add_test(rules, test_steps_merge_when_the_window_is_narrow);
    tcase_add_test(rules, test_steps_merge_across_the_seam_when_the_window_is_narrow);
    tcase_add_test(rules, test_nothing_is_told_when_not_wanted);
    tcase_add_test(rules, test_intended_when_one_order_is_vouched_for);
    tcase_add_test(rules, test_intended_when_levels_rise_all_around);
    tcase_add_test(rules, test_inversion_when_levels_rise_on_one_side_only);
    tcase_add_test(rules, test_intended_when_a_long_cycle_goes_through_it);
    tcase_add_test(rules, test_inversion_when_another_lock_was_held_around);
    tcase_add_test(rules, test_news_when_the_intent_has_changed);
    suite_add_tcase(suite, rules);
    return suite;
}
