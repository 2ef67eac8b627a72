/* Where the journal's lines go, and what ends it. */
#include "tests/unit/emit_world.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void start(void)
{
    enter_folder();
    world_start("j.dlw");
}

static void stop(void)
{
    dlw_journal_free(journal);
    leave_folder();
}

static size_t n_lines(const char *name)
{
    json_t *lines = read_lines(in_folder(name));
    size_t n = json_array_size(lines);

    json_decref(lines);
    return n;
}

/* One warning that says why; after that nothing is written, said or kept. */
static void assert_ended(const char *why)
{
    ck_assert_int_eq(world_warnings, 1);
    ck_assert_msg(strstr(world_warning, why), "'%s' lacks '%s'", world_warning, why);
    ck_assert(dlw_journal_has_failed(journal));
    add_edge(5, 6);
    dlw_journal_flush(journal);
    dlw_journal_off(journal, "x");
    ck_assert(!dlw_journal_has_pending(journal));
    ck_assert_int_eq(world_warnings, 1);
}

/* The first line has room for why there is no end. */
static void assert_first_line(const char *text, bool is_there)
{
    char line[4096] = "";
    FILE *file = fopen(in_folder("j.dlw"), "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    fclose(file);
    ck_assert_int_eq(strstr(line, text) != NULL, is_there);
    ck_assert_str_eq(line + strlen(line) - 2, "}\n");
}

START_TEST(test_no_file_when_there_is_nothing_to_say)
{
    struct dlw_journal_totals totals = {.ended = "exit"};

    dlw_journal_flush(journal);
    dlw_journal_exec(journal);
    dlw_journal_end(journal, &totals);
    ck_assert_int_ne(access(in_folder("j.dlw"), F_OK), 0);
    ck_assert_ptr_null(dlw_journal_path(journal));
    ck_assert(!dlw_journal_has_pending(journal));
}
END_TEST

START_TEST(test_edges_wait_for_the_flush)
{
    add_edge(1, 2);
    ck_assert(dlw_journal_has_pending(journal));
    ck_assert(!dlw_journal_has_failed(journal));
    ck_assert_int_ne(access(in_folder("j.dlw"), F_OK), 0);
    dlw_journal_flush(journal);
    ck_assert(!dlw_journal_has_pending(journal));
    ck_assert_str_eq(dlw_journal_path(journal), in_folder("j.dlw"));
    ck_assert_uint_gt(n_lines("j.dlw"), 5);
    assert_first_line("cut", false);
}
END_TEST

/* It holds the command line. */
START_TEST(test_only_its_owner_reads_it)
{
    struct stat status;
    mode_t mask = umask(0);

    add_edge(1, 2);
    dlw_journal_flush(journal);
    umask(mask);
    ck_assert_int_eq(stat(in_folder("j.dlw"), &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0600);
}
END_TEST

START_TEST(test_full_buffer_leaves_by_itself_in_whole_lines)
{
    struct stat status;

    for (uint64_t i = 1; i < 3000; i++)
        add_edge(i, i + 1);
    ck_assert_int_eq(stat(in_folder("j.dlw"), &status), 0);
    ck_assert_int_gt(status.st_size, 100000);
    n_lines("j.dlw");
}
END_TEST

START_TEST(test_number_when_the_name_is_taken)
{
    write_text(in_folder("j.dlw"), "theirs", 0600);
    write_text(in_folder("j-1.dlw"), "theirs", 0600);
    ck_assert_int_eq(symlink("/nowhere", in_folder("j-2.dlw")), 0);
    add_edge(1, 2);
    dlw_journal_flush(journal);
    ck_assert_str_eq(dlw_journal_path(journal), in_folder("j-3.dlw"));
    char *text = file_text(in_folder("j.dlw"));
    ck_assert_str_eq(text, "theirs");
    free(text);
    n_lines("j-3.dlw");
}
END_TEST

START_TEST(test_start_folder_and_marks)
{
    dlw_journal_free(journal);
    world_start("%e.%p");
    ck_assert_int_eq(chdir("/"), 0);
    add_edge(1, 2);
    dlw_journal_flush(journal);
    ck_assert_uint_gt(n_lines("bank.17"), 1);
}
END_TEST

START_TEST(test_missing_folder)
{
    dlw_journal_free(journal);
    world_start("missing/j");
    errno = 77;
    add_edge(1, 2);
    ck_assert_int_eq(world_warnings, 0);
    dlw_journal_flush(journal);
    ck_assert_int_eq(errno, 77);
    ck_assert_ptr_nonnull(strstr(world_warning, "'missing/j' can't be written: "));
    assert_ended("no such file or folder");
    ck_assert_ptr_null(dlw_journal_path(journal));
}
END_TEST

START_TEST(test_path_too_long)
{
    char pattern[5000];

    memset(pattern, 'x', sizeof pattern);
    pattern[sizeof pattern - 1] = '\0';
    dlw_journal_free(journal);
    world_start(pattern);
    add_edge(1, 2);
    dlw_journal_flush(journal);
    assert_ended("too long");
}
END_TEST

/* The number the journal's descriptor has now. */
static int journal_fd(void)
{
    struct stat file, other;

    stat(in_folder("j.dlw"), &file);
    for (int fd = 3; fd < 1024; fd++)
        if (fstat(fd, &other) == 0 && other.st_ino == file.st_ino && other.st_dev == file.st_dev)
            return fd;
    return -1;
}

START_TEST(test_descriptor_is_high_and_closes_on_exec)
{
    add_edge(1, 2);
    dlw_journal_flush(journal);
    ck_assert_int_ge(journal_fd(), 512);
    ck_assert_int_eq(fcntl(journal_fd(), F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(test_descriptor_when_few_are_allowed)
{
    struct rlimit limit = {100, 100};

    setrlimit(RLIMIT_NOFILE, &limit);
    add_edge(1, 2);
    dlw_journal_flush(journal);
    ck_assert_int_ge(journal_fd(), 80);
}
END_TEST

START_TEST(test_descriptor_when_standard_ones_are_closed)
{
    close(0);
    add_edge(1, 2);
    dlw_journal_flush(journal);
    ck_assert_int_ne(fcntl(0, F_GETFD), 0);
    ck_assert_uint_gt(n_lines("j.dlw"), 1);
}
END_TEST

START_TEST(test_descriptor_when_closed_or_reused)
{
    add_edge(1, 2);
    dlw_journal_flush(journal);
    size_t before = n_lines("j.dlw");
    int fd = journal_fd();
    if (_i) {
        write_text(in_folder("data"), "precious", 0600);
        ck_assert_int_eq(dup2(open(in_folder("data"), O_RDWR), fd), fd);
    } else {
        close(fd);
    }
    add_edge(2, 1);
    dlw_journal_flush(journal);
    ck_assert_uint_eq(n_lines("j.dlw"), before + 1);
    ck_assert_int_eq(world_warnings, 0);
    if (_i) {
        char *text = file_text(in_folder("data"));
        ck_assert_str_eq(text, "precious");
        free(text);
    }
}
END_TEST

START_TEST(test_lost_descriptor_and_another_file_in_its_place)
{
    add_edge(1, 2);
    dlw_journal_flush(journal);
    close(journal_fd());
    ck_assert_int_eq(rename(in_folder("j.dlw"), in_folder("old")), 0);
    write_text(in_folder("j.dlw"), "precious", 0600);
    add_edge(2, 1);
    dlw_journal_flush(journal);
    assert_ended("another file");
    char *text = file_text(in_folder("j.dlw"));
    ck_assert_str_eq(text, "precious");
    free(text);
}
END_TEST

START_TEST(test_file_cut_by_somebody)
{
    add_edge(1, 2);
    dlw_journal_flush(journal);
    ck_assert_int_eq(truncate(in_folder("j.dlw"), 20), 0);
    add_edge(2, 1);
    dlw_journal_flush(journal);
    assert_ended("cut");
}
END_TEST

START_TEST(test_file_size_limit_ends_the_journal_not_the_program)
{
    struct rlimit limit = {100000, RLIM_INFINITY};
    struct stat status;
    sigset_t pending;

    signal(SIGXFSZ, SIG_DFL);
    setrlimit(RLIMIT_FSIZE, &limit);
    for (uint64_t i = 1; i < 3000; i++)
        add_edge(i, i + 1);
    limit.rlim_cur = RLIM_INFINITY; /* the test runner has files to write, too */
    setrlimit(RLIMIT_FSIZE, &limit);
    sigpending(&pending);
    ck_assert(!sigismember(&pending, SIGXFSZ));
    assert_ended("ends here: file size limit");
    n_lines("j.dlw"); /* whole lines, to the end */
    stat(in_folder("j.dlw"), &status);
    ck_assert_int_gt(status.st_size, 99000);
    assert_first_line("\"cut\":\"file size limit", true);
}
END_TEST

START_TEST(test_full_disk)
{
    dlw_journal_free(journal);
    world_start(NULL);
    dlw_journal_to_descriptor(journal, open("/dev/full", O_WRONLY));
    add_edge(1, 2);
    dlw_journal_flush(journal);
    assert_ended("no space left");
}
END_TEST

START_TEST(test_broken_pipe)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    signal(SIGPIPE, SIG_DFL);
    dlw_journal_free(journal);
    world_start(NULL);
    dlw_journal_to_descriptor(journal, ends[1]);
    dlw_journal_off(journal, "x");
    assert_ended("nobody reads");
}
END_TEST

START_TEST(test_given_descriptor_stays_open)
{
    int fd = open(in_folder("given"), O_RDWR | O_CREAT, 0600);

    dlw_journal_free(journal);
    world_start(NULL);
    add_edge(1, 2); /* goes nowhere: no target yet */
    dlw_journal_to_descriptor(journal, fd);
    dlw_journal_off(journal, "x");
    ck_assert_uint_eq(n_lines("given"), 2);
    dlw_journal_free(journal);
    journal = NULL;
    ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(test_out_of_memory)
{
    dlw_journal_free(journal);
    memset(&arena, 0, sizeof arena);
    arena.limit = 256 * 1024 + (size_t)_i * 40 * 1024;
    world_start("j.dlw");
    for (uint64_t i = 1; i < 2000; i++) {
        struct dlw_journal_edge edge = world_edge(i, i + 1);
        edge.thread = (uint32_t)i;
        dlw_journal_edge(journal, &edge);
    }
    add_edge(1, UINT64_C(1) << 40); /* nothing that anybody knows */
    static struct dlw_thread_state many[20000];
    dlw_journal_waits(journal, 1, many, 20000);
    assert_ended("out of memory");
    n_lines("j.dlw");
    arena.limit = 0;
}
END_TEST

START_TEST(test_no_journal_when_there_is_no_memory_at_all)
{
    struct dlw_arena none = {.limit = 1};
    struct dlw_journal_totals totals = {.ended = "exit"};

    dlw_journal_free(journal);
    journal = dlw_journal_new(&none, &world, &world_process, world_warn);
    ck_assert_ptr_null(journal);
    ck_assert(dlw_journal_has_failed(journal));
    dlw_journal_to_path(journal, "x", "/");
    dlw_journal_to_descriptor(journal, 1);
    add_edge(1, 2);
    dlw_journal_thread_renamed(journal, 1);
    dlw_journal_again(journal, 1, 1);
    dlw_journal_off(journal, "x");
    dlw_journal_exec(journal);
    dlw_journal_end(journal, &totals);
    dlw_journal_flush(journal);
    dlw_journal_after_fork(journal, &world_process);
    ck_assert(!dlw_journal_has_pending(journal));
    ck_assert_ptr_null(dlw_journal_path(journal));
}
END_TEST

START_TEST(test_forked_child_starts_anew)
{
    struct dlw_journal_process child = world_process;
    int status;

    add_edge(1, 2);
    dlw_journal_flush(journal);
    add_edge(2, 1); /* waits in the buffer: the parent's to write */
    size_t in_parent = n_lines("j.dlw");
    pid_t pid = fork();
    if (pid == 0) {
        child.pid = 18;
        child.forked = true;
        dlw_journal_after_fork(journal, &child);
        if (dlw_journal_has_pending(journal) || dlw_journal_path(journal))
            _exit(1);
        add_edge(1, 2);
        dlw_journal_flush(journal);
        _exit(journal_fd() != -1); /* the parent's is closed here */
    }
    waitpid(pid, &status, 0);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(n_lines("j.dlw"), in_parent);
    ck_assert_uint_eq(n_lines("j-1.dlw"), in_parent);
    json_t *lines = read_lines(in_folder("j-1.dlw"));
    assert_field(json_array_get(lines, 0), "pid", "18");
    assert_field(json_array_get(lines, 0), "by", "\"fork\"");
    json_decref(lines);
    dlw_journal_flush(journal);
    ck_assert_uint_eq(n_lines("j.dlw"), in_parent + 1);
}
END_TEST

Suite *emit_journal_file_suite(void);
Suite *emit_journal_file_suite(void)
{
    Suite *suite = suite_create("emit_journal_file");
    TCase *tcase = tcase_create("file");

    tcase_add_checked_fixture(tcase, start, stop);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_no_file_when_there_is_nothing_to_say);
    tcase_add_test(tcase, test_edges_wait_for_the_flush);
    tcase_add_test(tcase, test_only_its_owner_reads_it);
    tcase_add_test(tcase, test_full_buffer_leaves_by_itself_in_whole_lines);
    tcase_add_test(tcase, test_number_when_the_name_is_taken);
    tcase_add_test(tcase, test_start_folder_and_marks);
    tcase_add_test(tcase, test_missing_folder);
    tcase_add_test(tcase, test_path_too_long);
    tcase_add_test(tcase, test_descriptor_is_high_and_closes_on_exec);
    tcase_add_test(tcase, test_descriptor_when_few_are_allowed);
    tcase_add_test(tcase, test_descriptor_when_standard_ones_are_closed);
    tcase_add_loop_test(tcase, test_descriptor_when_closed_or_reused, 0, 2);
    tcase_add_test(tcase, test_lost_descriptor_and_another_file_in_its_place);
    tcase_add_test(tcase, test_file_cut_by_somebody);
    tcase_add_test(tcase, test_file_size_limit_ends_the_journal_not_the_program);
    tcase_add_test(tcase, test_full_disk);
    tcase_add_test(tcase, test_broken_pipe);
    tcase_add_test(tcase, test_given_descriptor_stays_open);
    tcase_add_loop_test(tcase, test_out_of_memory, 0, 6);
    tcase_add_test(tcase, test_no_journal_when_there_is_no_memory_at_all);
    tcase_add_test(tcase, test_forked_child_starts_anew);
    suite_add_tcase(suite, tcase);
    return suite;
}
