#include "report/emit/options.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct dlw_options options;
static char storage[256];
static char warnings[8][600];
static int n_warnings;

static void collect(void *context, const char *line)
{
    if (context != warnings || strpbrk(line, "\n\r\t\033"))
        ck_abort_msg("%s", line);
    if (n_warnings < 8)
        strcpy(warnings[n_warnings], line);
    n_warnings++;
}

static void parse(const char *text)
{
    n_warnings = 0;
    memset(&options, 0xaa, sizeof options);
    dlw_options_parse(&options, text, storage, sizeof storage, collect, warnings);
}

/* Exactly one warning, which names what is wrong. */
static void assert_warned(const char *first, const char *second)
{
    ck_assert_int_eq(n_warnings, 1);
    ck_assert_msg(strstr(warnings[0], first), "'%s' lacks '%s'", warnings[0], first);
    ck_assert_msg(strstr(warnings[0], second), "'%s' lacks '%s'", warnings[0], second);
}

static void assert_defaults(void)
{
    ck_assert_ptr_null(options.report);
    ck_assert_str_eq(options.log, "stderr");
    ck_assert_int_eq(options.on_deadlock, DLW_THEN_CONTINUE);
    ck_assert_int_eq(options.stall_after, 5);
    ck_assert_int_eq(options.exitcode, 0);
    ck_assert_ptr_null(options.suppressions);
    ck_assert_int_eq(options.show, DLW_SHOW_FEASIBLE);
    ck_assert_int_eq(options.stack_depth, 32);
    ck_assert_int_eq(options.color, DLW_COLOR_AUTO);
    ck_assert_ptr_null(options.exe);
    ck_assert_int_eq(options.marks, 1);
    ck_assert_int_eq(options.argv, 1);
    ck_assert_ptr_null(options.steer);
    ck_assert_int_eq(options.max_reports, 100);
    ck_assert_ptr_null(options.avoid);
    ck_assert_int_eq(options.avoid_limit, 1000);
    ck_assert_int_eq(options.profile, 0);
    ck_assert_int_eq(options.verbosity, 0);
    ck_assert_int_eq(options.help, 0);
}

START_TEST(test_defaults_when_nothing_is_said)
{
    const char *texts[] = {NULL, "", " : \t\n::"};

    parse(texts[_i]);
    ck_assert_int_eq(n_warnings, 0);
    assert_defaults();
}
END_TEST

START_TEST(test_pairs_when_separated_by_colons_or_space)
{
    const char *texts[] = {
        "report=/tmp/%p.dlw:on_deadlock=exit:stall_after=0:show=strict:stack_depth=256",
        "report=/tmp/%p.dlw on_deadlock=exit\tstall_after=0\nshow=strict: stack_depth=256 ",
        ":report=/tmp/%p.dlw::on_deadlock=exit:stall_after='0':show='strict':stack_depth=256:",
    };

    parse(texts[_i]);
    ck_assert_int_eq(n_warnings, 0);
    ck_assert_str_eq(options.report, "/tmp/%p.dlw");
    ck_assert_int_eq(options.on_deadlock, DLW_THEN_EXIT);
    ck_assert_int_eq(options.stall_after, 0);
    ck_assert_int_eq(options.show, DLW_SHOW_STRICT);
    ck_assert_int_eq(options.stack_depth, 256);
}
END_TEST

START_TEST(test_quoted_value_when_it_holds_separators)
{
    parse("report='/tmp/a b:c.dlw':log='it''s=here':verbosity=1");
    ck_assert_int_eq(n_warnings, 0);
    ck_assert_str_eq(options.report, "/tmp/a b:c.dlw");
    ck_assert_str_eq(options.log, "it's=here");
    ck_assert_int_eq(options.verbosity, 1);
    parse("report=/tmp/it's");
    ck_assert_int_eq(n_warnings, 0);
    ck_assert_str_eq(options.report, "/tmp/it's");
}
END_TEST

START_TEST(test_last_one_wins)
{
    parse("report=a:report=b:log=none:log=:stall_after=3:stall_after=7");
    ck_assert_int_eq(n_warnings, 0);
    ck_assert_str_eq(options.report, "b");
    ck_assert_str_eq(options.log, "stderr");
    ck_assert_int_eq(options.stall_after, 7);
}
END_TEST

START_TEST(test_bad_pair_warns_once_and_leaves_the_default)
{
    static const struct {
        const char *text, *first, *second;
    } cases[] = {
        {"repot=x", "'repot'", "did you mean 'report'?"},
        {"stack-depth=3", "'stack-depth'", "'stack_depth'"},
        {"exitcod=3", "'exitcod'", "'exitcode'"},
        {"nonsense=3", "'nonsense'", "unknown option"},
        {"REPORT=x", "'REPORT'", "unknown option"},
        {"=x", "''", "unknown option"},
        {"help", "'help'", "no value"},
        {"exitcode=256", "'exitcode'", "'256' (allowed: 0-255); using 0"},
        {"exitcode=-1", "'exitcode'", "'-1'"},
        {"exitcode=", "'exitcode'", "''"},
        {"exitcode=1x", "'exitcode'", "'1x'"},
        {"stack_depth=0", "'stack_depth'", "using 32"},
        {"stall_after=99999999999999999999999999", "'stall_after'", "99999"},
        {"stack_depth=18446744073709551617", "'stack_depth'", "18446744073709551617"},
        {"on_deadlock=exitt", "'exitt'", "continue|exit|abort"},
        {"on_deadlock=exi", "'exi'", "using continue"},
        {"on_deadlock=exit|abort", "'exit|abort'", "on_deadlock"},
        {"show=", "'show'", "''"},
        {"report='/tmp/x", "'report'", "quote"},
        {"report='a'b:", "'report'", "quote"},
        {"log='a'b=c", "'log'", "quote"},
        {"color=\033[31m", "'color'", "?[31m"},
    };

    parse(cases[_i].text);
    assert_warned(cases[_i].first, cases[_i].second);
    assert_defaults();
}
END_TEST

START_TEST(test_no_suggestion_when_nothing_is_near)
{
    parse("nonsense=1");
    ck_assert_ptr_null(strstr(warnings[0], "did you mean"));
    parse("x=1");
    ck_assert_ptr_null(strstr(warnings[0], "did you mean"));
}
END_TEST

START_TEST(test_bad_value_after_a_good_one_gives_the_default)
{
    parse("stall_after=7:stall_after=x");
    assert_warned("stall_after", "'x'");
    ck_assert_int_eq(options.stall_after, 5);
}
END_TEST

START_TEST(test_text_too_long_for_the_storage)
{
    char text[2000] = "report=";

    memset(text + 7, 'a', 1500);
    strcpy(text + 1507, ":verbosity=1");
    parse(text);
    assert_warned("'report'", "too long");
    ck_assert_ptr_null(options.report);
    ck_assert_int_eq(options.verbosity, 1);
    memcpy(text, "colour=", 7);
    parse(text);
    ck_assert_int_eq(n_warnings, 1);
    ck_assert_uint_lt(strlen(warnings[0]), 300);
}
END_TEST

/* Whatever the text: nothing written outside, every field in its range. */
START_TEST(test_random_texts)
{
    static const char *const pieces[] = {"report", "log",  "exitcode", "color", "help",  "=",
                                         ":",      "'",    "''",       " ",     "9",     "always",
                                         "%",      "\xff", "a",        "===",   "marks", "\n"};
    char text[400];

    srand(7);
    for (int round = 0; round < 100000; round++) {
        text[0] = '\0';
        for (int n = rand() % 30; n > 0; n--)
            strcat(text, pieces[rand() % 18]);
        n_warnings = 0;
        size_t room = (size_t)(rand() % 40);
        char *exact = malloc(room ? room : 1);
        dlw_options_parse(&options, text, exact, room, collect, warnings);
        if (options.exitcode < 0 || options.exitcode > 255 || options.color < DLW_COLOR_AUTO ||
            options.color > DLW_COLOR_NEVER || (options.report && strlen(options.report) >= room))
            ck_abort_msg("%s", text);
        free(exact);
    }
}
END_TEST

START_TEST(test_help_names_every_option)
{
    int n_options = 0;

    n_warnings = 0;
    dlw_options_help(collect, warnings);
#define DLW_OPTION(key, type, preload, run, values, help_text) n_options++;
#include "report/emit/options.def"
#undef DLW_OPTION
    ck_assert_int_eq(n_warnings, n_options + 1);
    ck_assert_ptr_nonnull(strstr(warnings[3], "on_deadlock=continue|exit|abort"));
    ck_assert_ptr_nonnull(strstr(warnings[3], "[continue; run: exit]"));
}
END_TEST

START_TEST(test_path_marks)
{
    static const struct {
        const char *pattern;
        unsigned attempt;
        const char *path;
    } cases[] = {
        {"/t/%e.%p.dlw", 0, "/t/bank.17.dlw"},
        {"/t/%e.%p.dlw", 2, "/t/bank.17-2.dlw"},
        {"/t.d/journal", 1, "/t.d/journal-1"},
        {"/t/.hidden", 1, "/t/.hidden-1"},
        {".hidden", 3, ".hidden-3"},
        {"100%%", 0, "100%"},
        {"a%", 1, "a%-1"},
        {"%x%p", 0, "%x17"},
        {"a.b.c", 12, "a.b-12.c"},
        {"a.%p", 1, "a-1.17"},
        {"%%p", 0, "%p"},
    };
    char path[64];

    size_t size = dlw_options_path(path, sizeof path, cases[_i].pattern, 17, "/usr/bin/bank",
                                   cases[_i].attempt);
    ck_assert_str_eq(path, cases[_i].path);
    ck_assert_uint_eq(size, strlen(path));
}
END_TEST

START_TEST(test_path_number_when_the_program_has_a_dot)
{
    char path[64];

    dlw_options_path(path, sizeof path, "/t/%e", 17, "/usr/bin/python3.11", 1);
    ck_assert_str_eq(path, "/t/python3.11-1");
}
END_TEST

START_TEST(test_path_when_too_long)
{
    char path[8];

    ck_assert_uint_eq(dlw_options_path(path, sizeof path, "1234567%e", 1, "x", 0), 0);
    ck_assert_uint_eq(dlw_options_path(path, 1, "1", 1, "x", 0), 0);
    ck_assert_uint_eq(dlw_options_path(path, 0, "1", 1, "x", 0), 0);
    ck_assert_uint_eq(dlw_options_path(path, sizeof path, "123456", 1, NULL, 0), 6);
}
END_TEST

START_TEST(test_watches)
{
    ck_assert(dlw_options_watches(NULL, "/bin/a"));
    ck_assert(dlw_options_watches("", "/bin/a"));
    ck_assert(dlw_options_watches("a", "/bin/a"));
    ck_assert(dlw_options_watches("b,/usr/bin/a", "/bin/a"));
    ck_assert(dlw_options_watches("b,a,c", "a"));
    ck_assert(!dlw_options_watches("b,ab,c", "/bin/a"));
    ck_assert(!dlw_options_watches("b,,c", "/bin/a"));
    ck_assert(!dlw_options_watches("ab", "/bin/a"));
}
END_TEST

Suite *emit_options_suite(void);
Suite *emit_options_suite(void)
{
    Suite *suite = suite_create("emit_options");
    TCase *tcase = tcase_create("options");

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test_defaults_when_nothing_is_said, 0, 3);
    tcase_add_loop_test(tcase, test_pairs_when_separated_by_colons_or_space, 0, 3);
    tcase_add_test(tcase, test_quoted_value_when_it_holds_separators);
    tcase_add_test(tcase, test_last_one_wins);
    tcase_add_loop_test(tcase, test_bad_pair_warns_once_and_leaves_the_default, 0, 22);
    tcase_add_test(tcase, test_no_suggestion_when_nothing_is_near);
    tcase_add_test(tcase, test_bad_value_after_a_good_one_gives_the_default);
    tcase_add_test(tcase, test_text_too_long_for_the_storage);
    tcase_add_test(tcase, test_random_texts);
    tcase_add_test(tcase, test_help_names_every_option);
    tcase_add_loop_test(tcase, test_path_marks, 0, 11);
    tcase_add_test(tcase, test_path_number_when_the_program_has_a_dot);
    tcase_add_test(tcase, test_path_when_too_long);
    tcase_add_test(tcase, test_watches);
    suite_add_tcase(suite, tcase);
    return suite;
}
