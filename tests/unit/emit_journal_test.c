/* What the journal's lines say. Where they go is in emit_journal_file_test.c. */
#include "report/emit/journal/jsonl.h"
#include "tests/unit/emit_world.h"

#include <errno.h>

static json_t *lines;

static void start(void)
{
    enter_folder();
    world_start("j");
}

static void stop(void)
{
    json_decref(lines);
    lines = NULL;
    dlw_journal_free(journal);
    leave_folder();
}

static void read_back(void)
{
    dlw_journal_flush(journal);
    json_decref(lines);
    lines = read_lines(in_folder("j"));
    ck_assert_int_eq(world_warnings, 0);
}

START_TEST(test_process_line_comes_first)
{
    add_edge(1, 2);
    read_back();
    json_t *line = json_array_get(lines, 0);
    assert_field(line, "type", "\"process\"");
    assert_field(line, "version", "1");
    assert_field(line, "dlwatch", "\"" DLW_VERSION "\"");
    assert_field(line, "pid", "17");
    assert_field(line, "ppid", "1");
    assert_field(line, "exe", "\"/usr/bin/bank\"");
    assert_field(line, "argv",
                 "[\"bank\",\"a \\\"b\\\" \\u0001\\n\",\"\xef\xbf\xbd\xc3\xa4"
                 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"]");
    assert_field(line, "cwd", "\"/tmp/\\t.\"");
    ck_assert(json_real_value(json_object_get(line, "start")) == 1700000000.125);
    assert_field(line, "by", "\"exec\"");
}
END_TEST

START_TEST(test_edge_and_what_it_refers_to)
{
    uint64_t gates[] = {3, 4, 999999};
    struct dlw_journal_edge edge = {.from = 1,
                                    .to = 2,
                                    .thread = 2,
                                    .hold = 6,
                                    .want = 7,
                                    .to_mode = DLW_SHARED,
                                    .timed = true,
                                    .intended = true,
                                    .gates = gates,
                                    .n_gates = 3};

    errno = 77;
    dlw_journal_edge(journal, &edge);
    dlw_journal_flush(journal);
    ck_assert_int_eq(errno, 77);
    read_back();
    json_t *line = line_of(lines, "edge", 0);
    assert_field(line, "from", "1");
    assert_field(line, "to", "2");
    assert_field(line, "thread", "2");
    assert_field(line, "hold", "6");
    assert_field(line, "want", "7");
    assert_field(line, "from_mode", "\"exclusive\"");
    assert_field(line, "to_mode", "\"shared\"");
    assert_field(line, "gates", "[3,4]");
    assert_field(line, "timed", "true");
    assert_field(line, "intended", "true");
    line = line_of(lines, "module", 0);
    assert_field(line, "path", "\"/usr/bin/bank\"");
    assert_field(line, "build_id", "\"5b0c\"");
    assert_field(line, "base", "\"0x1000\"");
    assert_field(line, "start", "\"0x1000\"");
    assert_field(line, "end", "\"0x2000\"");
    line = line_of(lines, "stack", 0);
    assert_field(line, "id", "6");
    assert_field(line, "frames", "[[1,\"0x234\"],[0,\"0x77\"],[\"a helper that has returned\"]]");
    assert_field(line, "cut", NULL);
    assert_field(line_of(lines, "stack", 1), "cut", "true");
    line = line_of(lines, "thread", 1);
    assert_field(line, "id", "2");
    assert_field(line, "tid", "18");
    assert_field(line, "name", "\"worker 2\"");
    assert_field(line, "parent", "1");
    assert_field(line, "created", "2");
    line = line_of(lines, "lock", 0);
    assert_field(line, "id", "1");
    assert_field(line, "kind", "\"mutex\"");
    assert_field(line, "address", "\"0x1041\"");
    assert_field(line, "module", "1");
    assert_field(line, "offset", "\"0x41\"");
    assert_field(line, "attr", "\"recursive robust\"");
    assert_field(line, "class", "\"a class\"");
    assert_field(line, "created", "1");
    assert_field(line, "first", "1");
    assert_field(line, "thread", "1");
}
END_TEST

START_TEST(test_things_are_written_once)
{
    add_edge(1, 2);
    read_back();
    size_t before = json_array_size(lines);
    struct dlw_journal_edge edge = world_edge(1, 2);
    edge.timed = true;
    add_edge(2, 1);
    dlw_journal_edge(journal, &edge);
    read_back();
    ck_assert_uint_eq(json_array_size(lines), before + 2);
}
END_TEST

START_TEST(test_module_of_a_lock_that_no_stack_brings)
{
    struct dlw_journal_edge edge = {.from = 308, .to = 462};

    dlw_journal_edge(journal, &edge);
    read_back();
    ck_assert_ptr_null(line_of(lines, "stack", 0));
    assert_field(line_of(lines, "lock", 0), "module", "3");
    assert_field(line_of(lines, "lock", 0), "offset", "\"0xffffffffffffe174\"");
}
END_TEST

START_TEST(test_unknown_things_are_absent)
{
    struct dlw_journal_edge edge = {
        .from = WORLD_LOCKS + 1, .to = 2, .thread = 0, .hold = 4000, .want = 0};

    dlw_journal_edge(journal, &edge);
    read_back();
    json_t *line = line_of(lines, "edge", 0);
    assert_field(line, "from", NULL);
    assert_field(line, "thread", NULL);
    assert_field(line, "hold", NULL);
    assert_field(line, "want", NULL);
    assert_field(line, "gates", NULL);
    assert_field(line, "timed", NULL);
    edge.hold = 4; /* its module 4 is not known */
    dlw_journal_edge(journal, &edge);
    read_back();
    json_t *stack = line_of(lines, "stack", 0);
    for (size_t i = 0; stack && json_integer_value(json_object_get(stack, "id")) != 4;)
        stack = line_of(lines, "stack", ++i);
    assert_field(stack, "frames", "[[0,\"0x4234\"],[0,\"0x77\"],[\"a helper that has returned\"]]");
}
END_TEST

static const struct dlw_cycle_entry cycle[] = {
    {1, false, {10, 11, DLW_EXCLUSIVE}, {20, 12, DLW_SHARED}, "Bank.Opens"},
    {2, true, {20, 13, DLW_SHARED}, {10, 0, DLW_EXCLUSIVE}, NULL},
};

START_TEST(test_finding_with_a_cycle_is_there_at_once)
{
    struct dlw_finding finding = {.kind = DLW_LOCK_ORDER_INVERSION,
                                  .harmless = DLW_GUARDED,
                                  .gate = 30,
                                  .reason = "one side is timed",
                                  .n_cycle = 2,
                                  .cycle = cycle};

    dlw_journal_finding(journal, 1, 1700000001.5, &finding);
    ck_assert(!dlw_journal_has_pending(journal));
    lines = read_lines(in_folder("j"));
    json_t *line = line_of(lines, "finding", 0);
    assert_field(line, "id", "1");
    assert_field(line, "time", "1700000001.5");
    assert_field(line, "kind", "\"lock-order-inversion\"");
    assert_field(line, "certainty", "\"possible\"");
    assert_field(line, "reason", "\"one side is timed\"");
    assert_field(line, "harmless", "\"gate\"");
    assert_field(line, "harmless_lock", "30");
    assert_field(line, "cycle",
                 "[{\"thread\":1,\"scope\":\"Bank.Opens\",\"holds\":{\"lock\":10,\"mode\":"
                 "\"exclusive\",\"stack\":11},"
                 "\"wants\":{\"lock\":20,\"mode\":\"shared\",\"stack\":12}},"
                 "{\"thread\":2,\"holds\":{\"lock\":20,\"mode\":\"shared\",\"stack\":13},"
                 "\"wants\":{\"lock\":10,\"mode\":\"exclusive\",\"timed\":true}}]");
    assert_field(line, "threads", NULL);
}
END_TEST

START_TEST(test_withheld_and_void_are_there_at_once)
{
    struct dlw_finding finding = {.kind = DLW_LOCK_ORDER_INVERSION, .n_cycle = 2, .cycle = cycle};

    dlw_journal_withheld(journal, 7, 5, &finding);
    dlw_journal_void(journal, 7);
    ck_assert(!dlw_journal_has_pending(journal));
    lines = read_lines(in_folder("j"));
    assert_field(line_of(lines, "withheld", 0), "id", "7");
    assert_field(line_of(lines, "withheld", 0), "kind", "\"lock-order-inversion\"");
    assert_field(line_of(lines, "void", 0), "finding", "7");
    ck_assert_ptr_null(line_of(lines, "finding", 0));
}
END_TEST

static const struct dlw_held holds[] = {{10, 11, DLW_EXCLUSIVE}, {20, 0, DLW_SHARED}};
static const struct dlw_thread_state states[] = {
    {.thread = 1, .on = 10, .stack = 5},
    {.thread = 2,
     .waits = DLW_WAIT_LOCK,
     .mode = DLW_SHARED,
     .timed = true,
     .on = 30,
     .since_ns = 1250000000,
     .stack = 6,
     .n_holds = 2,
     .holds = holds},
};

START_TEST(test_finding_and_snapshot_with_threads)
{
    struct dlw_finding finding = {
        .kind = DLW_DESTROY_LOCKED, .certain = true, .n_threads = 2, .threads = states};

    dlw_journal_finding(journal, 1, 5, &finding);
    dlw_journal_waits(journal, 6, states, 2);
    read_back();
    json_t *line = line_of(lines, "finding", 0);
    assert_field(line, "time", "5.0");
    assert_field(line, "kind", "\"destroy-locked\"");
    assert_field(line, "certainty", "\"certain\"");
    assert_field(line, "reason", NULL);
    assert_field(line, "harmless", NULL);
    assert_field(line, "cycle", NULL);
    const char *threads =
        "[{\"thread\":1,\"state\":\"running\",\"for\":10,\"stack\":5,\"holds\":[]},"
        "{\"thread\":2,\"state\":\"blocked\",\"waits\":\"lock\",\"for\":30,\"mode\":\"shared\","
        "\"since\":1.25,\"timed\":true,\"stack\":6,\"holds\":["
        "{\"lock\":10,\"mode\":\"exclusive\",\"stack\":11},{\"lock\":20,\"mode\":\"shared\"}]}]";
    assert_field(line, "threads", threads);
    assert_field(line_of(lines, "waits", 0), "threads", threads);
}
END_TEST

START_TEST(test_small_lines)
{
    struct dlw_journal_totals totals = {"exit", -1, 1, 2, 3, UINT64_MAX / 2, 5};

    dlw_journal_again(journal, 3, 17);
    dlw_journal_off(journal, "an internal check failed");
    dlw_journal_exec(journal);
    dlw_journal_end(journal, &totals);
    totals.status = 66;
    dlw_journal_end(journal, &totals);
    lines = read_lines(in_folder("j"));
    assert_field(line_of(lines, "again", 0), "finding", "3");
    assert_field(line_of(lines, "again", 0), "count", "17");
    assert_field(line_of(lines, "off", 0), "reason", "\"an internal check failed\"");
    ck_assert_ptr_nonnull(line_of(lines, "exec", 0));
    json_t *line = line_of(lines, "end", 0);
    assert_field(line, "ended", "\"exit\"");
    assert_field(line, "status", NULL);
    assert_field(line, "edges", "1");
    assert_field(line, "locks", "2");
    assert_field(line, "threads", "3");
    assert_field(line, "calls", "9223372036854775807");
    assert_field(line, "errors", "5");
    assert_field(line_of(lines, "end", 1), "status", "66");
}
END_TEST

START_TEST(test_renamed_thread_only_if_it_was_written)
{
    dlw_journal_thread_renamed(journal, 1);
    ck_assert(!dlw_journal_has_pending(journal));
    add_edge(1, 2);
    dlw_journal_thread_renamed(journal, 1);
    dlw_journal_thread_renamed(journal, 2);
    read_back();
    ck_assert_ptr_null(line_of(lines, "thread", 1)); /* nothing refers to it since */
    add_edge(2, 1);
    add_edge(3, 1);
    read_back();
    assert_field(line_of(lines, "thread", 1), "id", "1");
    ck_assert_ptr_null(line_of(lines, "thread", 2));
}
END_TEST

START_TEST(test_last_name_of_a_thread_is_there_at_the_end)
{
    struct dlw_journal_totals totals = {.status = 0};

    add_edge(1, 2);
    for (int i = 0; i < 1000; i++)
        dlw_journal_thread_renamed(journal, 1);
    dlw_journal_end(journal, &totals);
    read_back();
    assert_field(line_of(lines, "thread", 1), "id", "1");
    ck_assert_ptr_null(line_of(lines, "thread", 2));
}
END_TEST

/* A server that starts one for each request. */
START_TEST(test_unwatched_program_is_said_once)
{
    for (int i = 0; i < 3; i++)
        dlw_journal_unwatched(journal, "/bin/busybox", "static");
    dlw_journal_unwatched(journal, "/bin/busybox", "setuid");
    read_back();
    ck_assert_ptr_nonnull(line_of(lines, "unwatched", 1));
    ck_assert_ptr_null(line_of(lines, "unwatched", 2));
}
END_TEST

START_TEST(test_long_descent_of_threads)
{
    struct dlw_journal_edge edge = world_edge(1, 2);

    edge.thread = 20000;
    dlw_journal_edge(journal, &edge);
    read_back();
    assert_field(line_of(lines, "thread", 19999), "parent", "19999");
}
END_TEST

START_TEST(test_circle_of_threads)
{
    struct dlw_journal_edge edge = world_edge(1, 2);

    world_circular = true;
    edge.thread = 7;
    dlw_journal_edge(journal, &edge);
    dlw_journal_flush(journal);
    char *text = file_text(in_folder("j"));
    ck_assert_ptr_nonnull(strstr(text, "\"type\":\"edge\""));
    free(text);
}
END_TEST

/* One line longer than the buffer, between others. */
START_TEST(test_line_longer_than_the_buffer)
{
    enum { N = 5000 };
    static struct dlw_thread_state many[N];

    for (uint32_t i = 0; i < N; i++)
        many[i] = (struct dlw_thread_state){.thread = i + 1, .n_holds = 2, .holds = holds};
    add_edge(1, 2);
    dlw_journal_waits(journal, 1, many, N);
    add_edge(3, 4);
    read_back();
    json_t *threads = json_object_get(line_of(lines, "waits", 0), "threads");
    ck_assert_uint_eq(json_array_size(threads), N);
    ck_assert_ptr_nonnull(line_of(lines, "edge", 1));
}
END_TEST

START_TEST(test_random_lines_refer_only_to_earlier_ones)
{
    srand(11);
    for (int i = 0; i < 20000; i++) {
        uint64_t gates[] = {(uint64_t)rand() % 500, (uint64_t)rand() % 500};
        struct dlw_journal_edge edge = {.from = (uint64_t)rand() % 3000,
                                        .to = (uint64_t)rand() % 3000,
                                        .thread = (uint32_t)rand() % 100,
                                        .hold = (uint32_t)rand() % 1200,
                                        .want = (uint32_t)rand() % 1200,
                                        .gates = gates,
                                        .n_gates = (uint32_t)rand() % 3};
        dlw_journal_edge(journal, &edge);
        if (rand() % 1000 == 0)
            dlw_journal_flush(journal);
    }
    read_back();
    ck_assert_ptr_nonnull(line_of(lines, "edge", 10000)); /* the others repeat them */
}
END_TEST

START_TEST(test_numbers_with_a_point)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0, "{\"type\":\"t\",\"x\":0.0"},           {0.0000014, "{\"type\":\"t\",\"x\":0.000001"},
        {1.999999999, "{\"type\":\"t\",\"x\":2.0"}, {12.34, "{\"type\":\"t\",\"x\":12.34"},
        {-1, "{\"type\":\"t\",\"x\":0.0"},          {1e300, "{\"type\":\"t\",\"x\":0.0"}};
    char text[100] = "";
    struct dlw_jsonl builder = {.text = text, .room = sizeof text - 1};

    dlw_jsonl_line_begin(&builder, "t");
    dlw_jsonl_real_field(&builder, "x", cases[_i].number);
    ck_assert_str_eq(text, cases[_i].text);
}
END_TEST

Suite *emit_journal_suite(void);
Suite *emit_journal_suite(void)
{
    Suite *suite = suite_create("emit_journal");
    TCase *tcase = tcase_create("lines");

    tcase_add_checked_fixture(tcase, start, stop);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_process_line_comes_first);
    tcase_add_test(tcase, test_edge_and_what_it_refers_to);
    tcase_add_test(tcase, test_things_are_written_once);
    tcase_add_test(tcase, test_module_of_a_lock_that_no_stack_brings);
    tcase_add_test(tcase, test_unknown_things_are_absent);
    tcase_add_test(tcase, test_finding_with_a_cycle_is_there_at_once);
    tcase_add_test(tcase, test_withheld_and_void_are_there_at_once);
    tcase_add_test(tcase, test_finding_and_snapshot_with_threads);
    tcase_add_test(tcase, test_small_lines);
    tcase_add_test(tcase, test_renamed_thread_only_if_it_was_written);
    tcase_add_test(tcase, test_last_name_of_a_thread_is_there_at_the_end);
    tcase_add_test(tcase, test_unwatched_program_is_said_once);
    tcase_add_test(tcase, test_long_descent_of_threads);
    tcase_add_test(tcase, test_circle_of_threads);
    tcase_add_test(tcase, test_line_longer_than_the_buffer);
    tcase_add_test(tcase, test_random_lines_refer_only_to_earlier_ones);
    tcase_add_loop_test(tcase, test_numbers_with_a_point, 0, 6);
    suite_add_tcase(suite, tcase);
    return suite;
}
