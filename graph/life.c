/*
 * A segment in which nothing was recorded yet is never linked to: what its
 * thread records later would falsely come before. Its predecessors are, through
 * a hub when they are many.
 */
#include "graph/life_segments.h"

struct dlw_life *dlw_life_new(struct dlw_arena *arena)
{
    struct dlw_life *life = dlw_arena_alloc(arena, sizeof(*life));

    if (!life)
        return NULL;
    life->arena = arena;
    if (!dlw_pool_init(&life->segments, arena, sizeof(struct segment)) ||
        !dlw_pool_init(&life->links, arena, sizeof(struct link))) {
        dlw_life_free(life);
        return NULL;
    }
    return life;
}

void dlw_life_free(struct dlw_life *life)
{
    dlw_pool_destroy(&life->segments);
    dlw_pool_destroy(&life->links);
    dlw_arena_free(life->arena, life, sizeof(*life));
}

/* Moves the predecessors of an open segment behind a hub of their own, so that others can share
 * them by one link. */
static uint32_t make_hub(struct dlw_life *life, uint32_t id)
{
    if (!dlw_pool_reserve(&life->links, 1))
        return 0;
    uint32_t hub = dlw_life_add_segment(life, 0, segment_at(life, id)->era);
    if (!hub)
        return 0;
    struct segment *segment = segment_at(life, id);
    segment_at(life, hub)->number = segment->number;
    segment->number = ++life->number;
    segment_at(life, hub)->before = segment->before;
    segment->before = 0;
    for (uint32_t l = segment_at(life, hub)->before; l; l = link_at(life, l)->next_of_after)
        link_at(life, l)->after = hub;
    dlw_life_link(life, hub, id);
    segment_at(life, hub)->refs = 0;
    return hub;
}

/* What must be linked to for everything up to now in `id` to come before: 0 for nothing. False when
 * memory is out. */
static bool anchor(struct dlw_life *life, uint32_t id, uint32_t *out)
{
    const struct segment *segment = id ? segment_at(life, id) : NULL;

    *out = 0;
    if (!segment)
        return true;
    if (!segment->is_open || segment->is_recorded)
        *out = id;
    else if (dlw_life_has_at_most_one(life, segment->before, true))
        *out = segment->before ? link_at(life, segment->before)->before : 0;
    else
        *out = make_hub(life, id);
    return *out || !segment->before || segment->is_recorded;
}

/* Drops the reference that an open segment's thread held. */
static void close_segment(struct dlw_life *life, uint32_t id)
{
    if (!id)
        return;
    segment_at(life, id)->is_open = 0;
    dlw_life_unref(life, id);
}

static dlw_segment follow(struct dlw_life *life, uint32_t thread, uint32_t era, const char *scope,
                          uint32_t before)
{
    if (before && !dlw_pool_reserve(&life->links, 1))
        return 0;
    uint32_t id = dlw_life_add_segment(life, thread, era);
    if (!id)
        return 0;
    segment_at(life, id)->is_open = 1;
    segment_at(life, id)->scope = scope;
    if (before)
        dlw_life_link(life, before, id);
    return id;
}

dlw_segment dlw_life_start(struct dlw_life *life, uint32_t thread, dlw_segment creator)
{
    uint32_t before;

    if (!anchor(life, creator, &before))
        return 0;
    return follow(life, thread, dlw_life_era(life, creator), dlw_life_scope(life, creator), before);
}

dlw_segment dlw_life_advance(struct dlw_life *life, dlw_segment current)
{
    if (!current || !segment_at(life, current)->is_recorded)
        return current;
    const struct segment now = *segment_at(life, current);
    dlw_segment next = follow(life, now.thread, now.era, now.scope, current);
    close_segment(life, current);
    return next;
}

/* Another era: what threads of other scopes proved says nothing about this one's. */
dlw_segment dlw_life_enter(struct dlw_life *life, dlw_segment current, const char *scope)
{
    if (!current || segment_at(life, current)->scope == scope)
        return current;
    dlw_segment next = dlw_life_advance(life, current);
    if (!next)
        return 0;
    segment_at(life, next)->scope = scope;
    segment_at(life, next)->era = ++life->era;
    life->has_scopes = true;
    return next;
}

/* Mostly it came directly before: no walk then. */
static bool is_behind(struct dlw_life *life, uint32_t before, uint32_t id)
{
    return before == id || dlw_life_is_directly_before(life, before, id) ||
           dlw_life_is_before(life, before, id);
}

/* Gives `id`, which nothing follows yet, one more predecessor. */
static bool put_behind(struct dlw_life *life, uint32_t id, uint32_t before)
{
    if (!dlw_pool_reserve(&life->links, 1))
        return false;
    dlw_life_link(life, before, id);
    segment_at(life, id)->number = ++life->number;
    segment_at(life, id)->era = ++life->era;
    return true;
}

/* What leads to `before`, comes before `id` through it: links of `id` that say the same go. A round
 * that gathered what `id` stands behind so becomes all that it stands behind. */
static void drop_covered(struct dlw_life *life, uint32_t id, uint32_t before)
{
    enum { FEW = 8 };
    uint32_t link = segment_at(life, id)->before;

    for (unsigned i = 0; link && i < FEW; i++) {
        uint32_t other = link_at(life, link)->before;
        if (!dlw_life_are_linked(life, other, before)) {
            link = link_at(life, link)->next_of_after;
            continue;
        }
        dlw_life_unlink(life, link);
        dlw_life_reduce(life, other); /* which may have gone through the list too */
        link = segment_at(life, id)->before;
    }
}

dlw_segment dlw_life_join(struct dlw_life *life, dlw_segment current, dlw_segment other)
{
    uint32_t before;

    if (!current)
        return 0;
    if (!anchor(life, other, &before)) {
        close_segment(life, current);
        return 0;
    }
    if (!before || is_behind(life, before, current))
        return current;
    segment_at(life, before)->refs++; /* advancing may free what comes before it */
    dlw_segment next = dlw_life_advance(life, current);
    if (next && put_behind(life, next, before)) {
        drop_covered(life, next, before);
    } else if (next) {
        close_segment(life, next);
        next = 0;
    }
    dlw_life_unref(life, before);
    return next;
}

static bool is_followed(const struct dlw_life *life, uint32_t id)
{
    return segment_at(life, id)->after != 0;
}

/* A round before, or a hub: what came since the thread passed it was nothing, so that it stands for
 * this round too. It is followed by the arrival, and so gets no more predecessors. */
static bool is_gathering(const struct dlw_life *life, uint32_t id)
{
    return id && segment_at(life, id)->thread == 0 && is_followed(life, id);
}

dlw_segment dlw_life_gather(struct dlw_life *life, dlw_segment round, dlw_segment arrival)
{
    uint32_t before;

    if (!anchor(life, arrival, &before)) {
        dlw_life_unref(life, round);
        return 0;
    }
    if (round && (!before || is_behind(life, before, round)))
        return round;
    if (!round && is_gathering(life, before)) {
        dlw_life_ref(life, before);
        return before;
    }
    if (round && !is_followed(life, round) && put_behind(life, round, before))
        return round;
    dlw_segment next = dlw_life_add_segment(life, 0, ++life->era);
    if (next && dlw_pool_reserve(&life->links, 2)) {
        if (round)
            dlw_life_link(life, round, next);
        if (before)
            dlw_life_link(life, before, next);
    } else if (next) {
        dlw_life_unref(life, next);
        next = 0;
    }
    dlw_life_unref(life, round);
    return next;
}

void dlw_life_ref(struct dlw_life *life, dlw_segment segment)
{
    if (segment)
        segment_at(life, segment)->refs++;
}

void dlw_life_unref(struct dlw_life *life, dlw_segment id)
{
    if (!id)
        return;
    struct segment *segment = segment_at(life, id);
    if (--segment->refs == 0) {
        segment->is_open = 0;
        dlw_life_reduce(life, id);
    }
}

void dlw_life_mark_recorded(struct dlw_life *life, dlw_segment segment)
{
    if (segment)
        segment_at(life, segment)->is_recorded = 1;
}

uint32_t dlw_life_thread(const struct dlw_life *life, dlw_segment segment)
{
    return segment ? segment_at(life, segment)->thread : 0;
}

const char *dlw_life_scope(const struct dlw_life *life, dlw_segment segment)
{
    return segment ? segment_at(life, segment)->scope : NULL;
}

bool dlw_life_has_scopes(const struct dlw_life *life)
{
    return life->has_scopes;
}

bool dlw_life_is_other_scope(const struct dlw_life *life, dlw_segment a, dlw_segment b)
{
    const char *scope = dlw_life_scope(life, a);
    const char *other = dlw_life_scope(life, b);

    return scope && other && scope != other;
}

uint32_t dlw_life_era(const struct dlw_life *life, dlw_segment segment)
{
    return segment ? segment_at(life, segment)->era : 0;
}

/* Queries. */

bool dlw_life_is_directly_before(const struct dlw_life *life, dlw_segment a, dlw_segment b)
{
    uint32_t link = b ? segment_at(life, b)->before : 0;

    return a && link && link_at(life, link)->before == a;
}

static bool is_same_thread_before(const struct segment *a, const struct segment *b)
{
    return a->thread && a->thread == b->thread && a->number <= b->number;
}

/* What follows it, if that is one: all that comes after it comes after that. 0: none or several. */
static uint32_t only_successor(const struct dlw_life *life, uint32_t id)
{
    uint32_t list = segment_at(life, id)->after;

    return list && dlw_life_has_at_most_one(life, list, false) ? link_at(life, list)->after : 0;
}

/*
 * Of the hundreds that were joined before `end` began, each leads there through the one segment
 * that joined them: as far as there is one way it is gone from `id`, which spares the walk back all
 * the others. A few steps, as a walk back may find a's own thread sooner.
 */
static uint32_t forward(const struct dlw_life *life, uint32_t id, const struct segment *end)
{
    enum { STEPS = 4 };

    for (unsigned i = 0; i < STEPS; i++) {
        uint32_t next = only_successor(life, id);
        if (!next || segment_at(life, next)->number > end->number)
            return id;
        id = next;
    }
    return id;
}

/* The first segment of this and the links after it that the walk has not met and whose number is at
 * least so; it notes the link that led to it. 0: none. */
static uint32_t enter_next(struct dlw_life *life, uint32_t link, uint64_t least)
{
    for (; link; link = link_at(life, link)->next_of_after) {
        uint32_t id = link_at(life, link)->before;
        struct segment *segment = segment_at(life, id);
        if (segment->mark == life->mark || segment->number < least)
            continue;
        segment->mark = life->mark;
        segment->todo = link;
        return id;
    }
    return 0;
}

/*
 * Walks back from `b` among the numbers above `a`'s; a later segment of a's own thread will do. In
 * depth: of the waves of threads that were all joined in between it then meets one each.
 */
bool dlw_life_is_before(struct dlw_life *life, dlw_segment a, dlw_segment b)
{
    if (!a || !b || a == b)
        return false;
    const struct segment *first = segment_at(life, a);
    if (!first->after || first->number >= segment_at(life, b)->number)
        return false;
    uint32_t goal = forward(life, a, segment_at(life, b));
    uint64_t least = segment_at(life, goal)->number;
    uint32_t id = b;
    uint32_t link = segment_at(life, b)->before;
    dlw_life_new_mark(life);
    while (id != goal && !is_same_thread_before(first, segment_at(life, id))) {
        uint32_t next;
        while ((next = enter_next(life, link, least)) == 0) { /* back to where it was come from */
            if (id == b)
                return false;
            link = segment_at(life, id)->todo;
            id = link_at(life, link)->after;
            link = link_at(life, link)->next_of_after;
        }
        id = next;
        link = segment_at(life, id)->before;
    }
    return true;
}

bool dlw_life_are_concurrent(struct dlw_life *life, dlw_segment a, dlw_segment b)
{
    uint32_t thread = dlw_life_thread(life, a);

    if (a && b && (a == b || (thread && thread == dlw_life_thread(life, b))))
        return false;
    return !dlw_life_is_before(life, a, b) && !dlw_life_is_before(life, b, a);
}

size_t dlw_life_count(const struct dlw_life *life)
{
    return dlw_pool_count(&life->segments);
}
