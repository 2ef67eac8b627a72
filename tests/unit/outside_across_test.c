/* Locks that processes share: what the kernel writes of them, and what waits in several processes
 * amount to. */
#include "report/command/inspect/across/asleep.h"
#include "report/command/inspect/across/file_locks.h"
#include "report/command/inspect/across/kin.h"
#include "report/command/inspect/target/proc.h"
#include "report/command/inspect/verdict.h"

#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

Suite *outside_across_suite(void);

START_TEST(test_locks_as_the_kernel_writes_them)
{
    struct dlw_file_lock lock;
    ck_assert(dlw_file_lock_parse("\t1: FLOCK  ADVISORY  WRITE 4711 fe:0a:1234 0 EOF\n", &lock));
    ck_assert_str_eq(lock.type, "FLOCK");
    ck_assert(lock.is_write);
    ck_assert_int_eq(lock.owner, 4711);
    ck_assert_uint_eq(lock.device, UINT64_C(0xfe) << 32 | 0x0a);
    ck_assert_uint_eq(lock.inode, 1234);
    ck_assert_uint_eq(lock.end, UINT64_MAX);
    ck_assert(dlw_file_lock_parse("2: OFDLCK ADVISORY  READ -1 00:2e:9 10 19", &lock));
    ck_assert(!lock.is_write);
    ck_assert_int_eq(lock.owner, -1);
    ck_assert_uint_eq(lock.start, 10);
    ck_assert_uint_eq(lock.end, 19);
    ck_assert(!dlw_file_lock_parse("1: LEASE  ACTIVE    WRITE 7 00:2e:9 0 EOF", &lock));
    ck_assert(!dlw_file_lock_parse("1: FLOCK  ADVISORY  WRITE 7 00:2e", &lock));
    ck_assert(!dlw_file_lock_parse("", &lock));
}
END_TEST

START_TEST(test_locks_that_keep_each_other_out)
{
    static const char *const texts[] = {"1: OFDLCK ADVISORY  WRITE -1 00:2e:9 10 19",
                                        "1: OFDLCK ADVISORY  WRITE -1 00:2e:9 19 20",
                                        "1: OFDLCK ADVISORY  WRITE -1 00:2e:9 20 EOF",
                                        "1: POSIX  ADVISORY  READ 7 00:2e:9 0 EOF",
                                        "1: FLOCK  ADVISORY  WRITE 7 00:2e:9 0 EOF",
                                        "1: OFDLCK ADVISORY  WRITE -1 00:2e:8 0 EOF"};
    struct dlw_file_lock locks[6];
    for (int i = 0; i < 6; i++)
        ck_assert(dlw_file_lock_parse(texts[i], &locks[i]));
    ck_assert(dlw_file_locks_conflict(&locks[0], &locks[1]));
    ck_assert(!dlw_file_locks_conflict(&locks[0], &locks[2]));
    ck_assert(dlw_file_locks_conflict(&locks[0], &locks[3]));
    ck_assert(!dlw_file_locks_conflict(&locks[3], &locks[3]));
    ck_assert(!dlw_file_locks_conflict(&locks[0], &locks[4]));
    ck_assert(dlw_file_locks_conflict(&locks[4], &locks[4]));
    ck_assert(!dlw_file_locks_conflict(&locks[0], &locks[5]));
}
END_TEST

START_TEST(test_mapping_as_the_kernel_writes_it)
{
    struct dlw_mapping mapping;
    int path;
    const char *line = "7f00-8f00 rw-s 00001000 00:01 2052 /dev/zero (deleted)\n";
    ck_assert(dlw_proc_parse_mapping(line, &mapping, &path));
    ck_assert_uint_eq(mapping.start, 0x7f00);
    ck_assert_uint_eq(mapping.inode, 2052);
    ck_assert_uint_eq(mapping.device, 1);
    ck_assert(mapping.is_shared && !mapping.is_executable);
    ck_assert_str_eq(line + path, "/dev/zero (deleted)\n");
    ck_assert(dlw_proc_parse_mapping("7f00-8f00 r-xp 0 fe:00 5 ", &mapping, &path));
    ck_assert(!mapping.is_shared && mapping.is_executable);
    ck_assert(!dlw_proc_parse_mapping("7f00-8f00 r-xp", &mapping, &path));
}
END_TEST

#ifdef __x86_64__
START_TEST(test_endless_calls)
{
    struct dlw_call call = {.is_known = true, .number = SYS_futex, .arguments = {0x1000, 0, 2}};
    ck_assert(dlw_call_is_endless(EM_X86_64, &call));
    call.arguments[3] = 0x2000;
    ck_assert(!dlw_call_is_endless(EM_X86_64, &call));
    call = (struct dlw_call){.is_known = true, .number = SYS_flock};
    ck_assert(dlw_call_is_endless(EM_X86_64, &call));
    call = (struct dlw_call){.is_known = true, .number = SYS_fcntl, .arguments = {3, F_OFD_SETLKW}};
    ck_assert(dlw_call_is_endless(EM_X86_64, &call));
    call.arguments[1] = F_OFD_SETLK;
    ck_assert(!dlw_call_is_endless(EM_X86_64, &call));
    call = (struct dlw_call){.is_known = true, .number = SYS_read};
    ck_assert(!dlw_call_is_endless(EM_X86_64, &call));
    call = (struct dlw_call){.is_running = true};
    ck_assert(!dlw_call_is_endless(EM_X86_64, &call));
}
END_TEST
#endif

/* Of whom nothing can be read may be anybody's copy; without an owner nobody is left out. */
START_TEST(test_kin)
{
    uint32_t own = (uint32_t)getpid(), first = 1, none = UINT32_MAX;
    struct dlw_pids owners = {&own, 1}, closed = {&none, 1};
    ck_assert_uint_eq(dlw_kin_count(&closed, &owners, false), 1);
    closed.n = 0;
    ck_assert_uint_eq(dlw_kin_count(&closed, &owners, true), 0);
    owners.n = 0;
    closed = (struct dlw_pids){&first, 1};
    ck_assert_uint_eq(dlw_kin_count(&closed, &owners, true), 1);
}
END_TEST

/* ---- waits in several processes ---- */

enum { PROCESSES = 3, THREADS = 3 };
static struct dlw_region region;
static struct dlw_seen_thread threads[PROCESSES][THREADS];
static struct dlw_target targets[PROCESSES], *peers[PROCESSES - 1];
static struct dlw_seen_file files[2];
static struct dlw_file_holder holders[2][PROCESSES];
static struct dlw_verdict verdict;

/* Process p has the number 100 * (p + 1), its threads that and the next ones. */
static void begin(size_t n, size_t n_threads)
{
    memset(threads, 0, sizeof threads);
    for (size_t p = 0; p < PROCESSES; p++) {
        targets[p] = (struct dlw_target){.region = &region,
                                         .pid = (uint32_t)(p + 1) * 100,
                                         .threads = threads[p],
                                         .n_threads = n_threads,
                                         .signals_known = true};
        for (size_t i = 0; i < THREADS; i++)
            threads[p][i] = (struct dlw_seen_thread){.tid = targets[p].pid + (uint32_t)i,
                                                     .inner = targets[p].pid + (uint32_t)i,
                                                     .stood_still = true};
        if (p)
            peers[p - 1] = &targets[p];
    }
    targets[0].peers = peers;
    targets[0].n_peers = n - 1;
    for (size_t f = 0; f < 2; f++)
        files[f] = (struct dlw_seen_file){
            .device = 1, .inode = f + 1, .path = "/lock", .holders = holders[f]};
}

static void judge(void)
{
    dlw_verdict_find(&targets[0], &verdict);
}

static void wants_of(size_t process, size_t thread, size_t holder, size_t index)
{
    threads[process][thread].wait = (struct dlw_seen_wait){
        .kind = DLW_WAIT_LOCK,
        .object = "mutex",
        .address = 0x1000,
        .is_shared = process != holder,
        .holder = process == holder ? DLW_HOLDER_THREAD : DLW_HOLDER_OUTSIDE,
        .holder_pid = targets[holder].pid,
        .holder_index = (uint32_t)index,
        .holder_tid = targets[holder].pid + (uint32_t)index,
    };
}

static void wants_file(size_t process, size_t thread, size_t file)
{
    threads[process][thread].wait = (struct dlw_seen_wait){
        .kind = DLW_WAIT_FILE, .object = "file", .is_shared = true, .file = &files[file]};
}

static void has_file(size_t file, uint32_t pid)
{
    holders[file][files[file].n_holders++] = (struct dlw_file_holder){.pid = pid};
}

START_TEST(test_circle_of_processes)
{
    begin(3, 2);
    wants_of(0, 1, 1, 0);
    wants_of(1, 0, 2, 1);
    wants_of(2, 1, 0, 1);
    judge();
    ck_assert_int_eq(verdict.kind, DLW_VERDICT_DEADLOCK);
    ck_assert_uint_eq(verdict.n_cycles, 1);
    ck_assert_uint_eq(verdict.cycles[0].n, 3);
    ck_assert_ptr_eq(verdict.cycles[0].targets[0], &targets[0]);
    ck_assert_uint_eq(verdict.cycles[0].threads[0], 1);
    ck_assert_ptr_eq(verdict.cycles[0].targets[1], &targets[1]);
    ck_assert_uint_eq(verdict.cycles[0].threads[1], 0);
    threads[2][1].stood_still = false;
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 0);
    dlw_region_free(&region);
}
END_TEST

/* One that is not looked at may go on. */
START_TEST(test_no_circle_through_an_unseen_process)
{
    begin(2, 1);
    wants_of(0, 0, 1, 0);
    wants_of(1, 0, 2, 0);
    wants_of(2, 0, 0, 0);
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 0);
    dlw_region_free(&region);
}
END_TEST

/* A writer waits for each of the readers; one of them leads back. */
START_TEST(test_circle_through_a_reader)
{
    static struct dlw_seen_taker readers[] = {{200, 201}, {100, 100}};
    begin(2, 2);
    wants_of(0, 0, 1, 0);
    threads[1][0].wait = (struct dlw_seen_wait){.kind = DLW_WAIT_LOCK,
                                                .object = "rwlock",
                                                .address = 0x1000,
                                                .mode = DLW_EXCLUSIVE,
                                                .is_shared = true,
                                                .takers = readers,
                                                .n_takers = 2};
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 1);
    ck_assert_uint_eq(verdict.cycles[0].n, 2);
    ck_assert_ptr_null(verdict.cycles[0].doubt);
    threads[1][0].wait.doubt = "another may have it";
    judge();
    ck_assert_ptr_nonnull(verdict.cycles[0].doubt);
    threads[1][0].wait.n_takers = 1; /* that one runs */
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 0);
    readers[0].pid = 300; /* is not looked at: not one that has ended */
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 0);
    dlw_region_free(&region);
}
END_TEST

/* A semaphore that processes share is a lock where its taker is known; else anybody may post it. */
START_TEST(test_circle_through_a_taken_semaphore)
{
    static struct dlw_seen_taker taker = {100, 100};
    begin(2, 1);
    wants_of(0, 0, 1, 0);
    threads[1][0].wait = (struct dlw_seen_wait){.kind = DLW_WAIT_SEMAPHORE,
                                                .object = "semaphore",
                                                .address = 0x1000,
                                                .is_shared = true,
                                                .takers = &taker,
                                                .n_takers = 1};
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 1);
    ck_assert_uint_eq(verdict.cycles[0].n, 2);
    ck_assert_ptr_null(verdict.cycles[0].doubt);
    threads[1][0].wait.n_takers = 0;
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 0);
    dlw_region_free(&region);
}
END_TEST

START_TEST(test_file_of_its_own_process)
{
    begin(1, 2);
    wants_file(0, 1, 0);
    has_file(0, 100);
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 0); /* the other thread runs */
    threads[0][0].wait = (struct dlw_seen_wait){
        .kind = DLW_WAIT_JOIN, .object = "thread", .holder = DLW_HOLDER_THREAD, .holder_index = 1};
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 1);
    ck_assert_uint_eq(verdict.cycles[0].n, 1);
    ck_assert_ptr_null(verdict.cycles[0].doubt);
    ck_assert_uint_eq(verdict.n_stuck, 1);
    targets[0].caught_signals = UINT64_C(1) << (SIGUSR1 - 1);
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 1);
    ck_assert_ptr_nonnull(verdict.cycles[0].doubt);
    has_file(0, 200); /* another has it as well, and is not looked at */
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 0);
    dlw_region_free(&region);
}
END_TEST

START_TEST(test_file_against_a_mutex)
{
    begin(1, 3);
    wants_file(0, 0, 0);
    wants_file(0, 2, 0);
    has_file(0, 100);
    wants_of(0, 1, 0, 0);
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 1);
    ck_assert_uint_eq(verdict.cycles[0].n, 2);
    ck_assert_uint_eq(verdict.cycles[0].threads[0], 0);
    ck_assert_uint_eq(verdict.cycles[0].threads[1], 1);
    ck_assert_uint_eq(verdict.n_stuck, 1);
    dlw_region_free(&region);
}
END_TEST

START_TEST(test_two_files_of_two_processes)
{
    begin(2, 1);
    wants_file(0, 0, 0);
    wants_file(1, 0, 1);
    has_file(0, 200);
    has_file(1, 100);
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 1);
    ck_assert_uint_eq(verdict.cycles[0].n, 2);
    ck_assert_ptr_eq(verdict.cycles[0].targets[1], &targets[1]);
    /* A copy of the open file in a third one, which runs. */
    begin(3, 1);
    wants_file(0, 0, 0);
    wants_file(1, 0, 1);
    has_file(0, 200);
    has_file(0, 300);
    has_file(1, 100);
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 0);
    /* Who waits for it without limit is no other's business to wake. */
    threads[2][0].wait =
        (struct dlw_seen_wait){.kind = DLW_WAIT_SYSCALL, .word = 1, .is_shared = true};
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 0);
    dlw_region_free(&region);
}
END_TEST

Suite *outside_across_suite(void)
{
    Suite *suite = suite_create("outside_across");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, test_locks_as_the_kernel_writes_them);
    tcase_add_test(tests, test_locks_that_keep_each_other_out);
    tcase_add_test(tests, test_mapping_as_the_kernel_writes_it);
#ifdef __x86_64__
    tcase_add_test(tests, test_endless_calls);
#endif
    tcase_add_test(tests, test_kin);
    tcase_add_test(tests, test_circle_of_processes);
    tcase_add_test(tests, test_no_circle_through_an_unseen_process);
    tcase_add_test(tests, test_circle_through_a_reader);
    tcase_add_test(tests, test_circle_through_a_taken_semaphore);
    tcase_add_test(tests, test_file_of_its_own_process);
    tcase_add_test(tests, test_file_against_a_mutex);
    tcase_add_test(tests, test_two_files_of_two_processes);
    suite_add_tcase(suite, tests);
    return suite;
}
