/* The words of graph/kinds.def, and the sentences made of them. */
#include "report/command/document/words.h"

#include "graph/kinds.h"

#include <check.h>
#include <string.h>

START_TEST(test_every_word_is_found_again)
{
    for (int i = 0; i < DLW_N_KINDS; i++)
        ck_assert_int_eq(dlw_kind_find(dlw_kind_word((unsigned)i)), i);
    for (int i = DLW_WAIT_NONE + 1; i < DLW_N_WAIT_KINDS; i++)
        ck_assert_int_eq(dlw_wait_find(dlw_wait_word((unsigned)i)), i);
    for (int i = DLW_FEASIBLE + 1; i < DLW_N_HARMLESS; i++)
        ck_assert_int_eq(dlw_harmless_find(dlw_harmless_word((unsigned)i)), i);
}
END_TEST

START_TEST(test_what_is_none_has_no_word)
{
    ck_assert_str_eq(dlw_kind_word(DLW_N_KINDS), "");
    ck_assert_str_eq(dlw_wait_word(DLW_N_WAIT_KINDS), "");
    ck_assert_str_eq(dlw_lock_kind_word(255), "");
    ck_assert_str_eq(dlw_mode_word(DLW_N_MODES), "");
    ck_assert_int_eq(dlw_kind_find("dead"), -1);
    ck_assert_int_eq(dlw_wait_find(""), -1);
    ck_assert_int_eq(dlw_harmless_find(""), -1);
}
END_TEST

START_TEST(test_every_kind_has_its_sentences)
{
    for (unsigned i = 0; i < DLW_N_KINDS; i++) {
        const struct dlw_kind_words *words = dlw_kind_words(i);
        bool is_call = dlw_kind_form(i) == DLW_FORM_CALL;
        ck_assert_uint_gt(strlen(words->summary), 0);
        ck_assert_uint_gt(strlen(words->description), 0);
        ck_assert_uint_gt(strlen(words->advice), 0);
        ck_assert_int_eq(words->verb != NULL, is_call);
        ck_assert_int_eq(words->message && strstr(words->message, "{lock}"), is_call);
    }
}
END_TEST

START_TEST(test_names_are_filled_in)
{
    struct dlw_region region = {0};
    ck_assert_str_eq(dlw_words_fill(&region, "{lock} at {place}: {lock}.", "door", "a.c:1"),
                     "door at a.c:1: door.");
    ck_assert_str_eq(dlw_words_fill(&region, "none", "door", "a.c:1"), "none");
    dlw_region_free(&region);
}
END_TEST

Suite *command_words_suite(void);
Suite *command_words_suite(void)
{
    Suite *suite = suite_create("command_words");
    TCase *tests = tcase_create("kinds.def");
    tcase_add_test(tests, test_every_word_is_found_again);
    tcase_add_test(tests, test_what_is_none_has_no_word);
    tcase_add_test(tests, test_every_kind_has_its_sentences);
    tcase_add_test(tests, test_names_are_filled_in);
    suite_add_tcase(suite, tests);
    return suite;
}
