/*
 * Wrong uses of one lock. Nobody is accused by one witness: the thread's own record and the lock's
 * own word must say the same, and what the real call answered decides. The program is told what
 * glibc says.
 *
 * The "before" half looks while the object is certainly there, the "after" half reports and touches
 * it no more.
 */
#ifndef DLW_WATCH_MISUSE_H
#define DLW_WATCH_MISUSE_H

#include "graph/finding.h"
#include "interpose/locks/identity.h"

struct dlw_accusation {
    bool is_made;
    uint8_t kind; /* enum dlw_kind */
    const char *reason;
    uint64_t lock; /* tag */
    struct dlw_lock_ref ref;
    uint32_t stack;
    uint32_t other_stack;
    uint32_t other;      /* tid of the thread that holds it, 0: nobody */
    uint8_t other_mode;  /* enum dlw_mode of its hold */
    uint8_t other_waits; /* enum dlw_wait_kind; none: it holds the lock */
    uint32_t gone;       /* id of the one that stayed in the parent of a fork; `other` is 0 then */
};

/* The caller unlocks what its record says it doesn't hold. */
void dlw_misuse_unlock_before(struct dlw_thread *self, const struct dlw_lock_ref *ref,
                              const struct dlw_call *call, struct dlw_accusation *out);
void dlw_misuse_unlock_after(struct dlw_thread *self, const struct dlw_accusation *accusation,
                             int result);

/* The same of a lock that a library made itself: `is_locked` is what its own word says. */
void dlw_misuse_unlock_custom_before(struct dlw_thread *self, const struct dlw_lock_ref *ref,
                                     bool is_locked, const struct dlw_call *call,
                                     struct dlw_accusation *out);

/* Instead of "after", and before the real call, where that can't fail: told once, then the lock is
 * a signal without an owner. */
void dlw_misuse_handed_over(struct dlw_thread *self, const struct dlw_accusation *accusation);

/* `looks_locked`: the lock's own word says that it is held. */
void dlw_misuse_destroy_before(struct dlw_thread *self, const struct dlw_lock_ref *ref,
                               bool looks_locked, const struct dlw_call *call,
                               struct dlw_accusation *out);
/* On success the lock's identity ends. */
void dlw_misuse_destroy_after(struct dlw_thread *self, const struct dlw_lock_ref *ref,
                              const struct dlw_accusation *accusation, int result);

/*
 * A mutex or read-write lock of `size` bytes is initialised: for the second time, if a thread that
 * waits for it sleeps in it, and that one is never woken. Its memory may be anything; it is looked
 * at only where a thread has published that it waits for it (dlw_wait_may_be_for).
 */
void dlw_misuse_init_before(struct dlw_thread *self, uintptr_t lock, unsigned kind, size_t size,
                            const struct dlw_call *call, struct dlw_accusation *out);
void dlw_misuse_init_after(struct dlw_thread *self, const struct dlw_accusation *accusation,
                           int result);

/*
 * The caller is about to destroy a condition or a barrier that has waiters. glibc's call waits
 * until all have left it, woken or not: right after a broadcast that is what a program may do, but
 * while one sleeps on unwoken it is told, for then the call never returns. Publishes that wait; to
 * be ended by dlw_wait_end.
 */
void dlw_misuse_destroy_begin(struct dlw_thread *self, const struct dlw_lock_ref *ref,
                              const struct dlw_call *call);

/* A condition wait with a mutex that neither the record nor the mutex says is the caller's. */
void dlw_misuse_wait_without(struct dlw_thread *self, const struct dlw_lock_ref *mutex,
                             const struct dlw_call *call);

/* The thread's last round of destructors has run. */
void dlw_misuse_exit_holding(struct dlw_thread *self);

#endif
