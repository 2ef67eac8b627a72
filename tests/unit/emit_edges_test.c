/*
 * Which edges get a line. Locks from 100 on are made without end, the even ones at one place and
 * the odd ones at another; those below are variables, but for 50, which has no place.
 */
#include "tests/unit/emit_world.h"

enum { MADE = 100 };

static json_t *lines;

static bool class_lock(void *context, uint64_t id, struct dlw_journal_lock *out)
{
    (void)context;
    *out = (struct dlw_journal_lock){.kind = "mutex", .address = 0x1000 + id};
    if (id >= MADE)
        out->created = 1 + id % 2;
    else if (id != 50)
        out->module = 1;
    return id != 0;
}

/* All threads are made and begin at one place, but for the main one. */
static bool alike_thread(void *context, uint32_t id, struct dlw_journal_thread *out)
{
    (void)context;
    *out = (struct dlw_journal_thread){
        .tid = id, .parent = id > 1, .created = id > 1 ? 3 : 0, .name = id == 9 ? "nine" : "bank"};
    return true;
}

static void start(void)
{
    static const struct dlw_journal_source source = {NULL, world_module, world_stack, alike_thread,
                                                     class_lock};

    enter_folder();
    world_warnings = 0;
    journal = dlw_journal_new(&arena, &source, &world_process, world_warn);
    dlw_journal_to_path(journal, "j", folder);
}

static void stop(void)
{
    json_decref(lines);
    lines = NULL;
    dlw_journal_free(journal);
    leave_folder();
}

static unsigned count_lines(const char *type)
{
    unsigned n = 0;

    dlw_journal_flush(journal);
    json_decref(lines);
    lines = read_lines(in_folder("j"));
    while (line_of(lines, type, n))
        n++;
    return n;
}

static void end(void)
{
    struct dlw_journal_totals totals = {.status = 0};

    dlw_journal_end(journal, &totals);
}

static struct dlw_journal_edge of_thread(uint64_t from, uint64_t to, uint32_t thread)
{
    return (struct dlw_journal_edge){
        .from = from, .to = to, .thread = thread, .hold = 1, .want = 2};
}

static void tell(struct dlw_journal_edge edge)
{
    dlw_journal_edge(journal, &edge);
}

START_TEST(test_locks_made_without_end_are_one_line)
{
    for (uint64_t i = 0; i < 100000; i++)
        tell(of_thread(MADE + 2 * i, MADE + 2 * i + 1, 1));
    ck_assert_uint_eq(count_lines("edge"), 1);
    ck_assert_uint_eq(count_lines("lock"), 2);
    /* Each power of four, and what is left at the end. */
    ck_assert_uint_eq(count_lines("again"), 8);
    assert_field(line_of(lines, "again", 1), "edge", "1");
    assert_field(line_of(lines, "again", 1), "count", "16");
    assert_field(line_of(lines, "again", 1), "more", "12");
    end();
    ck_assert_uint_eq(count_lines("again"), 9);
    assert_field(line_of(lines, "again", 8), "count", "100000");
    assert_field(line_of(lines, "again", 8), "more", "34464");
}
END_TEST

START_TEST(test_memory_does_not_follow_the_locks)
{
    size_t before = 0;

    for (uint64_t i = 0; i < 200000; i++) {
        if (i == 1000)
            before = arena.in_use;
        tell(of_thread(MADE + 2 * i, MADE + 2 * i + 1, (uint32_t)i + 1));
    }
    ck_assert_uint_eq(arena.in_use, before);
}
END_TEST

/* What merge tells apart gets a line. */
START_TEST(test_what_differs_gets_a_line)
{
    uint64_t gate = 10, made = MADE + 4;
    struct dlw_journal_edge edge = of_thread(MADE, MADE + 1, 2);

    tell(edge);
    for (unsigned i = 0; i < 9; i++) {
        edge = of_thread(MADE + 2, MADE + 3, 2);
        edge.from_mode = i == 1;
        edge.to_mode = i == 2;
        edge.timed = i == 3;
        edge.intended = i == 4;
        edge.hold += i == 5;
        edge.want += i == 6;
        edge.gates = &gate;
        edge.n_gates = i == 7;
        edge.thread = i == 8 ? 9 : 2; /* one with another name */
        tell(edge);
        tell(edge);
    }
    ck_assert_uint_eq(count_lines("edge"), 9);
    edge = of_thread(MADE + 2, MADE + 3, 2);
    edge.gates = &made; /* another object in another run: no gate there */
    edge.n_gates = 1;
    tell(edge);
    ck_assert_uint_eq(count_lines("edge"), 9);
    tell(of_thread(1, 2, 2)); /* variables are told each */
    tell(of_thread(2, 3, 2));
    tell(of_thread(MADE + 1, MADE, 2)); /* and the other way round */
    ck_assert_uint_eq(count_lines("edge"), 12);
}
END_TEST

/* That several threads do a work is seen from a second one; from a third one as little as before.
 */
START_TEST(test_second_thread_of_a_work_gets_a_line)
{
    for (uint32_t thread = 2; thread < 8; thread++)
        tell(of_thread(MADE, MADE + 1, thread));
    ck_assert_uint_eq(count_lines("edge"), 2);
    assert_field(line_of(lines, "edge", 0), "thread", "2");
    assert_field(line_of(lines, "edge", 1), "thread", "3");
    tell(of_thread(1, 2, 7));
    tell(of_thread(1, 2, 6));
    ck_assert_uint_eq(count_lines("edge"), 3);
    /* The one that has a line of its own is not counted besides. */
    end();
    ck_assert_uint_eq(count_lines("again"), 2);
    assert_field(line_of(lines, "again", 0), "more", "3");
}
END_TEST

/* Recursion makes a stack for each depth. */
START_TEST(test_stacks_of_one_variant_are_bounded)
{
    for (uint32_t i = 1; i < 900; i++) {
        struct dlw_journal_edge edge = of_thread(MADE, MADE + 1, 1);
        edge.want = i;
        tell(edge);
    }
    ck_assert_uint_eq(count_lines("edge"), 9);
}
END_TEST

/* Of many ways around one pair the one without a gate decides. */
START_TEST(test_fewer_gates_are_told_however_many_were)
{
    uint64_t gates[2];
    struct dlw_journal_edge edge = of_thread(MADE, MADE + 1, 1);

    edge.gates = gates;
    edge.n_gates = 2;
    for (uint64_t i = 0; i < 1000; i++) {
        gates[0] = 3 + i % 40;
        gates[1] = 3 + (i / 40 + i % 40 + 1) % 40;
        tell(edge);
    }
    ck_assert_uint_eq(count_lines("edge"), 64);
    edge.n_gates = 0;
    tell(edge);
    ck_assert_uint_eq(count_lines("edge"), 65);
    assert_field(line_of(lines, "edge", 64), "gates", NULL);
}
END_TEST

/* What one of a class shows is shown by the class; each variable stands for itself. */
START_TEST(test_trait_of_a_class_is_said_once)
{
    for (uint64_t i = 0; i < 1000; i++)
        dlw_journal_trait(journal, MADE + 2 * i, DLW_TRAIT_SIGNAL);
    dlw_journal_trait(journal, MADE, DLW_TRAIT_OUTLIVES);
    dlw_journal_trait(journal, 1, DLW_TRAIT_SIGNAL);
    dlw_journal_trait(journal, 2, DLW_TRAIT_SIGNAL);
    ck_assert_uint_eq(count_lines("trait"), 4);
    assert_field(line_of(lines, "trait", 0), "lock", "100");
    assert_field(line_of(lines, "trait", 0), "signal", "true");
    assert_field(line_of(lines, "trait", 0), "outlives", NULL);
    assert_field(line_of(lines, "trait", 1), "outlives", "true");
    assert_field(line_of(lines, "trait", 3), "lock", "2");
}
END_TEST

/* A forked child has its own journal, and nothing is told there yet. */
START_TEST(test_child_tells_anew)
{
    struct dlw_journal_process child = world_process;

    tell(of_thread(MADE, MADE + 1, 1));
    tell(of_thread(MADE + 2, MADE + 3, 1));
    ck_assert_uint_eq(count_lines("edge"), 1);
    child.pid = 18;
    dlw_journal_after_fork(journal, &child);
    tell(of_thread(MADE + 4, MADE + 5, 1));
    dlw_journal_flush(journal);
    json_decref(lines);
    lines = read_lines(in_folder("j-1"));
    ck_assert_ptr_nonnull(line_of(lines, "edge", 0));
}
END_TEST

Suite *emit_edges_suite(void);
Suite *emit_edges_suite(void)
{
    Suite *suite = suite_create("emit_edges");
    TCase *tcase = tcase_create("edges");

    tcase_add_checked_fixture(tcase, start, stop);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_locks_made_without_end_are_one_line);
    tcase_add_test(tcase, test_memory_does_not_follow_the_locks);
    tcase_add_test(tcase, test_what_differs_gets_a_line);
    tcase_add_test(tcase, test_second_thread_of_a_work_gets_a_line);
    tcase_add_test(tcase, test_stacks_of_one_variant_are_bounded);
    tcase_add_test(tcase, test_fewer_gates_are_told_however_many_were);
    tcase_add_test(tcase, test_trait_of_a_class_is_said_once);
    tcase_add_test(tcase, test_child_tells_anew);
    suite_add_tcase(suite, tcase);
    return suite;
}
