/* Names that others wrote, as they may be shown. */
#include "report/command/base/clean.h"

#include <check.h>
#include <string.h>

Suite *command_clean_suite(void);

static void expect(const char *text, const char *wanted)
{
    struct dlw_region region = {0};
    ck_assert_str_eq(dlw_clean(&region, text), wanted);
    dlw_region_free(&region);
}

START_TEST(test_clean_text_stays)
{
    struct dlw_region region = {0};
    expect("", "");
    expect("transfer(int, char const*)", "transfer(int, char const*)");
    expect("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\x92 \xef\xbf\xbd",
           "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\x92 \xef\xbf\xbd");
    expect("\xc2\xa0\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbd",
           "\xc2\xa0\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbd");
    ck_assert_ptr_null(dlw_clean(&region, NULL));
}
END_TEST

START_TEST(test_clean_when_controls)
{
    expect("a\n::error::b\tc\r", "a?::error::b?c?");
    expect("\x1b[31m\x7f", "?[31m?");
    expect("\xc2\x80\xc2\x9f", "??");
    expect("\xe2\x80\xa8\xe2\x80\xa9", "??");
}
END_TEST

START_TEST(test_clean_when_direction_turns)
{
    expect("\xe2\x80\xaa\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9\xd8\x9c\xe2\x80\x8e", "??????");
    /* Their neighbours are characters. */
    expect("\xe2\x80\xaf\xe2\x81\xa5", "\xe2\x80\xaf\xe2\x81\xa5");
}
END_TEST

START_TEST(test_clean_when_no_characters)
{
    expect("\xef\xbf\xbe\xef\xbf\xbf\xef\xb7\x90\xf0\x9f\xbf\xbe", "????");
}
END_TEST

START_TEST(test_clean_when_no_utf8)
{
#define R "\xef\xbf\xbd"
    expect("caf\xe9", "caf" R);
    expect("\xc3", R);
    expect("\xe2\x82", R R);
    expect("\xc0\xaf\xe0\x80\xaf", R R R R R);       /* longer than they need be */
    expect("\xed\xa0\x80", R R R);                   /* half a pair of UTF-16 */
    expect("\xf4\x90\x80\x80\xf8\x80", R R R R R R); /* beyond the last */
    expect("\xff\xfe", R R);
    expect("\xc3\n", R "?");
}
END_TEST

START_TEST(test_clean_into_when_room_ends)
{
    char out[8];
    dlw_clean_into(out, sizeof(out), "\tabc\xe2\x82\xac", true);
    ck_assert_str_eq(out, "\tabc");
    dlw_clean_into(out, sizeof(out), "a\tb\nc", false);
    ck_assert_str_eq(out, "a?b?");
    ck_assert_uint_eq(dlw_clean_fit("ab\xe2\x82\xac", 4), 2);
    ck_assert_uint_eq(dlw_clean_fit("ab\xe2\x82\xac", 5), 5);
    ck_assert_uint_eq(dlw_clean_fit("ab", 9), 2);
}
END_TEST

Suite *command_clean_suite(void)
{
    Suite *suite = suite_create("command_clean");
    TCase *tests = tcase_create("clean");
    tcase_add_test(tests, test_clean_text_stays);
    tcase_add_test(tests, test_clean_when_controls);
    tcase_add_test(tests, test_clean_when_direction_turns);
    tcase_add_test(tests, test_clean_when_no_characters);
    tcase_add_test(tests, test_clean_when_no_utf8);
    tcase_add_test(tests, test_clean_into_when_room_ends);
    suite_add_tcase(suite, tests);
    return suite;
}
