#include "interpose/threads/trail.h"

#include "interpose/base/state.h"
#include "interpose/threads/held.h"

#include <errno.h>

static void add_uncounted(struct dlw_thread *self, uint64_t subject, uint64_t place)
{
    self->calls -= DLW_TRAIL_CALLS;
    dlw_trail_add(self, subject, place);
}

void dlw_trail_note(struct dlw_thread *self, enum dlw_trail_what what, uintptr_t lock,
                    uint32_t traits, uintptr_t pc)
{
    add_uncounted(self, dlw_trail_subject(lock & DLW_TRAIL_ADDRESS, traits, what),
                  dlw_trail_place(pc, dlw_held_depth(self)));
}

static uint64_t last_number(const struct dlw_thread *thread, memory_order order)
{
    return atomic_load_explicit(&thread->trail_at, order) / sizeof(struct dlw_trail_entry);
}

static bool is_last(const struct dlw_thread *self, uint64_t subject, uint64_t place)
{
    const struct dlw_trail_entry *last =
        &self->trail[last_number(self, memory_order_relaxed) % DLW_TRAIL_ENTRIES];

    return atomic_load_explicit(&last->subject, memory_order_relaxed) == subject &&
           atomic_load_explicit(&last->place, memory_order_relaxed) == place;
}

static uint32_t n_waits(const struct dlw_thread *thread)
{
    return atomic_load_explicit(&thread->n_trail_waits, memory_order_acquire);
}

static struct dlw_trail_wait *last_wait(struct dlw_thread *self)
{
    return &self->trail_waits[(n_waits(self) - 1) % DLW_TRAIL_WAITS];
}

int dlw_trail_tried(struct dlw_thread *self, const void *lock, uint32_t traits, uintptr_t pc)
{
    uint64_t subject = dlw_trail_subject((uintptr_t)lock, traits, DLW_TRAIL_TRIED);
    uint64_t place = dlw_trail_place(pc, dlw_held_depth(self));

    self->calls++;
    if (!is_last(self, subject, place))
        add_uncounted(self, subject, place);
    return EBUSY;
}

uint64_t dlw_trail_asks(struct dlw_thread *self, uintptr_t on, uint32_t traits,
                        enum dlw_wait_kind kind, uintptr_t pc)
{
    uint64_t now = dlw_now();
    uint64_t subject = dlw_trail_subject(on & DLW_TRAIL_ADDRESS, traits, DLW_TRAIL_ASKED) |
                       (uint64_t)kind << DLW_TRAIL_WAIT;
    uint64_t place = dlw_trail_place(pc, dlw_held_depth(self));

    /* CPython waits for its global lock in slices of some ms. */
    if (kind == DLW_WAIT_GIL && is_last(self, subject, place)) {
        atomic_store_explicit(&last_wait(self)->ended, 0, memory_order_release);
        return now;
    }
    add_uncounted(self, subject, place);
    uint32_t n = n_waits(self);
    struct dlw_trail_wait *wait = &self->trail_waits[n % DLW_TRAIL_WAITS];
    atomic_store_explicit(&wait->number, 0, memory_order_relaxed); /* for who reads it meanwhile */
    /* Release: who counts it in finds no number there of the record's last life. */
    atomic_store_explicit(&self->n_trail_waits, n + 1, memory_order_release);
    atomic_store_explicit(&wait->ended, 0, memory_order_release);
    atomic_store_explicit(&wait->began, now, memory_order_release);
    atomic_store_explicit(&wait->number, last_number(self, memory_order_relaxed),
                          memory_order_release);
    return now;
}

void dlw_trail_waited(struct dlw_thread *self)
{
    if (n_waits(self))
        atomic_store_explicit(&last_wait(self)->ended, dlw_now(), memory_order_release);
}

static bool waits(const struct dlw_thread *thread)
{
    return atomic_load_explicit(&thread->wait.sequence, memory_order_acquire) & 1;
}

static void copy_waits(const struct dlw_thread *thread, struct dlw_trail *out)
{
    uint32_t n = n_waits(thread);

    for (unsigned i = 0; i < DLW_TRAIL_WAITS; i++) {
        const struct dlw_trail_wait *wait = &thread->trail_waits[i];
        uint64_t number = atomic_load_explicit(&wait->number, memory_order_acquire);
        out->waits[i].began = atomic_load_explicit(&wait->began, memory_order_acquire);
        out->waits[i].ended = atomic_load_explicit(&wait->ended, memory_order_acquire);
        bool is_whole = number == atomic_load_explicit(&wait->number, memory_order_relaxed);
        /* What stands behind those of this life is of the record's last one. */
        out->waits[i].number = is_whole && i < n ? number : 0;
    }
}

/* Of a thread that runs the last entry may not be whole, and some may be written over meanwhile.
 * Acquire: pairs with dlw_trail_add(). */
void dlw_trail_copy(const struct dlw_thread *thread, struct dlw_trail *out)
{
    bool is_still = thread == dlw_self || waits(thread);
    uint64_t last = last_number(thread, memory_order_acquire);

    for (unsigned i = 0; i < DLW_TRAIL_ENTRIES; i++) {
        out->entries[i].subject =
            atomic_load_explicit(&thread->trail[i].subject, memory_order_acquire);
        out->entries[i].place = atomic_load_explicit(&thread->trail[i].place, memory_order_acquire);
    }
    copy_waits(thread, out);
    out->held = atomic_load_explicit(&thread->depth, memory_order_relaxed);
    uint64_t now = last_number(thread, memory_order_relaxed);
    out->held_is_known = is_still && now == last;
    out->last = out->held_is_known || !last ? last : last - 1;
    out->first = now >= DLW_TRAIL_ENTRIES ? now - DLW_TRAIL_ENTRIES + 1 : 1;
}
