/*
 * Inside the search for cycles (cycle.c): one new piece of evidence, and the steps of a path that
 * begins with it and goes back to where it came from.
 *
 *   steps.c         which pieces can stand together as steps of one cycle
 *   short_cycles.c  cycles of two and three: all of them, by looking up the edges that close them
 *   long_cycles.c   longer ones, within a budget
 */
#ifndef DLW_GRAPH_ORDER_SEARCH_H
#define DLW_GRAPH_ORDER_SEARCH_H

#include "graph/order/private.h"

enum { UNREACHED = UINT32_MAX, MOST_CANDIDATES = 256 };

/* What the search knows of a lock; beside the visit of the same index. */
struct info {
    uint32_t distance;          /* edges to the goal; UNREACHED */
    uint32_t shared, exclusive; /* steps that hold it */
    bool is_on_path;
    bool is_in_first; /* held by the new piece */
};

/* A lock reached, and which of its edges and evidence is tried. */
struct frame {
    dlw_node node;
    uint32_t edge, piece; /* under trial */
    bool has_merged;
    struct step saved; /* what a merge replaced */
};

/* Real cycles of more than three wait until all searches of one learn are through, and the shortest
 * are told first: longer ones that contain them are not told at all. */
struct candidate {
    uint64_t hash;
    uint32_t first, n; /* in the steps */
};

struct candidates {
    struct candidate *list;
    struct step *steps;
    uint32_t n, room;
    uint32_t n_steps, steps_room;
};

struct search {
    struct dlw_order *order;
    const struct dlw_order_sink *sink;
    struct candidates *candidates; /* NULL: what is found is told at once */
    uint32_t edge, piece;          /* the new one */
    unsigned kind;                 /* TOLD_APART: steps of other scopes are never ordered */
    dlw_node goal;
    struct info *infos;
    uint32_t infos_room;
    uint32_t queue_head, queue_tail; /* of the backward search, in order->list */
    struct step *steps;
    uint32_t n_steps, steps_room;
    struct frame *frames;
    uint32_t n_frames, frames_room;
    uint32_t limit;  /* edges after the first */
    uint32_t budget; /* steps left */
    bool is_cut;     /* a longer limit would see more */
    bool has_closed; /* over the edges under trial: other evidence makes no other cycle */
    bool has_failed; /* memory is out */
};

/* cycle.c. The steps are a real cycle. */
void dlw_search_close(struct search *search);

/* steps.c */
/* NULL where nothing is known of the lock. */
static inline struct info *dlw_search_info(struct search *search, dlw_node node)
{
    const struct visit *visit = visit_of(search->order, node);

    return visit ? &search->infos[visit - search->order->visits.list] : NULL;
}

static inline void dlw_search_spend(struct search *search, uint32_t n)
{
    search->budget -= n < search->budget ? n : search->budget;
}

/* NULL, and has_failed, when memory is out. */
struct info *dlw_search_info_make(struct search *search, dlw_node node);
/* With the new piece as the first step, after order->visits was emptied. */
bool dlw_search_begin(struct search *search);
/* Takes the frame's edge and piece as the next step, if it can stand beside those taken. */
bool dlw_search_try(struct search *search, struct frame *frame);
void dlw_search_undo(struct search *search, struct frame *frame);
/* The path has come to this lock; or is back at its goal. */
void dlw_search_seam(struct search *search, dlw_node node);
void dlw_search_goal(struct search *search);

/* short_cycles.c */
/* Over the edge from `at` back to the goal, if there is one. */
void dlw_search_two(struct search *search, dlw_node at);
void dlw_search_three(struct search *search, dlw_node start);
/* The first edge found from `start` to a lock that has one to the goal; 0: none. */
uint32_t dlw_search_first_between(const struct search *search, dlw_node start);

/* long_cycles.c */
void dlw_search_longer(struct search *search);
/* The edges of a shortest cycle through the new one, `*n` of them, whatever their evidence: in the
 * arena, NULL when there is none, or none in the budget. */
uint32_t *dlw_search_shortest(struct search *search, uint32_t *n);

#endif
