/* Files of roles: what is read, and that whatever is wrong is refused with its line. */
#include "graph/base/arena.h"
#include "graph/finding.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "interpose/steer/role_file.c" /* NOLINT(bugprone-suspicious-include) */

static struct dlw_role_file file;
static unsigned line;
static const char *why;

static bool parse(const char *text)
{
    static char copy[4096];
    static struct dlw_arena arena;

    snprintf(copy, sizeof(copy), "%s", text);
    return dlw_role_file_parse(&file, &arena, copy, &line, &why);
}

START_TEST(all_is_read)
{
    ck_assert(parse("dlwatch-roles 1\n# said\nset pause 200\nmodule 1 00ff10 /a folder/app\n"
                    "module 2 - libx.so\ncycle 0123\nrole mutex exclusive rwlock shared\n"
                    "first 1+10-20,2+a-b\nfirst 1+30-31\nsecond 1+40-41\n"
                    "role thread exclusive mutex exclusive\nwants 2+f0\nsecond 2+1-2\n"));
    ck_assert_uint_eq(file.n_modules, 2);
    ck_assert_str_eq(file.modules[0]->path, "/a folder/app");
    ck_assert_uint_eq(file.modules[0]->build_id_size, 3);
    ck_assert_uint_eq(file.modules[0]->build_id[1], 0xff);
    ck_assert_uint_eq(file.modules[1]->build_id_size, 0);
    ck_assert_uint_eq(dlw_role_file_number(&file, "pause", 1), 200);
    ck_assert_uint_eq(dlw_role_file_number(&file, "leader", 7), 7);

    const struct dlw_role_cycle *cycle = file.cycles;
    ck_assert_str_eq(cycle->fingerprint, "0123");
    ck_assert_uint_eq(cycle->n, 2);
    ck_assert_ptr_null(cycle->next);
    const struct dlw_role *role = cycle->roles[0];
    ck_assert_int_eq(role->held_kind, DLW_LOCK_MUTEX);
    ck_assert_int_eq(role->wanted_kind, DLW_LOCK_RWLOCK);
    ck_assert_int_eq(role->wanted_mode, DLW_SHARED);
    ck_assert_uint_eq(role->first.n, 2);
    ck_assert_uint_eq(role->second.n, 1);
    ck_assert_uint_eq(role->first.frames[0]->module, 1);
    ck_assert_uint_eq(role->first.frames[0]->from, 0xa);
    ck_assert_uint_eq(role->first.frames[0]->next->to, 0x20);
    ck_assert_uint_eq(cycle->roles[1]->step, 1);
    ck_assert(!cycle->roles[1]->held.is_known);
    ck_assert(cycle->roles[1]->wanted.is_known);
    ck_assert_uint_eq(cycle->roles[1]->wanted.module, 1);
    ck_assert_uint_eq(cycle->roles[1]->wanted.offset, 0xf0);
}
END_TEST

static const struct {
    const char *rest; /* behind the first line and a module */
    unsigned line;
} wrong[] = {
    {"module 3 - x", 3},
    {"module 2 0 x", 3},
    {"module 2 -", 3},
    {"unknown", 3},
    {"role mutex exclusive mutex exclusive", 3},
    {"cycle", 3},
    {"cycle 1\nrole mutex exclusive mutex", 4},
    {"cycle 1\nrole mutex exclusive mutex loud", 4},
    {"cycle 1\nfirst 1+1-2", 4},
    {"cycle 1\nholds 1+1", 4},
    {"cycle 1\nrole mutex exclusive mutex exclusive\nholds 2+1", 5},
    {"cycle 1\nrole mutex exclusive mutex exclusive\nfirst 2+1-2", 5},
    {"cycle 1\nrole mutex exclusive mutex exclusive\nfirst 1+2-2", 5},
    {"cycle 1\nrole mutex exclusive mutex exclusive\nfirst 1+1-2,", 5},
    {"cycle 1\nrole mutex exclusive mutex exclusive\nfirst 1+1-2x", 5},
    {"cycle 1\nrole mutex exclusive mutex exclusive\nfirst 1+1-10000000000000000", 5},
    {"cycle 1\nrole mutex exclusive mutex exclusive\nfirst 1+1-2\nsecond 1+1-2\ncycle 2", 7},
    {"cycle 1\nrole mutex exclusive mutex exclusive\nsecond 1+1-2\n"
     "role mutex exclusive mutex exclusive\nfirst 1+1-2\nsecond 1+1-2\ncycle 2",
     9},
};

START_TEST(what_is_wrong_is_refused)
{
    char text[1024];

    snprintf(text, sizeof(text), "dlwatch-roles 1\nmodule 1 - /app\n%s", wrong[_i].rest);
    ck_assert(!parse(text));
    ck_assert_uint_eq(line, wrong[_i].line);
    ck_assert_ptr_nonnull(why);
    ck_assert_ptr_null(file.cycles);
}
END_TEST

START_TEST(another_version_is_refused)
{
    ck_assert(!parse("dlwatch-roles 2\n"));
    ck_assert_uint_eq(line, 1);
    ck_assert(!parse(""));
}
END_TEST

Suite *steer_role_file_suite(void);

Suite *steer_role_file_suite(void)
{
    Suite *suite = suite_create("steer_role_file");
    TCase *tcase = tcase_create("read");

    tcase_add_test(tcase, all_is_read);
    tcase_add_loop_test(tcase, what_is_wrong_is_refused, 0,
                        (int)(sizeof(wrong) / sizeof(wrong[0])));
    tcase_add_test(tcase, another_version_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
