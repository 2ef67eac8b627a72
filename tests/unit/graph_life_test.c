/* Happens-before by thread life, against plain reachability and for its memory. */
#include "graph/life.h"
#include "tests/unit/graph_random.h"

#include <check.h>
#include <string.h>

Suite *graph_life_suite(void);

static struct dlw_arena arena;
static struct dlw_life *life;

static void start(void)
{
    memset(&arena, 0, sizeof(arena));
    life = dlw_life_new(&arena);
    ck_assert_ptr_nonnull(life);
}

static void end(void)
{
    dlw_life_check_invariants(life);
    dlw_life_free(life);
    ck_assert_uint_eq(arena.in_use, 0);
}

/* What a caller does around pthread_create. */
static dlw_segment create(uint32_t thread, dlw_segment *creator)
{
    dlw_segment before = *creator;

    dlw_life_ref(life, before);
    *creator = dlw_life_advance(life, before);
    dlw_segment segment = dlw_life_start(life, thread, before);
    dlw_life_unref(life, before);
    return segment;
}

static void record(dlw_segment segment)
{
    dlw_life_ref(life, segment);
    dlw_life_mark_recorded(life, segment);
}

START_TEST(test_before_when_created)
{
    dlw_segment first = dlw_life_start(life, 1, 0);
    dlw_segment parent = first;

    record(first);
    dlw_segment child = create(2, &parent);
    ck_assert_uint_ne(parent, first);
    ck_assert(dlw_life_is_before(life, first, child));
    ck_assert(!dlw_life_is_before(life, child, first));
    ck_assert(dlw_life_are_concurrent(life, parent, child));
    ck_assert(!dlw_life_are_concurrent(life, first, parent));
    ck_assert_uint_eq(dlw_life_era(life, first), dlw_life_era(life, child));
    ck_assert_uint_eq(dlw_life_thread(life, child), 2);
}
END_TEST

START_TEST(test_same_segment_when_nothing_was_recorded)
{
    dlw_segment first = dlw_life_start(life, 1, 0);
    dlw_segment parent = first;
    dlw_segment child = create(2, &parent);

    ck_assert_uint_eq(parent, first);
    record(parent); /* after the create, so not before the child */
    ck_assert(!dlw_life_is_before(life, parent, child));
    ck_assert(dlw_life_are_concurrent(life, parent, child));
}
END_TEST

START_TEST(test_before_when_joined)
{
    dlw_segment parent = dlw_life_start(life, 1, 0);
    dlw_segment child = create(2, &parent);
    dlw_segment other = create(3, &parent);

    record(child);
    record(other);
    uint32_t era = dlw_life_era(life, parent);
    parent = dlw_life_join(life, parent, child);
    ck_assert_uint_ne(dlw_life_era(life, parent), era);
    ck_assert(dlw_life_is_before(life, child, parent));
    ck_assert(dlw_life_are_concurrent(life, other, parent));
}
END_TEST

START_TEST(test_era_stays_when_joined_thread_did_nothing)
{
    dlw_segment parent = dlw_life_start(life, 1, 0);

    record(parent);
    dlw_segment child = create(2, &parent);
    uint32_t era = dlw_life_era(life, parent);
    dlw_segment joined = dlw_life_join(life, parent, child);
    ck_assert_uint_eq(joined, parent);
    ck_assert_uint_eq(dlw_life_era(life, joined), era);
}
END_TEST

START_TEST(test_before_when_a_barrier_is_passed_together)
{
    dlw_segment one = dlw_life_start(life, 1, 0);
    dlw_segment two = dlw_life_start(life, 2, 0);
    dlw_segment three = dlw_life_start(life, 3, 0);
    dlw_segment early_one = one;
    dlw_segment early_two = two;

    record(one);
    record(two);
    record(three);
    dlw_segment round = dlw_life_gather(life, 0, one);
    round = dlw_life_gather(life, round, two);
    one = dlw_life_join(life, one, round);
    two = dlw_life_join(life, two, round);
    dlw_life_unref(life, round);
    ck_assert(dlw_life_is_before(life, early_one, two));
    ck_assert(dlw_life_is_before(life, early_two, one));
    ck_assert(dlw_life_are_concurrent(life, one, two));
    ck_assert(dlw_life_are_concurrent(life, one, three));
}
END_TEST

static dlw_segment pass(dlw_segment *one, dlw_segment *two)
{
    dlw_segment round = dlw_life_gather(life, 0, *one);

    round = dlw_life_gather(life, round, *two);
    *one = dlw_life_join(life, *one, round);
    *two = dlw_life_join(life, *two, round);
    dlw_life_unref(life, round);
    return round;
}

START_TEST(test_round_before_stands_when_nothing_was_recorded_since)
{
    dlw_segment one = dlw_life_start(life, 1, 0);
    dlw_segment two = dlw_life_start(life, 2, 0);

    record(one);
    record(two);
    dlw_segment first = pass(&one, &two);
    size_t count = dlw_life_count(life);
    dlw_segment old_one = one;
    ck_assert_uint_eq(pass(&one, &two), first);
    ck_assert_uint_eq(one, old_one);
    ck_assert(dlw_life_is_directly_before(life, first, one));
    ck_assert_uint_eq(dlw_life_count(life), count);
    record(one); /* this must come before what follows the next round */
    ck_assert_uint_ne(pass(&one, &two), first);
    ck_assert(dlw_life_is_before(life, old_one, two));
    ck_assert(!dlw_life_is_directly_before(life, first, two));
}
END_TEST

START_TEST(test_round_is_new_when_the_second_to_arrive_recorded)
{
    dlw_segment one = dlw_life_start(life, 1, 0);
    dlw_segment two = dlw_life_start(life, 2, 0);

    record(one);
    record(two);
    dlw_segment first = pass(&one, &two);
    dlw_segment old_two = two;
    record(two);
    ck_assert_uint_ne(pass(&one, &two), first);
    ck_assert(dlw_life_is_before(life, old_two, one));
    dlw_life_check_invariants(life);
}
END_TEST

START_TEST(test_nothing_is_ordered_with_segment_zero)
{
    dlw_segment one = dlw_life_start(life, 1, 0);

    ck_assert(!dlw_life_is_before(life, 0, one));
    ck_assert(!dlw_life_is_before(life, one, 0));
    ck_assert(dlw_life_are_concurrent(life, 0, one));
    ck_assert(dlw_life_are_concurrent(life, 0, 0));
}
END_TEST

START_TEST(test_memory_is_flat_when_a_million_threads_come_and_go)
{
    dlw_segment parent = dlw_life_start(life, 1, 0);
    size_t in_use = arena.in_use;

    for (uint32_t i = 0; i < 1000000; i++) {
        dlw_segment child = create(i + 2, &parent);
        record(child);
        record(parent);
        dlw_segment recorded = parent;
        parent = dlw_life_join(life, parent, child);
        dlw_life_unref(life, recorded); /* the evidence */
        dlw_life_unref(life, child);
        dlw_life_unref(life, child); /* the thread */
        ck_assert_uint_le(dlw_life_count(life), 2);
    }
    ck_assert_uint_eq(arena.in_use, in_use);
}
END_TEST

START_TEST(test_memory_is_flat_when_barriers_go_on_and_on)
{
    enum { N = 8 };
    dlw_segment threads[N];

    for (uint32_t i = 0; i < N; i++)
        threads[i] = dlw_life_start(life, i + 1, 0);
    for (uint32_t n = 0; n < 20000; n++) {
        dlw_segment round = 0;
        record(threads[n % N]);
        dlw_segment recorded = threads[n % N];
        for (uint32_t i = 0; i < N; i++)
            round = dlw_life_gather(life, round, threads[i]);
        for (uint32_t i = 0; i < N; i++)
            threads[i] = dlw_life_join(life, threads[i], round);
        dlw_life_unref(life, round);
        dlw_life_unref(life, recorded);
        ck_assert_uint_le(dlw_life_count(life), 3 * N);
    }
}
END_TEST

/* The model: every event of every thread is a point, ordered by plain reachability. */
enum { THREADS = 5, MOST_POINTS = 600 };

struct naive {
    bool before[MOST_POINTS][MOST_POINTS];
    uint32_t thread[MOST_POINTS];
    dlw_segment segment[MOST_POINTS]; /* of recorded points; referenced */
    uint32_t n;
    uint32_t now[THREADS]; /* each thread's last point */
    uint32_t ids[THREADS];
    dlw_segment segments[THREADS];
};

static struct naive naive;

/* A new point after `a` and, unless 0, `b`. */
static uint32_t point(uint32_t thread, uint32_t a, uint32_t b)
{
    uint32_t id = ++naive.n;

    naive.thread[id] = thread;
    naive.segment[id] = 0;
    for (uint32_t i = 0; i < id; i++)
        naive.before[i][id] =
            (a && (i == a || naive.before[i][a])) || (b && (i == b || naive.before[i][b]));
    return id;
}

static void naive_step(uint32_t *next_thread)
{
    uint32_t i = random_below(THREADS);
    uint32_t j = random_below(THREADS);

    switch (random_below(8)) {
    case 0: /* j ends and is joined by i, which creates another in its place */
        if (i == j)
            break;
        naive.segments[i] = dlw_life_join(life, naive.segments[i], naive.segments[j]);
        dlw_life_unref(life, naive.segments[j]);
        naive.now[i] = point(naive.ids[i], naive.now[i], naive.now[j]);
        naive.ids[j] = ++*next_thread;
        naive.segments[j] = create(naive.ids[j], &naive.segments[i]);
        naive.now[j] = point(naive.ids[j], naive.now[i], 0);
        naive.now[i] = point(naive.ids[i], naive.now[i], 0);
        break;
    case 1: { /* i and j meet at a barrier */
        if (i == j)
            break;
        dlw_segment round = dlw_life_gather(life, 0, naive.segments[i]);
        round = dlw_life_gather(life, round, naive.segments[j]);
        naive.segments[i] = dlw_life_join(life, naive.segments[i], round);
        naive.segments[j] = dlw_life_join(life, naive.segments[j], round);
        dlw_life_unref(life, round);
        uint32_t meeting = point(0, naive.now[i], naive.now[j]);
        naive.now[i] = point(naive.ids[i], meeting, 0);
        naive.now[j] = point(naive.ids[j], meeting, 0);
        break;
    }
    case 2: { /* an old record is dropped */
        uint32_t old = random_below(naive.n) + 1;
        dlw_life_unref(life, naive.segment[old]);
        naive.segment[old] = 0;
        break;
    }
    default:
        naive.now[i] = point(naive.ids[i], naive.now[i], 0);
        naive.segment[naive.now[i]] = naive.segments[i];
        record(naive.segments[i]);
    }
}

static void naive_compare(uint32_t a, uint32_t b)
{
    dlw_segment first = naive.segment[a];
    dlw_segment second = naive.segment[b];

    if (!first || !second || first == second)
        return;
    ck_assert_int_eq(dlw_life_is_before(life, first, second), naive.before[a][b]);
    if (naive.thread[a] != naive.thread[b])
        ck_assert_int_eq(dlw_life_are_concurrent(life, first, second),
                         !naive.before[a][b] && !naive.before[b][a]);
}

static void naive_round(void)
{
    uint32_t next_thread = 0;

    naive.n = 0;
    for (uint32_t i = 0; i < THREADS; i++) {
        naive.ids[i] = ++next_thread;
        naive.segments[i] = dlw_life_start(life, naive.ids[i], 0);
        naive.now[i] = point(naive.ids[i], 0, 0);
    }
    while (naive.n < MOST_POINTS / 10)
        naive_step(&next_thread);
    dlw_life_check_invariants(life);
    for (uint32_t a = 1; a <= naive.n; a++) {
        for (uint32_t b = 1; b <= naive.n; b++)
            naive_compare(a, b);
    }
    for (uint32_t i = 1; i <= naive.n; i++)
        dlw_life_unref(life, naive.segment[i]);
    for (uint32_t i = 0; i < THREADS; i++)
        dlw_life_unref(life, naive.segments[i]);
    ck_assert_uint_eq(dlw_life_count(life), 0);
}

START_TEST(test_order_is_that_of_the_naive_model)
{
    uint64_t rounds = random_start("DLW_ROUNDS", 3000);

    for (uint64_t i = 0; i < rounds; i++)
        naive_round();
}
END_TEST

Suite *graph_life_suite(void)
{
    Suite *suite = suite_create("graph_life");
    TCase *rules = tcase_create("rules");

    tcase_set_timeout(rules, 120);
    tcase_add_checked_fixture(rules, start, end);
    tcase_add_test(rules, test_before_when_created);
    tcase_add_test(rules, test_same_segment_when_nothing_was_recorded);
    tcase_add_test(rules, test_before_when_joined);
    tcase_add_test(rules, test_era_stays_when_joined_thread_did_nothing);
    tcase_add_test(rules, test_before_when_a_barrier_is_passed_together);
    tcase_add_test(rules, test_round_before_stands_when_nothing_was_recorded_since);
    tcase_add_test(rules, test_round_is_new_when_the_second_to_arrive_recorded);
    tcase_add_test(rules, test_nothing_is_ordered_with_segment_zero);
    tcase_add_test(rules, test_memory_is_flat_when_a_million_threads_come_and_go);
    tcase_add_test(rules, test_memory_is_flat_when_barriers_go_on_and_on);
    tcase_add_test(rules, test_order_is_that_of_the_naive_model);
    suite_add_tcase(suite, rules);
    return suite;
}
