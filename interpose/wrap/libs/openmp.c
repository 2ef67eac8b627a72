/*
 * OpenMP's locks and critical sections, of gcc's libgomp and clang's libomp: the same names, so one
 * set of wrappers serves both. Where the two are loaded, the first is watched.
 *
 * A parallel region and a barrier in it order: what comes before happens before all of what its
 * threads do, and that before what comes behind. Without that, orders of different regions, which
 * never meet, would be taken for inversions. It is told through the calls of dlwatch.h.
 */
#define DLWATCH_LIBRARY 1
#include "interpose/include/dlwatch.h"

#include "interpose/base/real.h"
#include "interpose/base/state.h"
#include "interpose/locks/annotation.h"
#include "interpose/wrap/libs/libs.h"
#include "interpose/wrap/libs/lock.h"

static struct {
    void (*init_lock)(void *);
    void (*init_lock_with_hint)(void *, int);
    void (*destroy_lock)(void *);
    void (*set_lock)(void *);
    int (*test_lock)(void *);
    void (*unset_lock)(void *);
    void (*init_nest_lock)(void *);
    void (*init_nest_lock_with_hint)(void *, int);
    void (*destroy_nest_lock)(void *);
    void (*set_nest_lock)(void *);
    int (*test_nest_lock)(void *);
    void (*unset_nest_lock)(void *);
} omp;

typedef void routine(void *);

static struct {
    void (*critical_start)(void);
    void (*critical_end)(void);
    void (*critical_name_start)(void **);
    void (*critical_name_end)(void **);
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
    void (*critical)(void *, int32_t, void *);
    void (*critical_with_hint)(void *, int32_t, void *, uint32_t);
    void (*end_critical)(void *, int32_t, void *);
} kmpc;

/* libgomp's plain lock is a futex: 0 when it is free. libomp's says nothing to others. */
static enum dlw_lib_lock_word word_of(const void *lock)
{
    if (!dlw_libgomp.is_loaded)
        return DLW_LIB_LOCK_UNKNOWN;
    return __atomic_load_n((const int *)lock, __ATOMIC_RELAXED) ? DLW_LIB_LOCK_TAKEN
                                                                : DLW_LIB_LOCK_FREE;
}

/* ---- locks ---- */

static void set_lock(void *lock)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self)) {
        omp.set_lock(lock);
        return;
    }
    self->calls++;
    if (!omp.test_lock(lock)) {
        dlw_lib_lock_wait(self, lock, DLW_CALL_HERE());
        omp.set_lock(lock);
        dlw_wait_end(self);
    }
    dlw_lib_lock_taken(self, lock, 0, DLW_FRAME_HERE());
}

static int test_lock(void *lock)
{
    struct dlw_thread *self = dlw_thread_self();
    int has_it = omp.test_lock(lock);

    if (dlw_thread_passes(self))
        return has_it;
    self->calls++;
    if (has_it)
        dlw_lib_lock_taken(self, lock, DLW_HELD_TRY, DLW_FRAME_HERE());
    return has_it;
}

static void unset_lock(void *lock)
{
    dlw_lib_lock_released(dlw_thread_self(), lock, word_of(lock), DLW_CALL_HERE());
    omp.unset_lock(lock);
}

static void init_lock(void *lock)
{
    omp.init_lock(lock);
    dlw_lib_lock_created(dlw_thread_self(), lock, DLW_CALL_HERE());
}

static void init_lock_with_hint(void *lock, int hint)
{
    omp.init_lock_with_hint(lock, hint);
    dlw_lib_lock_created(dlw_thread_self(), lock, DLW_CALL_HERE());
}

static void destroy_lock(void *lock)
{
    dlw_lib_lock_ends(dlw_thread_self(), lock, word_of(lock), DLW_CALL_HERE());
    omp.destroy_lock(lock);
}

/* ---- nest locks ----
 *
 * One that the thread has already is taken again: of its holds the outermost is recorded. How many
 * there are only the test tells, which takes it once more.
 */

static void set_nest_lock(void *lock)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self)) {
        omp.set_nest_lock(lock);
        return;
    }
    self->calls++;
    int depth = omp.test_nest_lock(lock);
    if (!depth) {
        dlw_lib_lock_wait(self, lock, DLW_CALL_HERE());
        omp.set_nest_lock(lock);
        dlw_wait_end(self);
    }
    if (depth <= 1)
        dlw_lib_lock_taken(self, lock, 0, DLW_FRAME_HERE());
}

static int test_nest_lock(void *lock)
{
    struct dlw_thread *self = dlw_thread_self();
    int depth = omp.test_nest_lock(lock);

    if (dlw_thread_passes(self))
        return depth;
    self->calls++;
    if (depth == 1)
        dlw_lib_lock_taken(self, lock, DLW_HELD_TRY, DLW_FRAME_HERE());
    return depth;
}

static void unset_nest_lock(void *lock)
{
    struct dlw_thread *self = dlw_thread_self();
    int depth = 0;

    if (dlw_held_depth(self) && dlw_held_find(self, lock) >= 0) {
        depth = omp.test_nest_lock(lock);
        if (depth)
            omp.unset_nest_lock(lock);
    }
    if (depth == 2)
        dlw_lib_lock_released(self, lock, DLW_LIB_LOCK_UNKNOWN, DLW_CALL_HERE());
    omp.unset_nest_lock(lock);
}

static void init_nest_lock(void *lock)
{
    omp.init_nest_lock(lock);
    dlw_lib_lock_created(dlw_thread_self(), lock, DLW_CALL_HERE());
}

static void init_nest_lock_with_hint(void *lock, int hint)
{
    omp.init_nest_lock_with_hint(lock, hint);
    dlw_lib_lock_created(dlw_thread_self(), lock, DLW_CALL_HERE());
}

static void destroy_nest_lock(void *lock)
{
    dlw_lib_lock_ends(dlw_thread_self(), lock, DLW_LIB_LOCK_UNKNOWN, DLW_CALL_HERE());
    omp.destroy_nest_lock(lock);
}

/* ---- critical sections ----
 *
 * They can't be tried: each entry is a wait. libomp knows them by a variable of the program,
 * libgomp too, but for the one without a name.
 */

static const char unnamed;

static void name_unnamed(struct dlw_thread *self)
{
    static _Atomic bool is_named;

    if (atomic_exchange_explicit(&is_named, true, memory_order_relaxed))
        return;
    dlw_guard_enter(self);
    if (dlw_lock_acquire(&dlw_graph_lock)) {
        dlw_annotation_name_locked((uintptr_t)&unnamed, "the critical section without a name");
        dlw_lock_release(&dlw_graph_lock);
    }
    dlw_guard_leave(self);
}

/* True: to be followed by the real call and dlw_wait_end. */
static bool enters(struct dlw_thread *self, const void *section, struct dlw_call call)
{
    if (dlw_thread_passes(self))
        return false;
    self->calls++;
    dlw_lib_lock_wait(self, section, call);
    return true;
}

static void critical_start(void)
{
    struct dlw_thread *self = dlw_thread_self();

    if (!dlw_thread_passes(self))
        name_unnamed(self);
    if (!enters(self, &unnamed, DLW_CALL_HERE())) {
        gomp.critical_start();
        return;
    }
    gomp.critical_start();
    dlw_wait_end(self);
    dlw_lib_lock_taken(self, &unnamed, 0, DLW_FRAME_HERE());
}

static void critical_end(void)
{
    dlw_lib_lock_released(dlw_thread_self(), &unnamed, DLW_LIB_LOCK_UNKNOWN, DLW_CALL_HERE());
    gomp.critical_end();
}

static void critical_name_start(void **section)
{
    struct dlw_thread *self = dlw_thread_self();

    if (!enters(self, section, DLW_CALL_HERE())) {
        gomp.critical_name_start(section);
        return;
    }
    gomp.critical_name_start(section);
    dlw_wait_end(self);
    dlw_lib_lock_taken(self, section, 0, DLW_FRAME_HERE());
}

static void critical_name_end(void **section)
{
    dlw_lib_lock_released(dlw_thread_self(), section, DLW_LIB_LOCK_UNKNOWN, DLW_CALL_HERE());
    gomp.critical_name_end(section);
}

static void critical(void *place, int32_t thread, void *section)
{
    struct dlw_thread *self = dlw_thread_self();

    if (!enters(self, section, DLW_CALL_HERE())) {
        kmpc.critical(place, thread, section);
        return;
    }
    kmpc.critical(place, thread, section);
    dlw_wait_end(self);
    dlw_lib_lock_taken(self, section, 0, DLW_FRAME_HERE());
}

static void critical_with_hint(void *place, int32_t thread, void *section, uint32_t hint)
{
    struct dlw_thread *self = dlw_thread_self();

    if (!enters(self, section, DLW_CALL_HERE())) {
        kmpc.critical_with_hint(place, thread, section, hint);
        return;
    }
    kmpc.critical_with_hint(place, thread, section, hint);
    dlw_wait_end(self);
    dlw_lib_lock_taken(self, section, 0, DLW_FRAME_HERE());
}

static void end_critical(void *place, int32_t thread, void *section)
{
    dlw_lib_lock_released(dlw_thread_self(), section, DLW_LIB_LOCK_UNKNOWN, DLW_CALL_HERE());
    kmpc.end_critical(place, thread, section);
}

/* ---- regions ----
 *
 * As long as no order of two locks is known, and where a thread has called nothing that is watched,
 * there is nothing to be kept apart: nothing is told then, and no lock is taken.
 */

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
    return dlw_thread_self()->calls;
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

static void run_region(void *context)
{
    struct region *region = context;
    struct region *outer = here.region;

    here.calls = calls();
    if (region->is_told)
        comes_after(&region->begin);
    here.region = region;
    region->routine(region->data);
    here.region = outer;
    if (comes_before(&region->end))
        atomic_store_explicit(&region->has_end, true, memory_order_relaxed);
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

/* ---- the libraries ---- */

#define ROW(prefix, of, function)                                                                  \
    {                                                                                              \
        prefix #function, (void *)function, (void **)(void *)&of.function                          \
    }
#define LOOP(kind) ROW("GOMP_", gomp, parallel_loop_##kind),

/* Both libraries' names: what one lacks stays NULL. */
static const struct dlw_patch patches[] = {
    ROW("omp_", omp, init_lock),
    ROW("omp_", omp, init_lock_with_hint),
    ROW("omp_", omp, destroy_lock),
    ROW("omp_", omp, set_lock),
    ROW("omp_", omp, test_lock),
    ROW("omp_", omp, unset_lock),
    ROW("omp_", omp, init_nest_lock),
    ROW("omp_", omp, init_nest_lock_with_hint),
    ROW("omp_", omp, destroy_nest_lock),
    ROW("omp_", omp, set_nest_lock),
    ROW("omp_", omp, test_nest_lock),
    ROW("omp_", omp, unset_nest_lock),
    ROW("GOMP_", gomp, critical_start),
    ROW("GOMP_", gomp, critical_end),
    ROW("GOMP_", gomp, critical_name_start),
    ROW("GOMP_", gomp, critical_name_end),
    ROW("GOMP_", gomp, barrier),
    ROW("GOMP_", gomp, loop_end),
    ROW("GOMP_", gomp, sections_end),
    ROW("GOMP_", gomp, parallel),
    ROW("GOMP_", gomp, parallel_sections),
    PARALLEL_LOOPS(LOOP) PARALLEL_RUNTIME_LOOPS(LOOP) ROW("__kmpc_", kmpc, critical),
    ROW("__kmpc_", kmpc, critical_with_hint),
    ROW("__kmpc_", kmpc, end_critical),
};

struct dlw_patched_library dlw_libgomp = {
    .file = "libgomp.so", .patches = patches, .n_patches = sizeof(patches) / sizeof(patches[0])};
struct dlw_patched_library dlw_libomp = {
    .file = "libomp", .patches = patches, .n_patches = sizeof(patches) / sizeof(patches[0])};
