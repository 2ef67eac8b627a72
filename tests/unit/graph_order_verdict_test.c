/* What the lock-order graph answers to a question: known to this thread, to all, or news. */
#include "tests/unit/graph_abc.h"

Suite *graph_order_verdict_suite(void);

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

Suite *graph_order_verdict_suite(void)
{
    Suite *suite = suite_create("graph_order_verdict");
    TCase *verdicts = tcase_create("verdicts");

    tcase_add_checked_fixture(verdicts, start_abc, world_end);
    tcase_add_test(verdicts, test_saturated_when_three_threads_agree);
    tcase_add_test(verdicts, test_not_saturated_when_the_era_is_another);
    tcase_add_test(verdicts, test_not_saturated_when_on_a_cycle);
    tcase_add_test(verdicts, test_known_when_fewer_gates_were_seen);
    tcase_add_test(verdicts, test_news_when_the_intent_has_changed);
    suite_add_tcase(suite, verdicts);
    return suite;
}
