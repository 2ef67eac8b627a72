/* The lock-order graph where the life of threads, or the scope of a test, keeps orders apart. */
#include "tests/unit/graph_abc.h"

Suite *graph_order_life_suite(void);

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

Suite *graph_order_life_suite(void)
{
    Suite *suite = suite_create("graph_order_life");
    TCase *life = tcase_create("life");

    tcase_add_checked_fixture(life, start_abc, world_end);
    tcase_add_test(life, test_ordered_when_joined_and_real_when_a_third_comes);
    tcase_add_test(life, test_doubt_when_only_other_scopes_are_ordered);
    tcase_add_test(life, test_ordered_when_two_steps_are_of_one_scope);
    tcase_add_test(life, test_last_scope_finds_room_when_the_edge_is_full);
    tcase_add_test(life, test_other_scopes_stay_when_one_has_many_threads);
    tcase_add_test(life, test_inversion_when_creator_goes_on);
    tcase_add_test(life, test_live_thread_is_kept_when_the_edge_is_full_of_dead);
    tcase_add_test(life, test_told_thrice_when_threads_come_and_go);
    suite_add_tcase(suite, life);
    return suite;
}
