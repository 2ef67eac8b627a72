/* Fingerprints, folding, severities, suppressions. */
#include "tests/unit/command_sample.h"

#include "report/command/document/classify.h"
#include "report/command/document/suppressions.h"

#include <check.h>
#include <stdio.h>

Suite *command_judge_suite(void);

static void fingerprint_of(const char *function, unsigned line, char out[17])
{
    struct dlw_doc *doc = dlw_doc_new();
    dlw_fingerprint(sample_cycle(doc, DLW_DEADLOCK, function, line), out);
    dlw_doc_free(doc);
}

START_TEST(test_fingerprint_ignores_lines)
{
    char a[17], b[17];
    fingerprint_of("transfer", 10, a);
    fingerprint_of("transfer", 25, b);
    ck_assert_str_eq(a, b);
    ck_assert_uint_eq(strlen(a), 16);
}
END_TEST

START_TEST(test_fingerprint_tells_functions_apart)
{
    char a[17], b[17];
    fingerprint_of("transfer", 10, a);
    fingerprint_of("deposit", 10, b);
    ck_assert_str_ne(a, b);
}
END_TEST

START_TEST(test_fingerprint_is_the_same_wherever_the_circle_begins)
{
    struct dlw_doc *doc = dlw_doc_new();
    char a[17], b[17];
    struct dlw_doc_finding *finding = sample_cycle(doc, DLW_DEADLOCK, "transfer", 10);
    dlw_fingerprint(finding, a);
    struct dlw_doc_step first = finding->cycle[0];
    finding->cycle[0] = finding->cycle[1];
    finding->cycle[1] = first;
    dlw_fingerprint(finding, b);
    ck_assert_str_eq(a, b);
    dlw_doc_free(doc);
}
END_TEST

START_TEST(test_fingerprint_looks_behind_a_common_helper)
{
    struct dlw_doc *doc = dlw_doc_new();
    char a[17], b[17];
    struct dlw_doc_finding *one = sample_cycle(doc, DLW_DEADLOCK, "transfer", 10);
    struct dlw_doc_finding *other = sample_cycle(doc, DLW_DEADLOCK, "transfer", 10);
    for (int i = 0; i < 2; i++) {
        one->cycle[i].holds.stack = SAMPLE_STACK(doc, {"my_lock", "lock.c", 5},
                                                 {"pay", "bank.c", 50}, {"main", "bank.c", 9});
        one->cycle[i].wants.stack = SAMPLE_STACK(doc, {"my_lock", "lock.c", 5},
                                                 {"pay", "bank.c", 51}, {"main", "bank.c", 9});
        other->cycle[i].holds.stack = SAMPLE_STACK(doc, {"my_lock", "lock.c", 5},
                                                   {"draw", "bank.c", 60}, {"main", "bank.c", 9});
        other->cycle[i].wants.stack = SAMPLE_STACK(doc, {"my_lock", "lock.c", 5},
                                                   {"draw", "bank.c", 61}, {"main", "bank.c", 9});
    }
    dlw_fingerprint(one, a);
    dlw_fingerprint(other, b);
    ck_assert_str_ne(a, b);
    dlw_doc_free(doc);
}
END_TEST

/* One line that joins is one mistake, whatever the thread it joins does. */
START_TEST(test_fingerprint_of_a_join_is_its_line)
{
    struct dlw_doc *doc = dlw_doc_new();
    sample_cycle(doc, DLW_LOCK_ORDER_INVERSION, "stop", 10)->cycle[0].wants.lock->kind = "thread";
    struct dlw_doc_finding *other = sample_cycle(doc, DLW_LOCK_ORDER_INVERSION, "stop", 10);
    other->cycle[0].wants.lock->kind = "thread";
    other->cycle[1].wants.stack =
        SAMPLE_STACK(doc, {"elsewhere", "bank.c", 80}, {"main", "bank.c", 91});
    dlw_doc_finish(doc, NULL);
    ck_assert_uint_eq(doc->n_findings, 1);
    ck_assert_uint_eq(doc->findings[0]->count, 2);
    ck_assert_uint_eq(doc->summary.errors, 0);
    ck_assert_uint_eq(doc->summary.warnings, 1);
    dlw_doc_free(doc);
}
END_TEST

START_TEST(test_finish_folds_equal_findings)
{
    struct dlw_doc *doc = dlw_doc_new();
    sample_cycle(doc, DLW_DEADLOCK, "transfer", 10);
    sample_cycle(doc, DLW_DEADLOCK, "transfer", 12)->count = 4;
    sample_cycle(doc, DLW_DEADLOCK, "deposit", 10);
    dlw_doc_finish(doc, NULL);
    ck_assert_uint_eq(doc->n_findings, 2);
    ck_assert_uint_eq(doc->findings[0]->count, 5);
    ck_assert_uint_eq(doc->summary.errors, 2);
    dlw_doc_free(doc);
}
END_TEST

static void count_with(enum dlw_harmless harmless, enum dlw_show show, struct dlw_doc_summary *out)
{
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_doc_rules rules = {.show = show};
    sample_cycle(doc, DLW_LOCK_ORDER_INVERSION, "transfer", 10)->harmless = harmless;
    dlw_doc_finish(doc, &rules);
    *out = doc->summary;
    dlw_doc_free(doc);
}

START_TEST(test_harmless_cycles_are_hidden_shown_or_errors)
{
    struct dlw_doc_summary summary;
    count_with(DLW_GUARDED, DLW_SHOW_FEASIBLE, &summary);
    ck_assert_uint_eq(summary.hidden, 1);
    ck_assert_uint_eq(summary.errors + summary.notes, 0);
    count_with(DLW_GUARDED, DLW_SHOW_ALL, &summary);
    ck_assert_uint_eq(summary.notes, 1);
    ck_assert_uint_eq(summary.errors + summary.hidden, 0);
    count_with(DLW_GUARDED, DLW_SHOW_STRICT, &summary);
    ck_assert_uint_eq(summary.errors, 1);
    count_with(DLW_INTENDED, DLW_SHOW_STRICT, &summary); /* the program's own word */
    ck_assert_uint_eq(summary.notes, 1);
}
END_TEST

START_TEST(test_worst_findings_come_first)
{
    struct dlw_doc *doc = dlw_doc_new();
    sample_cycle(doc, DLW_LOCK_ORDER_INVERSION, "transfer", 10);
    sample_cycle(doc, DLW_DEADLOCK, "transfer", 10);
    dlw_doc_finish(doc, NULL);
    ck_assert_int_eq(doc->findings[0]->kind, DLW_DEADLOCK);
    ck_assert_str_eq(doc->findings[0]->message,
                     "worker-1 and worker-2 wait for each other, and neither can go on");
    dlw_doc_free(doc);
}
END_TEST

static struct dlw_suppressions *parse(const char *text, bool *sound)
{
    struct dlw_suppressions *suppressions = dlw_suppressions_new();
    FILE *in = fmemopen((void *)text, strlen(text), "r");
    *sound = dlw_suppressions_parse(suppressions, in, "list");
    fclose(in);
    return suppressions;
}

static bool is_suppressed(const char *line)
{
    bool sound;
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_suppressions *suppressions = parse(line, &sound);
    struct dlw_doc_rules rules = {.suppressions = suppressions};
    sample_cycle(doc, DLW_DEADLOCK, "Bank::transfer(int)", 10);
    dlw_doc_finish(doc, &rules);
    bool result = doc->summary.suppressed == 1 && doc->summary.errors == 0;
    dlw_suppressions_free(suppressions);
    dlw_doc_free(doc);
    ck_assert(sound);
    return result;
}

/* N threads that wait: number 0 for a signal on `done`, with `ledger` in hand; the others for that.
 */
static struct dlw_doc_finding *sample_stall(struct dlw_doc *doc, size_t n)
{
    struct dlw_doc_finding *stall = dlw_doc_add_finding(doc, DLW_STALL);
    static const char *const names[] = {"main", "auditor", "clerk"};
    struct dlw_doc_lock *ledger = sample_lock(doc, stall, "mutex", "ledger");
    stall->certain = true;
    stall->n_threads = n;
    stall->threads = dlw_region_alloc(&doc->region, n * sizeof(*stall->threads));
    for (size_t i = 0; i < n; i++)
        stall->threads[i] =
            (struct dlw_doc_state){.thread = sample_thread(doc, (uint32_t)i + 1, names[i]),
                                   .waits = DLW_WAIT_LOCK,
                                   .on = ledger};
    stall->threads[0].waits = DLW_WAIT_CONDITION;
    stall->threads[0].on = sample_lock(doc, stall, "condition", "done");
    stall->threads[0].n_holds = 1;
    stall->threads[0].holds = dlw_region_alloc(&doc->region, sizeof(*stall->threads[0].holds));
    stall->threads[0].holds->lock = ledger;
    return stall;
}

START_TEST(test_stall_names_its_half_circles)
{
    struct dlw_doc *doc = dlw_doc_new();
    ck_assert_str_eq(dlw_finding_message(&doc->region, sample_stall(doc, 2)),
                     "both threads wait, and nothing is left that could wake one of them: auditor "
                     "waits for ledger, which main holds while it waits for a signal on the "
                     "condition done");
    ck_assert_str_eq(dlw_finding_message(&doc->region, sample_stall(doc, 3)),
                     "all 3 threads wait, and nothing is left that could wake one of them: 2 "
                     "threads wait for ledger, which main holds while it waits for a signal on the "
                     "condition done");
    struct dlw_doc_finding *stall = sample_stall(doc, 2);
    stall->threads[0].stack = SAMPLE_STACK(doc, {"close_book", "bank.c", 8});
    stall->threads[0].holds->stack = SAMPLE_STACK(doc, {"close_book", "bank.c", 5});
    ck_assert_str_eq(dlw_finding_remedy(&doc->region, stall).paragraphs[0],
                     "Let go of ledger, taken in close_book (bank.c:5), before close_book "
                     "(bank.c:8) waits: auditor needs it, and may be the one to end that wait.");
    /* who holds what nobody waits for closes nothing */
    ck_assert_str_eq(dlw_finding_message(&doc->region, sample_stall(doc, 1)),
                     "the only thread waits, and nothing is left that could wake it");
    dlw_doc_free(doc);
}
END_TEST

START_TEST(test_stall_that_a_handler_could_end_is_a_note)
{
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_doc_finding *stall = sample_stall(doc, 2);
    stall->certain = false;
    stall->doubt = DLW_DOUBT_SIGNAL;
    stall->reason = "only a signal handler could wake one (SIGHUP)";
    dlw_doc_finish(doc, NULL);
    ck_assert_uint_eq(doc->summary.errors, 0);
    ck_assert_uint_eq(doc->summary.notes, 1);
    ck_assert_ptr_nonnull(strstr(doc->findings[0]->message, "only a signal handler is left"));
    dlw_doc_free(doc);
    /* of two that are alike the certain one stays */
    doc = dlw_doc_new();
    stall = sample_stall(doc, 2);
    stall->certain = false;
    stall->doubt = DLW_DOUBT_SIGNAL;
    sample_stall(doc, 2);
    dlw_doc_finish(doc, NULL);
    ck_assert_uint_eq(doc->n_findings, 1);
    ck_assert_uint_eq(doc->summary.errors, 1);
    ck_assert_uint_eq(doc->findings[0]->count, 2);
    dlw_doc_free(doc);
}
END_TEST

START_TEST(test_suppressions_match_what_they_name)
{
    ck_assert(is_suppressed("deadlock:Bank::transfer"));
    ck_assert(is_suppressed("deadlock:Bank::transfer(int)"));
    ck_assert(is_suppressed("*:bank.c"));
    ck_assert(is_suppressed("*:second*"));
    ck_assert(is_suppressed("*:*/bank # the program"));
    ck_assert(is_suppressed("# first\n\n  deadlock : ba?k \n"));
    ck_assert(!is_suppressed("stall:*"));
    struct dlw_doc *doc = dlw_doc_new();
    dlw_doc_judge(doc, sample_cycle(doc, DLW_DEADLOCK, "Bank::transfer(int)", 30), NULL);
    char line[64];
    snprintf(line, sizeof(line), "fingerprint: %s # known", doc->findings[0]->fingerprint);
    ck_assert(is_suppressed(line));
    line[20] = line[20] == '0' ? '1' : '0';
    ck_assert(!is_suppressed(line));
    dlw_doc_free(doc);
    ck_assert(!is_suppressed("deadlock:transfer"));
}
END_TEST

START_TEST(test_bad_suppressions_are_named_and_the_rest_is_used)
{
    bool sound;
    struct dlw_suppressions *suppressions = parse(
        "nonsense\nfoo:bar\ndeadlock:\nfingerprint:*\nfingerprint:12ab\nstall:good\n", &sound);
    ck_assert(!sound);
    char text[256] = "";
    FILE *out = fmemopen(text, sizeof(text), "w");
    ck_assert_uint_eq(dlw_suppressions_unused(suppressions, out), 1);
    fclose(out);
    ck_assert_str_eq(text, "list:6: stall:good\n");
    dlw_suppressions_free(suppressions);
}
END_TEST

Suite *command_judge_suite(void)
{
    Suite *suite = suite_create("command_judge");
    TCase *tests = tcase_create("judge");
    tcase_add_test(tests, test_fingerprint_ignores_lines);
    tcase_add_test(tests, test_fingerprint_tells_functions_apart);
    tcase_add_test(tests, test_fingerprint_is_the_same_wherever_the_circle_begins);
    tcase_add_test(tests, test_fingerprint_looks_behind_a_common_helper);
    tcase_add_test(tests, test_fingerprint_of_a_join_is_its_line);
    tcase_add_test(tests, test_finish_folds_equal_findings);
    tcase_add_test(tests, test_harmless_cycles_are_hidden_shown_or_errors);
    tcase_add_test(tests, test_worst_findings_come_first);
    tcase_add_test(tests, test_stall_names_its_half_circles);
    tcase_add_test(tests, test_stall_that_a_handler_could_end_is_a_note);
    tcase_add_test(tests, test_suppressions_match_what_they_name);
    tcase_add_test(tests, test_bad_suppressions_are_named_and_the_rest_is_used);
    suite_add_tcase(suite, tests);
    return suite;
}
