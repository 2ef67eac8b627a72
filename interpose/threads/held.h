/*
 * The stack of locks a thread holds: the hot path. Push and pop touch nothing
 * shared and look nothing up but the caller's frame rules.
 *
 * A signal handler may come between any two instructions, and what it locks goes on the same stack.
 * So a push claims its entry first (depth), fills it, and stores the lock last; a pop clears the
 * lock first and gives the entry back last. In between the entry is of no lock, and the handler's
 * own lie above it: they are popped before it goes on. While there is such an entry no handler
 * moves any (held.c).
 *
 * A chain is the row of locks held, outermost first. Its key is a hash over their identities and
 * modes; a key that the order graph has validated is never asked about again (the idea is
 * lockdep's, Linux kernel/locking/lockdep.c).
 */
#ifndef DLW_THREADS_HELD_H
#define DLW_THREADS_HELD_H

#include "interpose/base/hash.h"
#include "interpose/base/state.h"
#include "interpose/threads/record.h"
#include "interpose/threads/trail.h"
#include "report/emit/records.h"

static inline uint64_t dlw_key_mix(uint64_t chain, uintptr_t lock, uint64_t id, unsigned mode)
{
    uint64_t x = (chain ^ id ^ (uint64_t)lock << 1 ^ mode) * DLW_GOLDEN;

    return x ^ x >> 29;
}

static inline struct dlw_held_lock *dlw_held_at(struct dlw_thread *self, uint32_t i)
{
    return &atomic_load_explicit(&self->held, memory_order_relaxed)[i];
}

static inline uint32_t dlw_held_depth(struct dlw_thread *self)
{
    return atomic_load_explicit(&self->depth, memory_order_relaxed);
}

/* Key of everything held now. */
static inline uint64_t dlw_held_key(struct dlw_thread *self)
{
    uint32_t depth = dlw_held_depth(self);

    return depth ? dlw_held_at(self, depth - 1)->key : self->base;
}

/*
 * In place of the lock in an entry that is none: free, as are all above the depth, and one that is
 * just being pushed or popped; lost, since another thread released the lock, or the lock's own word
 * denies it; or a hole left by its own thread, which counts them.
 */
enum { DLW_HELD_FREE = 0, DLW_HELD_DISOWNED = 1, DLW_HELD_HOLE = 2 };

_Static_assert((int)DLW_HELD_HOLE == (int)DLW_RECORDS_NO_LOCK,
               "as it is told to who looks from outside");

static inline bool dlw_held_is_lock(uintptr_t lock)
{
    return lock > DLW_HELD_HOLE;
}

static inline bool dlw_held_is_there(const struct dlw_held_lock *held)
{
    return dlw_held_is_lock(atomic_load_explicit(&held->lock, memory_order_relaxed));
}

static inline bool dlw_held_is_of(const struct dlw_held_lock *held, const void *lock)
{
    return atomic_load_explicit(&held->lock, memory_order_relaxed) == (uintptr_t)lock;
}

/* Called by any thread: the lock is not `holder`'s any more. The record must be alive. */
void dlw_held_disown(struct dlw_thread *holder, uintptr_t lock);
/* The same for whoever is found to hold it. Takes the threads lock: the guard is up. */
void dlw_held_disown_everywhere(uintptr_t lock);

/*
 * Where the lock was taken is noted exactly: the return address, the stack pointer and the frame
 * pointer of the caller. While that caller's frame lives, the rest of the stack can be read when it
 * is asked for (capture.c). Only a helper that returns with the lock held destroys that: at call
 * sites in such helpers the frames further out are noted too, as many as needed. The first unlocks
 * of a call site show how many it needs; until then all are noted. At a plain call site one return
 * address is enough; at any other the hot path calls dlw_held_note_more(), which returns 0.
 */
/*
 * A lock of CPython's own was taken for a line of Python, and that is what is noted: in pc[1] this
 * mark, then what dlw_python_note() gives. Code and instruction go on to where an
 * outermost lock is kept (outermost.h).
 */
enum { DLW_LINE_MARK = 1, DLW_LINE_LEVELS = 2 + DLW_NOTED_WORDS, DLW_LINE_LEVELS_KEPT = 4 };
_Static_assert((int)DLW_LINE_LEVELS <= (int)DLW_LEVELS &&
                   (int)DLW_LINE_LEVELS_KEPT == (int)DLW_OUTERMOST_LEVELS,
               "they have room");

static inline bool dlw_held_has_line(const struct dlw_held_lock *held)
{
    return held->levels == DLW_LINE_LEVELS && held->pc[1] == DLW_LINE_MARK;
}

int dlw_held_note_more(struct dlw_thread *self, struct dlw_held_lock *held);
/*
 * The line alone, into an entry that is claimed and not filled yet. False: it is none, or the place
 * asks for more; then it is filled with one level, and dlw_held_note_more() is called as for
 * others.
 */
static DLW_HOT bool dlw_held_note_line(struct dlw_thread *self, struct dlw_held_lock *held)
{
    if (atomic_load_explicit(&dlw_rules_have_role, memory_order_relaxed) || dlw_options.profile ||
        !dlw_python_note(&self->python, (uintptr_t)self->handle, &held->pc[2]))
        return false;
    held->pc[1] = DLW_LINE_MARK;
    return true;
}
/* The same for an entry that is pushed again, since its lock was given back for a while. */
void dlw_held_note_again(struct dlw_thread *self, struct dlw_held_lock *held);

/* Cold: notes one caller more, so that the unlock comes to dlw_held_assess(). False: none is known.
 */
bool dlw_held_note_further(struct dlw_thread *self, struct dlw_held_lock *held);

/* Cold: learns from this unlock how many frames the call site of the lock needs. */
void dlw_held_assess(const struct dlw_held_lock *held, struct dlw_call call);

/* The lock is about to be released with this stack pointer: can something be learned about its call
 * site? Most locks are released by the frame that took them. */
static inline bool dlw_held_tells(const struct dlw_held_lock *held, uintptr_t sp)
{
    return __builtin_expect(held->sp != sp, 0) &&
           (held->levels == 1 || held->flags & DLW_HELD_TRIAL);
}

static inline void dlw_held_leaves(const struct dlw_held_lock *held, struct dlw_call call)
{
    if (dlw_held_tells(held, call.sp))
        dlw_held_assess(held, call);
}

/* Cold: computes the stale keys again, or all of them after `self->stale_above` was set to 0. */
void dlw_held_rekey(struct dlw_thread *self);

/* Is there room for an entry, and a key to go on from? */
static inline bool dlw_held_is_ready(struct dlw_thread *self, uint32_t depth)
{
    return __builtin_expect(depth <= self->stale_above, 1);
}

/* Claims the entry above `depth` others: from here on no handler uses or moves it. */
static DLW_HOT struct dlw_held_lock *dlw_held_claim(struct dlw_thread *self, uint32_t depth)
{
    atomic_store_explicit(&self->depth, depth + 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    return dlw_held_at(self, depth);
}

/*
 * What is mostly the same as last time is looked at and not stored: the next atomic operation waits
 * until all that was stored before it has left the processor's buffer.
 *
 * The lock is held now, and its entry is claimed. An outermost one that was asked for, not only
 * tried, also goes among those that the thread took last (outermost.h), and each on its trail
 * (trail.h). Unless the place is plain, dlw_held_note_more() must be called next. Where it was
 * taken is given by a wrapper's frame, which is read word by word as these are stored (a register
 * that must be saved costs more), or else as a call; returned is its return address.
 *
 * Stores to one cache line stand together: the processor takes two of them at a time out of its
 * buffer.
 */
static DLW_HOT uintptr_t dlw_held_fill_from(struct dlw_thread *self, struct dlw_held_lock *held,
                                            uint32_t below_it, void *lock, uint64_t id,
                                            uint32_t traits, const struct dlw_frame *from,
                                            const struct dlw_call *call)
{
    const bool is_outermost = below_it == 0;
    /* One of the two is given. */
    uintptr_t pc = from ? from->pc : call->pc; /* cppcheck-suppress nullPointer */

    dlw_trail_took(self, (uintptr_t)lock, below_it, traits, pc);
    held->fp = from ? from->fp : call->fp;              /* cppcheck-suppress nullPointer */
    held->sp = from ? (uintptr_t)(from + 1) : call->sp; /* cppcheck-suppress nullPointer */
    held->pc[0] = pc;
    held->id = id;
    uint64_t below = is_outermost ? self->base : held[-1].key;
    held->key = dlw_key_mix(below, (uintptr_t)lock, id, traits >> 8 & 0xFF);
    if (__builtin_expect(held->own_traits != traits, 0))
        atomic_store_explicit(&held->traits, traits, memory_order_relaxed);
    if (__builtin_expect(held->found != 0, 0))
        held->found = 0;
    if (is_outermost && !(traits & DLW_TRAITS(0, 0, DLW_HELD_TRY, 0)))
        dlw_outermost_note(dlw_outermost_slot(self->taken, (uintptr_t)lock), (uintptr_t)lock, id,
                           traits, pc);
    /* The rest of the entry is whole, for a handler of this thread as for others: pairs with the
     * acquire of who copies it while the thread runs (capture.c). Walkers of one that waits are
     * ordered by the sequence number of the wait, which they read first. */
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&held->lock, (uintptr_t)lock, memory_order_release);
    return pc;
}

static DLW_HOT void dlw_held_fill(struct dlw_thread *self, struct dlw_held_lock *held,
                                  uint32_t below_it, void *lock, uint64_t id, uint32_t traits,
                                  struct dlw_call call)
{
    dlw_held_fill_from(self, held, below_it, lock, id, traits, NULL, &call);
}

/* The same where it may not be ready. NULL: it is not pushed; memory is out and the library has
 * switched itself off, or a handler interrupted a push and there is no room. */
struct dlw_held_lock *dlw_held_push(struct dlw_thread *self, void *lock, uint64_t id,
                                    uint32_t traits, struct dlw_call call);

/*
 * Index of the innermost entry for `lock`, or -1. Locks are mostly released last in, first
 * out; those that aren't are looked for by the cold part.
 */
int dlw_held_search(struct dlw_thread *self, const void *lock);

static inline int dlw_held_find(struct dlw_thread *self, const void *lock)
{
    uint32_t depth = dlw_held_depth(self);

    if (__builtin_expect(depth > 0, 1) && dlw_held_is_of(dlw_held_at(self, depth - 1), lock))
        return (int)depth - 1;
    return dlw_held_search(self, lock);
}

/* Cold: puts back an entry that an unlock took out which then failed. */
void dlw_held_restore(struct dlw_thread *self, const struct dlw_held_lock *kept);

/* What a jump left behind that came while entries were moved (the guard is up)... */
void dlw_held_settle(struct dlw_thread *self);
/* ...and while one was pushed or popped by a caller whose stack pointer is below `above`: those are
 * no locks. In the handler that is about to jump. */
void dlw_held_jumped_over(struct dlw_thread *self, uintptr_t above);

/*
 * A release that passes: inside the library, or in a signal handler during a wait. If the record
 * says the lock is held, it is looked through when the guard drops.
 */
void dlw_passed_release(struct dlw_thread *self, const void *lock);

/*
 * What a thread remembers of a semaphore beyond a hold: another thread may destroy it, and make one
 * at its address. How many were made at one of the addresses that share a counter tells it from
 * that. Relaxed: who uses the next one knows of it from its maker.
 */
enum { DLW_SEMAPHORE_LIVES = 256 };
extern _Atomic uint32_t dlw_semaphore_lives[DLW_SEMAPHORE_LIVES];

static inline _Atomic uint32_t *dlw_semaphore_counter(uintptr_t semaphore)
{
    return &dlw_semaphore_lives[(uint64_t)semaphore * DLW_GOLDEN >> 56];
}

static inline uint32_t dlw_semaphore_life(uintptr_t semaphore)
{
    return atomic_load_explicit(dlw_semaphore_counter(semaphore), memory_order_relaxed);
}

static inline void dlw_semaphore_begins(uintptr_t semaphore)
{
    atomic_fetch_add_explicit(dlw_semaphore_counter(semaphore), 1, memory_order_relaxed);
}

/*
 * About to post the semaphore that it holds: was that taken under a lock, kept when this was let
 * go, and is this lock held again now? True once for each of a few.
 */
bool dlw_held_outlives(struct dlw_thread *self, uintptr_t semaphore);

static inline uint32_t dlw_outliving_bit(uintptr_t semaphore)
{
    return (uint32_t)1 << (semaphore >> 4 & 31);
}

/* False: it was not. One of a few others may share its bit. */
static inline bool dlw_held_may_outlive(const struct dlw_thread *self, const void *semaphore)
{
    return __builtin_expect(self->outliving_filter != 0, 0) &&
           (self->outliving_filter & dlw_outliving_bit((uintptr_t)semaphore));
}

/* Cold: takes out an entry that isn't the last, or uncovers holes below the last. */
void dlw_held_remove(struct dlw_thread *self, uint32_t index);

/* Cold: drops the last entry, and those right below it that are of no lock. */
void dlw_held_uncover(struct dlw_thread *self);

/*
 * Other threads only mark what they let go of. An entry that is marked so and is the last goes when
 * its thread has waited: under it a chain would have a key of its own for each wait, and be asked
 * of the graph each time.
 */
static inline void dlw_held_drop_lost(struct dlw_thread *self)
{
    uint32_t depth = dlw_held_depth(self);

    if (depth > 0 && dlw_held_is_of(dlw_held_at(self, depth - 1), (void *)DLW_HELD_DISOWNED))
        dlw_held_uncover(self);
}

/* The last entry, where there are no holes. */
static inline void dlw_held_drop(struct dlw_thread *self, struct dlw_held_lock *held,
                                 uint32_t index)
{
    atomic_store_explicit(&held->lock, DLW_HELD_FREE, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&self->depth, index, memory_order_relaxed);
}

/* The same if it is of this lock, which is released by the frame that took it. False: nothing was
 * done, see dlw_held_let_go(). */
static DLW_HOT bool dlw_held_drop_last(struct dlw_thread *self, const void *lock, uintptr_t sp)
{
    uint32_t depth = dlw_held_depth(self);
    struct dlw_held_lock *held = dlw_held_at(self, depth - 1);

    if (__builtin_expect(depth == 0 || self->holes || !dlw_held_is_of(held, lock) ||
                             dlw_held_tells(held, sp),
                         0))
        return false;
    dlw_held_drop(self, held, depth - 1);
    return true;
}

static inline void dlw_held_take_out(struct dlw_thread *self, struct dlw_held_lock *held,
                                     uint32_t index)
{
    if (__builtin_expect(index + 1 == dlw_held_depth(self) && self->holes == 0, 1))
        dlw_held_drop(self, held, index);
    else
        dlw_held_remove(self, index);
}

static inline void dlw_held_pop(struct dlw_thread *self, uint32_t index)
{
    dlw_held_take_out(self, dlw_held_at(self, index), index);
}

/* The caller releases the lock. */
static inline void dlw_held_let_go(struct dlw_thread *self, uint32_t index, struct dlw_call call)
{
    struct dlw_held_lock *held = dlw_held_at(self, index);

    dlw_held_leaves(held, call);
    dlw_held_take_out(self, held, index);
}

/* The object is initialised anew: if it was held, what was held is gone. */
static inline void dlw_held_forget(struct dlw_thread *self, const void *lock)
{
    int index = dlw_held_depth(self) ? dlw_held_find(self, lock) : -1;

    if (__builtin_expect(index >= 0, 0))
        dlw_held_pop(self, (uint32_t)index);
}

#endif
