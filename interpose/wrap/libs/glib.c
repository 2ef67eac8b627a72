/*
 * GLib's locks. A GMutex is a futex of its own: 0 in its first word when it is free. GCond gives
 * the mutex up and takes it back inside the library. GRecMutex and GRWLock are pthread's, made at
 * their first use and watched as such: here it is only noted what they are a part of.
 * g_once_init_enter is a lock that the thread has that initialises.
 *
 * GModule loads what programs of GLib load later: behind its call it is time for a look.
 */
#include "interpose/base/patch.h"
#include "interpose/base/real.h"
#include "interpose/base/state.h"
#include "interpose/locks/annotation.h"
#include "interpose/watch/initializer.h"
#include "interpose/watch/misuse.h"
#include "interpose/watch/motion.h"
#include "interpose/wrap/libs/libs.h"
#include "interpose/wrap/libs/lock.h"

#include <errno.h>

typedef int gboolean;

static struct {
    void (*mutex_init)(void *);
    void (*mutex_clear)(void *);
    void *(*mutex_new)(void);
    void (*mutex_free)(void *);
    void (*mutex_lock)(void *);
    gboolean (*mutex_trylock)(void *);
    void (*mutex_unlock)(void *);
    void (*cond_wait)(void *, void *);
    gboolean (*cond_wait_until)(void *, void *, int64_t);
    gboolean (*cond_timed_wait)(void *, void *, void *);
    void (*cond_signal)(void *);
    void (*cond_broadcast)(void *);
    void (*rec_mutex_init)(void *);
    gboolean (*rec_mutex_trylock)(void *);
    void (*rec_mutex_lock)(void *);
    void (*rec_mutex_unlock)(void *);
    void (*rw_lock_init)(void *);
    gboolean (*rw_lock_writer_trylock)(void *);
    void (*rw_lock_writer_lock)(void *);
    void (*rw_lock_writer_unlock)(void *);
    gboolean (*rw_lock_reader_trylock)(void *);
    void (*rw_lock_reader_lock)(void *);
    void *(*once_impl)(void *, void *(*)(void *), void *);
    gboolean (*once_init_enter)(void *);
    void (*once_init_leave)(void *, size_t);
    gboolean (*once_init_enter_impl)(void *);
    gboolean (*once_init_enter_pointer)(void *);
    void (*once_init_leave_pointer)(void *, void *);
} glib;

static struct {
    void *(*open)(const char *, int);
    void *(*open_full)(const char *, int, void *);
} gmodule;

static enum dlw_lib_lock_word word_of(const void *mutex)
{
    return __atomic_load_n((const int *)mutex, __ATOMIC_RELAXED) ? DLW_LIB_LOCK_TAKEN
                                                                 : DLW_LIB_LOCK_FREE;
}

/* ---- GMutex ---- */

static DLW_COLD void mutex_busy(struct dlw_thread *self, void *mutex, struct dlw_call call)
{
    dlw_lib_lock_wait(self, mutex, call);
    glib.mutex_lock(mutex);
    dlw_wait_end(self);
}

static void mutex_lock(void *mutex)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self)) {
        glib.mutex_lock(mutex);
        return;
    }
    self->calls++;
    if (!glib.mutex_trylock(mutex))
        mutex_busy(self, mutex, DLW_CALL_HERE());
    dlw_lib_lock_taken(self, mutex, 0, DLW_FRAME_HERE());
}

static gboolean mutex_trylock(void *mutex)
{
    struct dlw_thread *self = dlw_thread_self();
    gboolean has_it = glib.mutex_trylock(mutex);

    if (dlw_thread_passes(self))
        return has_it;
    self->calls++;
    if (has_it)
        dlw_lib_lock_taken(self, mutex, DLW_HELD_TRY, DLW_FRAME_HERE());
    return has_it;
}

static void mutex_unlock(void *mutex)
{
    struct dlw_thread *self = dlw_self;

    if (!dlw_thread_is_watched(self) || !dlw_held_drop_last(self, mutex, DLW_CALL_HERE().sp))
        dlw_lib_lock_released(dlw_thread_self(), mutex, word_of(mutex), DLW_CALL_HERE());
    glib.mutex_unlock(mutex);
}

static void mutex_init(void *mutex)
{
    glib.mutex_init(mutex);
    dlw_lib_lock_created(dlw_thread_self(), mutex, DLW_CALL_HERE());
}

static void mutex_clear(void *mutex)
{
    dlw_lib_lock_ends(dlw_thread_self(), mutex, word_of(mutex), DLW_CALL_HERE());
    glib.mutex_clear(mutex);
}

static void *mutex_new(void)
{
    void *mutex = glib.mutex_new();

    dlw_lib_lock_created(dlw_thread_self(), mutex, DLW_CALL_HERE());
    return mutex;
}

static void mutex_free(void *mutex)
{
    dlw_lib_lock_ends(dlw_thread_self(), mutex, word_of(mutex), DLW_CALL_HERE());
    glib.mutex_free(mutex);
}

/* ---- GCond ---- */

struct sleep {
    struct dlw_thread *self;
    void *mutex;
    struct dlw_call call;
    bool gave_up;
};

static void sleep_begin(struct sleep *sleep, void *condition, bool timed)
{
    struct dlw_thread *self = sleep->self;
    struct dlw_wait_for wait = {.on = (uintptr_t)condition,
                                .kind = DLW_WAIT_CONDITION,
                                .lock_kind = DLW_LOCK_CUSTOM,
                                .mode = DLW_EXCLUSIVE,
                                .timed = timed,
                                .relocks = (uintptr_t)sleep->mutex,
                                .call = sleep->call};
    struct dlw_lock_ref ref = dlw_lib_lock_ref(sleep->mutex);
    int kept = errno;

    self->calls++;
    int index = dlw_held_find(self, sleep->mutex);
    sleep->gave_up = index >= 0;
    if (sleep->gave_up)
        dlw_held_let_go(self, (uint32_t)index, sleep->call);
    else if (word_of(sleep->mutex) == DLW_LIB_LOCK_FREE)
        dlw_misuse_wait_without(self, &ref, &sleep->call);
    dlw_wait_begin(self, &wait);
    errno = kept;
}

static void sleep_end(const struct sleep *sleep, const struct dlw_frame *from)
{
    dlw_wait_end(sleep->self);
    if (sleep->gave_up)
        dlw_lib_lock_taken(sleep->self, sleep->mutex, 0, from);
}

static void cond_wait(void *condition, void *mutex)
{
    struct sleep sleep = {dlw_thread_self(), mutex, DLW_CALL_HERE(), false};

    if (dlw_thread_passes(sleep.self)) {
        glib.cond_wait(condition, mutex);
        return;
    }
    sleep_begin(&sleep, condition, false);
    glib.cond_wait(condition, mutex);
    sleep_end(&sleep, DLW_FRAME_HERE());
}

static gboolean cond_wait_until(void *condition, void *mutex, int64_t end)
{
    struct sleep sleep = {dlw_thread_self(), mutex, DLW_CALL_HERE(), false};

    if (dlw_thread_passes(sleep.self))
        return glib.cond_wait_until(condition, mutex, end);
    sleep_begin(&sleep, condition, true);
    gboolean is_signalled = glib.cond_wait_until(condition, mutex, end);
    sleep_end(&sleep, DLW_FRAME_HERE());
    return is_signalled;
}

static gboolean cond_timed_wait(void *condition, void *mutex, void *end)
{
    struct sleep sleep = {dlw_thread_self(), mutex, DLW_CALL_HERE(), false};

    if (dlw_thread_passes(sleep.self))
        return glib.cond_timed_wait(condition, mutex, end);
    sleep_begin(&sleep, condition, end != NULL);
    gboolean is_signalled = glib.cond_timed_wait(condition, mutex, end);
    sleep_end(&sleep, DLW_FRAME_HERE());
    return is_signalled;
}

static void signals(const void *condition)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self))
        return;
    dlw_motion_signals(self, condition);
    if (dlw_held_depth(self))
        dlw_outermost_signals(self, condition);
}

static void cond_signal(void *condition)
{
    signals(condition);
    glib.cond_signal(condition);
}

static void cond_broadcast(void *condition)
{
    signals(condition);
    glib.cond_broadcast(condition);
}

/* ---- GRecMutex, GRWLock ---- */

/* Their first word leads to pthread's lock, once there is one. */
static uintptr_t part_of(const void *object)
{
    return __atomic_load_n((const uintptr_t *)object, __ATOMIC_ACQUIRE);
}

static void note_part(const void *object, uintptr_t place)
{
    struct dlw_thread *self = dlw_thread_self();
    uintptr_t part = part_of(object);
    int kept = errno;

    if (!part || dlw_thread_passes(self))
        return;
    dlw_guard_enter(self);
    if (dlw_lock_acquire(&dlw_graph_lock)) {
        dlw_annotation_part_of_locked(part, (uintptr_t)object, place);
        dlw_lock_release(&dlw_graph_lock);
    }
    dlw_guard_leave(self);
    errno = kept;
}

/* Before its first use, by a try which isn't seen: the call of the program then comes last, and so
 * it is the program that calls what is watched. */
static DLW_COLD void make_part(void *object, gboolean (*try)(void *), void (*unlock)(void *))
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self))
        return;
    dlw_guard_enter_briefly(self);
    dlw_guard_outlives_frame(self);
    if (try(object))
        unlock(object);
    dlw_guard_leave(self);
    note_part(object, 0);
}

static void rec_mutex_init(void *mutex)
{
    glib.rec_mutex_init(mutex);
    note_part(mutex, DLW_CALL_HERE().pc);
}

static void rw_lock_init(void *lock)
{
    glib.rw_lock_init(lock);
    note_part(lock, DLW_CALL_HERE().pc);
}

static void make_rec_mutex(void *mutex)
{
    if (__builtin_expect(!part_of(mutex), 0))
        make_part(mutex, glib.rec_mutex_trylock, glib.rec_mutex_unlock);
}

static void make_rw_lock(void *lock)
{
    if (__builtin_expect(!part_of(lock), 0))
        make_part(lock, glib.rw_lock_writer_trylock, glib.rw_lock_writer_unlock);
}

static void rec_mutex_lock(void *mutex)
{
    make_rec_mutex(mutex);
    glib.rec_mutex_lock(mutex);
}

static gboolean rec_mutex_trylock(void *mutex)
{
    make_rec_mutex(mutex);
    return glib.rec_mutex_trylock(mutex);
}

static void rw_lock_writer_lock(void *lock)
{
    make_rw_lock(lock);
    glib.rw_lock_writer_lock(lock);
}

static gboolean rw_lock_writer_trylock(void *lock)
{
    make_rw_lock(lock);
    return glib.rw_lock_writer_trylock(lock);
}

static void rw_lock_reader_lock(void *lock)
{
    make_rw_lock(lock);
    glib.rw_lock_reader_lock(lock);
}

static gboolean rw_lock_reader_trylock(void *lock)
{
    make_rw_lock(lock);
    return glib.rw_lock_reader_trylock(lock);
}

/* ---- GOnce ---- */

struct once {
    struct dlw_thread *self;
    void *once;
    void *(*routine)(void *);
    void *argument;
    struct dlw_call call;
};

/* Called by GLib in place of the program's routine: this thread is the one that runs it. */
static void *run_once(void *context)
{
    const struct once *once = context;

    dlw_initializer_enter(once->self, once->once, DLW_LOCK_ONCE, once->call);
    void *result = once->routine(once->argument);
    dlw_initializer_leave(once->self, once->once);
    return result;
}

static void *once_impl(void *object, void *(*routine)(void *), void *argument)
{
    struct once once = {dlw_thread_self(), object, routine, argument, DLW_CALL_HERE()};

    if (dlw_thread_passes(once.self))
        return glib.once_impl(object, routine, argument);
    once.self->calls++;
    dlw_initializer_wait(once.self, object, DLW_LOCK_ONCE, DLW_WAIT_ONCE, once.call);
    void *result = glib.once_impl(object, run_once, &once);
    dlw_wait_end(once.self);
    return result; /* cppcheck-suppress returnDanglingLifetime; it is what the routine returned */
}

static gboolean once_enter(void *location, gboolean (*real_enter)(void *), struct dlw_call call)
{
    struct dlw_thread *self = dlw_thread_self();

    if (dlw_thread_passes(self))
        return real_enter(location);
    self->calls++;
    dlw_initializer_wait(self, location, DLW_LOCK_ONCE, DLW_WAIT_ONCE, call);
    gboolean is_mine = real_enter(location);
    dlw_wait_end(self);
    if (is_mine)
        dlw_initializer_enter(self, location, DLW_LOCK_ONCE, call);
    return is_mine;
}

static gboolean once_init_enter(void *location)
{
    return once_enter(location, glib.once_init_enter, DLW_CALL_HERE());
}

static gboolean once_init_enter_impl(void *location)
{
    return once_enter(location, glib.once_init_enter_impl, DLW_CALL_HERE());
}

static gboolean once_init_enter_pointer(void *location)
{
    return once_enter(location, glib.once_init_enter_pointer, DLW_CALL_HERE());
}

static void once_init_leave(void *location, size_t result)
{
    dlw_initializer_leave(dlw_thread_self(), location);
    glib.once_init_leave(location, result);
}

static void once_init_leave_pointer(void *location, void *result)
{
    dlw_initializer_leave(dlw_thread_self(), location);
    glib.once_init_leave_pointer(location, result);
}

/* ---- GModule ---- */

static void look(void)
{
    struct dlw_thread *self = dlw_thread_self();

    dlw_patch_is_due();
    if (dlw_thread_passes(self))
        return;
    dlw_guard_enter(self);
    dlw_patch_look();
    dlw_guard_leave(self);
}

static void *module_open(const char *name, int flags)
{
    void *module = gmodule.open(name, flags);

    look();
    return module;
}

static void *module_open_full(const char *name, int flags, void *error)
{
    void *module = gmodule.open_full(name, flags, error);

    look();
    return module;
}

#define WRAPPED(ROW)                                                                               \
    ROW(mutex_init)                                                                                \
    ROW(mutex_clear)                                                                               \
    ROW(mutex_new)                                                                                 \
    ROW(mutex_free)                                                                                \
    ROW(mutex_lock)                                                                                \
    ROW(mutex_trylock)                                                                             \
    ROW(mutex_unlock)                                                                              \
    ROW(cond_wait)                                                                                 \
    ROW(cond_wait_until)                                                                           \
    ROW(cond_timed_wait)                                                                           \
    ROW(cond_signal)                                                                               \
    ROW(cond_broadcast)                                                                            \
    ROW(rec_mutex_init)                                                                            \
    ROW(rec_mutex_lock)                                                                            \
    ROW(rec_mutex_trylock)                                                                         \
    ROW(rw_lock_init)                                                                              \
    ROW(rw_lock_writer_lock)                                                                       \
    ROW(rw_lock_writer_trylock)                                                                    \
    ROW(rw_lock_reader_lock)                                                                       \
    ROW(rw_lock_reader_trylock)                                                                    \
    ROW(once_impl)                                                                                 \
    ROW(once_init_enter)                                                                           \
    ROW(once_init_enter_impl)                                                                      \
    ROW(once_init_enter_pointer)                                                                   \
    ROW(once_init_leave)                                                                           \
    ROW(once_init_leave_pointer)

WRAPPED(DLW_ENTRY)

#define ROW(function)                                                                              \
    {"g_" #function, (void *)DLW_ENTERED(function), (void **)(void *)&glib.function},
static const struct dlw_patch glib_patches[] = {
    {"g_rec_mutex_unlock", NULL, (void **)(void *)&glib.rec_mutex_unlock},
    {"g_rw_lock_writer_unlock", NULL, (void **)(void *)&glib.rw_lock_writer_unlock},
    WRAPPED(ROW)};
#undef ROW

static const struct dlw_patch gmodule_patches[] = {
    {"g_module_open", (void *)module_open, (void **)(void *)&gmodule.open},
    {"g_module_open_full", (void *)module_open_full, (void **)(void *)&gmodule.open_full},
};

struct dlw_patched_library dlw_glib = {.file = "libglib-2.0.so",
                                       .patches = glib_patches,
                                       .n_patches = sizeof(glib_patches) / sizeof(glib_patches[0])};
struct dlw_patched_library dlw_gmodule = {.file = "libgmodule-2.0.so",
                                          .patches = gmodule_patches,
                                          .n_patches =
                                              sizeof(gmodule_patches) / sizeof(gmodule_patches[0])};
