#include "interpose/order/span.h"

#include "interpose/base/state.h"
#include "interpose/locks/identity.h"
#include "interpose/locks/ownership.h"
#include "interpose/locks/ref.h"
#include "interpose/threads/held.h"

struct dlw_span {
    struct dlw_span *next; /* of the creator's */
    uintptr_t lock;
    uint64_t tag;
    dlw_segment segment; /* the creator's, the last one under the hold; with a reference */
    uint32_t refs;       /* the creator's while it lasts, and each child's */
};

/* What a child has not had yet. */
struct dlw_birth {
    struct dlw_birth *next;
    struct dlw_span *span;
};

static void unref(struct dlw_span *span)
{
    if (--span->refs)
        return;
    dlw_life_unref(dlw_life_graph, span->segment);
    dlw_arena_free(&dlw_graph_arena, span, sizeof(*span));
}

/* ---- the creator ---- */

static bool is_exclusive(const struct dlw_held_lock *held)
{
    return (held->kind == DLW_LOCK_MUTEX || held->kind == DLW_LOCK_RWLOCK) &&
           atomic_load_explicit(&held->mode, memory_order_relaxed) == DLW_EXCLUSIVE;
}

static struct dlw_span *find(struct dlw_thread *self, uintptr_t lock)
{
    struct dlw_span *span = self->spans;

    while (span && span->lock != lock)
        span = span->next;
    return span;
}

/* From here on the hold's keys are others than those of a later one. NULL: out of memory. */
static struct dlw_span *begin(struct dlw_thread *self, uint32_t i)
{
    struct dlw_held_lock *held = dlw_held_at(self, i);
    struct dlw_lock_ref ref = dlw_lock_ref_of(held);
    dlw_node node = dlw_lock_node_locked(&ref);
    struct dlw_span *span = node ? dlw_arena_alloc(&dlw_graph_arena, sizeof(*span)) : NULL;

    if (!span)
        return NULL;
    *span =
        (struct dlw_span){self->spans, ref.address, dlw_lock_tag_locked(node), self->segment, 1};
    dlw_life_ref(dlw_life_graph, span->segment);
    self->spans = span;
    held->flags |= DLW_HELD_SPAN;
    if (i < self->stale_above)
        self->stale_above = i;
    return span;
}

static void give(struct dlw_thread *child, struct dlw_span *span)
{
    struct dlw_birth *birth = dlw_arena_alloc(&dlw_graph_arena, sizeof(*birth));

    if (!birth)
        return;
    *birth = (struct dlw_birth){child->births, span};
    child->births = birth;
    span->refs++;
}

void dlw_spans_begin_locked(struct dlw_thread *self, struct dlw_thread *child)
{
    for (uint32_t i = 0; i < dlw_held_depth(self); i++) {
        struct dlw_held_lock *held = dlw_held_at(self, i);
        if (!dlw_held_is_there(held) || !is_exclusive(held) || !dlw_held_is_owned(self, held))
            continue;
        struct dlw_span *span =
            held->flags & DLW_HELD_SPAN
                ? find(self, atomic_load_explicit(&held->lock, memory_order_relaxed))
                : begin(self, i);
        if (span)
            give(child, span);
    }
}

static bool lasts(struct dlw_thread *self, const struct dlw_span *span)
{
    int i = dlw_held_find(self, (const void *)span->lock); /* NOLINT(performance-no-int-to-ptr) */

    return i >= 0 && dlw_held_at(self, (uint32_t)i)->flags & DLW_HELD_SPAN;
}

bool dlw_spans_are_over_locked(struct dlw_thread *self)
{
    struct dlw_span **at = &self->spans;
    bool any = false;

    while (*at) {
        struct dlw_span *span = *at;
        if (lasts(self, span)) {
            at = &span->next;
            continue;
        }
        *at = span->next;
        unref(span);
        any = true;
    }
    return any;
}

void dlw_spans_follow_locked(struct dlw_thread *self)
{
    for (struct dlw_span *span = self->spans; span; span = span->next) {
        dlw_life_ref(dlw_life_graph, self->segment);
        dlw_life_unref(dlw_life_graph, span->segment);
        span->segment = self->segment;
    }
}

/* ---- the child ---- */

static bool is_taking(const struct dlw_outermost *taken, const struct dlw_span *span)
{
    if (taken->lock != span->lock || taken->flags & (DLW_HELD_TRY | DLW_HELD_TIMED))
        return false;
    dlw_node node = dlw_lock_of_mark_locked(taken->lock, taken->id);
    return node && dlw_lock_tag_locked(node) == span->tag;
}

static bool has_had(struct dlw_thread *self, const struct dlw_span *span)
{
    const struct dlw_outermost *slot = dlw_outermost_slot(self->taken, span->lock);

    return is_taking(slot, span) || is_taking(&self->parting.taken, span) ||
           (self->past && is_taking(&self->past[slot - self->taken].taken, span));
}

static dlw_segment take_out(struct dlw_birth **at)
{
    struct dlw_birth *birth = *at;
    dlw_segment segment = birth->span->segment;

    dlw_life_ref(dlw_life_graph, segment);
    *at = birth->next;
    unref(birth->span);
    dlw_arena_free(&dlw_graph_arena, birth, sizeof(*birth));
    return segment;
}

dlw_segment dlw_span_passed_locked(struct dlw_thread *self)
{
    for (struct dlw_birth **at = &self->births; *at; at = &(*at)->next)
        if (has_had(self, (*at)->span))
            return take_out(at);
    return 0;
}

void dlw_spans_drop(struct dlw_thread *self)
{
    if ((!self->spans && !self->births) || !dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return;
    while (self->births)
        dlw_life_unref(dlw_life_graph, take_out(&self->births));
    while (self->spans) {
        struct dlw_span *span = self->spans;
        self->spans = span->next;
        unref(span);
    }
    dlw_lock_release(&dlw_graph_lock);
}
