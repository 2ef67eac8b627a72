#include "interpose/watch/certainty.h"

#include "interpose/base/proc.h"
#include "interpose/python/gils.h"
#include "interpose/threads/held.h"
#include "interpose/watch/live_view.h"

/* What a step waits for, as its threads' records have it. */
struct subject {
    uintptr_t lock;
    uint8_t kind;    /* enum dlw_lock_kind */
    uint8_t flags;   /* DLW_HELD_*, of the owner's hold; 0: not found */
    bool is_pythons; /* CPython took it... */
    bool is_event;   /* ...for a line that asked for no lock, as a queue does to wait */
};

static void read_hold(uint32_t tid, struct subject *subject)
{
    struct dlw_thread *owner = tid ? dlw_thread_by_tid(tid) : NULL;
    int i = owner ? dlw_view_find_held(owner, subject->lock) : -1;

    if (i < 0)
        return;
    const struct dlw_held_lock *held = atomic_load_explicit(&owner->held, memory_order_acquire);
    subject->flags = held[i].flags;
    subject->is_pythons = dlw_python_takes_lock(held[i].pc[0]);
    subject->is_event = owner->python_event.semaphore == subject->lock &&
                        owner->python_event.life == dlw_semaphore_life(subject->lock);
}

static struct subject subject_of(const struct dlw_wait_step *step)
{
    struct dlw_thread *waiter = dlw_thread_by_tid(step->thread);
    struct subject subject = {.lock = (uintptr_t)step->wait.on, .kind = DLW_LOCK_MUTEX};

    if (waiter)
        subject.kind = atomic_load_explicit(&waiter->wait.lock_kind, memory_order_relaxed);
    read_hold(step->owner.thread, &subject);
    return subject;
}

/* Does only our record say who holds it? A reader's hold that a fork copied is its parent's. */
static bool is_anonymous(const struct subject *subject)
{
    return subject->kind == DLW_LOCK_SPIN || subject->kind == DLW_LOCK_CUSTOM ||
           (subject->kind == DLW_LOCK_RWLOCK && subject->flags & DLW_HELD_INHERITED);
}

static enum dlw_certainty shared_certainty(const struct subject *subject, const char **reason)
{
    struct dlw_mapping mapping;

    if (!is_anonymous(subject))
        return DLW_CERTAIN_DEADLOCK;
    if (dlw_proc_mapping(subject->lock, &mapping))
        return mapping.is_shared ? DLW_NO_DEADLOCK : DLW_CERTAIN_DEADLOCK;
    /* The program's own locks may be called by something that is no address. */
    if (subject->kind == DLW_LOCK_CUSTOM)
        return DLW_CERTAIN_DEADLOCK;
    *reason = "another process may share the memory of the lock";
    return DLW_POSSIBLE_DEADLOCK;
}

static enum dlw_certainty posted_certainty(const struct subject *subject, bool is_alone,
                                           const char **reason)
{
    bool is_lock = !(subject->flags & (DLW_HELD_MADE | DLW_HELD_POOL));

    if (is_alone && (subject->flags & DLW_HELD_MADE || subject->is_event))
        return DLW_NO_DEADLOCK;
    if ((is_lock && !(is_alone && subject->flags & DLW_HELD_FIRST)) || !dlw_proc_catches_signals())
        return DLW_CERTAIN_DEADLOCK;
    *reason = "a signal handler could post the semaphore";
    /* Every CPython catches signals, and what it calls a lock mostly is one. */
    return is_alone && !subject->is_pythons ? DLW_NO_DEADLOCK : DLW_POSSIBLE_DEADLOCK;
}

static enum dlw_certainty step_certainty(const struct dlw_wait_step *step, bool is_alone,
                                         const char **reason)
{
    struct subject subject = subject_of(step);

    if (subject.kind == DLW_LOCK_GIL) {
        *reason = dlw_gil_doubt(subject.lock);
        return *reason ? DLW_POSSIBLE_DEADLOCK : DLW_CERTAIN_DEADLOCK;
    }
    return subject.kind == DLW_LOCK_SEMAPHORE ? posted_certainty(&subject, is_alone, reason)
                                              : shared_certainty(&subject, reason);
}

/* glibc itself answers EDEADLK to a thread that joins itself or its own joiner. */
static bool is_refused(const struct dlw_wait_cycle *cycle)
{
    for (uint32_t i = 0; i < cycle->length; i++)
        if (cycle->steps[i].wait.kind != DLW_WAIT_JOIN)
            return false;
    return cycle->length <= 2;
}

enum dlw_certainty dlw_certainty_of(const struct dlw_wait_cycle *cycle, const char **reason)
{
    enum dlw_certainty least = is_refused(cycle) ? DLW_NO_DEADLOCK : DLW_CERTAIN_DEADLOCK;

    *reason = NULL;
    for (uint32_t i = 0; i < cycle->length && least != DLW_NO_DEADLOCK; i++) {
        enum dlw_certainty its = step_certainty(&cycle->steps[i], cycle->length == 1, reason);
        if (its < least)
            least = its;
    }
    return least;
}
