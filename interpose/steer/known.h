/*
 * The deadlocks that this process stays clear of: those of the file of `avoid` that are of the
 * builds that run here. Read in the constructor, before a rule is learned; only counters change
 * later.
 */
#ifndef DLW_STEER_KNOWN_H
#define DLW_STEER_KNOWN_H

#include "graph/instance.h"
#include "interpose/steer/role.h"

struct dlw_known {
    struct dlw_role_cycle cycle; /* its `own` is this one */
    uint64_t number;
    char name[24]; /* the number in 16 digits */
    struct dlw_part parts[DLW_ROLE_STEPS];
    /* All steps are alike, as of transfer(from, to): then there is one role, and circles of every
     * length from two to this one are the same mistake. 0: they aren't. */
    uint32_t most_alike;
    _Atomic uint32_t inside[DLW_ROLE_STEPS]; /* threads in each role, or more: a hint */
    _Atomic uint32_t delays_only;            /* limits exhausted since a yield was last of use */
    _Atomic uint32_t left;                   /* how often a thread has left one of the roles */
    _Atomic bool is_off;
    /* Yields; of them those that ended by their limit, and by a cycle of waits through them. */
    _Atomic uint64_t avoided, limits, let_go;
    _Atomic uint64_t told; /* of `avoided`, in the journal */
    struct dlw_known *next;
};

/* Says what it can't read and what is of another build. */
void dlw_known_start(const char *folder, const struct dlw_role_user *user);
struct dlw_known *dlw_known_first(void); /* NULL: there is none */
struct dlw_known *dlw_known_find(uint64_t number);

#endif
