/* The choice of players for the roles of a known deadlock, against one that tries all of them. */
#include "graph/finding.h"
#include "graph/instance.h"
#include "tests/unit/graph_random.h"

#include <check.h>

enum { EX = DLW_EXCLUSIVE, SH = DLW_SHARED, ROOM = 8 };

static const struct dlw_part two[] = {{EX, EX, 1}, {EX, EX, 2}};
static const struct dlw_part three[] = {{EX, EX, 1}, {EX, EX, 2}, {EX, EX, 3}};

/* The last of them is who asks. */
static bool closes(const struct dlw_part *parts, uint32_t n, const struct dlw_player *all,
                   uint32_t n_all)
{
    uint32_t chosen[ROOM];
    return dlw_instance_closes(parts, n, all, n_all, n_all - 1, chosen);
}

START_TEST(two_between_their_locks)
{
    struct dlw_player all[] = {{1, 0, 'a', 0, false}, {2, 1, 'b', 0, false}};

    ck_assert(closes(two, 2, all, 2));
    ck_assert(!closes(two, 2, all + 1, 1)); /* alone */
    all[0].is_through = true;
    ck_assert(!closes(two, 2, all, 2));
}
END_TEST

START_TEST(one_thread_plays_one_role)
{
    struct dlw_player all[] = {{1, 0, 'a', 0, false}, {1, 1, 'b', 0, false}};

    ck_assert(!closes(two, 2, all, 2));
}
END_TEST

START_TEST(other_locks_go_on)
{
    struct dlw_player all[] = {{1, 0, 'a', 'b', false}, {2, 1, 'c', 0, false}};

    ck_assert(!closes(two, 2, all, 2));
    all[1].lock = 'b';
    ck_assert(closes(two, 2, all, 2));
}
END_TEST

START_TEST(readers_let_each_other_in)
{
    struct dlw_part parts[] = {{SH, SH, 1}, {EX, EX, 2}};
    struct dlw_player all[] = {{1, 1, 'b', 0, false}, {2, 0, 'a', 0, false}};

    ck_assert(closes(parts, 2, all, 2));
    parts[1].want_mode = SH;
    ck_assert(!closes(parts, 2, all, 2));
}
END_TEST

START_TEST(an_upgrade_is_of_one_lock)
{
    const struct dlw_part parts[] = {{SH, EX, 1}, {SH, EX, 1}};
    struct dlw_player all[] = {{1, 0, 'a', 0, false}, {2, 1, 'b', 0, false}};

    ck_assert(!closes(parts, 2, all, 2));
    all[1].lock = 'a';
    ck_assert(closes(parts, 2, all, 2));
}
END_TEST

START_TEST(all_roles_of_three)
{
    struct dlw_player all[] = {
        {1, 0, 'a', 0, false}, {2, 1, 'b', 'c', false}, {3, 2, 'c', 0, false}};

    ck_assert(closes(three, 3, all, 3));
    all[1].asks = 'd';
    ck_assert(!closes(three, 3, all, 3));
    all[1].role = 0;
    all[1].asks = 0;
    ck_assert(!closes(three, 3, all, 3));
}
END_TEST

START_TEST(any_role)
{
    const uint32_t any = DLW_ANY_ROLE;
    struct dlw_player all[] = {
        {1, any, 'a', 'b', false}, {2, any, 'b', 'c', false}, {3, any, 'c', 0, false}};

    ck_assert(closes(three, 3, all, 3));
    ck_assert(closes(two, 2, all, 3)); /* of the last two */
    all[1].asks = 'd';
    ck_assert(!closes(three, 3, all, 3));
    ck_assert(!closes(two, 2, all, 3));
}
END_TEST

/* ---- against the naive model: every assignment, every rule at the end ---- */

static bool is_instance(const struct dlw_part *parts, uint32_t n, const struct dlw_player *all,
                        const uint32_t *chosen)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct dlw_player *who = &all[chosen[i]], *next = &all[chosen[(i + 1) % n]];
        if (who->role != i || who->is_through || (who->asks && who->asks != next->lock) ||
            (parts[i].want_mode == SH && parts[(i + 1) % n].hold_mode == SH))
            return false;
        for (uint32_t k = 0; k < i; k++)
            if (all[chosen[k]].thread == who->thread ||
                (all[chosen[k]].lock == who->lock) != (parts[k].lock == parts[i].lock))
                return false;
    }
    return true;
}

static bool naive(const struct dlw_part *parts, uint32_t n, const struct dlw_player *all,
                  uint32_t n_all, uint32_t me)
{
    uint32_t chosen[ROOM] = {0};

    for (;;) {
        if (chosen[all[me].role] == me && is_instance(parts, n, all, chosen))
            return true;
        uint32_t i = 0;
        while (i < n && ++chosen[i] == n_all)
            chosen[i++] = 0;
        if (i == n)
            return false;
    }
}

static uint8_t any_mode(void)
{
    return random_below(4) ? EX : SH;
}

START_TEST(as_the_naive_model)
{
    unsigned loud = 0, total = (unsigned)random_start("DLW_ROUNDS", 20000);

    for (unsigned round = 0; round < total; round++) {
        struct dlw_part parts[4];
        struct dlw_player all[7];
        uint32_t n = 2 + random_below(3), n_all = 1 + random_below(7), chosen[ROOM];
        for (uint32_t i = 0; i < n; i++)
            parts[i] = (struct dlw_part){any_mode(), any_mode(), random_below(8) ? i : 0};
        for (uint32_t i = 0; i < n_all; i++)
            all[i] = (struct dlw_player){1 + random_below(5), random_below(n), 10 + random_below(5),
                                         random_below(4) ? 0 : 10 + random_below(5),
                                         random_below(6) == 0};
        uint32_t me = random_below(n_all);
        bool is_found = dlw_instance_closes(parts, n, all, n_all, me, chosen);
        ck_assert_int_eq(is_found, naive(parts, n, all, n_all, me));
        if (is_found)
            ck_assert(is_instance(parts, n, all, chosen) && chosen[all[me].role] == me);
        loud += is_found;
    }
    ck_assert_uint_gt(loud, total / 50); /* both answers are tried */
    ck_assert_uint_lt(loud, total - total / 50);
}
END_TEST

Suite *graph_instance_suite(void);
Suite *graph_instance_suite(void)
{
    Suite *suite = suite_create("graph_instance");
    TCase *tests = tcase_create("instance");

    suite_add_tcase(suite, tests);
    tcase_add_test(tests, two_between_their_locks);
    tcase_add_test(tests, one_thread_plays_one_role);
    tcase_add_test(tests, other_locks_go_on);
    tcase_add_test(tests, readers_let_each_other_in);
    tcase_add_test(tests, an_upgrade_is_of_one_lock);
    tcase_add_test(tests, all_roles_of_three);
    tcase_add_test(tests, any_role);
    tcase_add_test(tests, as_the_naive_model);
    return suite;
}
