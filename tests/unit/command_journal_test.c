/* The journal reader: what it keeps, what it complains of. */
#include "report/command/journal/reader.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Suite *command_journal_suite(void);

#define PROCESS                                                                                    \
    "{\"type\":\"process\",\"version\":1,\"dlwatch\":\"" DLW_VERSION                               \
    "\",\"pid\":0,\"exe\":\"/bin/bank\",\"argv\":[\"bank\"],\"start\":1.5}\n"
#define BODY                                                                                       \
    "{\"type\":\"module\",\"id\":1,\"path\":\"/nowhere/bank\",\"base\":\"0x1000\"}\n"              \
    "{\"type\":\"stack\",\"id\":1,\"frames\":[[1,\"0x20\"],[0,\"0x77\"],[\"too deep\"]]}\n"        \
    "{\"type\":\"thread\",\"id\":1,\"tid\":5,\"name\":\"old\"}\n"                                  \
    "{\"type\":\"lock\",\"id\":1,\"kind\":\"mutex\",\"address\":\"0x8\"}\n"                        \
    "{\"type\":\"thread\",\"id\":1,\"tid\":5,\"name\":\"new\"}\n"
#define CYCLE                                                                                      \
    "[{\"thread\":1,\"holds\":{\"lock\":1,\"mode\":\"exclusive\",\"stack\":1},\"wants\":{"         \
    "\"lock\":1,"                                                                                  \
    "\"mode\":\"shared\",\"stack\":1}}]"
#define FINDING                                                                                    \
    "{\"type\":\"finding\",\"id\":1,\"kind\":\"deadlock\",\"certainty\":\"certain\",\"time\":2.5," \
    "\"cycle\":" CYCLE "}\n"
#define END "{\"type\":\"end\",\"ended\":\"exit\",\"status\":3,\"edges\":9}\n"

struct read {
    struct dlw_doc *doc;
    struct dlw_symbols *symbols;
    bool whole;
    char messages[4096];
};

/* What is said on stderr is kept for the test. */
static void read_text(struct read *read, const char *text, size_t n, bool growing, size_t piece)
{
    read->doc = dlw_doc_new();
    read->symbols = dlw_symbols_new(NULL, NULL);
    struct dlw_reading reading = {
        .doc = read->doc, .symbols = read->symbols, .edges = true, .growing = growing};
    int kept = dup(STDERR_FILENO), messages = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    fflush(stderr);
    dup2(messages, STDERR_FILENO);
    struct dlw_reader *reader = dlw_reader_new(&reading, "a.json");
    for (size_t at = 0; at < n; at += piece)
        dlw_reader_feed(reader, text + at, at + piece < n ? piece : n - at);
    read->whole = dlw_reader_close(reader);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    ssize_t length = pread(messages, read->messages, sizeof(read->messages) - 1, 0);
    read->messages[length > 0 ? length : 0] = '\0';
    close(messages);
}

static void forget(struct read *read)
{
    dlw_doc_free(read->doc);
    dlw_symbols_free(read->symbols);
}

START_TEST(test_finding_is_read_with_what_it_refers_to)
{
    static const char text[] = PROCESS BODY FINDING END;
    struct read read;
    /* Byte by byte, as a slow writer would give it. */
    read_text(&read, text, strlen(text), false, _i ? 1 : 4096);
    ck_assert(read.whole);
    ck_assert_str_eq(read.messages, "");
    ck_assert_uint_eq(read.doc->n_findings, 1);
    const struct dlw_doc_finding *finding = read.doc->findings[0];
    ck_assert_str_eq(finding->cycle[0].thread->name, "new");
    ck_assert_str_eq(finding->locks[0]->id, "L1");
    ck_assert_int_eq(finding->cycle[0].wants.mode, DLW_SHARED);
    const struct dlw_stack *stack = &finding->cycle[0].holds.stack;
    ck_assert_uint_eq(stack->n, 3);
    ck_assert_uint_eq(stack->frames[0].pc, 0x1020);
    ck_assert_uint_eq(stack->frames[0].offset, 0x20);
    ck_assert_ptr_null(stack->frames[1].module);
    ck_assert_uint_eq(stack->frames[1].pc, 0x77);
    ck_assert_str_eq(stack->frames[2].unknown, "too deep");
    ck_assert_str_eq(read.doc->processes[0]->ended, "exit");
    ck_assert_int_eq(read.doc->processes[0]->status, 3);
    ck_assert_uint_eq(read.doc->processes[0]->edges, 9);
    forget(&read);
}
END_TEST

/* Whatever of it is cut off: no crash, and a message unless a line ends there. */
START_TEST(test_cut_anywhere)
{
    static const char text[] = PROCESS BODY FINDING END;
    for (size_t n = 1; n < strlen(text); n++) {
        struct read read;
        read_text(&read, text, n, false, 4096);
        bool between_lines = text[n - 1] == '\n' || text[n] == '\n';
        ck_assert_msg(read.whole == between_lines, "cut after %zu: %s", n, read.messages);
        if (!between_lines)
            ck_assert_ptr_nonnull(strstr(read.messages, "dlwatch: a.json:"));
        if (read.doc->n_processes && n < strlen(text) - 1 - strlen(END))
            ck_assert_str_eq(read.doc->processes[0]->ended, "killed");
        forget(&read);
    }
}
END_TEST

START_TEST(test_growing_journal_may_end_in_a_line)
{
    static const char text[] = PROCESS BODY FINDING "{\"type\":\"en";
    struct read read;
    read_text(&read, text, strlen(text), true, 4096);
    ck_assert(read.whole);
    ck_assert_uint_eq(read.doc->n_findings, 1);
    forget(&read);
}
END_TEST

/* Every byte in turn is turned round; the reader has only to stay sane. */
START_TEST(test_flipped_bytes)
{
    static const char text[] = PROCESS BODY FINDING END;
    for (size_t i = 0; i < strlen(text); i++) {
        char damaged[sizeof(text)];
        struct read read;
        memcpy(damaged, text, sizeof(text));
        damaged[i] = (char)(damaged[i] ^ (1 << (i % 8)));
        read_text(&read, damaged, strlen(text), false, 4096);
        dlw_doc_finish(read.doc, NULL);
        forget(&read);
    }
}
END_TEST

static const struct {
    const char *text, *message;
    size_t findings;
} damage[] = {
    {"", "a.json:1: not a dlwatch journal: it is empty", 0},
    {"hello\n", "a.json:1: not a dlwatch journal", 0},
    {"\x7f"
     "ELF\x02\x01\n",
     "a.json:1: not a dlwatch journal", 0},
    {"{\"type\":\"end\"}\n", "a.json:1: not a dlwatch journal", 0},
    {"{\"type\":\"process\"}\n", "a.json:1: the journal does not name its version", 0},
    {"{\"type\":\"process\",\"version\":2}\n" FINDING, "a.json:1: written by a newer dlwatch", 0},
    {PROCESS "garbage\n" BODY FINDING, "a.json:2: damaged line", 1},
    {PROCESS BODY "[1]\n" FINDING, "a.json:7: damaged line: not an object", 1},
    {PROCESS BODY PROCESS FINDING, "a.json:7: a second process line", 1},
    {PROCESS BODY BODY FINDING, "a.json:7: module 1 a second time", 1},
    {PROCESS FINDING, "a.json:2: lock 1 is not in the journal", 1},
    {PROCESS BODY "{\"type\":\"finding\",\"id\":1,\"kind\":\"doom\",\"cycle\":" CYCLE "}\n",
     "a.json:7: a finding of no known kind", 0},
    {PROCESS BODY "{\"type\":\"finding\",\"id\":1,\"kind\":\"stall\"}\n",
     "a.json:7: a finding without cycle or threads", 0},
    {PROCESS BODY "{\"type\":\"edge\",\"from\":1,\"to\":99,\"thread\":1}\n" FINDING,
     "a.json:7: an edge between locks that the journal does not hold", 1},
    {PROCESS "{\"type\":\"stack\",\"id\":-3,\"frames\":[]}\n" BODY FINDING,
     "a.json:2: a stack without an id", 1},
    {PROCESS "{\"type\":\"stack\",\"id\":99999999999999999999999,\"frames\":[]}\n" BODY FINDING,
     "a.json:2: damaged line", 1},
    {PROCESS BODY "{\"type\":\"from the future\",\"x\":[{}]}\n" FINDING, "", 1},
};

START_TEST(test_damage_is_named_and_the_rest_kept)
{
    struct read read;
    read_text(&read, damage[_i].text, strlen(damage[_i].text), false, 4096);
    ck_assert_ptr_nonnull(strstr(read.messages, damage[_i].message));
    ck_assert(read.whole == (damage[_i].message[0] == '\0'));
    ck_assert_uint_eq(read.doc->n_findings, damage[_i].findings);
    forget(&read);
}
END_TEST

START_TEST(test_deep_nesting_is_refused)
{
    enum { DEPTH = 100000 };
    size_t start = strlen(PROCESS);
    char *text = malloc(start + DEPTH + 1);
    memcpy(text, PROCESS, start);
    memset(text + start, '[', DEPTH);
    text[start + DEPTH] = '\n';
    struct read read;
    read_text(&read, text, start + DEPTH + 1, false, 4096);
    ck_assert_ptr_nonnull(strstr(read.messages, "a.json:2: damaged line"));
    forget(&read);
    free(text);
}
END_TEST

#define EXEC "{\"type\":\"exec\"}\n"

/* How the process of this journal ended. */
static const char *ended_of(const char *text)
{
    struct read read;
    read_text(&read, text, strlen(text), false, strlen(text));
    ck_assert_uint_eq(read.doc->n_processes, 1);
    const char *ended = read.doc->processes[0]->ended;
    forget(&read);
    return ended;
}

START_TEST(test_exec_ends_a_journal_unless_it_failed)
{
    ck_assert_str_eq(ended_of(PROCESS BODY EXEC), "exec");
    ck_assert_str_ne(ended_of(PROCESS EXEC BODY), "exec");
    ck_assert_str_eq(ended_of(PROCESS EXEC END), "exit");
}
END_TEST

START_TEST(test_again_counts)
{
    static const char text[] = PROCESS BODY FINDING "{\"type\":\"again\",\"finding\":1,\"count\":7}"
                                                    "\n{\"type\":\"again\",\"finding\":2,\"count\":"
                                                    "9}\n" END;
    struct read read;
    read_text(&read, text, strlen(text), false, 4096);
    ck_assert_uint_eq(read.doc->findings[0]->count, 7);
    forget(&read);
}
END_TEST

#define TRAIL                                                                                      \
    "{\"type\":\"trail\",\"finding\":1,\"thread\":1,\"locks\":[{\"kind\":\"mutex\",\"address\":"   \
    "\"0x8\"}],\"events\":["
/* What no library writes is left out: as many steps as there are, times of no use, a second one. */
START_TEST(test_a_trail_is_read_as_far_as_it_can_be)
{
    static const char text[] = PROCESS BODY FINDING TRAIL
        "{\"what\":\"asked\",\"lock\":0,\"ago\":1e300,\"until\":0.5},{\"what\":\"took\",\"lock\":9}"
        ","
        "{\"what\":\"gone\",\"lock\":0},5,{\"what\":\"took\",\"lock\":0}]}\n" TRAIL
        "{\"what\":\"took\",\"lock\":0}]}\n" END;
    struct read read;
    read_text(&read, text, strlen(text), false, 4096);
    const struct dlw_doc_finding *finding = read.doc->findings[0];
    ck_assert_uint_eq(finding->n_trails, 1);
    ck_assert_uint_eq(finding->trails[0].n, 2);
    ck_assert(finding->trails[0].events[0].ago < 0);
    ck_assert(finding->trails[0].events[0].until == 0.5);
    ck_assert(finding->trails[0].events[1].lock == finding->locks[0]);
    ck_assert_ptr_nonnull(strstr(read.messages, "3 steps of no known kind"));
    ck_assert_ptr_nonnull(strstr(read.messages, "a second one"));
    forget(&read);
}
END_TEST

START_TEST(test_a_trail_without_end_is_refused)
{
    enum { STEPS = 2000 };
    static const char step[] = "{\"what\":\"took\",\"lock\":0},",
                      begin[] = PROCESS BODY FINDING TRAIL;
    char *text = malloc(sizeof(begin) + STEPS * sizeof(step) + 100), *at = text;
    at = stpcpy(at, begin);
    for (int i = 0; i < STEPS; i++)
        at = stpcpy(at, step);
    strcpy(at - 1, "]}\n" END);
    struct read read;
    read_text(&read, text, strlen(text), false, 1 << 20);
    ck_assert_uint_eq(read.doc->findings[0]->n_trails, 0);
    ck_assert(!read.whole);
    forget(&read);
    free(text);
}
END_TEST

Suite *command_journal_suite(void)
{
    Suite *suite = suite_create("command_journal");
    TCase *tests = tcase_create("reader");
    tcase_add_loop_test(tests, test_finding_is_read_with_what_it_refers_to, 0, 2);
    tcase_add_test(tests, test_cut_anywhere);
    tcase_add_test(tests, test_growing_journal_may_end_in_a_line);
    tcase_add_test(tests, test_flipped_bytes);
    tcase_add_loop_test(tests, test_damage_is_named_and_the_rest_kept, 0,
                        sizeof(damage) / sizeof(damage[0]));
    tcase_add_test(tests, test_deep_nesting_is_refused);
    tcase_add_test(tests, test_again_counts);
    tcase_add_test(tests, test_a_trail_is_read_as_far_as_it_can_be);
    tcase_add_test(tests, test_a_trail_without_end_is_refused);
    tcase_add_test(tests, test_exec_ends_a_journal_unless_it_failed);
    suite_add_tcase(suite, tests);
    return suite;
}
