/* The arena, and what is built on it: pools, the index, arrays; the internal lock. */
#include "graph/base/arena.h"
#include "graph/base/array.h"
#include "graph/base/index.h"
#include "graph/base/lock.h"
#include "graph/base/pool.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

Suite *base_suite(void);

static struct dlw_arena arena;

static void start(void)
{
    memset(&arena, 0, sizeof(arena));
}

static void end(void)
{
    ck_assert_uint_eq(arena.in_use, 0);
}

START_TEST(test_arena_block_is_zero_when_reused)
{
    for (size_t size = 1; size < 200000; size = size * 3 / 2 + 1) {
        unsigned char *block = dlw_arena_alloc(&arena, size);
        ck_assert_uint_eq((uintptr_t)block % 16, 0);
        for (size_t i = 0; i < size; i++)
            ck_assert_uint_eq(block[i], 0);
        memset(block, 0xff, size);
        dlw_arena_free(&arena, block, size);
    }
}
END_TEST

START_TEST(test_arena_refuses_when_the_limit_is_reached)
{
    arena.limit = 1 << 20;
    ck_assert_ptr_null(dlw_arena_alloc(&arena, 2 << 20));
    void *block = dlw_arena_alloc(&arena, 600000);
    ck_assert_ptr_nonnull(block);
    ck_assert_ptr_null(dlw_arena_resize(&arena, block, 600000, 2 << 20));
    dlw_arena_free(&arena, block, 600000);
    ck_assert_uint_eq(arena.mapped, 0);
}
END_TEST

START_TEST(test_arena_keeps_content_when_resized)
{
    size_t size = 16;
    unsigned char *block = dlw_arena_alloc(&arena, size);

    memset(block, 7, size);
    for (size_t more = 20; more < 1000000; more = more * 2 + 3) {
        block = dlw_arena_resize(&arena, block, size, more);
        ck_assert_uint_eq(block[size - 1], 7);
        ck_assert_uint_eq(block[size], 0);
        memset(block, 7, more);
        size = more;
    }
    block = dlw_arena_resize(&arena, block, size, 100000);
    block = dlw_arena_resize(&arena, block, 100000, 120000);
    ck_assert_uint_eq(block[99999], 7);
    ck_assert_uint_eq(block[100000], 0);
    dlw_arena_free(&arena, block, 120000);
}
END_TEST

START_TEST(test_pool_gives_memory_back_when_records_go)
{
    enum { N = 5 * DLW_POOL_SEGMENT };
    struct dlw_pool pool;
    static uint32_t ids[N];

    ck_assert(dlw_pool_init(&pool, &arena, 20));
    size_t in_use = arena.in_use;
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < N; i++) {
            ids[i] = dlw_pool_alloc(&pool);
            ck_assert_uint_ne(ids[i], 0);
            uint32_t *record = dlw_pool_at(&pool, ids[i]);
            for (int k = 0; k < 5; k++)
                ck_assert_uint_eq(record[k], 0);
            memset(record, 0xff, 20);
        }
        ck_assert_uint_eq(dlw_pool_count(&pool), N);
        for (uint32_t i = 0; i < N; i++) /* in a mixed order */
            dlw_pool_free(&pool, ids[(i * 7919 + (uint32_t)round) % N]);
        ck_assert_uint_eq(dlw_pool_count(&pool), 0);
        ck_assert_uint_eq(arena.in_use, in_use);
    }
    dlw_pool_destroy(&pool);
}
END_TEST

START_TEST(test_pool_keeps_pointers_when_it_grows)
{
    struct dlw_pool pool;

    ck_assert(dlw_pool_init(&pool, &arena, 16));
    uint32_t first = dlw_pool_alloc(&pool);
    void *record = dlw_pool_at(&pool, first);
    for (uint32_t i = 0; i < 100000; i++)
        ck_assert_uint_ne(dlw_pool_alloc(&pool), 0);
    ck_assert_ptr_eq(dlw_pool_at(&pool, first), record);
    dlw_pool_destroy(&pool);
}
END_TEST

START_TEST(test_pool_cannot_fail_when_reserved)
{
    struct dlw_pool pool;

    ck_assert(dlw_pool_init(&pool, &arena, 64));
    ck_assert(dlw_pool_reserve(&pool, 10000));
    arena.limit = 1;
    for (uint32_t i = 0; i < 10000; i++)
        ck_assert_uint_ne(dlw_pool_alloc(&pool), 0);
    ck_assert(!dlw_pool_reserve(&pool, 10000));
    arena.limit = 0;
    dlw_pool_destroy(&pool);
}
END_TEST

/* Records of the index test: the key is the number itself. */
enum { MOST_KEYS = 20000 };

static uint32_t next_of[MOST_KEYS + 1];

static uint32_t hash(const void *owner, uint32_t id)
{
    (void)owner;
    return (uint32_t)dlw_mix(id);
}

static uint32_t *next(const void *owner, uint32_t id)
{
    (void)owner;
    return &next_of[id];
}

static bool has(const struct dlw_index *index, uint32_t id)
{
    uint32_t at = dlw_index_first(index, (uint32_t)dlw_mix(id));

    while (at && at != id)
        at = next_of[at];
    return at == id;
}

START_TEST(test_index_finds_all_when_it_grows_and_shrinks)
{
    struct dlw_index index = {.arena = &arena, .hash = hash, .next = next};

    ck_assert(dlw_index_init(&index));
    size_t in_use = arena.in_use;
    for (uint32_t id = 1; id <= MOST_KEYS; id++) {
        dlw_index_insert(&index, id);
        ck_assert(has(&index, id) && has(&index, id / 2 + 1));
    }
    for (uint32_t id = 1; id <= MOST_KEYS; id++)
        ck_assert(has(&index, id));
    for (uint32_t id = 1; id <= MOST_KEYS; id++) {
        dlw_index_remove(&index, id);
        ck_assert(!has(&index, id) && (id == MOST_KEYS || has(&index, MOST_KEYS)));
    }
    ck_assert_uint_eq(arena.in_use, in_use);
    dlw_index_destroy(&index);
}
END_TEST

START_TEST(test_index_works_on_when_memory_is_out)
{
    struct dlw_index index = {.arena = &arena, .hash = hash, .next = next};

    ck_assert(dlw_index_init(&index));
    arena.limit = 1;
    arena.bump_end = arena.bump;
    for (uint32_t id = 1; id <= 2000; id++)
        dlw_index_insert(&index, id);
    for (uint32_t id = 1; id <= 2000; id++)
        ck_assert(has(&index, id));
    arena.limit = 0;
    dlw_index_destroy(&index);
}
END_TEST

START_TEST(test_array_fits_what_is_needed)
{
    uint32_t *list = NULL;
    uint32_t room = 0;

    ck_assert(dlw_array_fit(&arena, list, room, 0));
    ck_assert_ptr_null(list);
    for (uint32_t i = 0; i < 100000; i++) {
        ck_assert(dlw_array_fit(&arena, list, room, i + 1));
        list[i] = i;
    }
    for (uint32_t i = 0; i < 100000; i++)
        ck_assert_uint_eq(list[i], i);
    dlw_array_release(&arena, list, room, sizeof(*list));
}
END_TEST

static struct dlw_lock lock = DLW_LOCK_INIT(DLW_RANK_GRAPH);
static long counted;

static void *count(void *unused)
{
    for (int i = 0; i < 100000; i++) {
        ck_assert(dlw_lock_acquire(&lock));
        counted++;
        dlw_lock_release(&lock);
    }
    return unused;
}

START_TEST(test_lock_excludes_when_threads_contend)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(counted, 400000);
    ck_assert(dlw_lock_try(&lock));
    ck_assert(!dlw_lock_try(&lock));
    dlw_lock_reset(&lock);
    ck_assert(dlw_lock_try(&lock));
    dlw_lock_release(&lock);
}
END_TEST

START_TEST(test_lock_is_skipped_when_its_holder_stays)
{
    ck_assert(dlw_lock_acquire_or_skip(&lock));
    ck_assert(!dlw_lock_acquire_or_skip(&lock));
    for (int i = 0; i < 1000; i++) /* at once: else this takes a quarter of an hour */
        ck_assert(!dlw_lock_acquire_or_skip(&lock));
    ck_assert_uint_eq(dlw_locks_given_up(), 1001);
    dlw_lock_release(&lock);
    ck_assert(dlw_lock_acquire_or_skip(&lock));
    dlw_lock_release(&lock);
    ck_assert(dlw_lock_acquire(&lock));
    dlw_lock_release(&lock);
}
END_TEST

static void *release_later(void *unused)
{
    struct timespec longer_than_a_skip = {2, 0};

    nanosleep(&longer_than_a_skip, NULL);
    dlw_lock_release(&lock);
    return unused;
}

START_TEST(test_lock_is_waited_for_when_it_matters)
{
    pthread_t thread;

    ck_assert(dlw_lock_acquire(&lock));
    ck_assert_int_eq(pthread_create(&thread, NULL, release_later, NULL), 0);
    ck_assert(dlw_lock_acquire(&lock));
    pthread_join(thread, NULL);
    dlw_lock_release(&lock);
}
END_TEST

static int failures;

static void note_failure(void)
{
    failures++;
}

START_TEST(test_lock_tells_and_waits_no_more_when_its_holder_stays)
{
    dlw_lock_on_failure = note_failure;
    ck_assert(dlw_lock_acquire(&lock));
    ck_assert(!dlw_lock_acquire(&lock));
    ck_assert_int_eq(failures, 1);
    for (int i = 0; i < 1000; i++)
        ck_assert(!dlw_lock_acquire_or_skip(&lock));
    dlw_lock_release(&lock);
    ck_assert(dlw_lock_acquire(&lock));
    dlw_lock_release(&lock);
}
END_TEST

Suite *base_suite(void)
{
    Suite *suite = suite_create("base");
    TCase *base = tcase_create("base");

    tcase_set_timeout(base, 60);
    tcase_add_checked_fixture(base, start, end);
    tcase_add_test(base, test_arena_block_is_zero_when_reused);
    tcase_add_test(base, test_arena_refuses_when_the_limit_is_reached);
    tcase_add_test(base, test_arena_keeps_content_when_resized);
    tcase_add_test(base, test_pool_gives_memory_back_when_records_go);
    tcase_add_test(base, test_pool_keeps_pointers_when_it_grows);
    tcase_add_test(base, test_pool_cannot_fail_when_reserved);
    tcase_add_test(base, test_index_finds_all_when_it_grows_and_shrinks);
    tcase_add_test(base, test_index_works_on_when_memory_is_out);
    tcase_add_test(base, test_array_fits_what_is_needed);
    tcase_add_test(base, test_lock_excludes_when_threads_contend);
    tcase_add_test(base, test_lock_is_skipped_when_its_holder_stays);
    tcase_add_test(base, test_lock_is_waited_for_when_it_matters);
    tcase_add_test(base, test_lock_tells_and_waits_no_more_when_its_holder_stays);
    suite_add_tcase(suite, base);
    return suite;
}
