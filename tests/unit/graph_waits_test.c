/* The wait-for graph, on made-up worlds. */
#include "graph/waits.h"
#include "tests/unit/graph_random.h"

#include <check.h>
#include <string.h>

Suite *graph_waits_suite(void);

enum { MOST_THREADS = 1000, MOST_OWNERS = 40 };

struct model_thread {
    struct dlw_wait wait;
    struct dlw_owner owners[MOST_OWNERS];
    uint32_t n_owners;
    bool is_unknown;
};

struct model {
    struct model_thread threads[MOST_THREADS + 1];
    uint32_t n;
    uint32_t reads;
    uint32_t change_at; /* after this many reads of waits, `changing` wakes */
    uint32_t changing;
    uint32_t owner_reads;
    uint32_t lose_at; /* after this many reads of owners, `changing` has none */
};

static struct model model;
static struct dlw_arena arena;

static bool wait_of(void *context, uint32_t thread, struct dlw_wait *out)
{
    (void)context;
    if (model.change_at && ++model.reads == model.change_at)
        model.threads[model.changing].wait.sequence += 2;
    *out = model.threads[thread].wait;
    return !model.threads[thread].is_unknown;
}

static int owners_of(void *context, uint32_t thread, const struct dlw_wait *wait,
                     struct dlw_owner *out, uint32_t room)
{
    const struct model_thread *from = &model.threads[thread];
    uint32_t n = from->n_owners < room ? from->n_owners : room;

    (void)context;
    ck_assert_uint_eq(wait->on, from->wait.on);
    if (model.lose_at && ++model.owner_reads >= model.lose_at && thread == model.changing)
        n = 0;
    memcpy(out, from->owners, n * sizeof(*out));
    return (int)n;
}

static int threads(void *context, uint32_t *out, uint32_t room)
{
    uint32_t n = model.n < room ? model.n : room;

    (void)context;
    for (uint32_t i = 0; i < n; i++)
        out[i] = model.n - i;
    return (int)n;
}

static const struct dlw_live_view world = {
    .wait_of = wait_of, .owners_of = owners_of, .threads = threads};

static void start(void)
{
    memset(&model, 0, sizeof(model));
    memset(&arena, 0, sizeof(arena));
}

static void end(void)
{
    ck_assert_uint_eq(arena.in_use, 0);
}

static void waits(uint32_t thread, enum dlw_wait_kind kind)
{
    model.threads[thread].wait =
        (struct dlw_wait){.sequence = 1, .on = 1000 + thread, .kind = (uint8_t)kind};
    if (thread > model.n)
        model.n = thread;
}

static void waits_for(uint32_t thread, uint32_t owner)
{
    struct model_thread *from = &model.threads[thread];

    if (!from->wait.kind)
        waits(thread, DLW_WAIT_LOCK);
    from->owners[from->n_owners++] = (struct dlw_owner){owner, DLW_EXCLUSIVE, false};
}

static uint32_t cycle_length(uint32_t from)
{
    struct dlw_wait_cycle cycle;
    uint32_t length = 0;

    if (dlw_waits_find_cycle(&world, &arena, from, &cycle)) {
        length = cycle.length;
        ck_assert_uint_eq(cycle.steps[0].thread, from);
        for (uint32_t i = 0; i + 1 < length; i++)
            ck_assert_uint_eq(cycle.steps[i].owner.thread, cycle.steps[i + 1].thread);
        uint32_t last = cycle.steps[length - 1].owner.thread;
        ck_assert(last == from || (last == 0 && length == 1));
    }
    dlw_wait_cycle_free(&arena, &cycle);
    return length;
}

START_TEST(test_cycle_when_two_wait_for_each_other)
{
    waits_for(1, 2);
    ck_assert_uint_eq(cycle_length(1), 0);
    waits_for(2, 1);
    ck_assert_uint_eq(cycle_length(1), 2);
    ck_assert_uint_eq(cycle_length(2), 2);
}
END_TEST

START_TEST(test_cycle_of_one_when_waiting_for_itself)
{
    waits_for(1, 1);
    ck_assert_uint_eq(cycle_length(1), 1);
}
END_TEST

START_TEST(test_cycle_of_one_when_the_holder_is_gone)
{
    waits_for(1, 0);
    waits_for(2, 1);
    ck_assert_uint_eq(cycle_length(1), 1);
    ck_assert_uint_eq(cycle_length(2), 0); /* said by 1 */
}
END_TEST

START_TEST(test_cycle_when_a_thousand_wait)
{
    for (uint32_t i = 1; i <= MOST_THREADS; i++)
        waits_for(i, i % MOST_THREADS + 1);
    ck_assert_uint_eq(cycle_length(500), MOST_THREADS);
}
END_TEST

START_TEST(test_cycle_when_one_of_many_readers_is_in_it)
{
    for (uint32_t i = 10; i < 10 + MOST_OWNERS; i++)
        waits_for(1, i);
    waits_for(10 + MOST_OWNERS - 1, 1);
    ck_assert_uint_eq(cycle_length(1), 2);
}
END_TEST

START_TEST(test_cycle_when_a_writer_is_ahead)
{
    waits_for(1, 2); /* reads behind writer 2, who waits for reader 1 */
    model.threads[1].owners[0].ahead = true;
    waits_for(2, 1);
    ck_assert_uint_eq(cycle_length(1), 2);
    model.threads[2].wait.timed = true; /* the writer gives up some time */
    ck_assert_uint_eq(cycle_length(1), 0);
}
END_TEST

START_TEST(test_shortest_cycle_when_there_are_two)
{
    waits_for(1, 2);
    waits_for(2, 3);
    waits_for(3, 1);
    waits_for(1, 3);
    ck_assert_uint_eq(cycle_length(1), 2);
}
END_TEST

START_TEST(test_no_cycle_when_it_does_not_come_back)
{
    waits_for(1, 2);
    waits_for(2, 3);
    waits_for(3, 2);
    ck_assert_uint_eq(cycle_length(1), 0);
}
END_TEST

START_TEST(test_no_cycle_when_a_wait_is_timed_or_unknown_or_may_be_woken)
{
    waits_for(1, 2);
    waits_for(2, 1);
    model.threads[2].wait.timed = true;
    ck_assert_uint_eq(cycle_length(1), 0);
    model.threads[2].wait.timed = false;
    model.threads[2].is_unknown = true;
    ck_assert_uint_eq(cycle_length(1), 0);
    model.threads[2].is_unknown = false;
    model.threads[2].wait.kind = DLW_WAIT_SEMAPHORE;
    ck_assert_uint_eq(cycle_length(1), 0);
}
END_TEST

START_TEST(test_no_cycle_when_a_wait_ended_meanwhile)
{
    waits_for(1, 2);
    waits_for(2, 1);
    for (model.changing = 1; model.changing <= 2; model.changing++) {
        model.reads = 0;
        model.change_at = 3; /* both were read once */
        ck_assert_uint_eq(cycle_length(1), 0);
    }
}
END_TEST

START_TEST(test_no_cycle_when_an_owner_let_go_meanwhile)
{
    waits_for(1, 2);
    waits_for(2, 1);
    model.changing = 2;
    model.lose_at = 3;
    ck_assert_uint_eq(cycle_length(1), 0);
}
END_TEST

/* Reduction. */

static int reduce(uint32_t *out)
{
    return dlw_waits_reduce(&world, &arena, out, MOST_THREADS);
}

START_TEST(test_reduce_finds_who_hangs_on_a_cycle)
{
    uint32_t dead[MOST_THREADS];

    waits_for(1, 2);
    waits_for(2, 1);
    waits_for(3, 1);
    waits_for(4, 5); /* 5 runs */
    waits(5, DLW_WAIT_NONE);
    ck_assert_int_eq(reduce(dead), 3);
    ck_assert_uint_eq(dead[0] + dead[1] + dead[2], 6);
}
END_TEST

START_TEST(test_reduce_finds_all_when_nobody_could_wake)
{
    uint32_t dead[MOST_THREADS];

    waits(1, DLW_WAIT_CONDITION);
    waits(2, DLW_WAIT_SEMAPHORE);
    waits_for(3, 2);
    ck_assert_int_eq(reduce(dead), 3);
    waits(4, DLW_WAIT_SYSCALL);
    ck_assert_int_eq(reduce(dead), 0);
    waits(4, DLW_WAIT_LOCK); /* nobody holds it: it is just getting it */
    ck_assert_int_eq(reduce(dead), 0);
    waits_for(4, 0);
    ck_assert_int_eq(reduce(dead), 4);
}
END_TEST

static bool only_one_wakes(void *context, uint32_t thread, const struct dlw_wait *wait)
{
    (void)context;
    (void)wait;
    return thread == 1;
}

START_TEST(test_reduce_asks_who_could_wake)
{
    struct dlw_live_view asked = world;
    uint32_t dead[MOST_THREADS];

    asked.could_wake = only_one_wakes;
    waits_for(1, 1);
    waits(2, DLW_WAIT_SEMAPHORE);
    waits(3, DLW_WAIT_NONE);
    ck_assert_int_eq(dlw_waits_reduce(&asked, &arena, dead, MOST_THREADS), 2);
    model.threads[1].wait.timed = true;
    ck_assert_int_eq(dlw_waits_reduce(&asked, &arena, dead, MOST_THREADS), 0);
}
END_TEST

START_TEST(test_reduce_gives_up_when_something_moved_or_is_unknown)
{
    uint32_t dead[MOST_THREADS];

    waits_for(1, 2);
    waits_for(2, 1);
    model.change_at = 3;
    model.changing = 2;
    ck_assert_int_eq(reduce(dead), -1);
    model.change_at = 0;
    model.threads[2].is_unknown = true;
    ck_assert_int_eq(reduce(dead), -1);
}
END_TEST

/* Random worlds against the definitions, taken literally. */
enum { FEW = 8 };

static void random_world(void)
{
    memset(&model, 0, sizeof(model));
    model.n = random_below(FEW) + 1;
    for (uint32_t i = 1; i <= model.n; i++) {
        static const uint8_t kinds[] = {DLW_WAIT_LOCK, DLW_WAIT_LOCK, DLW_WAIT_JOIN, DLW_WAIT_NONE,
                                        DLW_WAIT_SEMAPHORE};
        waits(i, kinds[random_below(5)]);
        model.threads[i].wait.timed = random_below(10) == 0;
        for (uint32_t k = random_below(3); k > 0; k--)
            waits_for(i, random_below(10) ? random_below(model.n) + 1 : 0);
    }
}

static bool is_and(uint32_t thread)
{
    const struct dlw_wait *wait = &model.threads[thread].wait;

    return !wait->timed && (wait->kind == DLW_WAIT_LOCK || wait->kind == DLW_WAIT_JOIN);
}

static uint32_t naive_cycle(uint32_t start)
{
    uint32_t distance[FEW + 1] = {0};

    if (!is_and(start))
        return 0;
    for (uint32_t i = 0; i < model.threads[start].n_owners; i++) {
        if (model.threads[start].owners[i].thread == 0)
            return 1;
    }
    for (uint32_t length = 1; length <= model.n; length++) { /* one more edge each time */
        bool reached[FEW + 1] = {false};
        for (uint32_t i = 1; i <= model.n; i++) {
            if (!is_and(i) || (length == 1 ? i != start : distance[i] != length - 1))
                continue;
            for (uint32_t k = 0; k < model.threads[i].n_owners; k++)
                reached[model.threads[i].owners[k].thread] = true;
        }
        if (reached[start])
            return length;
        for (uint32_t i = 1; i <= model.n; i++) {
            if (reached[i] && !distance[i])
                distance[i] = length;
        }
    }
    return 0;
}

static bool is_dead_in(uint32_t set, uint32_t thread)
{
    const struct model_thread *from = &model.threads[thread];

    if (from->wait.timed || from->wait.kind == DLW_WAIT_NONE)
        return false;
    if (!is_and(thread))
        return set == (1U << model.n) - 1;
    for (uint32_t k = 0; k < from->n_owners; k++) {
        uint32_t owner = from->owners[k].thread;
        if (owner == 0 || (set >> (owner - 1) & 1))
            return true;
    }
    return false;
}

/* The greatest set, by trying all. */
static uint32_t naive_reduce(void)
{
    uint32_t greatest = 0;

    for (uint32_t set = 0; set < 1U << model.n; set++) {
        bool holds = true;
        for (uint32_t i = 1; i <= model.n; i++)
            holds &= !(set >> (i - 1) & 1) || is_dead_in(set, i);
        if (holds)
            greatest |= set;
    }
    return greatest;
}

START_TEST(test_random_worlds_are_as_defined)
{
    uint64_t rounds = random_start("DLW_ROUNDS", 100000);
    uint32_t cycles = 0;
    uint32_t dead_worlds = 0;

    for (uint64_t round = 0; round < rounds; round++) {
        uint32_t dead[FEW];
        uint32_t set = 0;
        random_world();
        for (uint32_t i = 1; i <= model.n; i++) {
            uint32_t length = naive_cycle(i);
            ck_assert_uint_eq(cycle_length(i), length);
            cycles += length > 0;
        }
        int n = dlw_waits_reduce(&world, &arena, dead, FEW);
        for (int i = 0; i < n; i++)
            set |= 1U << (dead[i] - 1);
        ck_assert_int_ge(n, 0);
        ck_assert_uint_eq(set, naive_reduce());
        dead_worlds += n > 0;
    }
    ck_assert_uint_gt(cycles, 0);
    ck_assert_uint_gt(dead_worlds, 0);
}
END_TEST

Suite *graph_waits_suite(void)
{
    Suite *suite = suite_create("graph_waits");
    TCase *rules = tcase_create("rules");

    tcase_set_timeout(rules, 120);
    tcase_add_checked_fixture(rules, start, end);
    tcase_add_test(rules, test_cycle_when_two_wait_for_each_other);
    tcase_add_test(rules, test_cycle_of_one_when_waiting_for_itself);
    tcase_add_test(rules, test_cycle_of_one_when_the_holder_is_gone);
    tcase_add_test(rules, test_cycle_when_a_thousand_wait);
    tcase_add_test(rules, test_cycle_when_one_of_many_readers_is_in_it);
    tcase_add_test(rules, test_cycle_when_a_writer_is_ahead);
    tcase_add_test(rules, test_shortest_cycle_when_there_are_two);
    tcase_add_test(rules, test_no_cycle_when_it_does_not_come_back);
    tcase_add_test(rules, test_no_cycle_when_a_wait_is_timed_or_unknown_or_may_be_woken);
    tcase_add_test(rules, test_no_cycle_when_a_wait_ended_meanwhile);
    tcase_add_test(rules, test_no_cycle_when_an_owner_let_go_meanwhile);
    tcase_add_test(rules, test_reduce_finds_who_hangs_on_a_cycle);
    tcase_add_test(rules, test_reduce_finds_all_when_nobody_could_wake);
    tcase_add_test(rules, test_reduce_asks_who_could_wake);
    tcase_add_test(rules, test_reduce_gives_up_when_something_moved_or_is_unknown);
    tcase_add_test(rules, test_random_worlds_are_as_defined);
    suite_add_tcase(suite, rules);
    return suite;
}
