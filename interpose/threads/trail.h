/*
 * Writing a thread's trail (report/emit/trail.h), and copying it. By the thread itself, but for
 * dlw_trail_copy().
 *
 * A taking is three stores and a handful of instructions: its number, then its two words. Only the
 * words are read by others while they change; they are stored with release, so that who has read a
 * word of a later entry finds the later number too.
 *
 * Each entry counts as two wrapped calls, the one that took a lock and the one that will give it
 * back: so neither has to count itself. What is noted of anything else takes that back.
 */
#ifndef DLW_THREADS_TRAIL_H
#define DLW_THREADS_TRAIL_H

#include "interpose/base/arch/arch.h"
#include "interpose/threads/record.h"

/* For code that is inlined into the fast path of each wrapper. */
#define DLW_HOT inline __attribute__((always_inline))

_Static_assert((DLW_TRAIL_ENTRIES & (DLW_TRAIL_ENTRIES - 1)) == 0 && DLW_N_WAIT_KINDS <= 16 &&
                   DLW_SHARED == 1 && DLW_EXCLUSIVE == 0,
               "the words of an entry have room for them");

enum { DLW_TRAIL_CALLS = 2 };

static inline uint64_t dlw_trail_calls(const struct dlw_thread *thread)
{
    return atomic_load_explicit(&thread->trail_at, memory_order_relaxed) /
               sizeof(struct dlw_trail_entry) * DLW_TRAIL_CALLS +
           thread->calls;
}

static DLW_HOT uint64_t dlw_trail_subject(uintptr_t lock, uint32_t traits, unsigned what)
{
    /* The program may call a lock of its own by any number. */
    bool is_bare = DLW_ADDRESSES_ARE_BARE && (traits & 0xFF) != DLW_LOCK_CUSTOM;
    uint64_t address = is_bare ? lock : lock & DLW_TRAIL_ADDRESS;

    return address | (uint64_t)(traits & 0x1FF) << DLW_TRAIL_KIND |
           (uint64_t)what << DLW_TRAIL_WHAT;
}

static DLW_HOT uint64_t dlw_trail_place(uintptr_t pc, uint64_t held)
{
    return (DLW_ADDRESSES_ARE_BARE ? pc : pc & DLW_TRAIL_ADDRESS) | held << 48;
}

static DLW_HOT void dlw_trail_add(struct dlw_thread *self, uint64_t subject, uint64_t place)
{
    const uint64_t slots = (DLW_TRAIL_ENTRIES - 1) * sizeof(struct dlw_trail_entry);
    uint64_t at = atomic_load_explicit(&self->trail_at, memory_order_relaxed) +
                  sizeof(struct dlw_trail_entry);

    /* The number first: a handler that comes in between goes on from it. */
    atomic_store_explicit(&self->trail_at, at, memory_order_release);
    struct dlw_trail_entry *entry =
        (struct dlw_trail_entry *)(void *)((char *)self->trail + (at & slots));
    atomic_store_explicit(&entry->subject, subject, memory_order_release);
    atomic_store_explicit(&entry->place, place, memory_order_release);
}

/* It was taken, and has its entry above `below_it` others; `traits` as of a held lock. */
static DLW_HOT void dlw_trail_took(struct dlw_thread *self, uintptr_t lock, uint32_t below_it,
                                   uint32_t traits, uintptr_t pc)
{
    bool is_try = traits & (uint32_t)DLW_HELD_TRY << 16;
    uint64_t held = below_it ? (uint64_t)below_it + 1 : 0;

    dlw_trail_add(self,
                  dlw_trail_subject(lock, traits, is_try ? DLW_TRAIL_TOOK_BY_TRY : DLW_TRAIL_TOOK),
                  dlw_trail_place(pc, held));
}

/* Of the held locks, of which there are so many, this one is about to go, and it is not the last.
 */
static DLW_HOT void dlw_trail_gave(struct dlw_thread *self, const struct dlw_held_lock *held,
                                   uint32_t depth)
{
    uintptr_t lock = atomic_load_explicit(&held->lock, memory_order_relaxed);
    uint32_t traits = atomic_load_explicit(&held->traits, memory_order_relaxed);

    self->calls -= DLW_TRAIL_CALLS;
    dlw_trail_add(self, dlw_trail_subject(lock & DLW_TRAIL_ADDRESS, traits, DLW_TRAIL_GAVE),
                  (uint64_t)depth << 48);
}

/* Whatever else, before it changes how many locks are held. */
void dlw_trail_note(struct dlw_thread *self, enum dlw_trail_what what, uintptr_t lock,
                    uint32_t traits, uintptr_t pc);
/* A try was in vain, and is counted. Told once where the thread does nothing else between. Returns
 * EBUSY. */
int dlw_trail_tried(struct dlw_thread *self, const void *lock, uint32_t traits, uintptr_t pc);
/* It is about to wait, and it does no longer. The first returns dlw_now(). */
uint64_t dlw_trail_asks(struct dlw_thread *self, uintptr_t on, uint32_t traits,
                        enum dlw_wait_kind kind, uintptr_t pc);
void dlw_trail_waited(struct dlw_thread *self);

/* Of any thread whose record is alive; one that runs may be some entries further by now. */
void dlw_trail_copy(const struct dlw_thread *thread, struct dlw_trail *out);

#endif
