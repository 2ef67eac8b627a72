/*
 * The other side of dlwatch.h: locks that only the program knows are taken through the same held
 * stacks, waits and graph as pthread's. They have no owner word: who holds one stands on the held
 * stacks only, which the program's own words keep, told after a lock is had and before it is let go
 * of. So a record may be short of a hold, never ahead of one. Low addresses are no locks, and
 * ignored.
 */
#define DLWATCH_LIBRARY 1
#include "interpose/include/dlwatch.h"

#include "interpose/base/real.h"
#include "interpose/base/state.h"
#include "interpose/locks/annotation.h"
#include "interpose/order/acquire.h"
#include "interpose/order/segments.h"
#include "interpose/steer/role.h"
#include "interpose/tell/reporter.h"
#include "interpose/watch/misuse.h"
#include "interpose/watch/wait.h"

#include <errno.h>

static struct dlw_lock_ref ref_of(const void *lock)
{
    return (struct dlw_lock_ref){.address = (uintptr_t)lock, .kind = DLW_LOCK_CUSTOM};
}

static bool is_lock(const void *lock)
{
    return dlw_held_is_lock((uintptr_t)lock);
}

static unsigned mode_of(int how)
{
    return how & DLWATCH_SHARED ? DLW_SHARED : DLW_EXCLUSIVE;
}

/* ---- what is said ---- */

typedef bool say(uintptr_t address, const void *context);

/* Runs `what` under the graph lock. */
static void tell(const void *address, say *what, const void *context)
{
    struct dlw_thread *self = dlw_thread_self();
    int kept = errno;

    if (!is_lock(address) || dlw_thread_guard(self) & ~(uint32_t)DLW_GUARD_WAITING)
        return;
    self->calls++;
    dlw_guard_enter(self);
    if (dlw_lock_acquire(&dlw_graph_lock)) {
        if (!what((uintptr_t)address, context))
            dlw_switch_off("out of memory");
        dlw_lock_release(&dlw_graph_lock);
    }
    dlw_guard_leave(self);
    errno = kept;
}

static bool say_name(uintptr_t lock, const void *name)
{
    return dlw_annotation_name_locked(lock, name);
}

static void name(const void *lock, const char *text)
{
    if (text)
        tell(lock, say_name, text);
}

struct named_level {
    const char *name;
    int level;
};

static bool say_class(uintptr_t lock, const void *context)
{
    const struct named_level *class = context;

    return dlw_annotation_class_locked(lock, class->name, class->level);
}

static void lock_class(const void *lock, const char *text, int level)
{
    const struct named_level class = {text, level};

    if (text)
        tell(lock, say_class, &class);
}

static bool say_intended(uintptr_t outer, const void *inner)
{
    return dlw_annotation_intended_locked(outer, (uintptr_t)inner);
}

static void intended(const void *outer, const void *inner)
{
    if (is_lock(inner))
        tell(outer, say_intended, inner);
}

static bool say_intended_classes(uintptr_t outer, const void *inner)
{
    return dlw_annotation_intended_classes_locked((const char *)outer, inner); /* NOLINT */
}

static void intended_classes(const char *outer, const char *inner)
{
    if (outer && inner)
        tell(outer, say_intended_classes, inner);
}

static bool say_forget(uintptr_t address, const void *unused)
{
    (void)unused;
    dlw_annotation_forget_locked(address);
    return true;
}

static void forget(const void *object)
{
    tell(object, say_forget, NULL);
}

/* ---- happens before ---- */

static bool say_before(uintptr_t object, const void *self)
{
    return dlw_annotation_publish_locked(object, ((const struct dlw_thread *)self)->segment);
}

static void happens_before(const void *object)
{
    struct dlw_thread *self = dlw_thread_self();
    int kept = errno;

    if (dlw_thread_passes(self))
        return;
    tell(object, say_before, self);
    dlw_guard_enter(self);
    dlw_learn_goes_on(self);
    dlw_guard_leave(self);
    errno = kept;
}

static void happens_after(const void *object)
{
    struct dlw_thread *self = dlw_thread_self();
    int kept = errno;

    if (dlw_thread_passes(self))
        return;
    self->calls++;
    dlw_guard_enter(self);
    dlw_segment before = 0;
    if (dlw_lock_acquire(&dlw_graph_lock)) {
        before = dlw_annotation_published_locked((uintptr_t)object);
        dlw_lock_release(&dlw_graph_lock);
    }
    dlw_learn_joined(self, before); /* gives the reference back */
    dlw_guard_leave(self);
    errno = kept;
}

/* ---- scopes ---- */

static void scope(const char *name)
{
    struct dlw_thread *self = dlw_thread_self();
    int kept = errno;

    if (dlw_thread_passes(self))
        return;
    self->calls++;
    dlw_guard_enter(self);
    if (dlw_lock_acquire(&dlw_graph_lock)) {
        const char *text = name && *name ? dlw_annotation_scope_locked(name) : NULL;
        if (!text && name && *name)
            dlw_switch_off("out of memory");
        else
            dlw_learn_enters_locked(self, text);
        dlw_lock_release(&dlw_graph_lock);
    }
    dlw_guard_leave(self);
    errno = kept;
}

/* ---- waiting ---- */

static bool is_waiting_for(const struct dlw_thread *self, const void *lock)
{
    return dlw_thread_guard(self) == DLW_GUARD_WAITING &&
           atomic_load_explicit(&self->wait.lock_kind, memory_order_relaxed) == DLW_LOCK_CUSTOM &&
           atomic_load_explicit(&self->wait.on, memory_order_relaxed) == (uintptr_t)lock;
}

static void wants(const void *lock, int how)
{
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_call call = DLW_CALL_HERE();
    struct dlw_lock_ref ref = ref_of(lock);
    struct dlw_wait_for wait = {.on = (uintptr_t)lock,
                                .kind = DLW_WAIT_LOCK,
                                .lock_kind = DLW_LOCK_CUSTOM,
                                .mode = (uint8_t)mode_of(how),
                                .timed = how & DLWATCH_TIMED,
                                .annotated = true,
                                .orders = dlw_held_find(self, lock) < 0 ? &ref : NULL,
                                .call = call};
    int kept = errno;

    if (is_waiting_for(self, lock)) /* the program says dlwatch_wants in each turn of a loop */
        dlw_wait_end(self);
    if (!is_lock(lock) || dlw_thread_passes(self))
        return;
    self->calls++;
    if (!dlw_lock_is_signal((uintptr_t)lock)) {
        if (!wait.timed)
            dlw_role_asks(self, lock, DLW_LOCK_CUSTOM, wait.mode, call);
        dlw_wait_begin(self, &wait);
    }
    errno = kept;
}

static void gave_up(const void *lock)
{
    struct dlw_thread *self = dlw_thread_self();

    if (is_waiting_for(self, lock))
        dlw_wait_end(self);
}

/* ---- holding ---- */

/* A thread that held the lock shared holds it exclusively now. */
static void upgrade(struct dlw_thread *self, uint32_t index)
{
    atomic_store_explicit(&dlw_held_at(self, index)->mode, DLW_EXCLUSIVE, memory_order_relaxed);
    if (index < self->stale_above)
        self->stale_above = index;
}

static void push(struct dlw_thread *self, const void *lock, int how, const struct dlw_frame *from)
{
    self->calls--; /* the trail counts it (trail.h) */
    unsigned flags =
        (how & DLWATCH_TRY ? DLW_HELD_TRY : 0U) | (how & DLWATCH_TIMED ? DLW_HELD_TIMED : 0U);

    dlw_acquire_slow(self, (void *)(uintptr_t)lock,
                     dlw_lock_tenant((uintptr_t)lock, DLW_LOCK_CUSTOM), NULL,
                     DLW_TRAITS(DLW_LOCK_CUSTOM, mode_of(how), flags, 1), from);
}

static void acquired(const void *lock, int how)
{
    struct dlw_thread *self = dlw_thread_self();
    int kept = errno;

    if (is_waiting_for(self, lock))
        dlw_wait_end(self);
    if (!is_lock(lock) || dlw_thread_passes(self))
        return;
    self->calls++;
    int index = dlw_held_depth(self) ? dlw_held_find(self, lock) : -1;
    if (index >= 0 && mode_of(how) == DLW_EXCLUSIVE)
        upgrade(self, (uint32_t)index);
    else if (!dlw_lock_is_signal((uintptr_t)lock))
        push(self, lock, how, DLW_FRAME_HERE());
    errno = kept;
}

struct holder {
    uintptr_t lock;
    const struct dlw_thread *self;
    bool is_there;
};

static bool visit_holder(void *context, struct dlw_thread *thread)
{
    struct holder *holder = context;
    struct dlw_held_lock *held = atomic_load_explicit(&thread->held, memory_order_acquire);
    uint32_t depth = atomic_load_explicit(&thread->depth, memory_order_relaxed);

    for (uint32_t i = 0; thread != holder->self && i < depth; i++)
        holder->is_there |=
            atomic_load_explicit(&held[i].lock, memory_order_relaxed) == holder->lock;
    return !holder->is_there;
}

static void note_signal(const void *lock)
{
    if (!dlw_lock_acquire(&dlw_graph_lock))
        return;
    bool is_noted = dlw_annotation_signal_locked((uintptr_t)lock);
    dlw_lock_release(&dlw_graph_lock);
    if (!is_noted)
        dlw_switch_off("out of memory");
}

/* Let go of by one who doesn't hold it: if another does, it is no lock but a signal. */
static DLW_COLD void released_by_other(struct dlw_thread *self, const void *lock)
{
    struct holder holder = {.lock = (uintptr_t)lock, .self = self};
    struct dlw_lock_ref ref = ref_of(lock);

    dlw_guard_enter(self);
    dlw_threads_each(visit_holder, &holder);
    if (holder.is_there) {
        dlw_held_disown_everywhere((uintptr_t)lock);
        dlw_report_trait(self, &ref, DLW_TRAIT_SIGNAL);
        dlw_lock_becomes_signal(&ref);
        note_signal(lock);
    }
    dlw_guard_leave(self);
}

/* True when there is nothing more to do. */
static inline bool pop(struct dlw_thread *self, const void *lock, struct dlw_call call)
{
    if (dlw_thread_passes(self)) {
        dlw_passed_release(self, lock);
        return true;
    }
    int index = dlw_held_depth(self) ? dlw_held_find(self, lock) : -1;
    if (index < 0) {
        self->calls++;
        return false;
    }
    dlw_held_let_go(self, (uint32_t)index, call);
    return true;
}

static void released(const void *lock)
{
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_call call = DLW_CALL_HERE();
    int kept = errno;

    if (is_lock(lock) && !pop(self, lock, call))
        released_by_other(self, lock);
    errno = kept;
}

static void handed_over(const void *lock)
{
    if (is_lock(lock))
        pop(dlw_thread_self(), lock, DLW_CALL_HERE());
}

/* ---- life ---- */

static bool say_created(uintptr_t lock, const void *place)
{
    return dlw_annotation_created_locked(lock, (uintptr_t)place);
}

static void created(const void *lock)
{
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_call call = DLW_CALL_HERE();
    struct dlw_lock_ref ref = ref_of(lock);
    int kept = errno;

    if (!is_lock(lock) || dlw_thread_passes(self))
        return;
    dlw_held_forget(self, lock);
    dlw_guard_enter(self);
    dlw_lock_reborn(&ref, call.pc);
    dlw_guard_leave(self);
    tell(lock, say_created, (const void *)call.pc); /* NOLINT(performance-no-int-to-ptr) */
    errno = kept;
}

static void destroyed(const void *lock)
{
    struct dlw_thread *self = dlw_thread_self();
    struct dlw_call call = DLW_CALL_HERE();
    struct dlw_lock_ref ref = ref_of(lock);
    struct dlw_accusation accusation;
    int kept = errno;

    if (!is_lock(lock) || dlw_thread_passes(self))
        return;
    self->calls++;
    dlw_misuse_destroy_before(self, &ref, !dlw_lock_is_signal((uintptr_t)lock), &call, &accusation);
    dlw_misuse_destroy_after(self, &ref, &accusation, 0);
    errno = kept;
}

/* Those that ask where they were called from. */
DLW_ENTRY(wants)
DLW_ENTRY(acquired)
DLW_ENTRY(released)
DLW_ENTRY(handed_over)
DLW_ENTRY(created)
DLW_ENTRY(destroyed)

DLW_EXPORT const struct dlwatch_calls *dlwatch_annotations(unsigned version)
{
    static const struct dlwatch_calls calls = {.size = sizeof(calls),
                                               .created = DLW_ENTERED(created),
                                               .destroyed = DLW_ENTERED(destroyed),
                                               .wants = DLW_ENTERED(wants),
                                               .gave_up = gave_up,
                                               .acquired = DLW_ENTERED(acquired),
                                               .released = DLW_ENTERED(released),
                                               .handed_over = DLW_ENTERED(handed_over),
                                               .name = name,
                                               .lock_class = lock_class,
                                               .intended = intended,
                                               .intended_classes = intended_classes,
                                               .forget = forget,
                                               .happens_before = happens_before,
                                               .happens_after = happens_after,
                                               .scope = scope};

    return version == DLWATCH_VERSION ? &calls : NULL;
}
