/*
 * What a detector found, as plain data: the only thing that crosses from the
 * graphs to the reports. Ids mean what the caller gave in (locks, threads,
 * stacks); nothing here points into a graph, so a finding may be reported
 * after every lock is dropped and its subjects are gone.
 */
#ifndef DLW_FINDING_H
#define DLW_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dlw_kind {
    DLW_DEADLOCK,
    DLW_STALL,
    DLW_LOCK_ORDER_INVERSION,
    DLW_UNLOCK_NOT_OWNER,
    DLW_DESTROY_LOCKED,
    DLW_WAIT_WITHOUT_MUTEX,
    DLW_EXIT_HOLDING_LOCK,
    DLW_N_KINDS
};

enum dlw_mode { DLW_EXCLUSIVE, DLW_SHARED };

enum dlw_wait_kind {
    DLW_WAIT_NONE, /* running */
    DLW_WAIT_LOCK,
    DLW_WAIT_CONDITION,
    DLW_WAIT_SEMAPHORE,
    DLW_WAIT_JOIN,
    DLW_WAIT_BARRIER,
    DLW_WAIT_ONCE,
    DLW_WAIT_GUARD,
    DLW_WAIT_SPIN,
    DLW_WAIT_FILE,
    DLW_WAIT_SYSCALL,
};

/* Why a cycle of the lock order can't become a deadlock in this run. */
enum dlw_harmless {
    DLW_FEASIBLE,
    DLW_GUARDED,    /* one lock is held around all of it: the gate */
    DLW_ORDERED,    /* create, join or a barrier orders its parts */
    DLW_ONE_THREAD, /* no two different threads */
    DLW_ALL_SHARED, /* somewhere a reader meets only readers */
    DLW_INTENDED,   /* the program says that it means this order */
};

struct dlw_held {
    uint64_t lock;
    uint32_t stack; /* where it was taken; 0: not known */
    uint8_t mode;   /* enum dlw_mode */
};

/* One edge of a cycle: this thread holds `holds`, which the entry before wants, and wants `wants`.
 */
struct dlw_cycle_entry {
    uint32_t thread;
    bool timed; /* the want ends by itself */
    struct dlw_held holds;
    struct dlw_held wants;
};

struct dlw_thread_state {
    uint32_t thread;
    uint8_t waits; /* enum dlw_wait_kind */
    uint8_t mode;  /* of the wait */
    bool timed;
    uint64_t on;       /* lock waited for or accused, 0: none */
    uint64_t since_ns; /* how long it has waited, 0: not known */
    uint32_t stack;
    uint32_t n_holds;
    const struct dlw_held *holds;
};

struct dlw_finding {
    uint8_t kind;     /* enum dlw_kind */
    uint8_t harmless; /* enum dlw_harmless, cycles of the lock order only */
    bool certain;
    uint64_t gate;      /* the common lock of DLW_GUARDED */
    const char *reason; /* one line without a full stop, or NULL; static text */
    uint32_t n_cycle;
    uint32_t n_threads;
    const struct dlw_cycle_entry *cycle;
    const struct dlw_thread_state *threads;
};

#endif
