/*
 * OpenMP's locks and critical sections, of gcc's libgomp, clang's libomp and Intel's libiomp5: the
 * same names, so one set of wrappers serves all. Where two are loaded, the first is watched.
 */
#include "graph/base/sys.h"
#include "interpose/base/hash.h"
#include "interpose/base/proc.h"
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

static struct {
    void (*critical_start)(void);
    void (*critical_end)(void);
    void (*critical_name_start)(void **);
    void (*critical_name_end)(void **);
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

/* gcc's looks at nothing, so that the lock's memory may have gone before. */
static void destroy_lock(void *lock)
{
    dlw_lib_lock_ends(dlw_thread_self(), lock,
                      dlw_proc_lacks(lock, sizeof(int)) ? DLW_LIB_LOCK_UNKNOWN : word_of(lock),
                      DLW_CALL_HERE());
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
 * They can't be tried, and to publish a wait costs more than to enter one that is free. So those
 * who are inside or about to enter are counted, by address: who comes first won't wait, as long as
 * the next lets it go first. libomp knows a section by a variable of the program, libgomp too, but
 * for the one without a name.
 */

enum { COUNTERS = 256 };
static const uint32_t ENTERING = 1U << 31; /* the first of them, alone, has not come in yet */
static _Atomic uint32_t inside[COUNTERS];  /* two sections may share one */

static _Atomic uint32_t *counter_of(const void *section)
{
    return &inside[(uint64_t)(uintptr_t)section * DLW_GOLDEN >> 56];
}

/* Some ns, unless the thread was interrupted just there. */
static void let_in(_Atomic uint32_t *counter)
{
    for (int i = 0; i < 64 && atomic_load_explicit(counter, memory_order_relaxed) & ENTERING; i++)
        dlw_syscall(SYS_sched_yield);
}

enum entry {
    PASSES, /* it is not watched */
    ALONE,  /* nobody is inside */
    WAITS,  /* its wait is published */
};

static enum entry enters(struct dlw_thread *self, const void *section, struct dlw_call call)
{
    _Atomic uint32_t *counter = counter_of(section);
    uint32_t nobody = 0;

    if (dlw_thread_passes(self))
        return PASSES;
    self->calls++;
    if (atomic_compare_exchange_strong_explicit(counter, &nobody, 1 | ENTERING,
                                                memory_order_relaxed, memory_order_relaxed))
        return ALONE;
    if (atomic_fetch_add_explicit(counter, 1, memory_order_relaxed) & ENTERING &&
        !atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        let_in(counter);
    dlw_lib_lock_wait(self, section, call);
    return WAITS;
}

static DLW_HOT void entered(struct dlw_thread *self, const void *section, enum entry entry,
                            const struct dlw_frame *from)
{
    if (entry == PASSES)
        return;
    if (entry == ALONE)
        atomic_fetch_and_explicit(counter_of(section), ~ENTERING, memory_order_relaxed);
    else
        dlw_wait_end(self);
    dlw_lib_lock_taken(self, section, 0, from);
}

static void leaves(const void *section, struct dlw_call call)
{
    struct dlw_thread *self = dlw_thread_self();

    if (!dlw_thread_passes(self) && dlw_held_depth(self) && dlw_held_find(self, section) >= 0)
        atomic_fetch_sub_explicit(counter_of(section), 1, memory_order_relaxed);
    dlw_lib_lock_released(self, section, DLW_LIB_LOCK_UNKNOWN, call);
}

static const char unnamed;

static DLW_COLD void name_unnamed(struct dlw_thread *self, _Atomic bool *is_named)
{
    if (dlw_thread_passes(self))
        return;
    dlw_guard_enter(self);
    if (dlw_lock_acquire(&dlw_graph_lock)) {
        dlw_annotation_name_locked((uintptr_t)&unnamed, "the critical section without a name");
        dlw_lock_release(&dlw_graph_lock);
    }
    dlw_guard_leave(self);
    atomic_store_explicit(is_named, true, memory_order_relaxed);
}

static void critical_start(void)
{
    static _Atomic bool is_named;
    struct dlw_thread *self = dlw_thread_self();

    if (!atomic_load_explicit(&is_named, memory_order_relaxed))
        name_unnamed(self, &is_named);
    enum entry entry = enters(self, &unnamed, DLW_CALL_HERE());
    gomp.critical_start();
    entered(self, &unnamed, entry, DLW_FRAME_HERE());
}

static void critical_end(void)
{
    leaves(&unnamed, DLW_CALL_HERE());
    gomp.critical_end();
}

static void critical_name_start(void **section)
{
    struct dlw_thread *self = dlw_thread_self();
    enum entry entry = enters(self, section, DLW_CALL_HERE());

    gomp.critical_name_start(section);
    entered(self, section, entry, DLW_FRAME_HERE());
}

static void critical_name_end(void **section)
{
    leaves(section, DLW_CALL_HERE());
    gomp.critical_name_end(section);
}

static void critical(void *place, int32_t thread, void *section)
{
    struct dlw_thread *self = dlw_thread_self();
    enum entry entry = enters(self, section, DLW_CALL_HERE());

    kmpc.critical(place, thread, section);
    entered(self, section, entry, DLW_FRAME_HERE());
}

static void critical_with_hint(void *place, int32_t thread, void *section, uint32_t hint)
{
    struct dlw_thread *self = dlw_thread_self();
    enum entry entry = enters(self, section, DLW_CALL_HERE());

    kmpc.critical_with_hint(place, thread, section, hint);
    entered(self, section, entry, DLW_FRAME_HERE());
}

static void end_critical(void *place, int32_t thread, void *section)
{
    leaves(section, DLW_CALL_HERE());
    kmpc.end_critical(place, thread, section);
}

/* ---- the libraries ---- */

/* Both libraries' names: what one lacks stays NULL. */
#define WRAPPED(ROW)                                                                               \
    ROW("omp_", omp, init_lock)                                                                    \
    ROW("omp_", omp, init_lock_with_hint)                                                          \
    ROW("omp_", omp, destroy_lock)                                                                 \
    ROW("omp_", omp, set_lock)                                                                     \
    ROW("omp_", omp, test_lock)                                                                    \
    ROW("omp_", omp, unset_lock)                                                                   \
    ROW("omp_", omp, init_nest_lock)                                                               \
    ROW("omp_", omp, init_nest_lock_with_hint)                                                     \
    ROW("omp_", omp, destroy_nest_lock)                                                            \
    ROW("omp_", omp, set_nest_lock)                                                                \
    ROW("omp_", omp, test_nest_lock)                                                               \
    ROW("omp_", omp, unset_nest_lock)                                                              \
    ROW("GOMP_", gomp, critical_start)                                                             \
    ROW("GOMP_", gomp, critical_end)                                                               \
    ROW("GOMP_", gomp, critical_name_start)                                                        \
    ROW("GOMP_", gomp, critical_name_end)                                                          \
    ROW("__kmpc_", kmpc, critical)                                                                 \
    ROW("__kmpc_", kmpc, critical_with_hint)                                                       \
    ROW("__kmpc_", kmpc, end_critical)

#define ENTRY(prefix, of, function) DLW_ENTRY(function)
WRAPPED(ENTRY)

#define ROW(prefix, of, function)                                                                  \
    {prefix #function, (void *)DLW_ENTERED(function), (void **)(void *)&of.function},
static const struct dlw_patch patches[] = {WRAPPED(ROW)};

enum { PATCHES = sizeof(patches) / sizeof(patches[0]) };

struct dlw_patched_library dlw_libgomp = {
    .file = "libgomp", .patches = patches, .n_patches = PATCHES};
struct dlw_patched_library dlw_libomp = {
    .file = "libomp", .patches = patches, .n_patches = PATCHES};
struct dlw_patched_library dlw_libiomp = {
    .file = "libiomp5", .patches = patches, .n_patches = PATCHES};
