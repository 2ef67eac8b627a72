/*
 * What the waits amount to: a deadlock, a stall, a long wait for one thread, or nothing. The
 * searching is graph/waits.h; here the sampled threads are made its world.
 */
#ifndef DLW_COMMAND_INSPECT_VERDICT_H
#define DLW_COMMAND_INSPECT_VERDICT_H

#include "report/command/inspect/target/target.h"

enum dlw_verdict_kind {
    DLW_VERDICT_NOTHING,
    DLW_VERDICT_DEADLOCK,
    DLW_VERDICT_STALL,
    DLW_VERDICT_LONG_WAIT
};

/* Indexes of threads; entry i waits for entry i+1, the last for the first. */
struct dlw_verdict_cycle {
    uint32_t *threads;
    struct dlw_target **targets; /* whose they are: the one that is looked at, or a peer of it */
    size_t n;
    const char *doubt; /* why it is not certain; NULL: it is */
    bool is_gone;      /* one thread, that waits for a holder that no longer exists */
};

/* All who wait, directly or through others, for a thread that itself waits for no lock. */
struct dlw_verdict_queue {
    uint32_t holder;
    uint32_t *waiters;
    size_t n;
};

struct dlw_verdict {
    enum dlw_verdict_kind kind;
    bool is_certain;
    enum dlw_doubt
        doubt;          /* DLW_DOUBT_SIGNAL: a stall, but for a signal handler that could end it */
    const char *reason; /* why a stall is not certain, or why there is none; NULL */
    struct dlw_verdict_cycle *cycles;
    size_t n_cycles;
    struct dlw_verdict_queue *queues; /* longest first */
    size_t n_queues;
    size_t n_stuck; /* threads outside of the cycles that can't go on because of them */
    /* Circles with semaphores whose one holder is known, while others are awake that could post
     * them: of these `doubt` is NULL, and nothing is proved. */
    struct dlw_verdict_cycle *loops;
    size_t n_loops;
};

void dlw_verdict_find(struct dlw_target *target, struct dlw_verdict *out);
const char *dlw_verdict_word(enum dlw_verdict_kind kind);

#endif
