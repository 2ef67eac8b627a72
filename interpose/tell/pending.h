/*
 * What the graph found out during one call, copied so that it can be told after every
 * lock is dropped. Made with the graph lock held, from its arena.
 */
#ifndef DLW_TELL_PENDING_H
#define DLW_TELL_PENDING_H

#include "graph/finding.h"
#include "interpose/locks/identity.h"
#include "report/emit/journal/journal.h"

struct dlw_pending_item {
    struct dlw_pending_item *next;
    bool is_edge;
    bool is_trait;     /* what the lock `edge.from` has shown to be: only `trait` besides */
    bool is_snapshot;  /* a snapshot of all waits: only `finding.threads` is used */
    uint32_t withheld; /* the number of a finding that is not to be told yet; 0 */
    uint32_t told;     /* the number that it was told under, for the first time; 0 */
    struct dlw_journal_edge edge; /* lock ids are tags; `gates` points into this block */
    struct dlw_finding finding;
    enum dlw_journal_trait trait;
    size_t size;
};

struct dlw_pending {
    struct dlw_pending_item *first, **last;
    struct dlw_lock_facts *facts; /* of every lock named */
    uint32_t n_facts, room;
    struct dlw_journal_bounds bounds; /* of the graph, when the last of this was learned */
};

#define DLW_PENDING_INIT(name)                                                                     \
    {                                                                                              \
        NULL, &(name).first, NULL, 0, 0,                                                           \
        {                                                                                          \
            0, 0, 0                                                                                \
        }                                                                                          \
    }

/* Out of memory loses the item, which is then counted as lost in the journal's end line. */
void dlw_pending_edge_locked(struct dlw_pending *pending, const struct dlw_journal_edge *edge);
void dlw_pending_trait_locked(struct dlw_pending *pending, uint64_t lock,
                              enum dlw_journal_trait trait);
void dlw_pending_finding_locked(struct dlw_pending *pending, const struct dlw_finding *finding);
/* Of this number (dlw_report_new_id), and not to be told until it has shown itself. */
void dlw_pending_withheld_locked(struct dlw_pending *pending, const struct dlw_finding *finding,
                                 uint32_t id);
void dlw_pending_waits_locked(struct dlw_pending *pending, const struct dlw_thread_state *threads,
                              uint32_t n);
/* Tags become the numbers that locks have in the journal. In place. */
void dlw_pending_to_serials(struct dlw_pending_item *item);
struct dlw_journal_bounds dlw_pending_bounds_locked(void);
void dlw_pending_free(struct dlw_pending *pending); /* takes the graph lock */

const struct dlw_lock_facts *dlw_pending_facts(const struct dlw_pending *pending, uint64_t lock);

#endif
