/* What collect.c and collect_refs.c share: a journal on its way into the sets of a history. */
#ifndef DLW_COMMAND_MERGE_COLLECT_H
#define DLW_COMMAND_MERGE_COLLECT_H

#include "report/command/journal/raw.h"
#include "report/command/merge/history.h"

/* A finding of the journal at hand: `again` refers to it. */
struct own_finding {
    uint64_t id;
    struct dlw_h_finding *finding;
    UT_hash_handle hh;
};

/* A history numbers its journals in its own way. */
struct own_journal {
    uint64_t id;
    struct dlw_h_journal *journal;
    UT_hash_handle hh;
};

struct own_role {
    struct dlw_h_role *role;
    uint64_t thread;
    UT_hash_handle hh;
};

struct dlw_collector {
    struct dlw_history *history;
    struct dlw_line_sink sink;
    struct dlw_region region;      /* until the journal is closed */
    struct dlw_h_journal *current; /* NULL: not known yet, or a history */
    struct own_finding *findings;
    struct own_journal *journals;
    struct own_role *roles;
};

/* By the ids of the journal at hand. NULL: the journal has none of that id; a lock: nothing about
 * it lasts. */
struct dlw_h_stack *dlw_collect_stack(struct dlw_collector *collector, struct dlw_reader *reader,
                                      uint64_t id);
struct dlw_h_role *dlw_collect_role(struct dlw_collector *collector, struct dlw_reader *reader,
                                    uint64_t id);
struct dlw_h_lock *dlw_collect_lock(struct dlw_collector *collector, struct dlw_reader *reader,
                                    uint64_t id);

#endif
