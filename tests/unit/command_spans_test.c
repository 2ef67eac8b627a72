/* Which range covers an address, against a look at all of them. */
#include "report/command/symbols/spans.h"

#include <check.h>
#include <stdlib.h>

Suite *command_spans_suite(void);

enum { RANGES = 400, SPACE = 2000 };

static bool is_better(const struct dlw_span *a, const struct dlw_span *b)
{
    if (!b || a->low != b->low)
        return !b || a->low > b->low;
    return a->rank > b->rank || (a->rank == b->rank && a->value < b->value);
}

static const struct dlw_span *look_at_all(const struct dlw_span *all, uint64_t address)
{
    const struct dlw_span *best = NULL;
    for (size_t i = 0; i < RANGES; i++)
        if (all[i].low <= address && address < all[i].high && is_better(&all[i], best))
            best = &all[i];
    return best;
}

START_TEST(test_the_innermost_range_is_found)
{
    static struct dlw_span all[RANGES];
    struct dlw_spans spans = {0};
    srand(7);
    for (uint32_t i = 0; i < RANGES; i++) {
        uint64_t low = (uint64_t)(rand() % SPACE);
        uint64_t size = (uint64_t)(i % 40 == 0 ? 500 : rand() % 6);
        all[i] = (struct dlw_span){
            .low = low, .high = low + size, .rank = (uint32_t)rand() % 3, .value = i};
        dlw_spans_add(&spans, all[i]);
    }
    for (uint64_t address = 0; address < SPACE + 600; address++) {
        const struct dlw_span *found = dlw_spans_find(&spans, address);
        const struct dlw_span *wanted = look_at_all(all, address);
        ck_assert_int_eq(found != NULL, wanted != NULL);
        if (found)
            ck_assert_uint_eq(found->value, wanted->value);
    }
    dlw_spans_free(&spans);
}
END_TEST

START_TEST(test_nothing_is_found_in_nothing)
{
    struct dlw_spans spans = {0};
    dlw_spans_add(&spans, (struct dlw_span){.low = 5, .high = 5});
    ck_assert_ptr_null(dlw_spans_find(&spans, 5));
    dlw_spans_free(&spans);
}
END_TEST

Suite *command_spans_suite(void)
{
    Suite *suite = suite_create("command_spans");
    TCase *spans = tcase_create("spans");
    tcase_add_test(spans, test_the_innermost_range_is_found);
    tcase_add_test(spans, test_nothing_is_found_in_nothing);
    suite_add_tcase(suite, spans);
    return suite;
}
