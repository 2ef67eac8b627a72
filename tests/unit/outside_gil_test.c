/* A thread that is seen to wait for a GIL which it had as the holder was read: a thread and a lock
 * of our own. */
#include "report/command/inspect/python/python.h"
#include "report/command/inspect/target/proc.h"

#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

Suite *outside_gil_suite(void);

enum { WORDS = (DLW_GIL_SWITCH_MUTEX + sizeof(pthread_mutex_t)) / sizeof(uint32_t) };
enum { MINE = 0x1000, ANOTHERS = 0x2000, SWITCHES = 7 };

static _Alignas(8) _Atomic uint32_t gil[WORDS];
static _Atomic uint32_t tid; /* set by the sleeper, read by who looks for it: relaxed */
static struct dlw_seen_thread thread;
static struct dlw_target target = {.threads = &thread, .n_threads = 1};

static _Atomic uint32_t *word(size_t place)
{
    return &gil[place / sizeof *gil];
}

static void *sleep_until_woken(void *is_timed)
{
    const struct timespec hour = {3600, 0};
    tid = (uint32_t)syscall(SYS_gettid);
    while (*word(DLW_GIL_CONDITION) == 0)
        syscall(SYS_futex, word(DLW_GIL_CONDITION), FUTEX_WAIT_PRIVATE, 0, is_timed ? &hour : NULL,
                NULL, 0);
    return NULL;
}

static pthread_t start(bool is_timed)
{
    const struct timespec millisecond = {0, 1000000};
    struct dlw_call call;
    pthread_t handle;
    *word(DLW_GIL_LOCKED) = 1;
    *word(DLW_GIL_HOLDER) = MINE;
    *word(DLW_GIL_NUMBER) = SWITCHES;
    *word(DLW_GIL_SWITCH_MUTEX) = *word(DLW_GIL_CONDITION) = tid = 0;
#if defined(__x86_64__)
    target.machine = EM_X86_64;
#else
    target.machine = EM_AARCH64;
#endif
    target.pid = (uint32_t)getpid();
    target.memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    pthread_create(&handle, NULL, sleep_until_woken, is_timed ? &target : NULL);
    for (int i = 0; i < 30000; i++, nanosleep(&millisecond, NULL))
        if (tid && dlw_proc_call(target.pid, tid, &call) && call.is_known)
            break;
    thread = (struct dlw_seen_thread){.tid = tid};
    thread.wait = (struct dlw_seen_wait){.kind = DLW_WAIT_GIL, .holder = DLW_HOLDER_THREAD};
    thread.wait.address = (uint64_t)(uintptr_t)gil;
    thread.wait.gil = (struct dlw_seen_gil){.state = MINE, .switches = SWITCHES};
    return handle;
}

static void end(pthread_t handle)
{
    *word(DLW_GIL_CONDITION) = 1;
    syscall(SYS_futex, word(DLW_GIL_CONDITION), FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    pthread_join(handle, NULL);
    close(target.memory);
}

static bool stands(void)
{
    thread.stood_still = false;
    dlw_python_gils_settle(&target);
    return thread.stood_still;
}

START_TEST(test_it_has_it_and_waits)
{
    pthread_t handle = start(true);
    ck_assert(stands());
    *word(DLW_GIL_LOCKED) = 0;
    ck_assert(!stands());
    *word(DLW_GIL_LOCKED) = 1;
    *word(DLW_GIL_SWITCH_MUTEX) = 1; /* somebody is taking it */
    ck_assert(!stands());
    end(handle);
}
END_TEST

START_TEST(test_another_has_it_by_now)
{
    pthread_t handle = start(true);
    *word(DLW_GIL_HOLDER) = ANOTHERS;
    *word(DLW_GIL_NUMBER) = SWITCHES + 1;
    ck_assert(!stands());
    *word(DLW_GIL_HOLDER) = MINE; /* and it once more */
    *word(DLW_GIL_NUMBER) = SWITCHES + 2;
    ck_assert(!stands());
    end(handle);
}
END_TEST

START_TEST(test_it_sleeps_for_good)
{
    pthread_t handle = start(false);
    ck_assert(!stands());
    end(handle);
}
END_TEST

Suite *outside_gil_suite(void)
{
    Suite *suite = suite_create("outside_gil");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, test_it_has_it_and_waits);
    tcase_add_test(tests, test_another_has_it_by_now);
    tcase_add_test(tests, test_it_sleeps_for_good);
    suite_add_tcase(suite, tests);
    return suite;
}
