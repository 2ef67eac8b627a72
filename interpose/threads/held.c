#include "interpose/threads/held.h"

#include "graph/base/arena.h"
#include "interpose/base/real.h"
#include "interpose/base/state.h"
#include "interpose/base/trampoline.h"
#include "interpose/stacks/walk.h"

#include <string.h>

static uint32_t compact_moving(struct dlw_thread *self);

void dlw_held_lose(struct dlw_thread *holder, uintptr_t lock)
{
    struct dlw_held_lock *held = atomic_load_explicit(&holder->held, memory_order_acquire);
    uint32_t depth = atomic_load_explicit(&holder->depth, memory_order_relaxed);

    for (uint32_t i = 0; held && i < depth; i++) {
        uintptr_t expected = lock;
        /* Its thread may be reusing the place: then it isn't this lock any more. */
        atomic_compare_exchange_strong_explicit(&held[i].lock, &expected, DLW_HELD_LOST,
                                                memory_order_relaxed, memory_order_relaxed);
    }
}

static bool lose_one(void *context, struct dlw_thread *thread)
{
    if (atomic_load_explicit(&thread->depth, memory_order_relaxed))
        dlw_held_lose(thread, *(uintptr_t *)context);
    return true;
}

void dlw_held_lose_everywhere(uintptr_t lock)
{
    dlw_threads_each(lose_one, &lock);
}

/* ---- moving all of them: with the guard up, so that a handler that comes in between passes ----
 */

/* Is an entry just being pushed, popped or moved? Then this is a signal handler that came in
 * between, and the entries stay where they are. */
static bool is_interrupted(struct dlw_thread *self)
{
    for (uint32_t i = dlw_held_depth(self); i-- > 0;)
        if (atomic_load_explicit(&dlw_held_at(self, i)->lock, memory_order_relaxed) ==
            DLW_HELD_FREE)
            return true;
    return false;
}

/* The old array stays mapped until the record is used again: a walker may be reading it. */
static bool grow_moving(struct dlw_thread *self)
{
    if (compact_moving(self) * 2 <= self->room) /* most of it was lost */
        return true;
    size_t bytes = (size_t)self->room * sizeof(struct dlw_held_lock);
    struct dlw_held_lock *old = atomic_load_explicit(&self->held, memory_order_relaxed);
    struct dlw_held_lock *larger = dlw_pages_map(bytes * 2);

    if (!larger) {
        dlw_switch_off("out of memory");
        return false;
    }
    memcpy(larger, old, bytes);
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

/* ---- levels ---- */

/*
 * The first unlocks of a place only count, since most places are few times passed; the next are
 * assessed, and the most levels that one of them needed are noted from then on. Later
 * contradictions raise it.
 */
enum { COUNTED = 4, ASSESSED = 12, OVER = DLW_TRIAL_OVER };

/* Walks with what libunwind says, which fills the table for the next time. */
static DLW_COLD void note_new(struct dlw_held_lock *held, struct dlw_call call)
{
    struct dlw_thread *self = dlw_self;
    uintptr_t high = self->stack_high;
    struct dlw_memory memory = {call.sp, high, NULL};
    enum dlw_walk_end end;
    uintptr_t cfa;
    unsigned n = 0;

    dlw_guard_enter(self);
    for (;;) {
        held->pc[n++] = call.pc;
        held->sp = call.sp;
        held->fp = call.fp;
        if (n == DLW_LEVELS || call.sp >= high || !dlw_frames_step(&call, &memory, &cfa, &end))
            break;
    }
    held->levels = (uint8_t)n;
    dlw_guard_leave(self);
}

/* By the rules alone, as far out as the place asks for. False: one of them isn't known yet. */
static bool note_outer(struct dlw_held_lock *held, const struct dlw_rule_slot *slot, uintptr_t high)
{
    struct dlw_call call = {held->pc[0], held->sp, held->fp};
    unsigned levels = slot->rule.levels;
    unsigned n = 1;

    for (; n <= levels; n++) {
        struct dlw_rule rule;
        if (n > 1 && !(slot = dlw_rule_find(call.pc)))
            return false;
        rule = slot->rule;
        if (rule.base != DLW_RULE_SP && rule.base != DLW_RULE_FP)
            break;
        uintptr_t cfa =
            (rule.base == DLW_RULE_SP ? call.sp : call.fp) + (uintptr_t)(intptr_t)rule.cfa_offset;
        if (cfa <= call.sp || cfa > high) /* not on this thread's own stack */
            break;
        if (rule.fp_slot)
            call.fp = *(uintptr_t *)(cfa + (uintptr_t)((intptr_t)rule.fp_slot * 8)); /* NOLINT */
        call.sp = cfa;
        call.pc = *(uintptr_t *)(cfa - DLW_RETURN_SLOT); /* NOLINT */
        held->pc[n] = call.pc;
    }
    held->levels = (uint8_t)n;
    held->sp = call.sp;
    held->fp = call.fp;
    return true;
}

/* A helper with a frame like most, known to need one level: what remains of note_outer(). */
static inline bool note_helper(struct dlw_held_lock *held, struct dlw_rule rule, uintptr_t high)
{
    uintptr_t cfa = held->sp + (uintptr_t)(intptr_t)rule.cfa_offset;

    if (rule.levels != 1 || rule.trial != OVER || rule.base != DLW_RULE_SP || cfa <= held->sp ||
        cfa > high)
        return false;
    if (rule.fp_slot)
        held->fp = *(uintptr_t *)(cfa + (uintptr_t)((intptr_t)rule.fp_slot * 8)); /* NOLINT */
    held->sp = cfa;
    held->pc[1] = *(uintptr_t *)(cfa - DLW_RETURN_SLOT); /* NOLINT */
    /* As one word, as it is read next. */
    uint32_t traits = atomic_load_explicit(&held->traits, memory_order_relaxed);
    atomic_store_explicit(&held->traits, traits + DLW_TRAITS(0, 0, 0, 1), memory_order_relaxed);
    return true;
}

static DLW_NOINLINE void note_levels(struct dlw_thread *self, struct dlw_held_lock *held,
                                     const struct dlw_rule_slot *slot)
{
    if (slot && slot->rule.levels == 0) {
        atomic_store_explicit(dlw_plain_place(held->pc[0]), held->pc[0], memory_order_relaxed);
        return;
    }
    if (!slot || slot->rule.trial != OVER)
        held->flags |= DLW_HELD_TRIAL;
    if (!slot || !note_outer(held, slot, self->stack_high))
        note_new(held, (struct dlw_call){held->pc[0], held->sp, held->fp});
}

/* The row of helpers, for an outermost lock (outermost.h). */
static void note_taken(struct dlw_thread *self, const struct dlw_held_lock *held)
{
    uintptr_t lock = atomic_load_explicit(&held->lock, memory_order_relaxed);
    struct dlw_taken *slot = dlw_taken_slot(self->taken, lock);

    if (slot->n > 1 || slot->pc[0] != held->pc[0])
        return;
    slot->n = held->levels < DLW_TAKEN_LEVELS ? held->levels : DLW_TAKEN_LEVELS;
    for (unsigned i = 1; i < slot->n; i++)
        slot->pc[i] = held->pc[i];
}

void dlw_held_note_more(struct dlw_thread *self, struct dlw_held_lock *held)
{
    const struct dlw_rule_slot *slot = dlw_rule_find(held->pc[0]);

    if (!slot || !note_helper(held, slot->rule, self->stack_high))
        note_levels(self, held, slot);
    if (held == dlw_held_at(self, 0))
        note_taken(self, held);
}

enum { NOW = 2 * DLW_LEVELS };

/* Where in the present stack is the outermost level that was noted? `n` when nowhere. */
static unsigned find_outermost(struct dlw_call last, const struct dlw_memory *memory,
                               const struct dlw_walked *now, unsigned n, enum dlw_walk_end now_end)
{
    enum dlw_walk_end end;
    uintptr_t cfa;
    unsigned j = 0;

    dlw_frames_step(&last, memory, &cfa, &end);
    if (cfa == 0) /* the thread's first frame */
        return end == DLW_WALK_COMPLETE && now_end == DLW_WALK_COMPLETE && n > 0 ? n - 1 : n;
    while (j < n && now[j].cfa != cfa)
        j++;
    return j;
}

/*
 * How many levels must have been noted so that the last of them is a frame that is live now. The
 * outermost that was noted is looked for in the present stack; from there inwards both are
 * compared.
 */
static unsigned levels_needed(const struct dlw_held_lock *held, struct dlw_call call)
{
    struct dlw_memory memory = {held->sp < call.sp ? held->sp : call.sp, dlw_self->stack_high,
                                NULL};
    struct dlw_walked now[NOW];
    enum dlw_walk_end end;
    unsigned n = dlw_frames_walk(&call, &memory, now, NOW, &end);
    unsigned i = held->levels - 1U;
    struct dlw_call last = {held->pc[i], held->sp, held->fp};
    unsigned j = find_outermost(last, &memory, now, n, end);

    if (j == n)
        return DLW_LEVELS - 1;
    if (i > 0 && dlw_starts_thread(held->pc[i])) /* the walk ends before what starts threads */
        i--;
    for (; i > 0 && j > 0 && held->pc[i] == now[j].pc; i--)
        j--;
    if (!dlw_frames_same_function(held->pc[i], now[j].pc))
        i++;
    return i < DLW_LEVELS ? i : DLW_LEVELS - 1;
}

static void assess(struct dlw_rule_slot *slot, const struct dlw_held_lock *held,
                   struct dlw_call call)
{
    unsigned seen = slot->rule.trial & 15U;
    unsigned most = slot->rule.trial >> 4;

    if (seen == OVER && held->levels > 1) /* another thread was faster */
        return;
    if (seen >= COUNTED) {
        unsigned needed = levels_needed(held, call);
        if (needed > most)
            most = needed;
    }
    if (seen == OVER) /* needed none so far; where it still needs none, one keeps this away */
        dlw_rule_settle(slot, most ? most : 1);
    else if (seen + 1 == ASSESSED)
        dlw_rule_settle(slot, most);
    else
        __atomic_store_n(&slot->rule.trial, (uint8_t)(most << 4 | (seen + 1)), __ATOMIC_RELAXED);
}

void dlw_held_assess(const struct dlw_held_lock *held, struct dlw_call call)
{
    struct dlw_thread *self = dlw_self;
    struct dlw_rule_slot *slot = dlw_rule_find(held->pc[0]);

    if (!slot)
        return;
    dlw_guard_enter(self);
    assess(slot, held, call);
    dlw_guard_leave(self);
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
static inline void move_entry(struct dlw_held_lock *to, const struct dlw_held_lock *from)
{
    atomic_store_explicit(&to->traits, atomic_load_explicit(&from->traits, memory_order_relaxed),
                          memory_order_relaxed);
    move_word(&to->id, &from->id);
    move_word(&to->key, &from->key);
    move_word(&to->found, &from->found);
    move_word(&to->sp, &from->sp);
    move_word(&to->fp, &from->fp);
    for (unsigned i = 0; i < from->levels; i++)
        move_word(&to->pc[i], &from->pc[i]);
}

static inline uintptr_t lock_of(const struct dlw_held_lock *held)
{
    return atomic_load_explicit(&held->lock, memory_order_relaxed);
}

static inline void set_lock(struct dlw_held_lock *held, uintptr_t lock)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&held->lock, lock, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
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

/* Moves the entries together; amortised over the removals that made the holes. Returns the depth.
 */
static uint32_t compact_moving(struct dlw_thread *self)
{
    struct dlw_held_lock *held = atomic_load_explicit(&self->held, memory_order_relaxed);
    uint32_t depth = dlw_held_depth(self);
    uint32_t to = 0;

    for (uint32_t from = 0; from < depth; from++) {
        if (!dlw_held_is_there(&held[from]))
            continue;
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
    return to;
}

/* The key of a chain: as dlw_held_fill() makes it, but for a hold that spans a create. */
static uint64_t key_over(uint64_t below, uintptr_t lock, const struct dlw_held_lock *held)
{
    unsigned mode = atomic_load_explicit(&held->mode, memory_order_relaxed);

    return dlw_key_mix(below, lock, held->id, held->flags & DLW_HELD_SPAN ? mode | 256U : mode);
}

static void compact(struct dlw_thread *self)
{
    if (is_interrupted(self))
        return;
    dlw_guard_enter_briefly(self);
    compact_moving(self);
    dlw_guard_leave(self);
}

static void leave_hole(struct dlw_thread *self, struct dlw_held_lock *held, uint32_t index)
{
    set_lock(held, DLW_HELD_HOLE);
    self->holes++;
    if (index < self->stale_above)
        self->stale_above = index;
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

/* ---- semaphores kept longer than what they were taken under ---- */

static struct dlw_outliving *outliving_of(struct dlw_thread *self, uintptr_t semaphore)
{
    for (uint32_t i = 0; i < DLW_OUTLIVING; i++)
        if (self->outliving[i].semaphore == semaphore)
            return &self->outliving[i];
    return NULL;
}

/* Of several locks around it the innermost is let go first: that one stays. */
static void note_one_outliving(struct dlw_thread *self, uintptr_t semaphore, uintptr_t under)
{
    if (!outliving_of(self, semaphore))
        self->outliving[self->n_outliving++ % DLW_OUTLIVING] =
            (struct dlw_outliving){semaphore, under, false};
}

bool dlw_held_outlives(struct dlw_thread *self, uintptr_t semaphore)
{
    struct dlw_outliving *known = self->n_outliving ? outliving_of(self, semaphore) : NULL;

    if (!known || known->is_told ||
        dlw_held_find(self, (const void *)known->under) <= /* NOLINT(performance-no-int-to-ptr) */
            dlw_held_find(self, (const void *)semaphore))  /* NOLINT(performance-no-int-to-ptr) */
        return false;
    known->is_told = true;
    return true;
}

static void note_outliving(struct dlw_thread *self, uint32_t index, uint32_t depth)
{
    uintptr_t under = atomic_load_explicit(&dlw_held_at(self, index)->lock, memory_order_relaxed);

    for (uint32_t i = index + 1; i < depth; i++) {
        const struct dlw_held_lock *held = dlw_held_at(self, i);
        if (held->kind == DLW_LOCK_SEMAPHORE && dlw_held_is_there(held))
            note_one_outliving(self, atomic_load_explicit(&held->lock, memory_order_relaxed),
                               under);
    }
}

void dlw_held_remove(struct dlw_thread *self, uint32_t index)
{
    enum { FEW = 4 };
    uint32_t depth = dlw_held_depth(self);

    if (index + 1 == depth) {
        drop_last(self);
        return;
    }
    note_outliving(self, index, depth - index <= FEW ? depth : index + FEW);
    if (depth - index <= FEW && self->holes == 0 && depth <= self->stale_above) {
        close_gap(self, index, depth - 1);
        return;
    }
    leave_hole(self, dlw_held_at(self, index), index);
    if (self->holes * 2 > depth)
        compact(self);
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
    return dlw_held_fill(self, dlw_held_depth(self), lock, id, traits, call);
}
