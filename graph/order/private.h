/*
 * What the files of the lock-order graph share. Everything is a record in a
 * pool, named by number; lists run through the records. All of it is guarded
 * by the lock that guards the graph.
 *
 *   order.c     the public calls: nodes, probe, learn
 *   chains.c    interned held sets
 *   evidence.c  which pieces an edge keeps
 *   topology.c  the incremental order of components
 *   component.c components: merging on a cycle, rebuilding after removals
 *   members.c   what is kept of each lock on a cycle: what excludes all its evidence, budgets
 *   cycle.c     search for a real cycle
 *   harmless.c  why a cycle can't happen
 *   intent.c    cycles that the program means, or can leave
 *   reported.c      cycles already told
 */
#ifndef DLW_GRAPH_ORDER_PRIVATE_H
#define DLW_GRAPH_ORDER_PRIVATE_H

#include "graph/base/array.h"
#include "graph/base/index.h"
#include "graph/base/pool.h"
#include "graph/order/order.h"

/*
 * The key places a component in the topological order: level, then a position
 * in the level. Only the representative's is meaningful.
 */
enum { KEY_POSITION_BITS = 44 };

struct __attribute__((packed, aligned(4))) node {
    uint64_t lock;
    uint64_t key;
    uint32_t out, in;                  /* edge lists */
    uint32_t rep;                      /* the component's representative; itself when alone */
    uint32_t next_member, prev_member; /* circular list of the component */
    uint32_t mark;                     /* its place in the list of the search that met it last */
    uint32_t pins : 25; /* by chains that name it: its number is not reused before they are gone */
    uint32_t units : 5; /* of a pool; 0: no pool, or too large a one to keep a cycle from closing */
    uint32_t is_alive : 1;
    uint32_t prefers_writers : 1;
};

struct edge {
    uint32_t from, to;
    uint32_t next_out, prev_out;
    uint32_t next_in, prev_in;
    uint32_t evidence; /* oldest first */
    uint16_t n_evidence;
    uint16_t evictions : 15; /* pieces that made room although nothing made them useless */
    uint16_t is_far : 1;
};

/* The first edge into a lock is found through the lock, and most have but one. Those that came
 * later are far: each has one of these in the index. */
struct far {
    uint32_t edge;
    uint32_t hash_next;
};

/*
 * A thread that takes a thousand locks at one place under the same held set gives a thousand edges
 * the same evidence: one record serves them all. It may be the last of any number of lists, as a
 * list that goes on after it is given a copy.
 */
struct evidence {
    uint32_t who : 31; /* a segment, which knows its thread; or a thread without one */
    uint32_t has_segment : 1;
    dlw_chain chain; /* everything held, the edge's source among it; 0: a free record */
    uint32_t hold_stack : 31;
    uint32_t hold_mode : 1;
    uint32_t want_stack : 31;
    uint32_t want_mode : 1;
    uint32_t link : 28; /* the next piece; or of how many more lists it is the last */
    uint32_t is_shared : 1;
    uint32_t timed : 1;
    uint32_t intent : 2;
};

/* Most held sets are of one lock. They are no records: the number says all, and what refers to it
 * pins the lock. */
#define CHAIN_OF_ONE 0x80000000U
#define CHAIN_SHARED 0x40000000U

struct chain {
    dlw_chain parent;
    uint32_t node : 31;
    uint32_t mode : 1;
    uint32_t refs;
    uint32_t hash_next;
    uint32_t depth;
};

/* A node met by a search. `at->mark` indexes the list it stands in, which makes membership a
 * comparison and needs no clearing (P. Briggs, L. Torczon, "An Efficient Representation for Sparse
 * Sets", LOPLAS 2, 1993). */
struct visit {
    dlw_node node;
    uint32_t value; /* the search's own */
};

struct visits {
    struct visit *list;
    uint32_t n, room;
};

/* One level of an explicit depth-first search over components. */
struct walk {
    dlw_node rep, member;
    uint32_t edge;
};

/* The size per lock is a promise: see the memory test. */
_Static_assert(sizeof(struct node) == 44 && sizeof(struct edge) == 32 &&
                   sizeof(struct evidence) == 20 && sizeof(struct chain) == 20,
               "a lock with one edge takes 96 bytes, and 76 where the evidence is shared");

struct reported;
struct members;

enum { RECENT = 64 };

struct dlw_order {
    struct dlw_arena *arena;
    struct dlw_life *life;
    struct dlw_order_limits limits;
    struct dlw_pool nodes, edges, fars, evidence, chains;
    struct dlw_index far_index, chain_index;
    size_t n_pieces;         /* of all edges, shared ones as often as they are listed */
    uint32_t recent[RECENT]; /* evidence records, by hash: what may be shared */
    uint64_t front, back;    /* unused positions before and after all others */
    uint32_t generation;
    size_t merged;   /* components that became part of another */
    size_t removals; /* from components of several, since these were exact */
    struct visits visits;
    struct walk *walks;
    uint32_t walks_room;
    dlw_node *list; /* result of a search */
    uint32_t list_room;
    struct reported *told;
    struct members *members;
    bool has_lost_members; /* for want of memory: what they would say is no longer known */
    uint64_t reserve;      /* steps that searches may take beyond those of their component */
    uint64_t dropped;      /* pieces that found no room */
    uint64_t given_up;     /* searches that spent their budget */
    uint64_t untold;       /* cycles that were one more of the same code places */
};

static inline struct node *node_at(const struct dlw_order *order, dlw_node id)
{
    return dlw_pool_at(&order->nodes, id);
}

static inline struct edge *edge_at(const struct dlw_order *order, uint32_t id)
{
    return dlw_pool_at(&order->edges, id);
}

static inline struct far *far_at(const struct dlw_order *order, uint32_t id)
{
    return dlw_pool_at(&order->fars, id);
}

static inline struct evidence *evidence_at(const struct dlw_order *order, uint32_t id)
{
    return dlw_pool_at(&order->evidence, id);
}

static inline struct chain chain_of(const struct dlw_order *order, dlw_chain id)
{
    if (id & CHAIN_OF_ONE)
        return (struct chain){.node = id & ~(CHAIN_OF_ONE | CHAIN_SHARED),
                              .mode = (id & CHAIN_SHARED) != 0,
                              .depth = 1};
    return *(const struct chain *)dlw_pool_at(&order->chains, id);
}

static inline dlw_segment segment_of(const struct evidence *piece)
{
    return piece->has_segment ? piece->who : 0;
}

static inline uint32_t thread_of(const struct dlw_order *order, const struct evidence *piece)
{
    return piece->has_segment ? dlw_life_thread(order->life, piece->who) : piece->who;
}

static inline uint32_t next_piece(const struct dlw_order *order, uint32_t id)
{
    const struct evidence *piece = evidence_at(order, id);

    return piece->is_shared ? 0 : piece->link;
}

static inline dlw_node rep_of(const struct dlw_order *order, dlw_node id)
{
    return node_at(order, id)->rep;
}

static inline struct visit *visit_of(const struct dlw_order *order, dlw_node id)
{
    uint32_t mark = node_at(order, id)->mark;

    return mark < order->visits.n && order->visits.list[mark].node == id ? &order->visits.list[mark]
                                                                         : NULL;
}

/* Adds a node that has no visit. NULL when memory is out; older pointers may move. */
struct visit *dlw_order_visit_add(struct dlw_order *order, dlw_node id, uint32_t value);

/* order.c */
uint32_t dlw_order_edge_find(const struct dlw_order *order, dlw_node from, dlw_node to);
void dlw_order_pin(struct dlw_order *order, dlw_node id);
void dlw_order_unpin(struct dlw_order *order, dlw_node id);

/* chains.c. Interning takes a reference; 0 when memory is out or nothing is held. */
bool dlw_chains_init(struct dlw_order *order);
dlw_chain dlw_chains_intern(struct dlw_order *order, const struct dlw_order_hold *held,
                            uint32_t n_held);
dlw_chain dlw_chains_lookup(const struct dlw_order *order, const struct dlw_order_hold *held,
                            uint32_t n_held);
/* The member of `chain` that names `node`, 0: none. O(depth). */
dlw_chain dlw_chains_find(const struct dlw_order *order, dlw_chain chain, dlw_node node);
/* Is every lock of `a` in `b`, held at most as strongly? Looks at a bounded number and says no
 * beyond. */
bool dlw_chains_is_subset(const struct dlw_order *order, dlw_chain a, dlw_chain b);

/* evidence.c */
enum evidence_answer { EVIDENCE_NEW, EVIDENCE_COVERED, EVIDENCE_SATURATED, EVIDENCE_NO_ROOM };
enum evidence_answer dlw_evidence_judge(const struct dlw_order *order, uint32_t edge,
                                        const struct evidence *piece);
/* One found no room. */
void dlw_evidence_count_drop(struct dlw_order *order, uint32_t edge);
/* Before it is added: nothing that `learned` of a sink need be told. */
bool dlw_evidence_is_repeated(const struct dlw_order *order, uint32_t edge,
                              const struct evidence *piece);
/* Keeps `piece`, which was judged new; needs up to two reserved records and takes references.
 * Returns its number. */
uint32_t dlw_evidence_add(struct dlw_order *order, uint32_t edge, const struct evidence *piece);
void dlw_evidence_drop_all(struct dlw_order *order, uint32_t edge);

/*
 * topology.c. Makes the order agree with a new edge that is not linked yet. False when memory is
 * out: nothing has changed. After true both ends may be of one component.
 */
bool dlw_topology_add(struct dlw_order *order, dlw_node from, dlw_node to);
void dlw_topology_place_new(struct dlw_order *order, dlw_node id);

/* component.c. */
bool dlw_component_merge(struct dlw_order *order, dlw_node from, dlw_node to);
void dlw_component_leave(struct dlw_order *order, dlw_node id);
bool dlw_component_rebuild(struct dlw_order *order);

/* The next edge out of (`out`) or into a component's members, for an explicit search; 0 at the end.
 */
uint32_t dlw_component_next_edge(const struct dlw_order *order, struct walk *walk, bool out);

static inline struct walk dlw_component_walk(const struct dlw_order *order, dlw_node rep, bool out)
{
    const struct node *node = node_at(order, rep);
    struct walk walk = {rep, rep, out ? node->out : node->in};

    return walk;
}

/* One thread's part of a cycle: it holds `source` and wants the next step's. */
struct step {
    dlw_node source;
    uint32_t piece; /* evidence: who, and what else is held around */
    uint32_t hold_stack;
    uint8_t hold_mode;
};

/* What one learn has added. */
struct news {
    uint32_t edge, piece;
    bool is_new_edge; /* and so are all cycles through it */
};

/* cycle.c: tells what new evidence completes: real cycles, shortest first, then harmless ones. */
void dlw_cycle_report(struct dlw_order *order, const struct news *news, uint32_t n,
                      const struct dlw_order_sink *sink);
struct step dlw_cycle_step(const struct dlw_order *order, uint32_t edge, uint32_t piece);
/* At the lock between two steps: can the holder keep the asker out? */
bool dlw_cycle_excludes(const struct dlw_order *order, const struct step *asker,
                        const struct step *holder);
struct verdict {
    enum dlw_harmless harmless;
    enum dlw_doubt doubt;
    uint64_t gate; /* of a guarded one */
};
void dlw_cycle_tell(struct dlw_order *order, const struct dlw_order_sink *sink,
                    const struct step *steps, uint32_t n, struct verdict verdict);

/* harmless.c: tells the cycle of these edges, of which no real choice of evidence was found.
 * `steps` are of n edges, the first with the new piece, the others with any. Returns the
 * comparisons that this took. */
uint32_t dlw_harmless_report(struct dlw_order *order, struct step *steps, const uint32_t *edges,
                             uint32_t n, const struct dlw_order_sink *sink);

/* intent.c: does the program mean this cycle, or is every step of it timed? */
enum dlw_harmless dlw_cycle_excuse(const struct dlw_order *order, const struct step *steps,
                                   uint32_t n);

/*
 * members.c. What holds for all evidence on the edges from a lock to others of its component, and
 * what longer searches in the component may still spend.
 */
/* `piece` is new on `edge`, which lies within a component. */
void dlw_members_note(struct dlw_order *order, uint32_t edge, uint32_t piece);
/* The component of `small` becomes part of that of `large`; both are still as they were. */
void dlw_members_join(struct dlw_order *order, dlw_node small, dlw_node large);
/* `rep` stands for the component from now on. */
void dlw_members_hand_over(struct dlw_order *order, dlw_node old, dlw_node rep);
void dlw_members_forget(struct dlw_order *order, dlw_node node);
void dlw_members_destroy(struct dlw_order *order);
/* Can no piece that goes on from `at` stand beside this one, which came later than all of them?
 * `across_scopes`: coming later is no reason. */
bool dlw_members_exclude(const struct dlw_order *order, dlw_node at, const struct evidence *piece,
                         bool across_scopes);
/* Would every cycle of three that this piece can close in the component of `at` be one more of code
 * places that were told often, as `kind`? */
bool dlw_members_know_threes(const struct dlw_order *order, const struct evidence *piece,
                             dlw_node at, unsigned kind);
/* Steps that one search in the component of `node` may take, of its own and of the common ones. */
uint32_t dlw_members_steps(const struct dlw_order *order, dlw_node node, bool for_real);
void dlw_members_spend(struct dlw_order *order, dlw_node node, uint32_t steps);

/* reported.c. The cycle of the steps' sources, by the hash of its edges. One is told again when it
 * shows as more than before: as possible but for the scopes of its steps (APART), as real. */
enum { TOLD_HARMLESS = 1, TOLD_APART, TOLD_REAL };
uint64_t dlw_reported_hash(const struct step *steps, uint32_t n);
/* 0: not told. */
unsigned dlw_reported_kind(const struct dlw_order *order, uint64_t hash);
/* Has the cycle of these two been told as `kind` or more? Every longer one through both contains
 * it. */
bool dlw_reported_pair(const struct dlw_order *order, dlw_node a, dlw_node b, unsigned kind);
/* What the code places of a step count for; a cycle's are the sum. */
uint64_t dlw_reported_place(uint32_t hold_stack, uint32_t want_stack);
/* Are there so many cycles of these places that no more need be looked for? */
bool dlw_reported_often(const struct dlw_order *order, uint64_t places, unsigned kind);
/* Notes that it is told now. False: it is not to be, as enough of the same code places were. When
 * memory is out it may be told again. */
bool dlw_reported_note(struct dlw_order *order, uint64_t hash, const struct step *steps, uint32_t n,
                       unsigned kind);
/* Are all locks of a shorter cycle, told as `kind` or more, among these steps'? */
bool dlw_reported_contains(const struct dlw_order *order, const struct step *steps, uint32_t n,
                           unsigned kind);
void dlw_reported_forget(struct dlw_order *order, dlw_node node);
void dlw_reported_destroy(struct dlw_order *order);

#endif
