/*
 * OpenMP's parallel regions and barriers order: what comes before a region happens before all of
 * what its threads do, and that before what comes behind. Without that, orders of different
 * regions, which never meet, would be taken for inversions. It is told through the calls of
 * dlwatch.h.
 *
 * As long as no order of two locks is known, and where a thread has called nothing that is watched,
 * there is nothing to be kept apart: nothing is told then, and no lock is taken.
 */
#define DLWATCH_LIBRARY 1
#include "interpose/include/dlwatch.h"

#include "interpose/order/validate.h"
#include "interpose/wrap/libs/libs.h"

#include <stdarg.h>

typedef void routine(void *);

static struct {
    void (*barrier)(void);
    void (*loop_end)(void);
    void (*sections_end)(void);
    void (*parallel)(routine *, void *, unsigned, unsigned);
    void (*parallel_sections)(routine *, void *, unsigned, unsigned, unsigned);
#define PARALLEL_LOOPS(LOOP)                                                                       \
    LOOP(static)                                                                                   \
    LOOP(dynamic)                                                                                  \
    LOOP(guided)                                                                                   \
    LOOP(nonmonotonic_dynamic)                                                                     \
    LOOP(nonmonotonic_guided)
#define PARALLEL_RUNTIME_LOOPS(LOOP)                                                               \
    LOOP(runtime)                                                                                  \
    LOOP(nonmonotonic_runtime)                                                                     \
    LOOP(maybe_nonmonotonic_runtime)
#define LOOP(kind)                                                                                 \
    void (*parallel_loop_##kind)(routine *, void *, unsigned, long, long, long, long, unsigned);
    PARALLEL_LOOPS(LOOP)
#undef LOOP
#define LOOP(kind)                                                                                 \
    void (*parallel_loop_##kind)(routine *, void *, unsigned, long, long, long, unsigned);
    PARALLEL_RUNTIME_LOOPS(LOOP)
#undef LOOP
} gomp;

static struct {
    void (*barrier)(void *, int32_t);
    void (*fork_call)(void *, int32_t, void (*)(int32_t *, int32_t *, ...), ...);
} kmpc;

/* Lives on the stack of the thread that opens it, which leaves last. */
struct region {
    routine *routine;
    void *data;
    bool is_told;             /* that it began */
    _Atomic bool has_end;     /* a thread has told that it is done */
    char begin, end, barrier; /* what is told happens before what */
};

static __thread struct {
    struct region *region; /* the innermost that the thread is in */
    uint64_t calls;        /* so many when it told last */
} here;

static const struct dlwatch_calls *tell(void)
{
    return dlwatch_annotations(DLWATCH_VERSION);
}

static bool tells(void)
{
    return atomic_load_explicit(&dlw_orders_are_known, memory_order_relaxed);
}

static uint64_t calls(void)
{
    return dlw_trail_calls(dlw_thread_self());
}

/* What this thread did since it told last comes before. True: it was told. */
static bool comes_before(const char *object)
{
    if (!tells() || here.calls == calls())
        return false;
    tell()->happens_before(object);
    here.calls = calls();
    return true;
}

static void comes_after(const char *object)
{
    tell()->happens_after(object);
    here.calls = calls();
}

static void enter_region(struct region *region)
{
    here.calls = calls();
    if (region->is_told)
        comes_after(&region->begin);
    here.region = region;
}

static void leave_region(struct region *region, struct region *outer)
{
    here.region = outer;
    if (comes_before(&region->end))
        atomic_store_explicit(&region->has_end, true, memory_order_relaxed);
}

static void run_region(void *context)
{
    struct region *region = context;
    struct region *outer = here.region;

    enter_region(region);
    region->routine(region->data);
    leave_region(region, outer);
}

static void region_begins(struct region *region)
{
    region->is_told = tells();
    if (region->is_told)
        tell()->happens_before(&region->begin);
}

static void region_ends(struct region *region)
{
    if (atomic_load_explicit(&region->has_end, memory_order_relaxed))
        tell()->happens_after(&region->end);
    if (tells()) {
        tell()->forget(&region->begin);
        tell()->forget(&region->end);
        tell()->forget(&region->barrier);
    }
}

/* What the region is run by, with `run_region` and `&region` for the program's routine and data. */
#define IN_REGION(call)                                                                            \
    do {                                                                                           \
        region_begins(&region);                                                                    \
        call;                                                                                      \
        region_ends(&region);                                                                      \
    } while (0)

static void parallel(routine *code, void *data, unsigned threads, unsigned flags)
{
    struct region region = {.routine = code, .data = data};

    IN_REGION(gomp.parallel(run_region, &region, threads, flags));
}

static void parallel_sections(routine *code, void *data, unsigned threads, unsigned n,
                              unsigned flags)
{
    struct region region = {.routine = code, .data = data};

    IN_REGION(gomp.parallel_sections(run_region, &region, threads, n, flags));
}

#define LOOP(kind)                                                                                 \
    static void parallel_loop_##kind(routine *code, void *data, unsigned threads, long first,      \
                                     long last, long step, long chunk, unsigned flags)             \
    {                                                                                              \
        struct region region = {.routine = code, .data = data};                                    \
                                                                                                   \
        IN_REGION(gomp.parallel_loop_##kind(run_region, &region, threads, first, last, step,       \
                                            chunk, flags));                                        \
    }
PARALLEL_LOOPS(LOOP)
#undef LOOP
#define LOOP(kind)                                                                                 \
    static void parallel_loop_##kind(routine *code, void *data, unsigned threads, long first,      \
                                     long last, long step, unsigned flags)                         \
    {                                                                                              \
        struct region region = {.routine = code, .data = data};                                    \
                                                                                                   \
        IN_REGION(                                                                                 \
            gomp.parallel_loop_##kind(run_region, &region, threads, first, last, step, flags));    \
    }
PARALLEL_RUNTIME_LOOPS(LOOP)
#undef LOOP

/* All threads of the region meet. */
static void at_barrier(void (*meet)(void))
{
    struct region *region = here.region;

    if (region)
        comes_before(&region->barrier);
    meet();
    if (region && tells())
        comes_after(&region->barrier);
}

static void barrier(void)
{
    at_barrier(gomp.barrier);
}

static void loop_end(void)
{
    at_barrier(gomp.loop_end);
}

static void sections_end(void)
{
    at_barrier(gomp.sections_end);
}

/* ---- regions of libomp ---- */

static void kmpc_barrier(void *place, int32_t thread)
{
    struct region *region = here.region;

    if (region)
        comes_before(&region->barrier);
    kmpc.barrier(place, thread);
    if (region && tells())
        comes_after(&region->barrier);
}

/* The code of a region has the two numbers and what the region was called with, as pointers. */
/* microtask(a, b, arguments[0], … arguments[n - 1]); as many as go in registers can be read. */
void dlw_call_microtask(void *microtask, int32_t *a, int32_t *b, void **arguments, size_t n)
    __attribute__((visibility("hidden")));
DLW_MAKE_MICROTASK_CALL(dlw_call_microtask);

struct microtask {
    void *code;
    void **arguments;
    int32_t n;
};

/* As run_region, on each thread of the team. */
static void run_microtask(int32_t *global, int32_t *bound, struct region *region)
{
    const struct microtask *task = region->data;
    struct region *outer = here.region;

    enter_region(region);
    dlw_call_microtask(task->code, global, bound, task->arguments, (size_t)task->n);
    leave_region(region, outer);
}

static void fork_call(void *place, int32_t n, void *code, ...)
{
    void *arguments[n < DLW_MICROTASK_REGISTERS ? DLW_MICROTASK_REGISTERS : n];
    struct microtask task = {.code = code, .arguments = arguments, .n = n};
    struct region region = {.data = &task};
    va_list list;

    va_start(list, code);
    for (int32_t i = 0; i < n; i++)
        arguments[i] = va_arg(list, void *);
    va_end(list);
    IN_REGION(
        kmpc.fork_call(place, 1, (void (*)(int32_t *, int32_t *, ...))run_microtask, &region));
}

/* ---- the libraries ---- */

#define GOMP(function)                                                                             \
    {                                                                                              \
        "GOMP_" #function, (void *)function, (void **)(void *)&gomp.function                       \
    }
#define LOOP(kind) GOMP(parallel_loop_##kind),

static const struct dlw_patch patches[] = {
    GOMP(parallel),
    GOMP(parallel_sections),
    PARALLEL_LOOPS(LOOP) PARALLEL_RUNTIME_LOOPS(LOOP) GOMP(barrier),
    GOMP(loop_end),
    GOMP(sections_end),
    {"__kmpc_barrier", (void *)kmpc_barrier, (void **)(void *)&kmpc.barrier},
    {"__kmpc_fork_call", (void *)fork_call, (void **)(void *)&kmpc.fork_call},
};
enum { PATCHES = sizeof(patches) / sizeof(patches[0]) };

struct dlw_patched_library dlw_libgomp_regions = {
    .file = "libgomp", .patches = patches, .n_patches = PATCHES};
struct dlw_patched_library dlw_libomp_regions = {
    .file = "libomp", .patches = patches, .n_patches = PATCHES};
struct dlw_patched_library dlw_libiomp_regions = {
    .file = "libiomp5", .patches = patches, .n_patches = PATCHES};
