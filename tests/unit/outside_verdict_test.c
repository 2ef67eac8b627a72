/* What waits amount to, on processes made up of a few words. */
#include "report/command/inspect/verdict.h"

#include <check.h>
#include <signal.h>
#include <string.h>

Suite *outside_verdict_suite(void);

enum { MOST = 8 };
static struct dlw_region region;
static struct dlw_seen_thread threads[MOST];
static struct dlw_target target;
static struct dlw_verdict verdict;

static void begin(size_t n)
{
    target = (struct dlw_target){
        .region = &region, .threads = threads, .n_threads = n, .signals_known = true};
    for (size_t i = 0; i < MOST; i++)
        threads[i] = (struct dlw_seen_thread){.tid = (uint32_t)i + 100, .stood_still = true};
}

static void end(void)
{
    dlw_region_free(&region);
}

static void waits_for(size_t who, enum dlw_wait_kind kind, uint64_t address, uint32_t holder)
{
    threads[who].wait = (struct dlw_seen_wait){
        .kind = kind,
        .object = "mutex",
        .address = address,
        .holder = DLW_HOLDER_THREAD,
        .holder_index = holder,
        .holder_tid = 100 + holder,
    };
}

static void waits(size_t who, enum dlw_wait_kind kind)
{
    threads[who].wait =
        (struct dlw_seen_wait){.kind = kind, .object = "condition", .address = 0x1000 + who};
}

static void judge(void)
{
    dlw_verdict_find(&target, &verdict);
}

START_TEST(test_verdict_of_a_cycle)
{
    begin(4);
    waits_for(0, DLW_WAIT_JOIN, 1, 1);
    waits_for(1, DLW_WAIT_LOCK, 2, 2);
    waits_for(2, DLW_WAIT_FILE, 3, 3);
    waits_for(3, DLW_WAIT_ONCE, 4, 1);
    judge();
    ck_assert_int_eq(verdict.kind, DLW_VERDICT_DEADLOCK);
    ck_assert_uint_eq(verdict.n_cycles, 1);
    ck_assert_uint_eq(verdict.cycles[0].n, 3);
    ck_assert_uint_eq(verdict.n_stuck, 1);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(threads[verdict.cycles[0].threads[i]].wait.holder_index,
                          verdict.cycles[0].threads[(i + 1) % 3]);
    end();
}
END_TEST

START_TEST(test_verdict_of_two_cycles)
{
    begin(4);
    waits_for(0, DLW_WAIT_LOCK, 1, 1);
    waits_for(1, DLW_WAIT_LOCK, 2, 0);
    waits_for(2, DLW_WAIT_LOCK, 3, 3);
    waits_for(3, DLW_WAIT_LOCK, 4, 2);
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 2);
    end();
}
END_TEST

START_TEST(test_no_cycle_through_what_moves)
{
    for (size_t mover = 0; mover < 2; mover++) {
        begin(3);
        waits_for(0, DLW_WAIT_LOCK, 1, 1);
        waits_for(1, DLW_WAIT_LOCK, 2, 0);
        threads[mover].stood_still = false;
        judge();
        ck_assert_uint_eq(verdict.n_cycles, 0);
        ck_assert_int_ne(verdict.kind, DLW_VERDICT_DEADLOCK);
        end();
    }
}
END_TEST

START_TEST(test_no_cycle_through_a_timed_wait)
{
    begin(3);
    waits_for(0, DLW_WAIT_LOCK, 1, 1);
    waits_for(1, DLW_WAIT_LOCK, 2, 0);
    threads[1].wait.is_timed = true;
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 0);
    end();
}
END_TEST

static void waits_for_readers(size_t who, uint64_t address, uint32_t *readers, size_t n)
{
    threads[who].wait = (struct dlw_seen_wait){
        .kind = DLW_WAIT_LOCK,
        .object = "rwlock",
        .address = address,
        .holders = readers,
        .n_holders = n,
    };
}

/* One reader that can't go on is enough, whatever the others do. */
START_TEST(test_cycle_through_one_of_several_readers)
{
    uint32_t readers[] = {1, 2};
    begin(3);
    waits_for_readers(0, 1, readers, 2);
    waits_for(2, DLW_WAIT_LOCK, 2, 0);
    judge();
    ck_assert_int_eq(verdict.kind, DLW_VERDICT_DEADLOCK);
    ck_assert_uint_eq(verdict.cycles[0].n, 2);
    waits_for_readers(0, 1, readers, 1);
    judge();
    ck_assert_int_eq(verdict.kind, DLW_VERDICT_LONG_WAIT);
    ck_assert_uint_eq(verdict.n_cycles, 0);
    ck_assert_uint_eq(verdict.queues[0].holder, 1);
    ck_assert_uint_eq(verdict.queues[0].n, 2);
    end();
}
END_TEST

/* Whoever else has a unit of it could give it back. */
START_TEST(test_no_cycle_through_a_semaphore)
{
    uint32_t holders[] = {0, 1};
    begin(3);
    for (size_t i = 0; i < 2; i++) {
        waits_for_readers(i, 1, holders, 2);
        threads[i].wait.kind = DLW_WAIT_SEMAPHORE;
        threads[i].wait.object = "semaphore";
    }
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 0);
    ck_assert_int_eq(verdict.kind, DLW_VERDICT_NOTHING);
    end();
}
END_TEST

START_TEST(test_verdict_when_the_holder_is_gone)
{
    begin(2);
    waits_for(0, DLW_WAIT_LOCK, 1, 0);
    threads[0].wait.holder = DLW_HOLDER_GONE;
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 1);
    ck_assert(verdict.cycles[0].is_gone);
    threads[0].wait.holder = DLW_HOLDER_OUTSIDE;
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 0);
    threads[0].wait.holder = DLW_HOLDER_UNKNOWN;
    judge();
    ck_assert_uint_eq(verdict.n_cycles, 0);
    end();
}
END_TEST

START_TEST(test_verdict_of_a_long_wait)
{
    begin(6);
    waits_for(0, DLW_WAIT_JOIN, 1, 1); /* joins one that waits for the lock: it is in the queue */
    waits_for(1, DLW_WAIT_LOCK, 2, 5);
    waits_for(2, DLW_WAIT_LOCK, 2, 5);
    waits_for(3, DLW_WAIT_LOCK, 3, 2);
    waits_for(4, DLW_WAIT_JOIN, 4, 5); /* joins a busy one: as programs do */
    threads[5].wait.kind = DLW_WAIT_SYSCALL;
    judge();
    ck_assert_int_eq(verdict.kind, DLW_VERDICT_LONG_WAIT);
    ck_assert_uint_eq(verdict.n_queues, 1);
    ck_assert_uint_eq(verdict.queues[0].holder, 5);
    ck_assert_uint_eq(verdict.queues[0].n, 4);
    end();
}
END_TEST

static void all_wait(void)
{
    begin(3);
    waits(0, DLW_WAIT_CONDITION);
    waits(1, DLW_WAIT_SEMAPHORE);
    waits_for(2, DLW_WAIT_JOIN, 1, 0);
}

START_TEST(test_verdict_of_a_stall)
{
    all_wait();
    judge();
    ck_assert_int_eq(verdict.kind, DLW_VERDICT_STALL);
    ck_assert(verdict.is_certain);
    end();
    all_wait(); /* a core does not know the handlers */
    target.signals_known = false;
    judge();
    ck_assert_int_eq(verdict.kind, DLW_VERDICT_STALL);
    ck_assert(!verdict.is_certain && verdict.reason);
    end();
    all_wait(); /* a crash handler wakes nobody; nor do signals of the threads' library */
    target.caught_signals = UINT64_C(1) << (SIGSEGV - 1) | UINT64_C(1) << 31;
    judge();
    ck_assert_int_eq(verdict.kind, DLW_VERDICT_STALL);
    end();
    all_wait(); /* readers unknown: whoever they are, all wait */
    threads[2].wait.kind = DLW_WAIT_LOCK;
    threads[2].wait.holder = DLW_HOLDER_UNKNOWN;
    judge();
    ck_assert_int_eq(verdict.kind, DLW_VERDICT_STALL);
    end();
}
END_TEST

START_TEST(test_no_stall_while_something_can_wake)
{
    all_wait();
    target.caught_signals = UINT64_C(1) << (SIGTERM - 1);
    judge();
    ck_assert_int_eq(verdict.kind, DLW_VERDICT_NOTHING);
    ck_assert(!verdict.is_certain && verdict.doubt == DLW_DOUBT_SIGNAL);
    ck_assert_ptr_nonnull(strstr(verdict.reason, "SIGTERM"));
    end();
    all_wait();
    threads[1].wait.is_shared = true;
    judge();
    ck_assert_int_eq(verdict.kind, DLW_VERDICT_NOTHING);
    end();
    all_wait();
    threads[1].wait.is_timed = true;
    judge();
    ck_assert_int_eq(verdict.kind, DLW_VERDICT_NOTHING);
    end();
    all_wait();
    threads[1].wait.kind = DLW_WAIT_SYSCALL;
    judge();
    ck_assert_int_eq(verdict.kind, DLW_VERDICT_NOTHING);
    end();
    all_wait();
    threads[0].stood_still = false;
    judge();
    ck_assert_int_eq(verdict.kind, DLW_VERDICT_NOTHING);
    end();
}
END_TEST

START_TEST(test_ended_main_thread_does_not_count)
{
    all_wait();
    threads[0].wait.kind = DLW_WAIT_NONE;
    threads[0].is_ended = true;
    waits(2, DLW_WAIT_BARRIER);
    judge();
    ck_assert_int_eq(verdict.kind, DLW_VERDICT_STALL);
    end();
}
END_TEST

Suite *outside_verdict_suite(void)
{
    Suite *suite = suite_create("outside_verdict");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, test_verdict_of_a_cycle);
    tcase_add_test(tests, test_verdict_of_two_cycles);
    tcase_add_test(tests, test_no_cycle_through_what_moves);
    tcase_add_test(tests, test_no_cycle_through_a_timed_wait);
    tcase_add_test(tests, test_cycle_through_one_of_several_readers);
    tcase_add_test(tests, test_no_cycle_through_a_semaphore);
    tcase_add_test(tests, test_verdict_when_the_holder_is_gone);
    tcase_add_test(tests, test_verdict_of_a_long_wait);
    tcase_add_test(tests, test_verdict_of_a_stall);
    tcase_add_test(tests, test_no_stall_while_something_can_wake);
    tcase_add_test(tests, test_ended_main_thread_does_not_count);
    suite_add_tcase(suite, tests);
    return suite;
}
