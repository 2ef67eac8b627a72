#include "report/emit/fd.h"
#include "report/emit/say.h"
#include "tests/unit/emit_files.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>

static int saved_stderr;

/* Descriptor 2 becomes the file "stderr" of the folder. */
static void start(const char *log)
{
    struct dlw_options options = {.log = log};
    int fd = open(in_folder("stderr"), O_WRONLY | O_CREAT | O_APPEND, 0600);

    saved_stderr = dup(2);
    ck_assert_int_eq(dup2(fd, 2), 2);
    close(fd);
    dlw_say_start(&options, folder, "/usr/bin/bank");
}

static void assert_file(const char *name, const char *expected)
{
    char with_pid[512];
    char *text = file_text(in_folder(name));

    snprintf(with_pid, sizeof with_pid, expected, getpid());
    ck_assert_pstr_eq(text, with_pid);
    free(text);
}

START_TEST(test_line_has_prefix_and_end)
{
    start("stderr");
    errno = 77;
    dlw_say("two ", "pieces", NULL);
    ck_assert_int_eq(errno, 77);
    assert_file("stderr", "dlwatch[%d]: two pieces\n");
    ck_assert_int_eq(dlw_say_descriptor(), 2);
}
END_TEST

START_TEST(test_long_line_is_cut_at_its_end)
{
    char piece[3000];

    memset(piece, 'x', sizeof piece);
    piece[sizeof piece - 1] = '\0';
    start("stderr");
    dlw_say(piece, NULL);
    char *text = file_text(in_folder("stderr"));
    ck_assert_uint_le(strlen(text), 1024);
    ck_assert_uint_gt(strlen(text), 1000);
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
    free(text);
}
END_TEST

START_TEST(test_nothing_when_descriptor_2_is_another)
{
    start("stderr");
    write_text(in_folder("data"), "precious", 0600);
    dup2(open(in_folder("data"), O_WRONLY | O_APPEND), 2);
    dlw_say("lost", NULL);
    dlw_say_raw("lost\n", 5);
    ck_assert(!dlw_say_wants_blocks());
    ck_assert_int_eq(dlw_say_descriptor(), -1);
    assert_file("data", "precious");
    close(2);
    dlw_say("lost", NULL);
    assert_file("stderr", "");
}
END_TEST

START_TEST(test_nothing_when_descriptor_2_was_closed_at_start)
{
    struct dlw_options options = {.log = "stderr"};

    close(2);
    dlw_say_start(&options, folder, "bank");
    ck_assert_int_eq(open(in_folder("data"), O_WRONLY | O_CREAT, 0600), 2);
    dlw_say("lost", NULL);
    assert_file("data", "");
}
END_TEST

START_TEST(test_nothing_when_log_is_none)
{
    start("none");
    dlw_say("lost", NULL);
    ck_assert(!dlw_say_wants_blocks());
    assert_file("stderr", "");
}
END_TEST

/* For a run that prints the blocks itself. */
START_TEST(test_lines_without_blocks)
{
    start(DLW_SAY_LINES "stderr");
    ck_assert(!dlw_say_wants_blocks());
    dlw_say("line", NULL);
    assert_file("stderr", "dlwatch[%d]: line\n");
    dup2(saved_stderr, 2);
    start(DLW_SAY_LINES "log");
    ck_assert(!dlw_say_wants_blocks());
    dlw_say("line", NULL);
    assert_file("log", "dlwatch[%d]: line\n");
    dup2(saved_stderr, 2);
    start("log");
    ck_assert(dlw_say_wants_blocks());
}
END_TEST

START_TEST(test_log_is_made_at_first_use_in_the_start_folder)
{
    start("%e.log");
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_ne(access(in_folder("bank.log"), F_OK), 0);
    dlw_say("one", NULL);
    dlw_say_raw("two\n", 4);
    assert_file("bank.log", "dlwatch[%d]: one\ntwo\n");
    assert_file("stderr", "");
    ck_assert_int_ge(dlw_say_descriptor(), 512);
    ck_assert_int_eq(fcntl(dlw_say_descriptor(), F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(test_log_is_appended_to)
{
    write_text(in_folder("log"), "before\n", 0600);
    start(in_folder("log"));
    dlw_say_raw("after\n", 6);
    assert_file("log", "before\nafter\n");
}
END_TEST

START_TEST(test_unwritable_log_warns_once_and_stderr_takes_over)
{
    start("missing/log");
    dlw_say("one", NULL);
    dlw_say("two", NULL);
    char *text = file_text(in_folder("stderr"));
    ck_assert_ptr_nonnull(strstr(text, "can't open the log 'missing/log': no such file"));
    ck_assert_ptr_nonnull(strstr(text, "]: one\n"));
    ck_assert_ptr_nonnull(strstr(text, "]: two\n"));
    ck_assert_ptr_null(strstr(strstr(text, "can't") + 1, "can't"));
    free(text);
}
END_TEST

START_TEST(test_log_that_is_a_fifo_without_reader)
{
    char command[200];

    snprintf(command, sizeof command, "mkfifo %s", in_folder("fifo"));
    ck_assert_int_eq(system(command), 0);
    start("fifo");
    dlw_say("one", NULL);
    char *text = file_text(in_folder("stderr"));
    ck_assert_ptr_nonnull(strstr(text, "nobody reads"));
    free(text);
}
END_TEST

START_TEST(test_log_when_its_descriptor_is_reused)
{
    start("log");
    dlw_say("one", NULL);
    int fd = dlw_say_descriptor();
    write_text(in_folder("data"), "precious", 0600);
    ck_assert_int_eq(dup2(open(in_folder("data"), O_WRONLY | O_APPEND), fd), fd);
    dlw_say_raw("two\n", 4);
    assert_file("data", "precious");
    assert_file("log", "dlwatch[%d]: one\ntwo\n");
}
END_TEST

START_TEST(test_log_with_pid_when_forked)
{
    char name[64];
    int status;

    start("%p.log");
    dlw_say("parent", NULL);
    pid_t child = fork();
    if (child == 0) {
        dlw_say("child", NULL);
        _exit(0);
    }
    waitpid(child, &status, 0);
    snprintf(name, sizeof name, "%d.log", child);
    char *text = file_text(in_folder(name));
    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(strstr(text, "child"));
    free(text);
}
END_TEST

static void *say_often(void *unused)
{
    for (int i = 0; i < 200; i++) {
        dlw_say("line", NULL);
        if (i % 50 == 49) /* once more from the beginning, in the middle of the others */
            close(dlw_say_descriptor());
    }
    return unused;
}

START_TEST(test_whole_lines_when_threads_race_to_open)
{
    pthread_t threads[4];
    int whole = 0;

    start("log");
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, say_often, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    char *text = file_text(in_folder("log"));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), whole++)
        ck_assert_ptr_nonnull(strstr(line, "]: line"));
    ck_assert_int_gt(whole, 700); /* a line may meet the closing */
    free(text);
}
END_TEST

static bool is_pending(int signal_number)
{
    sigset_t pending;

    sigpending(&pending);
    return sigismember(&pending, signal_number);
}

/* Descriptor 2 is a pipe that nobody reads. */
static void start_with_broken_pipe(void)
{
    struct dlw_options options = {.log = "stderr"};
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    dup2(ends[1], 2);
    close(ends[0]);
    close(ends[1]);
    dlw_say_start(&options, folder, "bank");
}

START_TEST(test_broken_pipe_does_not_kill)
{
    start_with_broken_pipe();
    signal(SIGPIPE, SIG_DFL);
    dlw_say("nobody hears", NULL);
    ck_assert(!is_pending(SIGPIPE));
}
END_TEST

START_TEST(test_broken_pipe_keeps_the_programs_own_signal)
{
    sigset_t pipe_signal;

    start_with_broken_pipe();
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe_signal, NULL);
    dlw_say("nobody hears", NULL);
    ck_assert(!is_pending(SIGPIPE));
    raise(SIGPIPE);
    dlw_say("nobody hears", NULL);
    ck_assert(is_pending(SIGPIPE));
}
END_TEST

START_TEST(test_full_pipe_that_does_not_block)
{
    struct dlw_options options = {.log = "stderr"};
    int ends[2];
    char filler[4096] = {0};

    ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
    dup2(ends[1], 2);
    dlw_say_start(&options, folder, "bank");
    while (write(2, filler, sizeof filler) > 0)
        ;
    dlw_say("given up after a second", NULL);
    ck_assert_int_eq(read(ends[0], filler, sizeof filler), sizeof filler);
    dlw_say("heard", NULL);
}
END_TEST

START_TEST(test_numbers)
{
    char buffer[24];

    ck_assert_str_eq(dlw_say_number(buffer, 0), "0");
    ck_assert_str_eq(dlw_say_number(buffer, UINT64_MAX), "18446744073709551615");
    ck_assert_str_eq(dlw_say_hex(buffer, 0), "0x0");
    ck_assert_str_eq(dlw_say_hex(buffer, UINT64_MAX), "0xffffffffffffffff");
}
END_TEST

Suite *emit_say_suite(void);
Suite *emit_say_suite(void)
{
    Suite *suite = suite_create("emit_say");
    TCase *tcase = tcase_create("say");

    tcase_add_checked_fixture(tcase, enter_folder, leave_folder);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, test_line_has_prefix_and_end);
    tcase_add_test(tcase, test_long_line_is_cut_at_its_end);
    tcase_add_test(tcase, test_nothing_when_descriptor_2_is_another);
    tcase_add_test(tcase, test_nothing_when_descriptor_2_was_closed_at_start);
    tcase_add_test(tcase, test_nothing_when_log_is_none);
    tcase_add_test(tcase, test_lines_without_blocks);
    tcase_add_test(tcase, test_log_is_made_at_first_use_in_the_start_folder);
    tcase_add_test(tcase, test_log_is_appended_to);
    tcase_add_test(tcase, test_unwritable_log_warns_once_and_stderr_takes_over);
    tcase_add_test(tcase, test_log_that_is_a_fifo_without_reader);
    tcase_add_test(tcase, test_log_when_its_descriptor_is_reused);
    tcase_add_test(tcase, test_log_with_pid_when_forked);
    tcase_add_test(tcase, test_whole_lines_when_threads_race_to_open);
    tcase_add_test(tcase, test_broken_pipe_does_not_kill);
    tcase_add_test(tcase, test_broken_pipe_keeps_the_programs_own_signal);
    tcase_add_test(tcase, test_full_pipe_that_does_not_block);
    tcase_add_test(tcase, test_numbers);
    suite_add_tcase(suite, tcase);
    return suite;
}
