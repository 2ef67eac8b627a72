/*
 * The command is a shell script of the test's own: it writes down what it was given and what state
 * it found itself in.
 */
#include "report/emit/helper.h"
#include "tests/unit/emit_files.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static const char *const script =
    "#!/bin/sh\n"
    "cat\n"
    "for argument; do echo \"argument $argument\"; done\n"
    "env\n"
    "grep '^SigIgn' /proc/self/status\n"
    "printf descriptors\n"
    "for open in /proc/$$/fd/*; do printf ' %s' \"${open##*/}\"; done\n"
    "echo\n"
    "echo group $(cut -d' ' -f5 /proc/$$/stat)\n"
    "echo on-stderr >&2\n"
    "echo done\n";

static _Atomic int n_sigchld, n_atfork, n_started;
static int journal_fd, output_fd;

static void count_sigchld(int signal_number)
{
    (void)signal_number;
    n_sigchld++;
}

static void count_atfork(void)
{
    n_atfork++;
}

static void start(void)
{
    enter_folder();
    write_text(in_folder("dlwatch"), script, 0755);
    write_text(in_folder("journal"), "the journal\n", 0600);
    journal_fd = open(in_folder("journal"), O_RDONLY);
    output_fd = open(in_folder("output"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ck_assert(dlw_helper_find(in_folder("libdlwatch.so"), "/"));
}

static void assert_output(const char *part, bool is_there)
{
    char *text = file_text(in_folder("output"));

    ck_assert_msg(!!strstr(text, part) == is_there, "'%s' in:\n%s", part, text);
    free(text);
}

static void print_and_wait(void)
{
    const char *extra[] = {"--color=never", NULL};

    ck_assert(dlw_helper_print(journal_fd, output_fd, extra));
    dlw_helper_wait(10000);
    assert_output("done\n", true);
}

START_TEST(test_command_gets_journal_arguments_and_output)
{
    errno = 77;
    print_and_wait();
    ck_assert_int_eq(errno, 77);
    assert_output("the journal\n"
                  "argument report\nargument --format=text\nargument --live\n"
                  "argument --after=0\nargument --color=never\nargument -\n",
                  true);
    assert_output("on-stderr\n", true);
    ck_assert_int_eq(close(journal_fd), 0);
    ck_assert_int_eq(close(output_fd), 0);
}
END_TEST

START_TEST(test_program_notices_nothing)
{
    struct sigaction count = {.sa_handler = count_sigchld};
    sigset_t before, after;

    sigaction(SIGCHLD, &count, NULL);
    pthread_atfork(count_atfork, count_atfork, count_atfork);
    sigemptyset(&before);
    sigaddset(&before, SIGUSR1);
    sigprocmask(SIG_SETMASK, &before, NULL);
    print_and_wait();
    ck_assert_int_eq(waitpid(-1, NULL, __WALL), -1); /* nothing is left to reap, either */
    ck_assert_int_eq(errno, ECHILD);
    ck_assert_int_eq(n_sigchld, 0);
    ck_assert_int_eq(n_atfork, 0);
    sigprocmask(SIG_SETMASK, NULL, &after);
    ck_assert_mem_eq(&before, &after, 8);
}
END_TEST

START_TEST(test_command_starts_clean)
{
    char group[40];
    sigset_t all;

    for (int i = 0; i < 20; i++)
        dup(journal_fd);
    dup2(journal_fd, 700);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, count_sigchld);
    signal(SIGRTMIN + 3, SIG_IGN);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    print_and_wait();
    /* 3 and 10 are the shell's: the folder that it lists, and the script. */
    assert_output("descriptors 0 1 10 2 3\n", true);
    assert_output("SigIgn:\t0000000000000000\n", true);
    snprintf(group, sizeof group, "group %d\n", (int)getpgrp());
    assert_output(group, true);
}
END_TEST

/* The kernel's copy of the environment is looked at: it is set for a program started anew. */
START_TEST(test_environment_is_without_the_loaders_variables)
{
    pid_t pid = fork();

    if (pid == 0) {
        setenv("LD_LIBRARY_PATH", "/nowhere", 1);
        setenv("DLWATCH_OPTIONS", "verbosity=1", 1);
        setenv("DEBUGINFOD_URLS", "http://localhost", 1);
        setenv("KEPT", "a=b c", 1);
        execl("/proc/self/exe", "run", "--emit-helper", folder, NULL);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
    assert_output("done\n", true);
    assert_output("KEPT=a=b c\n", true);
    assert_output("\nLD_", false);
    assert_output("DLWATCH_OPTIONS", false);
    assert_output("DEBUGINFOD", false);
}
END_TEST

/* In the program that the test above starts, before there is a test runner. */
__attribute__((constructor)) static void print_when_asked(int argc, char **argv)
{
    if (argc != 3 || strcmp(argv[1], "--emit-helper") != 0)
        return;
    strcpy(folder, argv[2]);
    bool is_started = dlw_helper_find(in_folder("libdlwatch.so"), "/") &&
                      dlw_helper_print(open(in_folder("journal"), O_RDONLY),
                                       open(in_folder("output"), O_WRONLY | O_CREAT, 0600), NULL);
    dlw_helper_wait(10000);
    _exit(!is_started);
}

START_TEST(test_descriptors_that_are_standard_ones)
{
    int input = _i ? 0 : 1;

    ck_assert_int_eq(dup3(output_fd, !input, O_CLOEXEC), !input);
    ck_assert_int_eq(dup3(journal_fd, input, O_CLOEXEC), input);
    ck_assert(dlw_helper_print(input, !input, NULL));
    dlw_helper_wait(10000);
    assert_output("the journal\nargument report\n", true);
}
END_TEST

/* A shell would clear its own mask before it could be looked at. */
START_TEST(test_command_has_no_signal_blocked)
{
    sigset_t all;

    write_text(in_folder("dlwatch"),
               "#!/usr/bin/awk -f\n"
               "BEGIN { while ((getline line < \"/proc/self/status\") > 0) print line }\n",
               0755);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    ck_assert(dlw_helper_print(journal_fd, output_fd, NULL));
    dlw_helper_wait(10000);
    assert_output("SigBlk:\t0000000000000000\n", true);
}
END_TEST

START_TEST(test_find)
{
    char command[600];

    ck_assert(!dlw_helper_find(NULL, "/"));
    ck_assert(!dlw_helper_find("libdlwatch.so", "/"));
    ck_assert(!dlw_helper_is_possible());
    snprintf(command, sizeof command, "cd %s && mkdir -p lib/x86 bin && mv dlwatch bin", folder);
    ck_assert_int_eq(system(command), 0);
    ck_assert(!dlw_helper_find(in_folder("libdlwatch.so"), "/"));
    ck_assert(dlw_helper_find(in_folder("lib/libdlwatch.so"), "/"));
    ck_assert(dlw_helper_find(in_folder("lib/x86/libdlwatch.so"), "/"));
    ck_assert(dlw_helper_is_possible());
    ck_assert_int_eq(chmod(in_folder("bin/dlwatch"), 0644), 0);
    ck_assert(!dlw_helper_find(in_folder("lib/libdlwatch.so"), "/"));
    ck_assert_int_eq(unlink(in_folder("bin/dlwatch")), 0);
    ck_assert_int_eq(mkdir(in_folder("bin/dlwatch"), 0755), 0);
    ck_assert(!dlw_helper_find(in_folder("lib/libdlwatch.so"), "/"));
}
END_TEST

/* LD_PRELOAD=./libdlwatch.so: the folder at start is meant, wherever the program goes. */
START_TEST(test_find_by_a_relative_path)
{
    ck_assert(!dlw_helper_find("./libdlwatch.so", "/"));
    ck_assert(!dlw_helper_find("./libdlwatch.so", ""));
    ck_assert(!dlw_helper_find("./libdlwatch.so", "(unreachable)/somewhere"));
    ck_assert(dlw_helper_find("./libdlwatch.so", folder));
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert(dlw_helper_print(journal_fd, output_fd, NULL));
    dlw_helper_wait(10000);
    assert_output("the journal\n", true);
}
END_TEST

START_TEST(test_another_program_in_the_place_of_the_command)
{
    ck_assert(dlw_helper_is_possible());
    ck_assert_int_eq(rename(in_folder("dlwatch"), in_folder("ours")), 0);
    ck_assert(!dlw_helper_is_possible());
    write_text(in_folder("dlwatch"), "#!/bin/sh\necho theirs\n", 0755);
    ck_assert(!dlw_helper_is_possible());
    ck_assert(!dlw_helper_print(journal_fd, output_fd, NULL));
    ck_assert_int_eq(rename(in_folder("ours"), in_folder("dlwatch")), 0);
    ck_assert(dlw_helper_is_possible());
}
END_TEST

/* Runs it in a child, which may change what it is; 77: the system doesn't allow what it wants. */
static void assert_in_child(int (*play)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(play());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    if (WEXITSTATUS(status) != 77)
        ck_assert_int_eq(WEXITSTATUS(status), 0);
}

static int play_new_root(void)
{
    if (chroot(in_folder("")) != 0)
        return 77;
    return dlw_helper_is_possible();
}

/* Our helper would be the first process there, and with its end nobody could be made any more. */
static int play_new_pid_namespace(void)
{
    int status = 0;

    if (!dlw_helper_is_possible())
        return 1;
    if (unshare(CLONE_NEWPID) != 0)
        return 77;
    if (dlw_helper_is_possible() || dlw_helper_print(journal_fd, output_fd, NULL))
        return 2;
    pid_t pid = fork();
    if (pid == 0)
        _exit(getpid() == 1 ? 5 : 6);
    return waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5 ? 0 : 3;
}

static int play_process_limit(void)
{
    struct rlimit limit = {3, 3};

    if (setrlimit(RLIMIT_NPROC, &limit) != 0)
        return 77;
    return dlw_helper_is_possible();
}

static int play_subreaper(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return dlw_helper_is_possible();
}

START_TEST(test_not_where_it_would_be_noticed)
{
    static int (*const plays[])(void) = {play_new_root, play_new_pid_namespace, play_process_limit,
                                         play_subreaper};

    ck_assert(dlw_helper_is_possible());
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++)
        assert_in_child(plays[i]);
}
END_TEST

START_TEST(test_one_prints_after_the_other)
{
    write_text(in_folder("dlwatch"),
               "#!/bin/sh\n"
               "case $4 in\n"
               "--after=0) until [ -e \"${0%/*}/go\" ]; do sleep 0.01; done ;;\n"
               "--after=[1-9]*) echo told ;;\n"
               "esac\n",
               0755);
    ck_assert(dlw_helper_print(journal_fd, output_fd, NULL));
    ck_assert(dlw_helper_print(journal_fd, output_fd, NULL));
    write_text(in_folder("go"), "", 0644);
    dlw_helper_wait(10000);
    assert_output("told\n", true);
}
END_TEST

START_TEST(test_false_when_the_command_can_not_be_executed)
{
    write_text(in_folder("dlwatch"), "#!/nowhere/sh\n", 0755);
    ck_assert(!dlw_helper_print(journal_fd, output_fd, NULL));
    ck_assert(!dlw_helper_print(journal_fd, -1, NULL));
    dlw_helper_wait(1000);
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
}
END_TEST

START_TEST(test_not_possible_for_a_subreaper)
{
    ck_assert(dlw_helper_is_possible());
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    ck_assert(!dlw_helper_is_possible());
    ck_assert(!dlw_helper_print(journal_fd, output_fd, NULL));
}
END_TEST

START_TEST(test_not_possible_when_confined)
{
    dlw_helper_confine();
    ck_assert(!dlw_helper_is_possible());
    ck_assert(!dlw_helper_print(journal_fd, output_fd, NULL));
}
END_TEST

START_TEST(test_not_possible_under_a_filter)
{
    struct sock_filter allow_all = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
    struct sock_fprog program = {1, &allow_all};

    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    ck_assert(!dlw_helper_is_possible());
}
END_TEST

static long elapsed_ms(const struct timespec *since)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

START_TEST(test_wait_lasts_as_long_as_the_helpers)
{
    struct timespec begin;

    write_text(in_folder("dlwatch"), "#!/bin/sh\nsleep 0.5\necho done\n", 0755);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < 3; i++)
        ck_assert(dlw_helper_print(journal_fd, output_fd, NULL));
    ck_assert_int_lt(elapsed_ms(&begin), 400); /* starting does not wait */
    dlw_helper_wait(20000);
    ck_assert_int_ge(elapsed_ms(&begin), 500);
    ck_assert_int_lt(elapsed_ms(&begin), 10000);
    assert_output("done\ndone\ndone\n", true);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    dlw_helper_wait(20000);
    ck_assert_int_lt(elapsed_ms(&begin), 400);
}
END_TEST

START_TEST(test_wait_has_a_limit)
{
    struct timespec begin;

    write_text(in_folder("dlwatch"), "#!/bin/sh\nexec sleep 2\n", 0755);
    ck_assert(dlw_helper_print(journal_fd, output_fd, NULL));
    clock_gettime(CLOCK_MONOTONIC, &begin);
    dlw_helper_wait(100);
    ck_assert_int_ge(elapsed_ms(&begin), 99);
    ck_assert_int_lt(elapsed_ms(&begin), 1500);
}
END_TEST

START_TEST(test_forked_child_does_not_wait_for_its_parents_helpers)
{
    int status;

    write_text(in_folder("dlwatch"), "#!/bin/sh\nexec sleep 2\n", 0755);
    ck_assert(dlw_helper_print(journal_fd, output_fd, NULL));
    pid_t pid = fork();
    if (pid == 0) {
        struct timespec begin;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        dlw_helper_wait(1500);
        _exit(elapsed_ms(&begin) > 1000);
    }
    waitpid(pid, &status, 0);
    ck_assert_int_eq(status, 0);
}
END_TEST

static void *print_often(void *unused)
{
    for (int i = 0; i < 10; i++)
        n_started += dlw_helper_print(journal_fd, output_fd, NULL);
    return unused;
}

START_TEST(test_many_threads_at_once)
{
    pthread_t threads[4];
    int n_done = 0;

    write_text(in_folder("dlwatch"), "#!/bin/sh\necho done\n", 0755);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, print_often, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(n_started, 40);
    dlw_helper_wait(20000);
    char *text = file_text(in_folder("output"));
    for (char *at = text; (at = strstr(at, "done")); at++)
        n_done++;
    ck_assert_int_eq(n_done, 40);
    free(text);
}
END_TEST

Suite *emit_helper_suite(void);
Suite *emit_helper_suite(void)
{
    Suite *suite = suite_create("emit_helper");
    TCase *tcase = tcase_create("helper");

    tcase_add_checked_fixture(tcase, start, leave_folder);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_command_gets_journal_arguments_and_output);
    tcase_add_test(tcase, test_program_notices_nothing);
    tcase_add_test(tcase, test_command_starts_clean);
    tcase_add_test(tcase, test_environment_is_without_the_loaders_variables);
    tcase_add_loop_test(tcase, test_descriptors_that_are_standard_ones, 0, 2);
    tcase_add_test(tcase, test_command_has_no_signal_blocked);
    tcase_add_test(tcase, test_find);
    tcase_add_test(tcase, test_find_by_a_relative_path);
    tcase_add_test(tcase, test_another_program_in_the_place_of_the_command);
    tcase_add_test(tcase, test_not_where_it_would_be_noticed);
    tcase_add_test(tcase, test_one_prints_after_the_other);
    tcase_add_test(tcase, test_false_when_the_command_can_not_be_executed);
    tcase_add_test(tcase, test_not_possible_for_a_subreaper);
    tcase_add_test(tcase, test_not_possible_when_confined);
    tcase_add_test(tcase, test_not_possible_under_a_filter);
    tcase_add_test(tcase, test_wait_lasts_as_long_as_the_helpers);
    tcase_add_test(tcase, test_wait_has_a_limit);
    tcase_add_test(tcase, test_forked_child_does_not_wait_for_its_parents_helpers);
    tcase_add_test(tcase, test_many_threads_at_once);
    suite_add_tcase(suite, tcase);
    return suite;
}
