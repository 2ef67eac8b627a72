/*
 * Segments and the links between them, both in pools. A link stands in two
 * lists, so that a segment nobody refers to any more can be taken out from
 * between its neighbours where that adds no links: with one predecessor or one
 * successor its neighbours are linked directly, and a link that is already
 * there is not doubled. Fork-join programs reduce to nothing that way (they are
 * series-parallel: J. Valdes, R. Tarjan, E. Lawler, "The Recognition of Series
 * Parallel Digraphs", SIAM J. Comput. 11(2), 1982).
 */
#include "graph/life_segments.h"

/* Links. */

bool dlw_life_are_linked(const struct dlw_life *life, uint32_t before, uint32_t after)
{
    uint32_t a = segment_at(life, after)->before;
    uint32_t b = segment_at(life, before)->after;

    /* Both lists at once: the shorter one decides the cost. */
    while (a && b) {
        if (link_at(life, a)->before == before || link_at(life, b)->after == after)
            return true;
        a = link_at(life, a)->next_of_after;
        b = link_at(life, b)->next_of_before;
    }
    return false;
}

void dlw_life_link(struct dlw_life *life, uint32_t before, uint32_t after)
{
    struct segment *first = segment_at(life, before);
    struct segment *second = segment_at(life, after);

    if (dlw_life_are_linked(life, before, after))
        return;
    uint32_t id = dlw_pool_alloc(&life->links);
    *link_at(life, id) = (struct link){before, after, second->before, 0, first->after, 0};
    if (second->before)
        link_at(life, second->before)->prev_of_after = id;
    if (first->after)
        link_at(life, first->after)->prev_of_before = id;
    second->before = id;
    first->after = id;
}

void dlw_life_unlink(struct dlw_life *life, uint32_t id)
{
    struct link *link = link_at(life, id);

    if (link->prev_of_after)
        link_at(life, link->prev_of_after)->next_of_after = link->next_of_after;
    else
        segment_at(life, link->after)->before = link->next_of_after;
    if (link->next_of_after)
        link_at(life, link->next_of_after)->prev_of_after = link->prev_of_after;
    if (link->prev_of_before)
        link_at(life, link->prev_of_before)->next_of_before = link->next_of_before;
    else
        segment_at(life, link->before)->after = link->next_of_before;
    if (link->next_of_before)
        link_at(life, link->next_of_before)->prev_of_before = link->prev_of_before;
    dlw_pool_free(&life->links, id);
}

/* Segments. */

uint32_t dlw_life_add_segment(struct dlw_life *life, uint32_t thread, uint32_t era)
{
    uint32_t id = dlw_pool_alloc(&life->segments);

    if (!id)
        return 0;
    struct segment *segment = segment_at(life, id);
    segment->number = ++life->number;
    segment->thread = thread;
    segment->era = era;
    segment->refs = 1;
    segment->is_alive = 1;
    return id;
}

static bool is_removable(const struct dlw_life *life, const struct segment *segment)
{
    return segment->is_alive && !segment->refs &&
           (dlw_life_has_at_most_one(life, segment->before, true) ||
            dlw_life_has_at_most_one(life, segment->after, false));
}

/* The walk's worklist doubles as the list of segments to look at again. */
static void queue(struct dlw_life *life, uint32_t *list, uint32_t id)
{
    struct segment *segment = segment_at(life, id);

    if (segment->mark == life->mark)
        return;
    segment->mark = life->mark;
    segment->todo = *list;
    *list = id;
}

static uint32_t dequeue(struct dlw_life *life, uint32_t *list)
{
    uint32_t id = *list;

    *list = segment_at(life, id)->todo;
    return id;
}

static void forget_marks(struct dlw_life *life)
{
    for (uint32_t id = 0; (id = dlw_pool_next(&life->segments, id));)
        segment_at(life, id)->mark = 0;
    life->mark = 0;
}

void dlw_life_new_mark(struct dlw_life *life)
{
    if (life->mark == UINT32_MAX)
        forget_marks(life);
    life->mark++;
}

/* Links every predecessor to every successor; one side has at most one, so there are never more
 * links than before, and the records freed serve the new ones. */
static void bridge(struct dlw_life *life, uint32_t id, uint32_t *again)
{
    struct segment *segment = segment_at(life, id);

    while (segment->before && segment->after) {
        bool one_before = dlw_life_has_at_most_one(life, segment->before, true);
        uint32_t drop = one_before ? segment->after : segment->before;
        uint32_t before = link_at(life, segment->before)->before;
        uint32_t after = link_at(life, segment->after)->after;
        dlw_life_unlink(life, drop);
        dlw_life_link(life, before, after);
        queue(life, again, one_before ? after : before);
        if (!segment->after)
            queue(life, again, before);
        if (!segment->before)
            queue(life, again, after);
    }
    while (segment->before) {
        queue(life, again, link_at(life, segment->before)->before);
        dlw_life_unlink(life, segment->before);
    }
    while (segment->after) {
        queue(life, again, link_at(life, segment->after)->after);
        dlw_life_unlink(life, segment->after);
    }
}

void dlw_life_reduce(struct dlw_life *life, uint32_t id)
{
    uint32_t list = 0;

    if (!is_removable(life, segment_at(life, id)))
        return;
    dlw_life_new_mark(life);
    queue(life, &list, id);
    while (list) {
        uint32_t next = dequeue(life, &list);
        struct segment *segment = segment_at(life, next);
        segment->mark = 0;
        if (!is_removable(life, segment))
            continue;
        segment->is_alive = 0;
        segment->mark = life->mark; /* not to be queued by its own removal */
        bridge(life, next, &list);
        dlw_pool_free(&life->segments, next);
    }
}

/* Invariants. */

static void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

static size_t check_lists(const struct dlw_life *life, uint32_t id)
{
    const struct segment *segment = segment_at(life, id);
    size_t links = 0;

    for (uint32_t l = segment->before; l; l = link_at(life, l)->next_of_after, links++) {
        const struct link *link = link_at(life, l);
        require(link->after == id);
        require(segment_at(life, link->before)->is_alive);
        require(segment_at(life, link->before)->number < segment->number);
    }
    for (uint32_t l = segment->after; l; l = link_at(life, l)->next_of_before)
        require(link_at(life, l)->before == id);
    return links;
}

void dlw_life_check_invariants(const struct dlw_life *life)
{
    size_t segments = 0;
    size_t links = 0;

    for (uint32_t id = 0; (id = dlw_pool_next(&life->segments, id));) {
        const struct segment *segment = segment_at(life, id);
        if (!segment->is_alive)
            continue;
        segments++;
        links += check_lists(life, id);
        require(!is_removable(life, segment));
        require(!segment->is_open || segment->refs);
        require(!segment->is_open || segment->is_recorded || !segment->after);
    }
    require(segments == dlw_pool_count(&life->segments));
    require(links == dlw_pool_count(&life->links));
}
