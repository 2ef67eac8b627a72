/* Source paths: normal, and from a folder. */
#include "report/command/document/model.h"

#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void expect(const char *folder, const char *file, const char *below, const char *path)
{
    struct dlw_region region = {0};
    const struct dlw_frame frame = {.file = file, .folder = folder};
    ck_assert_str_eq(dlw_frame_path(&region, &frame, below), path);
    dlw_region_free(&region);
}

START_TEST(test_paths_are_normal)
{
    expect(NULL, "bank.c", "/src", "bank.c");
    expect("/src/build", "../bank.c", "/src", "bank.c");
    expect("/src/build", "./a/.././b//bank.c", "/src", "build/b/bank.c");
    expect("/src", "/other/./bank.c", "/src", "/other/bank.c");
    expect("/src", "/src2/bank.c", "/src", "/src2/bank.c");
    expect(NULL, "../../bank.c", "/src", "../../bank.c");
    expect(NULL, "a/../../bank.c", "/src", "../bank.c");
    expect(NULL, "/../bank.c", "/src", "/bank.c");
    expect("/src", "..bank/c..c", "/src", "..bank/c..c");
}
END_TEST

/* Each test has a process of its own: the folder is found once. */
static void expect_source_folder(const char *repository, const char *working)
{
    char top[] = "/tmp/dlwatch-paths-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(top));
    ck_assert_int_eq(chdir(top), 0);
    ck_assert_int_eq(mkdir("a", 0700) | mkdir("a/b", 0700), 0);
    if (repository)
        ck_assert_int_eq(mkdir(repository, 0700), 0);
    ck_assert_int_eq(chdir(working), 0);
    struct dlw_region region = {0};
    const char *expected = dlw_region_print(&region, "%s/a", top);
    ck_assert_str_eq(dlw_source_folder(), expected);
    ck_assert_str_eq(dlw_source_folder(), expected);
    dlw_region_free(&region);
    ck_assert_int_eq(chdir(top), 0);
    if (repository)
        rmdir(repository);
    rmdir("a/b");
    rmdir("a");
    rmdir(top);
}

START_TEST(test_source_folder_is_the_top_of_the_repository)
{
    expect_source_folder("a/.git", "a/b");
}
END_TEST

START_TEST(test_source_folder_is_else_where_one_works)
{
    expect_source_folder(NULL, "a");
}
END_TEST

Suite *command_paths_suite(void);
Suite *command_paths_suite(void)
{
    Suite *suite = suite_create("command_paths");
    TCase *tests = tcase_create("paths");
    tcase_add_test(tests, test_paths_are_normal);
    tcase_add_test(tests, test_source_folder_is_the_top_of_the_repository);
    tcase_add_test(tests, test_source_folder_is_else_where_one_works);
    suite_add_tcase(suite, tests);
    return suite;
}
