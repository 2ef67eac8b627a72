/* The life of this process's threads, told to the graph of life as segments that they go through.
 */
#include "interpose/order/segments.h"

#include "interpose/order/chain_cache.h"
#include "interpose/order/deferred.h"
#include "interpose/order/span.h"
#include "interpose/threads/outermost.h"

void dlw_learn_thread_ends(struct dlw_thread *self)
{
    dlw_spans_drop(self);
    dlw_deferred_drop_all(self);
    if (!self->interned)
        return;
    if (!dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return;
    for (uint32_t i = 0; i < self->interned; i++) {
        dlw_order_chain_unref(dlw_order_graph, dlw_held_at(self, i)->chain);
        dlw_held_at(self, i)->chain = 0;
    }
    dlw_lock_release(&dlw_graph_lock);
}

/* Called with the graph lock held. */
static void enter_segment(struct dlw_thread *self, dlw_segment segment)
{
    self->segment = segment;
    dlw_chain_renew_salt(self);
    dlw_chain_renew_base(self, atomic_load_explicit(&dlw_generation.value, memory_order_relaxed),
                         dlw_life_era(dlw_life_graph, segment));
    dlw_spans_follow_locked(self);
}

void dlw_segments_settle_locked(struct dlw_thread *self)
{
    dlw_segment before;

    if (self->spans && dlw_spans_are_over_locked(self)) {
        dlw_life_mark_recorded(dlw_life_graph, self->segment);
        enter_segment(self, dlw_life_advance(dlw_life_graph, self->segment));
    }
    while (self->births && (before = dlw_span_passed_locked(self)) != 0) {
        enter_segment(self, dlw_life_join(dlw_life_graph, self->segment, before));
        dlw_life_unref(dlw_life_graph, before);
    }
}

void dlw_learn_thread_starts(struct dlw_thread *record)
{
    if (!dlw_lock_acquire(&dlw_graph_lock))
        return;
    if (!record->segment) /* its creator is not known */
        record->segment = dlw_life_start(dlw_life_graph, record->id, 0);
    enter_segment(record, record->segment);
    dlw_lock_release(&dlw_graph_lock);
}

void dlw_learn_goes_out_locked(struct dlw_thread *self)
{
    dlw_segments_settle_locked(self);
    dlw_outermost_close_locked(self);
}

void dlw_learn_creates(struct dlw_thread *self, struct dlw_thread *child)
{
    if (!dlw_lock_acquire(&dlw_graph_lock))
        return;
    dlw_learn_goes_out_locked(self);
    child->segment = dlw_life_start(dlw_life_graph, child->id, self->segment);
    enter_segment(self, dlw_life_advance(dlw_life_graph, self->segment));
    dlw_spans_begin_locked(self, child);
    dlw_lock_release(&dlw_graph_lock);
}

void dlw_learn_enters_locked(struct dlw_thread *self, const char *scope)
{
    dlw_segments_settle_locked(self);
    enter_segment(self, dlw_life_enter(dlw_life_graph, self->segment, scope));
}

void dlw_learn_goes_on(struct dlw_thread *self)
{
    if (!dlw_lock_acquire(&dlw_graph_lock))
        return;
    enter_segment(self, dlw_life_advance(dlw_life_graph, self->segment));
    dlw_lock_release(&dlw_graph_lock);
}

void dlw_learn_drop_segment(dlw_segment segment)
{
    if (!segment)
        return;
    if (!dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return;
    dlw_life_unref(dlw_life_graph, segment);
    dlw_lock_release(&dlw_graph_lock);
}

void dlw_learn_passed_locked(struct dlw_thread *self, dlw_segment round)
{
    uint32_t era = dlw_life_era(dlw_life_graph, self->segment);
    dlw_segment next = dlw_life_join(dlw_life_graph, self->segment, round);

    if (next != self->segment || dlw_life_era(dlw_life_graph, next) != era)
        enter_segment(self, next);
}

void dlw_learn_joined(struct dlw_thread *self, dlw_segment last)
{
    if (!last)
        return;
    if (!dlw_lock_acquire(&dlw_graph_lock))
        return;
    enter_segment(self, dlw_life_join(dlw_life_graph, self->segment, last));
    dlw_life_unref(dlw_life_graph, last);
    dlw_lock_release(&dlw_graph_lock);
}
