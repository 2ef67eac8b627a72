/* Lines kept in memory: whole, in order, readable from outside as a chain of chunks. */
#include "report/emit/journal/keep.h"

#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *emit_keep_suite(void);

static struct dlw_arena arena;
static struct dlw_kept kept;

static void set_up(void)
{
    arena = (struct dlw_arena){0};
    memset(&kept, 0, sizeof kept);
}

/* As a reader from outside does it. */
static char *read_all(size_t *chunks)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    *chunks = 0;
    for (const struct dlw_records_chunk *chunk = atomic_load(&kept.first); chunk;
         chunk = atomic_load(&chunk->next)) {
        fwrite(chunk->bytes, 1, atomic_load(&chunk->used), out);
        ++*chunks;
    }
    fclose(out);
    return text;
}

static void keep(const char *text)
{
    ck_assert(dlw_keep(&kept, &arena, text, strlen(text)));
}

START_TEST(test_lines_come_back_in_order)
{
    size_t chunks;
    keep("a\n");
    keep("bc\n");
    char *text = read_all(&chunks);
    ck_assert_str_eq(text, "a\nbc\n");
    ck_assert_uint_eq(chunks, 1);
    free(text);
}
END_TEST

START_TEST(test_line_is_never_cut_at_the_end_of_a_chunk)
{
    static char longest[20001];
    size_t chunks;
    memset(longest, 'x', sizeof longest - 1);
    for (int i = 0; i < 100; i++)
        keep("a line of some length, so that a hundred of them do not fit in one chunk\n");
    keep(longest);
    keep("after\n");
    char *text = read_all(&chunks);
    ck_assert_uint_gt(chunks, 3);
    ck_assert_uint_eq(strlen(text), (size_t)(100 * 73 + 20000 + 6));
    ck_assert_str_eq(text + 100 * 73 + 20000, "after\n");
    free(text);
    for (const struct dlw_records_chunk *chunk = atomic_load(&kept.first); chunk;
         chunk = atomic_load(&chunk->next)) {
        char last = chunk->bytes[atomic_load(&chunk->used) - 1];
        ck_assert(last == '\n' || last == 'x');
    }
}
END_TEST

START_TEST(test_nothing_is_kept_after_a_fork)
{
    static char longest[20001];
    size_t chunks;
    memset(longest, 'x', sizeof longest - 1);
    keep("parent\n");
    keep(longest);
    keep("parent\n");
    dlw_keep_nothing(&kept, &arena);
    ck_assert_uint_eq(arena.in_use, 0);
    keep("child\n");
    char *text = read_all(&chunks);
    ck_assert_str_eq(text, "child\n");
    free(text);
}
END_TEST

START_TEST(test_out_of_memory_is_said)
{
    arena.limit = 1;
    ck_assert(!dlw_keep(&kept, &arena, "a\n", 2));
    ck_assert_ptr_null(atomic_load(&kept.first));
}
END_TEST

Suite *emit_keep_suite(void)
{
    Suite *suite = suite_create("emit_keep");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, test_lines_come_back_in_order);
    tcase_add_test(tests, test_line_is_never_cut_at_the_end_of_a_chunk);
    tcase_add_test(tests, test_nothing_is_kept_after_a_fork);
    tcase_add_test(tests, test_out_of_memory_is_said);
    suite_add_tcase(suite, tests);
    return suite;
}
