/*
 * Runs every suite: each `Suite *NAME_suite(void)` of the _test.c files here (the build
 * lists them, so that none is forgotten). CK_RUN_SUITE=NAME runs one, CK_FORK=no
 * keeps it in one process for a debugger.
 */
#include <check.h>
#include <stdlib.h>

#define SUITE(name) Suite *name##_suite(void);
#include "suites.inc"
#undef SUITE

int main(void)
{
    SRunner *runner = srunner_create(NULL);
#define SUITE(name) srunner_add_suite(runner, name##_suite());
#include "suites.inc"
#undef SUITE
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
