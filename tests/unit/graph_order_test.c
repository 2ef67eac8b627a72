/* The lock-order graph, rule by rule: gates, modes, limits, intents. Threads are 1, 2, 3. */
#include "tests/unit/graph_abc.h"

Suite *graph_order_suite(void);

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
    tcase_add_test(rules, test_cycle_of_three_when_threads_differ);
    tcase_add_test(rules, test_short_cycle_only_when_a_longer_contains_it);
    tcase_add_test(rules, test_shortest_first_when_one_lock_closes_two);
    tcase_add_test(rules, test_timed_when_one_side_is);
    tcase_add_test(rules, test_all_timed_is_harmless_until_one_is_not);
    tcase_add_test(rules, test_steps_merge_when_the_window_is_narrow);
    tcase_add_test(rules, test_steps_merge_across_the_seam_when_the_window_is_narrow);
    tcase_add_test(rules, test_nothing_is_told_when_not_wanted);
    tcase_add_test(rules, test_intended_when_one_order_is_vouched_for);
    tcase_add_test(rules, test_intended_when_levels_rise_all_around);
    tcase_add_test(rules, test_inversion_when_levels_rise_on_one_side_only);
    tcase_add_test(rules, test_intended_when_a_long_cycle_goes_through_it);
    tcase_add_test(rules, test_inversion_when_another_lock_was_held_around);
    suite_add_tcase(suite, rules);
    return suite;
}
