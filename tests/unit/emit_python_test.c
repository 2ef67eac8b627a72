/* Which versions of CPython have a layout, and what of their own tables is believed. */
#include "report/emit/python/layout.h"

#include <check.h>
#include <string.h>

/* As 3.13.0 has it, by word. */
static void fill(uint64_t *word, unsigned version)
{
    unsigned more = version >= 0x030e, later = more * 3;

    memset(word, 0, DLW_PYTHON_HEAD);
    memcpy(word, "xdebugpy", 8);
    word[1] = (uint64_t)version << 16 | 0xf0;
    word[4] = 608;
    word[5] = 632;
    word[8] = 7264;
    word[14 + more] = 16;
    word[15 + more] = 7752;
    word[17 + more] = 7768;
    word[18 + more] = 7760;
    word[22 + later] = 16;
    word[23 + later] = 72;
    word[24 + later] = 152;
    word[25 + later] = 160;
    word[31 + later] = 56;
}

static bool is_known(unsigned version, const uint64_t *word, struct dlw_python_layout *out)
{
    const char *why = NULL;
    bool known = dlw_python_layout_of(version, word, out, &why);

    ck_assert(known || why != NULL);
    return known;
}

START_TEST(test_old_versions_are_in_a_table)
{
    uint64_t none[DLW_PYTHON_HEAD / 8] = {0};
    struct dlw_python_layout layout;

    for (unsigned minor = 9; minor <= 12; minor++) {
        ck_assert(is_known(0x0300 | minor, none, &layout));
        ck_assert_uint_eq(layout.version, 0x0300 | minor);
        ck_assert(layout.is_per_interpreter == (minor == 12));
    }
    ck_assert_uint_eq(dlw_python_version_of(none), 0);
}
END_TEST

START_TEST(test_later_ones_tell_their_own)
{
    uint64_t word[DLW_PYTHON_HEAD / 8];
    struct dlw_python_layout layout;

    for (unsigned version = 0x030d; version <= 0x030e; version++) {
        fill(word, version);
        ck_assert_uint_eq(dlw_python_version_of(word), version);
        ck_assert(is_known(version, word, &layout));
        ck_assert_uint_eq(layout.gil, 7752);
        ck_assert_uint_eq(layout.gil_pointer, 16);
        ck_assert_uint_eq(layout.thread_id, 152);
        ck_assert_uint_eq(layout.frame_instruction, 56);
    }
}
END_TEST

START_TEST(test_nothing_is_guessed)
{
    uint64_t word[DLW_PYTHON_HEAD / 8] = {0};
    struct dlw_python_layout layout;
    const char *why = NULL;

    ck_assert(!is_known(0x0308, word, &layout));
    ck_assert(!is_known(0x030d, word, &layout)); /* no cookie */
    ck_assert(!is_known(0, word, &layout));
    fill(word, 0x030f);
    ck_assert(!is_known(0x030f, word, &layout));
    fill(word, 0x030d);
    word[17]++; /* the distance from the holder to the word */
    ck_assert(!is_known(0x030d, word, &layout));
    fill(word, 0x030d);
    word[2] = 1;
    ck_assert(!dlw_python_layout_of(0x030d, word, &layout, &why));
    ck_assert_str_eq(why, "a free-threaded build");
}
END_TEST

Suite *emit_python_suite(void);
Suite *emit_python_suite(void)
{
    Suite *suite = suite_create("emit_python");
    TCase *tcase = tcase_create("layouts");

    tcase_add_test(tcase, test_old_versions_are_in_a_table);
    tcase_add_test(tcase, test_later_ones_tell_their_own);
    tcase_add_test(tcase, test_nothing_is_guessed);
    suite_add_tcase(suite, tcase);
    return suite;
}
