#include "interpose/threads/outermost.h"

#include "interpose/base/state.h"
#include "interpose/threads/held.h"

#include <string.h>

/* In an entry of the table, in place of a flag that only held locks have. */
enum { DLW_TAKEN_SIGNALLED = DLW_HELD_SPAN };

/* The signalling hold is no longer the last thing known: its entry goes back where it stood, unless
 * another has come there meanwhile. */
static void put_back(struct dlw_thread *self)
{
    struct dlw_parting *parting = &self->parting;
    struct dlw_outermost *slot = dlw_outermost_slot(self->taken, parting->taken.lock);

    if (parting->taken.lock && slot->lock == 0) {
        *slot = parting->taken;
        slot->flags |= DLW_TAKEN_SIGNALLED;
    }
    parting->taken.lock = 0;
}

void dlw_outermost_signals(struct dlw_thread *self, const void *condition)
{
    struct dlw_parting *parting = &self->parting;
    uintptr_t lock = atomic_load_explicit(&dlw_held_at(self, 0)->lock, memory_order_relaxed);
    struct dlw_outermost *slot = dlw_outermost_slot(self->taken, lock);
    bool is_again = parting->taken.lock == lock;

    if (!dlw_held_is_lock(lock))
        return;
    if (slot->lock != lock) { /* the same hold as before, or another lock has the place */
        if (is_again)
            parting->condition = (uintptr_t)condition;
        return;
    }
    if (!is_again)
        put_back(self);
    parting->taken = *slot;
    parting->condition = (uintptr_t)condition;
    parting->is_repeated = is_again || slot->flags & DLW_TAKEN_SIGNALLED;
    slot->lock = 0;
}

static uint32_t count_table(const struct dlw_thread *self)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < DLW_OUTERMOST; i++)
        n += self->taken[i].lock != 0;
    return n;
}

uint32_t dlw_outermost_count(const struct dlw_thread *self)
{
    uint32_t n = count_table(self) + (self->parting.taken.lock != 0);

    for (uint32_t i = 0; self->past && i < DLW_OUTERMOST; i++)
        n += self->past[i].taken.lock != 0;
    return n;
}

/* Out of memory: the entries stay, and seem to be of a later segment than they are. */
void dlw_outermost_close_locked(struct dlw_thread *self)
{
    const size_t bytes = DLW_OUTERMOST * sizeof(*self->past);

    if (!self->segment || !dlw_thread_has_held(self))
        return;
    put_back(self);
    if (!count_table(self))
        return;
    if (!self->past && (self->past = dlw_arena_alloc(&dlw_graph_arena, bytes)) != NULL)
        memset(self->past, 0, bytes);
    if (!self->past)
        return;
    dlw_life_mark_recorded(dlw_life_graph, self->segment);
    for (uint32_t i = 0; i < DLW_OUTERMOST; i++) {
        if (!self->taken[i].lock)
            continue;
        dlw_life_unref(dlw_life_graph, self->past[i].segment);
        self->past[i].taken = self->taken[i];
        self->past[i].segment = self->segment;
        dlw_life_ref(dlw_life_graph, self->segment);
        self->taken[i].lock = 0;
    }
}

static void add(struct dlw_thread *self, const struct dlw_outermost *taken, dlw_segment segment,
                struct dlw_was_taken *out)
{
    *out = (struct dlw_was_taken){
        .taken = *taken,
        .segment = segment,
        .is_kept = dlw_held_find(self, (const void *)taken->lock) >= 0, /* NOLINT */
    };
}

static uint32_t collect_past(struct dlw_thread *self, struct dlw_was_taken *out)
{
    uint32_t n = 0;

    for (uint32_t i = 0; self->past && i < DLW_OUTERMOST; i++) {
        struct dlw_was_taken *past = &self->past[i];
        uintptr_t lock = past->taken.lock;
        if (!lock || lock == self->taken[i].lock || lock == self->parting.taken.lock)
            continue;
        add(self, &past->taken, past->segment, &out[n++]);
        past->segment = 0;
    }
    return n;
}

uint32_t dlw_outermost_collect_locked(struct dlw_thread *self, struct dlw_was_taken *out)
{
    struct dlw_parting *parting = &self->parting;
    uint32_t n = collect_past(self, out);

    if (parting->taken.lock) {
        if (dlw_outermost_slot(self->taken, parting->taken.lock)->lock != parting->taken.lock) {
            add(self, &parting->taken, 0, &out[n]);
            out[n++].condition = parting->is_repeated ? 0 : parting->condition;
        }
        parting->taken.lock = 0;
    }
    for (uint32_t i = 0; i < DLW_OUTERMOST; i++)
        if (self->taken[i].lock)
            add(self, &self->taken[i], 0, &out[n++]);
    return n;
}

void dlw_outermost_drop_locked(struct dlw_thread *self)
{
    for (uint32_t i = 0; self->past && i < DLW_OUTERMOST; i++)
        dlw_life_unref(dlw_life_graph, self->past[i].segment);
    dlw_arena_free(&dlw_graph_arena, self->past, DLW_OUTERMOST * sizeof(*self->past));
    self->past = NULL;
}
