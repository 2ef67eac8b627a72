#include "interpose/threads/held.h"

#include "graph/base/arena.h"
#include "interpose/base/proc.h"
#include "interpose/base/real.h"
#include "interpose/base/state.h"

#include <string.h>

static uint32_t compact_moving(struct dlw_thread *self);

void dlw_held_disown(struct dlw_thread *holder, uintptr_t lock)
{
    struct dlw_held_lock *held = atomic_load_explicit(&holder->held, memory_order_acquire);
    uint32_t depth = atomic_load_explicit(&holder->depth, memory_order_relaxed);

    for (uint32_t i = 0; held && i < depth; i++) {
        uintptr_t expected = lock;
        /* The holder may have put another lock into this entry meanwhile: then it stays. */
        atomic_compare_exchange_strong_explicit(&held[i].lock, &expected, DLW_HELD_DISOWNED,
                                                memory_order_relaxed, memory_order_relaxed);
    }
}

static bool lose_one(void *context, struct dlw_thread *thread)
{
    if (atomic_load_explicit(&thread->depth, memory_order_relaxed))
        dlw_held_disown(thread, *(uintptr_t *)context);
    return true;
}

void dlw_held_disown_everywhere(uintptr_t lock)
{
    dlw_threads_each(lose_one, &lock);
}

/* ---- moving all of them: with the guard up, so that a handler that comes in between passes ----
 */

static inline uintptr_t lock_of(const struct dlw_held_lock *held)
{
    return atomic_load_explicit(&held->lock, memory_order_relaxed);
}

static inline void set_lock(struct dlw_held_lock *held, uintptr_t lock)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&held->lock, lock, memory_order_release); /* as in dlw_held_fill */
    atomic_signal_fence(memory_order_seq_cst);
}

static void leave_hole(struct dlw_thread *self, struct dlw_held_lock *held, uint32_t index)
{
    set_lock(held, DLW_HELD_HOLE);
    self->holes++;
    if (index < self->stale_above)
        self->stale_above = index;
}

/*
 * The caller that was just pushing or popping this entry, if a handler came in between: has the
 * handler been left by a jump? The caller's frame is there as long as its call's return address is,
 * and who calls from further out comes after it. (In the two stores before the entry names its call
 * it may be taken for left: then its lock is not known.)
 */
static bool is_left(const struct dlw_held_lock *held)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0), pc = 0;

    if (dlw_signals_alternate_stack(NULL))
        return false;
    enum dlw_proc_reading reading = dlw_proc_try_read(held->sp - DLW_RETURN_SLOT, &pc, sizeof(pc));
    return here > held->sp - DLW_SIGNAL_FRAME || reading == DLW_PROC_GONE ||
           (reading == DLW_PROC_READ && pc != held->pc[0]);
}

/* Is an entry just being pushed, popped or moved? Then this is a signal handler that came in
 * between, and the entries stay where they are. */
static bool is_interrupted(struct dlw_thread *self)
{
    for (uint32_t i = dlw_held_depth(self); i-- > 0;) {
        struct dlw_held_lock *held = dlw_held_at(self, i);
        if (lock_of(held) != DLW_HELD_FREE)
            continue;
        if (!is_left(held))
            return true;
        leave_hole(self, held, i);
    }
    return false;
}

/* The old array stays mapped until the record is used again: a walker may be reading it. */
static bool grow_moving(struct dlw_thread *self)
{
    if (compact_moving(self) * 2 <= self->room) /* most entries were holes or lost */
        return true;
    size_t bytes = (size_t)self->room * sizeof(struct dlw_held_lock);
    struct dlw_held_lock *old = atomic_load_explicit(&self->held, memory_order_relaxed);
    struct dlw_held_lock *larger = dlw_pages_map(bytes * 2);

    if (!larger) {
        dlw_switch_off("out of memory");
        return false;
    }
    memcpy(larger, old, bytes);
    /* Any row will do. By the first entry, since `until_timed` may just be 0 in between. */
    for (uint32_t i = self->room; old->counted && i < 2 * self->room; i++)
        larger[i].counted = old->counted;
    /* Pairs with a walker's acquire of the wait's sequence. */
    atomic_store_explicit(&self->held, larger, memory_order_release);
    bool is_keyed = self->stale_above == self->room - 1;
    self->room *= 2;
    if (is_keyed)
        self->stale_above = self->room - 1;
    return true;
}

static bool grow(struct dlw_thread *self)
{
    if (is_interrupted(self))
        return false;
    dlw_guard_enter_briefly(self);
    bool has_room = grow_moving(self);
    dlw_guard_leave(self);
    return has_room;
}

/* ---- entries ---- */

int dlw_held_search(struct dlw_thread *self, const void *lock)
{
    struct dlw_held_lock *held = atomic_load_explicit(&self->held, memory_order_relaxed);
    uint32_t depth = dlw_held_depth(self);
    uint32_t top = depth > 16 ? depth - 16 : 0;

    for (uint32_t i = depth; i-- > top;)
        if (atomic_load_explicit(&held[i].lock, memory_order_relaxed) == (uintptr_t)lock)
            return (int)i;
    for (uint32_t i = 0; i < top; i++) /* first in, first out is the next most common */
        if (atomic_load_explicit(&held[i].lock, memory_order_relaxed) == (uintptr_t)lock)
            return (int)i;
    return -1;
}

/* As it was stored, not long ago: a wider load would wait until it has left the store buffer. */
static inline void move_word(uint64_t *to, const uint64_t *from)
{
    __atomic_store_n(to, __atomic_load_n(from, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
}

/* All but the lock, which tells that an entry is whole, and the interned chain: its reference
 * belongs to the place. */
static DLW_HOT void move_entry(struct dlw_held_lock *to, const struct dlw_held_lock *from)
{
    uint32_t traits = atomic_load_explicit(&from->traits, memory_order_relaxed);
    unsigned levels = traits >> 24;

    atomic_store_explicit(&to->traits, traits, memory_order_relaxed);
    move_word(&to->id, &from->id);
    move_word(&to->key, &from->key);
    move_word(&to->found, &from->found);
    move_word(&to->sp, &from->sp);
    move_word(&to->fp, &from->fp);
    move_word(&to->pc[0], &from->pc[0]);
    for (unsigned i = 1; i < levels; i++)
        move_word(&to->pc[i], &from->pc[i]);
}

static void drop_last(struct dlw_thread *self)
{
    uint32_t last = dlw_held_depth(self) - 1;

    dlw_held_drop(self, dlw_held_at(self, last), last);
    for (uint32_t i = last; i-- > 0;) {
        struct dlw_held_lock *held = dlw_held_at(self, i);
        uintptr_t lock = atomic_load_explicit(&held->lock, memory_order_relaxed);
        if (lock == DLW_HELD_FREE || dlw_held_is_lock(lock))
            break;
        if (lock == DLW_HELD_HOLE)
            self->holes--;
        dlw_held_drop(self, held, i);
    }
}

void dlw_held_uncover(struct dlw_thread *self)
{
    if (!is_interrupted(self))
        drop_last(self);
}

/* Readers, takers of units, and locks of the program's own may be held twice; each time under a key
 * of its own, until entries are moved, and mostly from another place. */
static bool is_copy(const struct dlw_held_lock *held, const struct dlw_held_lock *other)
{
    if (lock_of(held) != lock_of(other))
        return false;
    bool is_one_holders = held->kind == DLW_LOCK_MUTEX || held->kind == DLW_LOCK_RWLOCK ||
                          held->kind == DLW_LOCK_SPIN;
    if (is_one_holders && atomic_load_explicit(&held->mode, memory_order_relaxed) == DLW_EXCLUSIVE)
        return true;
    return held->key == other->key && held->sp == other->sp && held->pc[0] == other->pc[0];
}

/* Entries that a jump left half moved: what is there twice goes once, the one further in, as it
 * would have next. */
static void drop_copies(struct dlw_thread *self, uint32_t from)
{
    uint32_t depth = dlw_held_depth(self);

    for (uint32_t i = from; i < depth; i++) {
        const struct dlw_held_lock *held = dlw_held_at(self, i);
        for (uint32_t k = i + 1; k < depth && dlw_held_is_there(held); k++)
            if (is_copy(held, dlw_held_at(self, k)))
                set_lock(dlw_held_at(self, k), DLW_HELD_FREE);
    }
}

/* Moves the entries together; amortised over the removals that made the holes. Returns the depth.
 */
static uint32_t compact_moving(struct dlw_thread *self)
{
    struct dlw_held_lock *held = atomic_load_explicit(&self->held, memory_order_relaxed);
    uint32_t depth = dlw_held_depth(self);
    uint32_t to = 0;

    bool has_lost = false; /* one that another thread let go of: the trail doesn't know of it */
    self->moves_held = true;
    atomic_signal_fence(memory_order_seq_cst);
    for (uint32_t from = 0; from < depth; from++) {
        if (!dlw_held_is_there(&held[from])) {
            has_lost |= lock_of(&held[from]) == DLW_HELD_DISOWNED;
            continue;
        }
        if (to != from) {
            move_entry(&held[to], &held[from]);
            set_lock(&held[to], lock_of(&held[from]));
        }
        to++;
    }
    for (uint32_t i = to; i < depth; i++)
        set_lock(&held[i], DLW_HELD_FREE);
    atomic_store_explicit(&self->depth, to, memory_order_relaxed);
    self->holes = 0;
    self->stale_above = 0;
    atomic_signal_fence(memory_order_seq_cst);
    self->moves_held = false;
    if (has_lost)
        dlw_trail_note(self, DLW_TRAIL_CONFUSED, 0, 0, 0);
    return to;
}

void dlw_held_settle(struct dlw_thread *self)
{
    if (!self->moves_held)
        return;
    drop_copies(self, 0);
    compact_moving(self);
}

void dlw_held_jumped_over(struct dlw_thread *self, uintptr_t above)
{
    enum { NEAR = 16 }; /* more than close_gap() moves, and a handler holds */
    uint32_t depth = dlw_held_depth(self), from = depth > NEAR ? depth - NEAR : 0;

    drop_copies(self, from);
    for (uint32_t i = depth; i-- > from;) {
        struct dlw_held_lock *held = dlw_held_at(self, i);
        if (lock_of(held) == DLW_HELD_FREE && held->sp < above)
            leave_hole(self, held, i);
    }
    while (depth > 0 && lock_of(dlw_held_at(self, depth - 1)) == DLW_HELD_HOLE) {
        self->holes--;
        depth--;
        dlw_held_drop(self, dlw_held_at(self, depth), depth);
    }
}

/* The key of a chain: as dlw_held_fill() makes it, but for a hold that spans a create. */
static DLW_HOT uint64_t key_over(uint64_t below, uintptr_t lock, const struct dlw_held_lock *held)
{
    uint32_t traits = atomic_load_explicit(&held->traits, memory_order_relaxed);
    unsigned spans = traits & DLW_TRAITS(0, 0, DLW_HELD_SPAN, 0) ? 256 : 0;

    return dlw_key_mix(below, lock, held->id, (traits >> 8 & 0xFF) | spans);
}

static void compact(struct dlw_thread *self)
{
    if (is_interrupted(self))
        return;
    dlw_guard_enter_briefly(self);
    compact_moving(self);
    dlw_guard_leave(self);
}

/* The few above it come down one place each, under their new keys. At every moment one of them is
 * free, so that a handler moves nothing. */
static void close_gap(struct dlw_thread *self, uint32_t index, uint32_t last)
{
    struct dlw_held_lock *gap = dlw_held_at(self, index);
    uint64_t key = index ? gap[-1].key : self->base;

    set_lock(gap, DLW_HELD_FREE);
    for (; index < last; index++, gap++) {
        uintptr_t lock = lock_of(gap + 1);
        if (lock == DLW_HELD_FREE) { /* this is a handler, and that one is being pushed */
            leave_hole(self, gap, index);
            return;
        }
        move_entry(gap, gap + 1);
        if (dlw_held_is_lock(lock))
            key = key_over(key, lock, gap);
        gap->key = key;
        set_lock(gap, lock);
        set_lock(gap + 1, DLW_HELD_FREE);
    }
    atomic_store_explicit(&self->depth, last, memory_order_relaxed);
}

/* The last but one goes, as where two locks are released in the order taken, and no entry is a hole
 * or stale: the last comes down one place. False: this is for the others. */
static bool close_second(struct dlw_thread *self, struct dlw_held_lock *gap, uint32_t last)
{
    struct dlw_held_lock *held = gap + 1;
    uintptr_t lock = lock_of(held);

    if (!dlw_held_is_lock(lock) || held->kind == DLW_LOCK_SEMAPHORE)
        return false;
    uint64_t below = last > 1 ? gap[-1].key : self->base;
    dlw_trail_gave(self, gap, last + 1);
    set_lock(gap, DLW_HELD_FREE);
    move_entry(gap, held);
    gap->key = key_over(below, lock, held);
    set_lock(gap, lock);
    dlw_held_drop(self, held, last);
    return true;
}

/* ---- semaphores kept longer than what they were taken under ---- */

_Atomic uint32_t dlw_semaphore_lives[DLW_SEMAPHORE_LIVES];

static bool is_current(const struct dlw_outliving *outliving)
{
    return outliving->semaphore && outliving->life == dlw_semaphore_life(outliving->semaphore);
}

static struct dlw_outliving *outliving_of(struct dlw_thread *self, uintptr_t semaphore)
{
    for (uint32_t i = 0; i < DLW_OUTLIVING; i++)
        if (self->outliving[i].semaphore == semaphore && is_current(&self->outliving[i]))
            return &self->outliving[i];
    return NULL;
}

static void renew_filter(struct dlw_thread *self)
{
    uint32_t filter = 0;

    for (uint32_t i = 0; i < DLW_OUTLIVING; i++)
        if (is_current(&self->outliving[i]) && !self->outliving[i].is_told)
            filter |= dlw_outliving_bit(self->outliving[i].semaphore);
    self->outliving_filter = filter;
}

/* Of several locks around it the innermost is let go first: that one stays. */
static void note_one_outliving(struct dlw_thread *self, uintptr_t semaphore, uintptr_t under)
{
    if (!outliving_of(self, semaphore))
        self->outliving[self->n_outliving++ % DLW_OUTLIVING] =
            (struct dlw_outliving){semaphore, under, dlw_semaphore_life(semaphore), false};
    renew_filter(self);
}

/* One unit of several may be held once more. */
static bool is_unit(struct dlw_thread *self, int index)
{
    return index >= 0 && dlw_held_at(self, (uint32_t)index)->flags & DLW_HELD_POOL;
}

bool dlw_held_outlives(struct dlw_thread *self, uintptr_t semaphore)
{
    struct dlw_outliving *known = outliving_of(self, semaphore);

    if (!known || known->is_told)
        return false;
    int under = dlw_held_find(self, (const void *)known->under); /* NOLINT */
    int index = dlw_held_find(self, (const void *)semaphore);    /* NOLINT */
    known->is_told = under > index;
    if (!known->is_told && !is_unit(self, index)) /* this hold ends, and has not shown it */
        known->semaphore = 0;
    renew_filter(self);
    return known->is_told;
}

/* CPython drops its global lock under every `with`, and has it again at the end: no sign. */
static void note_outliving(struct dlw_thread *self, uint32_t index, uint32_t depth)
{
    uintptr_t under = atomic_load_explicit(&dlw_held_at(self, index)->lock, memory_order_relaxed);

    if (dlw_held_at(self, index)->kind == DLW_LOCK_GIL)
        return;
    for (uint32_t i = index + 1; i < depth; i++) {
        const struct dlw_held_lock *held = dlw_held_at(self, i);
        if (held->kind == DLW_LOCK_SEMAPHORE && dlw_held_is_there(held))
            note_one_outliving(self, atomic_load_explicit(&held->lock, memory_order_relaxed),
                               under);
    }
}

static DLW_NOINLINE void remove_any(struct dlw_thread *self, uint32_t index, uint32_t depth,
                                    bool is_tidy)
{
    enum { FEW = 4 };
    const struct dlw_held_lock *held = dlw_held_at(self, index);

    if (dlw_held_is_there(held))
        dlw_trail_gave(self, held, depth);
    if (index + 1 == depth) {
        drop_last(self);
        return;
    }
    note_outliving(self, index, depth - index <= FEW ? depth : index + FEW);
    if (self->holes == 0 &&
        !is_tidy) { /* else a hole is left, and with one all takes the long way */
        dlw_held_rekey(self);
        is_tidy = true;
    }
    if (depth - index <= FEW && is_tidy) {
        close_gap(self, index, depth - 1);
        return;
    }
    leave_hole(self, dlw_held_at(self, index), index);
    if (self->holes * 2 > depth)
        compact(self);
}

void dlw_held_remove(struct dlw_thread *self, uint32_t index)
{
    uint32_t depth = dlw_held_depth(self);
    bool is_tidy = self->holes == 0 && depth <= self->stale_above;

    if (index + 2 != depth || !is_tidy || !close_second(self, dlw_held_at(self, index), index + 1))
        remove_any(self, index, depth, is_tidy);
}

void dlw_held_restore(struct dlw_thread *self, const struct dlw_held_lock *kept)
{
    uint32_t depth = dlw_held_depth(self);

    if (depth == self->room) {
        if (!grow(self))
            return;
        depth = dlw_held_depth(self);
    }
    atomic_store_explicit(&self->depth, depth + 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    move_entry(dlw_held_at(self, depth), kept);
    if (depth < self->stale_above)
        self->stale_above = depth;
    set_lock(dlw_held_at(self, depth), lock_of(kept));
}

void dlw_passed_release(struct dlw_thread *self, const void *lock)
{
    if (!(self->guard & DLW_GUARD_OFF) && dlw_held_find(self, lock) >= 0)
        self->resync = true;
}

void dlw_held_rekey(struct dlw_thread *self)
{
    uint32_t depth = dlw_held_depth(self);
    uint32_t from = self->stale_above < depth ? self->stale_above : depth;
    uint64_t key = self->base;

    for (uint32_t i = from; i-- > 0;) {
        struct dlw_held_lock *below = dlw_held_at(self, i);
        if (dlw_held_is_there(below)) {
            key = below->key;
            break;
        }
    }
    for (uint32_t i = from; i < depth; i++) {
        struct dlw_held_lock *held = dlw_held_at(self, i);
        uintptr_t lock = atomic_load_explicit(&held->lock, memory_order_relaxed);
        if (dlw_held_is_lock(lock))
            key = key_over(key, lock, held);
        held->key = key;
    }
    self->stale_above = self->room - 1;
}

struct dlw_held_lock *dlw_held_push(struct dlw_thread *self, void *lock, uint64_t id,
                                    uint32_t traits, struct dlw_call call)
{
    if (dlw_held_depth(self) == self->room && !grow(self))
        return NULL;
    if (dlw_held_depth(self) > self->stale_above)
        dlw_held_rekey(self);
    uint32_t depth = dlw_held_depth(self);
    struct dlw_held_lock *held = dlw_held_claim(self, depth);
    dlw_held_fill(self, held, depth, lock, id, traits, call);
    return held;
}
