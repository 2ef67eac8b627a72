/* The set of journals an edge was seen in: a list that turns into bits, and the same either way. */
#include "report/command/merge/seen.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *command_seen_suite(void);

enum { HIGHEST = 20000 };

static void compare(const struct dlw_seen *seen, const bool *model)
{
    static uint32_t numbers[HIGHEST];
    size_t n = dlw_seen_numbers(seen, NULL), at = 0;
    ck_assert_uint_le(n, HIGHEST);
    ck_assert_uint_eq(dlw_seen_numbers(seen, numbers), n);
    for (uint32_t i = 0; i < HIGHEST; i++) {
        ck_assert_int_eq(dlw_seen_has(seen, i), model[i]);
        if (model[i])
            ck_assert_uint_eq(numbers[at++], i);
    }
    ck_assert_uint_eq(at, n);
}

START_TEST(test_numbers_in_any_order)
{
    static bool model[HIGHEST];
    struct dlw_seen seen = {.n = 0};
    memset(model, 0, sizeof(model));
    srand(11);
    compare(&seen, model);
    for (int i = 0; i < 3000; i++) {
        uint32_t number = (uint32_t)rand() % (i < 1000 ? HIGHEST : 700);
        dlw_seen_add(&seen, number);
        model[number] = true;
        if (i % 97 == 0)
            compare(&seen, model);
    }
    compare(&seen, model);
    ck_assert_ptr_nonnull(seen.bits);
    dlw_seen_free(&seen);
    memset(model, 0, sizeof(model));
    compare(&seen, model);
}
END_TEST

START_TEST(test_few_of_many_stay_a_list)
{
    struct dlw_seen seen = {.n = 0};
    for (uint32_t i = 0; i < 10000; i += 100) {
        dlw_seen_add(&seen, i);
        dlw_seen_add(&seen, i);
    }
    ck_assert_ptr_null(seen.bits);
    ck_assert_uint_eq(seen.n, 100);
    ck_assert_uint_le(seen.room, 160);
    dlw_seen_free(&seen);
}
END_TEST

Suite *command_seen_suite(void)
{
    Suite *suite = suite_create("command_seen");
    TCase *tests = tcase_create("seen");
    tcase_add_test(tests, test_numbers_in_any_order);
    tcase_add_test(tests, test_few_of_many_stay_a_list);
    suite_add_tcase(suite, tests);
    return suite;
}
