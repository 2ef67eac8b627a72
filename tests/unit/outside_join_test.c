/* Whom a joiner waits for, by the word that it sleeps on, and who has a FILE's lock: descriptors of
 * our own, in our memory. */
#include "report/command/inspect/glibc/waits.h"

#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>
#include <unistd.h>

Suite *outside_join_suite(void);

enum { TID = 720, JOINABLE = 2, EXITING = 1, DETACHED = 3, JOINED = 1, OTHER = 7 };

static uint64_t descriptors[2][256];
static struct dlw_seen_thread threads[2];
static struct dlw_target target;
static struct dlw_seen_wait wait;

static uint64_t address_of(size_t thread)
{
    return (uint64_t)(uintptr_t)descriptors[thread];
}

static void put(size_t thread, int32_t place, uint32_t value)
{
    memcpy((char *)descriptors[thread] + place, &value, sizeof value);
}

static int32_t join_place(void)
{
    return target.layout.thread_tid + target.layout.thread_join;
}

static void begin(int version)
{
    target = (struct dlw_target){.threads = threads, .n_threads = 2, .machine = EM_X86_64};
    ck_assert(dlw_layout_find(version, EM_X86_64, &target.layout));
    ck_assert_int_eq(target.layout.thread_tid, TID);
    target.memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    memset(descriptors, 0, sizeof descriptors);
    for (size_t i = 0; i < 2; i++) {
        threads[i] = (struct dlw_seen_thread){.tid = 100 + (uint32_t)i, .inner = 500 + (uint32_t)i};
        threads[i].registers.thread_pointer = address_of(i);
        descriptors[i][0] = address_of(i);
        put(i, TID, threads[i].inner);
        if (target.layout.thread_join)
            put(i, join_place(), JOINABLE);
    }
}

static void end(void)
{
    close(target.memory);
}

/* The other thread sleeps on that word of the joined one's, having found that value there. */
static bool is_told(int32_t place, uint32_t value)
{
    struct dlw_futex futex = {.operation = FUTEX_WAIT_BITSET, .value = value};
    futex.word = address_of(JOINED) + (uint64_t)place;
    wait = (struct dlw_seen_wait){0};
    return dlw_wait_on_join(&target, &futex, &wait);
}

static void see_joined(void)
{
    ck_assert_int_eq(wait.kind, DLW_WAIT_JOIN);
    ck_assert_int_eq(wait.holder, DLW_HOLDER_THREAD);
    ck_assert_uint_eq(wait.holder_index, JOINED);
    ck_assert_uint_eq(wait.holder_tid, 501);
}

START_TEST(test_joiner_on_the_tid)
{
    begin(2036);
    ck_assert(is_told(TID, 501));
    see_joined();
    ck_assert(!is_told(TID, 500));
    put(JOINED, TID, 0); /* it has ended */
    ck_assert(!is_told(TID, 501));
    end();
}
END_TEST

START_TEST(test_joiner_on_the_state)
{
    begin(2043);
    ck_assert_int_eq(join_place(), 1576);
    ck_assert(is_told(join_place(), JOINABLE));
    see_joined();
    ck_assert(!is_told(join_place() + 4, JOINABLE)); /* such a value, elsewhere */
    ck_assert(!is_told(join_place(), DETACHED));
    put(JOINED, join_place(), EXITING);
    ck_assert(is_told(join_place(), JOINABLE));
    see_joined();
    ck_assert(is_told(join_place(), EXITING));
    put(JOINED, join_place(), 0);
    ck_assert(!is_told(join_place(), JOINABLE));
    end();
}
END_TEST

START_TEST(test_joined_whose_registers_are_not_known)
{
    static const int versions[] = {2036, 2043};
    for (size_t i = 0; i < 2; i++) {
        begin(versions[i]);
        uint32_t value = target.layout.thread_join ? JOINABLE : 501;
        threads[JOINED].registers.thread_pointer = 0;
        ck_assert(is_told(join_place(), value));
        see_joined();
        descriptors[JOINED][0] = OTHER; /* no descriptor begins so */
        ck_assert(!is_told(join_place(), value));
        end();
    }
}
END_TEST

START_TEST(test_what_only_looks_like_a_descriptor)
{
    begin(2043);
    threads[JOINED].registers.thread_pointer = address_of(0);
    ck_assert(!is_told(join_place(), JOINABLE));
    threads[JOINED].registers.thread_pointer = address_of(JOINED);
    put(JOINED, TID, OTHER); /* no thread's number */
    ck_assert(!is_told(join_place(), JOINABLE));
    end();
}
END_TEST

/* As on aarch64: the thread pointer is the end of the descriptor. */
static void begin_below_the_pointer(void)
{
    begin(2036);
    ck_assert(dlw_layout_find(2036, EM_AARCH64, &target.layout));
    target.machine = EM_AARCH64;
    target.layout.thread_tid = TID;
    target.layout.thread_size = sizeof descriptors[0];
    for (size_t i = 0; i < 2; i++) {
        threads[i].registers.thread_pointer = address_of(i) + sizeof descriptors[0];
        descriptors[i][0] = 0;
    }
}

START_TEST(test_descriptor_below_the_thread_pointer)
{
    begin_below_the_pointer();
    ck_assert_uint_eq(dlw_thread_handle(&target, &threads[0]), address_of(0));
    ck_assert(is_told(TID, 501));
    see_joined();
    threads[JOINED].registers.thread_pointer = 0;
    ck_assert_uint_eq(dlw_thread_handle(&target, &threads[JOINED]), 0);
    ck_assert(is_told(TID, 501));
    see_joined();
    threads[JOINED].registers.thread_pointer = address_of(JOINED);
    ck_assert(!is_told(TID, 501));
    end();
}
END_TEST

/* stdio's lock: a word, how often it is held, and its holder's descriptor. */
static bool is_file_told(uint64_t owner)
{
    uint64_t lock[2] = {2 | UINT64_C(1) << 32, owner};
    struct dlw_futex futex = {.operation = FUTEX_WAIT, .value = 2};
    futex.word = (uint64_t)(uintptr_t)lock;
    wait = (struct dlw_seen_wait){0};
    return dlw_wait_on_file(&target, &futex, &wait);
}

START_TEST(test_holder_of_a_file)
{
    for (int i = 0; i < 2; i++) {
        if (i)
            begin_below_the_pointer();
        else
            begin(2036);
        ck_assert(is_file_told(address_of(1)));
        ck_assert_int_eq(wait.kind, DLW_WAIT_FILE);
        ck_assert_int_eq(wait.holder, DLW_HOLDER_THREAD);
        ck_assert_uint_eq(wait.holder_tid, 501);
        ck_assert(!is_file_told(address_of(1) + sizeof descriptors[0] - TID));
        end();
    }
}
END_TEST

Suite *outside_join_suite(void)
{
    Suite *suite = suite_create("outside_join");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, test_joiner_on_the_tid);
    tcase_add_test(tests, test_joiner_on_the_state);
    tcase_add_test(tests, test_joined_whose_registers_are_not_known);
    tcase_add_test(tests, test_what_only_looks_like_a_descriptor);
    tcase_add_test(tests, test_descriptor_below_the_thread_pointer);
    tcase_add_test(tests, test_holder_of_a_file);
    suite_add_tcase(suite, tests);
    return suite;
}
