/* Stopping a thread and letting it go, also when we are killed in between. */
#include "report/command/inspect/target/live.h"
#include "report/command/inspect/target/proc.h"
#include "report/command/inspect/target/registers.h"
#include "report/command/inspect/target/stop.h"

#include <check.h>
#include <elf.h>
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

Suite *outside_stop_suite(void);

static sem_t *slots; /* shared with the children */

static void nap(void)
{
    const struct timespec millisecond = {0, 1000000};
    nanosleep(&millisecond, NULL);
}

static char state_of(struct dlw_target *target, pid_t pid)
{
    const char *state = dlw_proc_status(target, (uint32_t)pid, "State");
    return state ? *state : 0;
}

/* Waits, half a minute at most, for the kernel to say so. */
static bool comes_to(struct dlw_target *target, pid_t pid, char state)
{
    for (int i = 0; i < 30000 && state_of(target, pid) != state; i++)
        nap();
    return state_of(target, pid) == state;
}

/* A child that waits for a slot and then ends with 7. */
static pid_t start_waiter(struct dlw_target *target)
{
    struct dlw_call call;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sem_wait(slots);
        _exit(7);
    }
    target->pid = (uint32_t)child;
    for (int i = 0; i < 5000; i++, nap())
        if (dlw_proc_call(target->pid, target->pid, &call) && call.is_known)
            return child;
    ck_abort_msg("the child does not wait");
    return 0;
}

static void ends_normally(pid_t child)
{
    int status;
    sem_post(slots);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static struct dlw_region region;
static struct dlw_target target;

static void set_up(void)
{
    slots = mmap(NULL, sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sem_init(slots, 1, 0);
    region = (struct dlw_region){0};
    target = (struct dlw_target){.region = &region, .memory = -1};
#if defined(__x86_64__)
    target.machine = EM_X86_64;
#else
    target.machine = EM_AARCH64;
#endif
}

static void tear_down(void)
{
    dlw_region_free(&region);
    munmap(slots, sizeof *slots);
}

static bool is_refused(int error)
{
    return error == EPERM || error == EACCES; /* no ptrace here: nothing to test */
}

START_TEST(test_call_is_seen_by_the_code_at_hand)
{
    uint64_t set[34] = {[0] = 0x5000, [1] = 0x80, [8] = 98, [31] = 0x7000, [32] = 0x4000};
    struct dlw_registers registers;
    struct dlw_call call;

    ck_assert(dlw_registers_parse(EM_AARCH64, set, sizeof set, &registers, &call));
    ck_assert(call.is_running && dlw_registers_ask_code(EM_AARCH64, &call));
    ck_assert(!dlw_registers_ask_code(EM_X86_64, &call));
    dlw_registers_settle(0xd65f03c0, &call); /* ret */
    ck_assert(call.is_running && !call.is_known);
    dlw_registers_settle(0xd4000001, &call); /* svc #0 */
    ck_assert(call.is_known && !call.is_running);
    ck_assert_int_eq(call.number, 98);
    ck_assert_uint_eq(call.arguments[0], 0x5000);
    ck_assert_uint_eq(call.pc, 0x4004);
    ck_assert_uint_eq(registers.pc, 0x4000);
}
END_TEST

START_TEST(test_stop_copies_and_lets_go)
{
    struct dlw_seen_thread thread = {0};
    pid_t child = start_waiter(&target);
    ck_assert(dlw_proc_mappings(&target, target.pid));
    thread.tid = target.pid;
    dlw_proc_call(target.pid, target.pid, &thread.call);
    struct dlw_call before = thread.call;
    int error = dlw_stop_and_copy(&target, &thread);
    if (!is_refused(error)) {
        ck_assert_int_eq(error, 0);
        ck_assert_uint_eq(thread.registers.sp, before.sp);
        /* aarch64 is set back to the call before it stops. */
        uint64_t set_back = target.machine == EM_AARCH64 ? sizeof(uint32_t) : 0;
        ck_assert_uint_eq(thread.registers.pc + set_back, before.pc);
        ck_assert_uint_eq(thread.call.arguments[0], before.arguments[0]);
        ck_assert_uint_gt(thread.stack.size, 0);
        ck_assert(target.longest_stop > 0 && target.n_stopped == 1);
    }
    ends_normally(child);
}
END_TEST

static int told;
static void stay(uint32_t tid)
{
    char byte = 1;
    (void)tid;
    if (write(told, &byte, 1) == 1)
        pause();
}

START_TEST(test_thread_is_let_go_when_we_are_killed)
{
    int ends[2];
    char byte;
    pid_t child = start_waiter(&target);
    dlw_proc_mappings(&target, target.pid);
    ck_assert_int_eq(pipe(ends), 0);
    pid_t looker = fork();
    if (looker == 0) {
        struct dlw_seen_thread thread = {.tid = target.pid};
        close(ends[0]);
        told = ends[1];
        dlw_stop_hook = stay;
        _exit(is_refused(dlw_stop_and_copy(&target, &thread)) ? 0 : 1);
    }
    close(ends[1]);
    if (read(ends[0], &byte, 1) == 1) {
        ck_assert_int_eq(state_of(&target, child), 't');
        kill(looker, SIGKILL);
        waitpid(looker, NULL, 0);
        /* On its way from one to the other it runs for a moment. */
        ck_assert(comes_to(&target, child, 'S'));
    } else {
        waitpid(looker, NULL, 0);
    }
    close(ends[0]);
    ends_normally(child);
}
END_TEST

START_TEST(test_stopped_thread_stays_stopped)
{
    struct dlw_seen_thread thread = {0};
    pid_t child = start_waiter(&target);
    dlw_proc_mappings(&target, target.pid);
    kill(child, SIGSTOP);
    ck_assert(comes_to(&target, child, 'T'));
    thread.tid = target.pid;
    int error = dlw_stop_and_copy(&target, &thread);
    if (!is_refused(error)) {
        ck_assert_int_eq(error, 0);
        ck_assert(comes_to(&target, child, 'T'));
    }
    kill(child, SIGCONT);
    ends_normally(child);
}
END_TEST

START_TEST(test_stop_of_what_is_gone_or_traced)
{
    struct dlw_seen_thread thread = {.tid = 4194000};
    ck_assert_int_eq(dlw_stop_and_copy(&target, &thread), ESRCH);
    pid_t child = start_waiter(&target);
    thread.tid = target.pid;
    if (!ptrace(PTRACE_SEIZE, child, NULL, NULL)) {
        ck_assert_int_eq(dlw_stop_and_copy(&target, &thread), EPERM);
        ck_assert_uint_eq(target.n_stopped, 0);
    }
    ends_normally(child);
}
END_TEST

Suite *outside_stop_suite(void)
{
    Suite *suite = suite_create("outside_stop");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, test_call_is_seen_by_the_code_at_hand);
    tcase_add_test(tests, test_stop_copies_and_lets_go);
    tcase_add_test(tests, test_thread_is_let_go_when_we_are_killed);
    tcase_add_test(tests, test_stopped_thread_stays_stopped);
    tcase_add_test(tests, test_stop_of_what_is_gone_or_traced);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return suite;
}
