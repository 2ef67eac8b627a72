/*
 * Our own reading of the loader's list, as it is needed before glibc 2.35, held against what
 * dl_iterate_phdr() says; also while other threads open and close a library.
 */
#define DLW_OWN_OBJECTS 1
#include "interpose/base/objects.c" /* NOLINT(bugprone-suspicious-include) */
#include "interpose/base/symbols.c" /* NOLINT(bugprone-suspicious-include) */

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

static const char a_library[] = "libBrokenLocale.so.1"; /* of libc, and of no program */

static bool is_confined;

enum dlw_proc_reading dlw_proc_try_read(uintptr_t from, void *to, size_t size)
{
    struct iovec local = {to, size};
    struct iovec remote = {(void *)from, size};

    if (is_confined)
        return DLW_PROC_UNKNOWN;
    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)size ? DLW_PROC_READ
                                                                                 : DLW_PROC_GONE;
}

bool dlw_proc_is_writable(uintptr_t word)
{
    char same = *(const char *)word;
    struct iovec local = {&same, 1}, remote = {(void *)word, 1};

    return process_vm_writev(getpid(), &local, 1, &remote, 1, 0) == 1;
}

static uintptr_t first_segment_of(const struct dl_phdr_info *info)
{
    for (unsigned i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD)
            return info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
    return 0;
}

/* Each segment is found as part of a module that begins with the first one. */
static int expect_found(struct dl_phdr_info *info, size_t size, void *n)
{
    uintptr_t page = (uintptr_t)getpagesize(), start = first_segment_of(info) & -page;
    struct dl_find_object found;

    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t at = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD) {
            ck_assert(dlw_object_find(at, &found));
            ck_assert_ptr_eq(found.dlfo_map_start, (void *)start);
            ck_assert(dlw_object_find(at + segment->p_memsz - 1, &found));
            ck_assert_ptr_eq(found.dlfo_map_start, (void *)start);
            ck_assert((uintptr_t)found.dlfo_map_end >= at + segment->p_memsz);
            ck_assert_uint_eq(found.dlfo_link_map->l_addr, info->dlpi_addr);
            ++*(int *)n;
        }
        if (segment->p_type == PT_GNU_EH_FRAME) {
            ck_assert(dlw_object_find(start, &found));
            ck_assert_ptr_eq(found.dlfo_eh_frame, (void *)at);
        }
        if (segment->p_type == PT_GNU_RELRO)
            ck_assert(dlw_object_find(start, &found) &&
                      dlw_object_is_bound(&found, at & -page, (at + segment->p_memsz) & -page));
    }
    return 0;
}

static void expect_all(void)
{
    int n = 0;

    dl_iterate_phdr(expect_found, &n);
    ck_assert_int_gt(n, 2);
}

START_TEST(modules_are_found)
{
    static uintptr_t none;
    struct dl_find_object found;
    void *page = malloc(1);

    is_confined = _i;
    expect_all();
    expect_all();
    ck_assert(dlw_object_find((uintptr_t)&none, &found));
    ck_assert(!dlw_object_find((uintptr_t)page, &found));
    ck_assert(!dlw_object_find(0, &found));
    ck_assert(!dlw_object_find((uintptr_t)-1, &found));
    free(page);
}
END_TEST

static uintptr_t dynamic_of(void *library)
{
    struct link_map *map;

    ck_assert_ptr_nonnull(library);
    ck_assert_int_eq(dlinfo(library, RTLD_DI_LINKMAP, &map), 0);
    return (uintptr_t)map->l_ld;
}

START_TEST(modules_come_and_go)
{
    struct dl_find_object found;

    for (int i = 0; i < 3; i++) {
        expect_all();
        void *library = dlopen(a_library, RTLD_NOW);
        uintptr_t address = dynamic_of(library);
        ck_assert(dlw_object_find(address, &found));
        expect_all();
        dlclose(library);
        ck_assert(!dlw_object_find(address, &found));
    }
}
END_TEST

START_TEST(what_is_not_sealed_is_not_bound)
{
    uintptr_t page = (uintptr_t)getpagesize();
    int *own = aligned_alloc(page, page);
    struct dl_find_object found;

    ck_assert(dlw_object_find((uintptr_t)&a_library, &found));
    *own = 4711;
    ck_assert(!dlw_object_is_bound(&found, (uintptr_t)own, (uintptr_t)own + page));
    ck_assert_int_eq(*own, 4711);
    ck_assert(dlw_object_is_bound(&found, (uintptr_t)own, (uintptr_t)own)); /* nothing to seal */
    ck_assert(dlw_object_is_bound(&found, (uintptr_t)own, (uintptr_t)own + page)); /* it stays so */
    free(own);
}
END_TEST

START_TEST(what_is_there_at_start_is_bound)
{
    uintptr_t page = (uintptr_t)getpagesize();
    int *own = aligned_alloc(page, page);
    struct dl_find_object found;

    dlw_objects_start();
    ck_assert(dlw_object_find((uintptr_t)&a_library, &found));
    ck_assert(dlw_object_is_bound(&found, (uintptr_t)own, (uintptr_t)own + page));
    void *library = dlopen(a_library, RTLD_NOW);
    ck_assert(dlw_object_find(dynamic_of(library), &found));
    ck_assert(!dlw_object_is_bound(&found, (uintptr_t)own, (uintptr_t)own + page));
    free(own);
}
END_TEST

/* Nobody waits for the table; a child has one of its own again. */
START_TEST(a_writer_that_is_gone)
{
    struct dl_find_object found;

    expect_all();
    atomic_fetch_add(&table.version, 1); /* as if it was in the middle of it */
    expect_all();
    void *library = dlopen(a_library, RTLD_NOW);
    ck_assert(dlw_object_find(dynamic_of(library), &found));
    dlw_objects_after_fork();
    ck_assert_uint_eq(atomic_load(&table.n), 0);
    expect_all();
    ck_assert_uint_gt(atomic_load(&table.n), 2);
    dlclose(library);
}
END_TEST

START_TEST(names_are_found)
{
    static const char *const names[] = {"pthread_cond_wait", "pthread_cond_signal", "posix_spawn",
                                        "quick_exit", "dlsym"}; /* most have an older version */
    struct dl_find_object found;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_ptr_eq(dlw_symbol_next(names[i]), dlsym(RTLD_DEFAULT, names[i]));
    ck_assert_ptr_null(dlw_symbol_next("dlw_of_nobody"));
    ck_assert_ptr_null(dlw_symbol_next("interpose_objects_suite"));
    ck_assert(dlw_object_find((uintptr_t)dlw_symbol_next("dlopen"), &found));
}
END_TEST

static _Atomic bool is_over;

static void *look(void *unused)
{
    struct dl_find_object found;
    uintptr_t own = (uintptr_t)look, libc = (uintptr_t)dlsym(RTLD_DEFAULT, "malloc");

    for (uintptr_t i = 0; !is_over; i += 4096) {
        ck_assert(dlw_object_find(own, &found));
        ck_assert(dlw_object_find(libc, &found));
        dlw_object_find(libc + i, &found); /* also where some come and go */
    }
    return unused;
}

START_TEST(threads_look_meanwhile)
{
    enum { LOOKERS = 3, TIMES = 200 };
    pthread_t threads[LOOKERS];

    for (int i = 0; i < LOOKERS; i++)
        pthread_create(&threads[i], NULL, look, NULL);
    for (int i = 0; i < TIMES; i++)
        dlclose(dlopen(a_library, RTLD_NOW));
    is_over = true;
    for (int i = 0; i < LOOKERS; i++)
        pthread_join(threads[i], NULL);
    expect_all();
}
END_TEST

Suite *interpose_objects_suite(void);
Suite *interpose_objects_suite(void)
{
    Suite *suite = suite_create("interpose_objects");
    TCase *cases = tcase_create("all");

    tcase_add_loop_test(cases, modules_are_found, 0, 2);
    tcase_add_test(cases, modules_come_and_go);
    tcase_add_test(cases, what_is_not_sealed_is_not_bound);
    tcase_add_test(cases, what_is_there_at_start_is_bound);
    tcase_add_test(cases, names_are_found);
    tcase_add_test(cases, a_writer_that_is_gone);
    tcase_add_test(cases, threads_look_meanwhile);
    suite_add_tcase(suite, cases);
    return suite;
}
