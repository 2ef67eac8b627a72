/* Inside the graph of life: its segments and the links between them, by index in their pools. */
#ifndef DLW_LIFE_SEGMENTS_H
#define DLW_LIFE_SEGMENTS_H

#include "graph/base/pool.h"
#include "graph/life.h"

struct segment {
    uint64_t number; /* rises along every link */
    const char *scope;
    uint32_t thread;
    uint32_t era;
    uint32_t before, after; /* lists of links to predecessors and successors */
    uint32_t refs;          /* from outside */
    uint32_t mark;          /* the walk that met it last */
    uint32_t todo;          /* next on the worklist of a walk, or the link that it came by */
    uint32_t is_alive : 1;
    uint32_t is_open : 1; /* its thread may still record in it */
    uint32_t is_recorded : 1;
};

struct link {
    uint32_t before, after; /* segments */
    uint32_t next_of_after; /* the other predecessors of `after` */
    uint32_t prev_of_after;
    uint32_t next_of_before; /* the other successors of `before` */
    uint32_t prev_of_before;
};

struct dlw_life {
    struct dlw_arena *arena;
    struct dlw_pool segments, links;
    uint64_t number;
    uint32_t era;
    uint32_t mark; /* of the walk under way */
    bool has_scopes;
};

static inline struct segment *segment_at(const struct dlw_life *life, uint32_t id)
{
    return dlw_pool_at(&life->segments, id);
}

static inline struct link *link_at(const struct dlw_life *life, uint32_t id)
{
    return dlw_pool_at(&life->links, id);
}

/* Of a list of links: of those that lead to `after`, or of those that leave `before`. */
static inline bool dlw_life_has_at_most_one(const struct dlw_life *life, uint32_t list,
                                            bool of_after)
{
    return !list ||
           !(of_after ? link_at(life, list)->next_of_after : link_at(life, list)->next_of_before);
}

bool dlw_life_are_linked(const struct dlw_life *life, uint32_t before, uint32_t after);
/* In a reserved record. Does nothing when they are linked. */
void dlw_life_link(struct dlw_life *life, uint32_t before, uint32_t after);
void dlw_life_unlink(struct dlw_life *life, uint32_t link);
/* Alive, with one reference. 0: no memory. */
uint32_t dlw_life_add_segment(struct dlw_life *life, uint32_t thread, uint32_t era);
/* Takes `id` out if it may go, and then its neighbours if that made them removable. */
void dlw_life_reduce(struct dlw_life *life, uint32_t id);
/* Begins a walk: no segment bears its mark. */
void dlw_life_new_mark(struct dlw_life *life);

#endif
