/* Unwind entries of functions that sign their return address. */
#include "interpose/stacks/signed.c" /* NOLINT(bugprone-suspicious-include) */

#include <check.h>

enum { CIE = 0x14 }; /* bytes of the common entry below */

/* As gcc writes them: "zR", pointers of four bytes; paciasp, frame, more instructions with operands
 * in which the number of the one that is looked for stands, autiasp. */
static const unsigned char tables[] = {
    0x10, 0,    0,    0,    0,    0,    0,    0,    1,    'z',
    'R',  0,    4,    0x78, 30,   1,    0x1b, 0x0c, 31,   0, /* the entry of a function from here */
    0x28, 0,    0,    0,    0x18, 0,    0,    0,    0,    0,
    0,    0,    0x40, 0,    0,    0,    0,    0x41, 0x2d, /* after four bytes of code: signed */
    0x41, 0x0e, 0x2d, 0x9d, 0x2d, 0x02, 0x2d, 0x0f, 2,    0x2d,
    0x2d, 0x10, 0x2d, 1,    0x2d, 0x2e, 0x2d, 0x0a, 0x41, 0x2d, /* and no more */
    0x0b, 0,    0,    0,    0,
};

START_TEST(only_the_instruction_is_hidden)
{
    uintptr_t start = (uintptr_t)tables;
    struct dlw_signs signs;
    unsigned char copy[sizeof(tables)];
    unsigned n_changed = 0;

    dlw_signs_find(start + CIE, start, start + sizeof(tables), &signs);
    ck_assert_uint_eq(signs.n, 2);
    ck_assert_uint_eq(signs.at[0] - start, 38);
    ck_assert_uint_eq(signs.at[1] - start, 58);
    memcpy(copy, tables, sizeof(copy));
    /* In pieces, as it is read. */
    for (size_t i = 0; i + 8 <= sizeof(copy); i += 8)
        dlw_signs_hide(&signs, start + i, copy + i, 8);
    for (size_t i = 0; i < sizeof(copy); i++)
        n_changed += copy[i] != tables[i];
    ck_assert_uint_eq(n_changed, 2);
    ck_assert_uint_eq(copy[38], 0);
    ck_assert_uint_eq(copy[58], 0);
}
END_TEST

START_TEST(nothing_is_read_behind_the_end)
{
    unsigned char cut[sizeof(tables)];
    struct dlw_signs signs;

    memcpy(cut, tables, sizeof(cut));
    for (size_t n = CIE; n <= sizeof(cut); n++) {
        dlw_signs_find((uintptr_t)cut + CIE, (uintptr_t)cut, (uintptr_t)cut + n, &signs);
        ck_assert_uint_le(signs.n, 2);
        for (unsigned i = 0; i < signs.n; i++)
            ck_assert_uint_lt(signs.at[i], (uintptr_t)cut + n);
    }
    cut[CIE + 4] = 0xff; /* it refers to an entry outside */
    dlw_signs_find((uintptr_t)cut + CIE, (uintptr_t)cut, (uintptr_t)cut + sizeof(cut), &signs);
    ck_assert_uint_eq(signs.n, 0);
}
END_TEST

Suite *interpose_signed_suite(void);

Suite *interpose_signed_suite(void)
{
    Suite *suite = suite_create("interpose_signed");
    TCase *tcase = tcase_create("interpose_signed");

    tcase_add_test(tcase, only_the_instruction_is_hidden);
    tcase_add_test(tcase, nothing_is_read_behind_the_end);
    suite_add_tcase(suite, tcase);
    return suite;
}
