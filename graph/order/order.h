/*
 * The lock-order graph: which locks were taken while which were held, with the
 * evidence, and the cycles that two or more threads could turn into a deadlock.
 *
 * Nodes are locks. An edge A -> B says: some thread that held A asked for B.
 * Each edge keeps a bounded number of pieces of evidence that differ in
 * thread, life segment, gates (everything else held) or modes, because a cycle
 * that is harmless with one piece can be real with another.
 *
 * A cycle is real when one piece of evidence can be chosen for each edge so that
 *  - the threads differ pairwise (consecutive edges by one thread whose later held set
 *    has the earlier edge's source count as one step: it held both),
 *  - no two steps share a gate (a lock held by both around; shared/shared does not exclude), nor
 *    do more steps hold a unit of one pool than it has,
 *  - no two steps are ordered by life.h,
 *  - at each lock the meeting of holder's and asker's mode excludes (shared with shared does
 *    not, unless the lock prefers writers: then it can, with a writer waiting between them),
 *  - the program has not said that it means the order (enum dlw_intent),
 *  - at least one step is asked for without a time limit.
 * Else it is harmless, and the finding says why (the reason that the fewest changes would remove).
 *
 * Acyclicity is kept per strongly connected component in a topological order
 * that is repaired incrementally (D. J. Pearce, P. H. J. Kelly, "A Dynamic
 * Topological Sort Algorithm for Directed Acyclic Graphs", JEA 11, 2007): an
 * edge that agrees with the order costs O(1), and only inside a component are
 * cycles ever looked for. Those of two and three locks are all found, by looking
 * up the edges that close them; the search for longer ones has a budget, and
 * what it could not look at is counted (dlw_order_totals).
 *
 * Pure logic: no locks of its own, no I/O. Called with the graph lock held; one
 * instance may also be driven by a test or by `dlwatch merge`. Memory comes
 * from the arena; a call that runs out says DLW_ORDER_NO_MEMORY and leaves the
 * graph usable (checked by tests).
 */
#ifndef DLW_GRAPH_ORDER_ORDER_H
#define DLW_GRAPH_ORDER_ORDER_H

#include "graph/base/arena.h"
#include "graph/finding.h"
#include "graph/life.h"

struct dlw_order;           /* opaque */
typedef uint32_t dlw_node;  /* dense, reused after removal; 0: none */
typedef uint32_t dlw_chain; /* an interned held set (parent chain + one lock), reference counted; 0:
                               the empty one */

struct dlw_order_limits {
    uint32_t evidence_per_edge; /* distinct pieces kept; default 8 */
    uint32_t window; /* edges are made from this many of the innermost held locks; default 16 */
    /* Of searches for cycles of more than three: the bound of one (default 20000), and what all
     * of them may take beyond a few steps for each piece of evidence (default 2000000). */
    uint32_t search_steps, reserve_steps;
    uint32_t
        saturate_threads; /* distinct threads after which an edge asks for no more; default 3 */
    /* Cycles of the same code places: as many are told (default 10000), and after as many no more
     * of three are looked for (default 64). */
    uint32_t alike, often;
};

struct dlw_order *dlw_order_new(struct dlw_arena *arena, struct dlw_life *life,
                                const struct dlw_order_limits *limits /* NULL: defaults */);
void dlw_order_free(struct dlw_order *order);

/* `lock` is what findings call it. `prefers_writers`: a reader can block on a reader of this
 * rwlock. */
dlw_node dlw_order_add(struct dlw_order *order, uint64_t lock, bool prefers_writers);
/* The lock is gone: its edges and their evidence go with it. Later adds may reuse the number. */
void dlw_order_remove(struct dlw_order *order, dlw_node node);
/* Changes what findings call it: a caller whose name holds the node number knows that only now. */
void dlw_order_rename(struct dlw_order *order, dlw_node node, uint64_t lock);
/* A pool of so many units, of which a holder (who says shared) has one: a gate where a cycle has
 * more steps than units. More than DLW_ORDER_UNITS make no gate. 0: no pool any more. */
enum { DLW_ORDER_UNITS = 31 };
void dlw_order_set_units(struct dlw_order *order, dlw_node node, uint32_t units);
uint64_t dlw_order_lock_of(const struct dlw_order *order, dlw_node node);

/* What the program says of asking for a lock while it holds this one. */
enum dlw_intent {
    DLW_INTENT_NONE,
    DLW_INTENT_RISING,  /* one class, from a lower level to a higher: a cycle of nothing else is
                         * meant
                         */
    DLW_INTENT_VOUCHED, /* this very order is meant: no cycle goes through it */
};

struct dlw_order_hold {
    dlw_node node;
    uint32_t stack; /* where it was taken; like all stacks and threads here less than 1 << 31 */
    uint8_t mode;   /* enum dlw_mode */
    uint8_t intent; /* enum dlw_intent, of this one and the wanted one */
};

struct dlw_order_ask {
    uint32_t thread;
    dlw_segment segment;
    const struct dlw_order_hold *held; /* outermost first, each lock once */
    uint32_t n_held;                   /* at least 1 */
    dlw_chain chain; /* of all of the held set, where the caller keeps it; 0: made from `held` */
    dlw_node want;   /* not among them */
    uint8_t mode;
    bool timed;
    uint32_t stack; /* where it is asked for */
};

enum dlw_order_verdict {
    DLW_ORDER_KNOWN = 0, /* nothing new: the caller need not capture stacks */
    DLW_ORDER_NEWS = 1,  /* probe: learning this would add an edge or evidence */
    DLW_ORDER_SATURATED =
        2, /* flag: no other thread of this era can add anything to it (gates and modes equal) */
    DLW_ORDER_NO_MEMORY = 4, /* flag */
};

/*
 * Chains for a caller that keeps the one of each held lock beside it: pushing a lock costs O(1)
 * however many are held, and with `ask.chain` set, probe and learn read only the innermost `window`
 * entries of `held` (the outer ones may be left out, `n_held` counting what is there). Unlocking in
 * another order means pushing again from below the lock that went.
 *
 * push gives a reference to the chain of `parent` and `node`; it takes none over. 0 when memory is
 * out. A chain keeps the numbers of its nodes from being reused, also after dlw_order_remove.
 */
dlw_chain dlw_order_chain_push(struct dlw_order *order, dlw_chain parent, dlw_node node,
                               uint8_t mode);
void dlw_order_chain_ref(struct dlw_order *order, dlw_chain chain);
void dlw_order_chain_unref(struct dlw_order *order, dlw_chain chain); /* 0 is ignored */

/* Would this acquisition teach anything? Stacks are not looked at. Returns KNOWN or NEWS, or
 * SATURATED with KNOWN. Without `ask.chain` a held set never seen is NEWS, even where learning it
 * then finds nothing new. */
unsigned dlw_order_probe(struct dlw_order *order, const struct dlw_order_ask *ask);

/* Called for each cycle that the evidence just learned completes: real ones, and harmless ones
 * once. The finding lives until the call returns. */
typedef void dlw_order_found(void *context, const struct dlw_finding *finding);
/* Called for each new piece of evidence (edge lines of the journal), but for those that several
 * threads have given before with the same stacks: threads that come and go tell nothing new. */
typedef void dlw_order_learned(void *context, const struct dlw_order_ask *ask, uint32_t held_index);

/* Asked of each choice of evidence that makes a cycle real, by the threads of its steps: false has
 * the search go on with other evidence. */
typedef bool dlw_order_accepts(void *context, const uint32_t *threads, uint32_t n);

struct dlw_order_sink {
    void *context;
    dlw_order_found
        *found; /* NULL: don't search (the caller is about to report the deadlock itself) */
    dlw_order_learned *learned; /* may be NULL */
    dlw_order_accepts *accepts; /* NULL: every choice. With it no harmless cycles are told */
};

/* Adds what is new. Same result values as probe. Callbacks run with the graph lock held: they copy
 * and return. */
unsigned dlw_order_learn(struct dlw_order *order, const struct dlw_order_ask *ask,
                         const struct dlw_order_sink *sink);

/*
 * Rises whenever SATURATED answers given before may have become wrong: when an edge closes a cycle
 * of the order (components merge), the edges on cycles want evidence from every thread from then
 * on, as what is harmless with one thread's can be real with another's. Whoever caches answers
 * keys them by this number.
 */
uint32_t dlw_order_generation(const struct dlw_order *order);

struct dlw_order_totals {
    size_t nodes, edges, evidence, components_merged;
    uint64_t dropped;  /* pieces that found no room on an edge that lies on a cycle, or lost it */
    uint64_t given_up; /* searches for cycles of more than three that spent their budget */
    uint64_t untold;   /* cycles not told, as enough of the same code places were */
};
struct dlw_order_totals dlw_order_totals(const struct dlw_order *order);

/* Walks the edges (for `merge`, for tests): evidence pieces of each, oldest first. */
typedef void dlw_order_visit(void *context, dlw_node from, dlw_node to,
                             const struct dlw_order_ask *evidence, uint32_t held_index);
void dlw_order_each(const struct dlw_order *order, dlw_order_visit *visit, void *context);

void dlw_order_check_invariants(const struct dlw_order *order); /* traps on a broken one; O(V+E) */

#endif
