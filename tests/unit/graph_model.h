/* The lock-order graph and the naive model beside it (graph_naive.c), of one random program. */
#ifndef TESTS_GRAPH_MODEL_H
#define TESTS_GRAPH_MODEL_H

#include "graph/order/order.h"

enum { LOCKS = 6, THREADS = 4, MOST_HELD = 4, MOST_PIECES = 4096, MOST_TOLD = 4096 };

struct model_lock {
    dlw_node node;
    uint64_t serial; /* the name in findings; 0: no such lock now */
    bool prefers_writers;
};

struct model_hold {
    uint64_t serial;
    uint8_t mode;
};

/* One edge's evidence. */
struct piece {
    uint32_t thread;
    dlw_segment segment;
    struct model_hold held[MOST_HELD];
    uint32_t n_held;
    uint32_t source; /* index in held */
    uint64_t want;
    uint8_t mode;
};

enum level { HARMLESS, APART, REAL }; /* APART: only that the scopes are others keeps it open */

struct cycle {
    uint32_t n;
    enum level level;
    uint64_t locks[LOCKS]; /* from the smallest on */
};

struct model_thread {
    uint32_t id;
    dlw_segment segment;
    struct dlw_order_hold held[MOST_HELD];
    uint64_t serials[MOST_HELD];
    dlw_chain chains[MOST_HELD + 1]; /* of the first i locks held; references */
    uint32_t n_held;
};

/* What the threads of an episode are used to. */
enum habit {
    NONE,
    GATED,           /* the first lock is taken around the others, nearly always */
    ALONE,           /* nearly all is done by one thread */
    ONE_AFTER_OTHER, /* nearly all by threads each of which is joined before the next */
    N_HABITS
};

struct model {
    struct dlw_arena arena;
    struct dlw_life *life;
    struct dlw_order *order;
    uint32_t window;
    struct model_lock locks[LOCKS];
    struct model_thread threads[THREADS];
    struct piece pieces[MOST_PIECES];
    uint32_t n_pieces;
    struct piece kept[MOST_PIECES]; /* those that the graph has, when it may keep few */
    uint32_t n_kept;
    uint64_t serial_of[256]; /* by node; the last one of that number */
    bool is_bounded;
    enum habit habit;
    struct cycle told[MOST_TOLD];
    uint32_t n_told;
    struct cycle found[MOST_TOLD]; /* by the graph, in the call under way */
    uint8_t reasons[MOST_TOLD];
    uint32_t n_found;
    uint64_t serial;
    uint32_t next_thread;
    bool has_scopes;
    uint64_t real, apart, harmless, learned;
};

extern struct model model;

/* So that the smallest lock is first. */
void cycle_turn(struct cycle *cycle);
bool cycle_has_lock(const struct cycle *cycle, uint64_t serial);
/* The graph has told what stands in model.found: is it what the `n` new pieces call for? */
void naive_compare(const struct piece **fresh, uint32_t n);
/* The same of a graph that keeps little: is it true, and is what it kept told? */
void naive_compare_bounded(void);

#endif
