/* The lines of the file of `avoid`. */
#include "graph/finding.h"
#include "report/emit/signature.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct dlw_signature_module modules[] = {{"/opt/my app%/bank", {0xAB, 0x00, 0x12}, 3},
                                                {"/lib/libx.so", {0x77}, 1}};
static struct dlw_signature_step steps[] = {
    {DLW_LOCK_MUTEX, 0, {DLW_EXCLUSIVE, 2, {{0, 0x11D4}, {1, 0x20}}}, {DLW_SHARED, 1, {{0, 0x30}}}},
    {DLW_LOCK_RWLOCK, 1, {DLW_SHARED, 1, {{1, 0x99}}}, {DLW_EXCLUSIVE, 1, {{1, 0x9A}}}}};

static struct dlw_signature sample(void)
{
    struct dlw_signature signature = {0, 2, 2, modules, steps};

    signature.number = dlw_signature_number(&signature);
    return signature;
}

static char text[DLW_SIGNATURE_LINE];

static struct dlw_signature write_sample(void)
{
    struct dlw_signature signature = sample();
    struct dlw_line line = DLW_LINE(text);

    ck_assert(dlw_signature_write(&signature, &line));
    return signature;
}

START_TEST(comes_back_as_it_was)
{
    struct dlw_signature made = write_sample(), read;
    struct dlw_arena arena = {0};

    ck_assert_ptr_nonnull(strstr(text, "module /opt/my%20app%25/bank ab0012 "));
    ck_assert_ptr_nonnull(strstr(text, "step mutex 0 exclusive 0+11d4,1+20 shared 0+30"));
    strcat(text, " # transfer\r");
    ck_assert_ptr_null(dlw_signature_read(text, &arena, &read));
    ck_assert_uint_eq(read.number, made.number);
    ck_assert_uint_eq(read.n_modules, 2);
    ck_assert_uint_eq(read.n_steps, 2);
    ck_assert_str_eq(read.modules[0].path, modules[0].path);
    ck_assert_mem_eq(read.modules[0].build_id, modules[0].build_id, 3);
    ck_assert_mem_eq(&read.steps[0].hold.frames, &steps[0].hold.frames,
                     2 * sizeof(steps[0].hold.frames[0]));
    ck_assert_uint_eq(read.steps[1].kind, DLW_LOCK_RWLOCK);
    ck_assert_uint_eq(read.steps[1].want.mode, DLW_EXCLUSIVE);
}
END_TEST

START_TEST(one_number_wherever_it_is_entered)
{
    struct dlw_signature_step turned[] = {steps[1], steps[0]};
    struct dlw_signature signature = sample(), other = {0, 2, 2, modules, turned};

    ck_assert_uint_eq(dlw_signature_number(&other), signature.number);
    turned[0].want.frames[0].offset++;
    ck_assert_uint_ne(dlw_signature_number(&other), signature.number);
}
END_TEST

START_TEST(empty_lines_and_comments)
{
    static const char *const lines[] = {"", "# avoid 1", "   ", "\r"};
    struct dlw_arena arena = {0};
    struct dlw_signature read;

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        strcpy(text, lines[i]);
        ck_assert_ptr_null(dlw_signature_read(text, &arena, &read));
        ck_assert_uint_eq(read.n_steps, 0);
    }
}
END_TEST

START_TEST(no_build_id_no_line)
{
    struct dlw_signature signature = sample();
    struct dlw_signature_module bare[] = {modules[0], {"/lib/liby.so", {0}, 0}};
    struct dlw_line line = DLW_LINE(text);

    signature.modules = bare;
    ck_assert(!dlw_signature_write(&signature, &line));
}
END_TEST

/* Every line cut anywhere, and every one with one byte changed, is whole only where it says the
 * same. */
START_TEST(damage_shows)
{
    struct dlw_signature made = write_sample(), read;
    size_t length = strlen(text);
    char *whole = strdup(text), *copy = malloc(length + 1);

    for (size_t i = 1; i < length; i++) {
        struct dlw_arena arena = {0};
        memcpy(copy, whole, i);
        copy[i] = 0;
        ck_assert_ptr_nonnull(dlw_signature_read(copy, &arena, &read));
    }
    for (size_t i = 0; i < length; i++)
        for (int byte = 1; byte < 256; byte++) {
            static struct dlw_arena arena;
            strcpy(copy, whole);
            copy[i] = (char)byte;
            if (!dlw_signature_read(copy, &arena, &read) && read.n_steps)
                ck_assert_uint_eq(read.number, made.number);
        }
    free(whole);
    free(copy);
}
END_TEST

Suite *emit_signature_suite(void);
Suite *emit_signature_suite(void)
{
    Suite *suite = suite_create("emit_signature");
    TCase *tests = tcase_create("signature");

    suite_add_tcase(suite, tests);
    tcase_add_test(tests, comes_back_as_it_was);
    tcase_add_test(tests, one_number_wherever_it_is_entered);
    tcase_add_test(tests, empty_lines_and_comments);
    tcase_add_test(tests, no_build_id_no_line);
    tcase_add_test(tests, damage_shows);
    return suite;
}
