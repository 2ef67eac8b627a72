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

/* The lists, with their words, are in graph/kinds.def. */
enum dlw_kind {
#define FINDING(name, ...) DLW_##name,
#include "graph/kinds.def"
    DLW_N_KINDS
};

enum dlw_wait_kind {
#define WAIT(name, ...) DLW_WAIT_##name,
#include "graph/kinds.def"
    DLW_N_WAIT_KINDS
};

enum dlw_lock_kind {
#define LOCK(name, ...) DLW_LOCK_##name,
#include "graph/kinds.def"
    DLW_N_LOCK_KINDS
};

/* Why a cycle of the lock order can't become a deadlock in this run. */
enum dlw_harmless {
#define HARMLESS(name, ...) DLW_##name,
#include "graph/kinds.def"
    DLW_N_HARMLESS
};

/* Why a cycle of the lock order is a warning and no error. */
enum dlw_doubt {
#define DOUBT(name, ...) DLW_##name,
#include "graph/kinds.def"
    DLW_N_DOUBTS
};

enum dlw_mode {
#define MODE(name, ...) DLW_##name,
#include "graph/kinds.def"
    DLW_N_MODES
};

enum dlw_severity {
#define SEVERITY(name, ...) DLW_##name,
#include "graph/kinds.def"
    DLW_N_SEVERITIES
};

/* Of a finding: who waits for whom, or which orders; threads that wait; one call that was wrong. */
enum dlw_form { DLW_FORM_CYCLE, DLW_FORM_STALL, DLW_FORM_CALL };

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
    const char *scope; /* that the thread was in (graph/life.h), orders only; or NULL */
};

/* Of the condition that is waited for: who signalled it last. */
struct dlw_last_signal {
    bool is_known;   /* else nothing below is */
    bool is_before;  /* the last came before this wait began */
    uint32_t thread; /* of the last; 0: not known, or it has ended */
    uint32_t stack;  /* where that was */
    uint64_t count;  /* 0: it was never signalled */
};

struct dlw_thread_state {
    uint32_t thread;
    uint8_t waits; /* enum dlw_wait_kind */
    uint8_t mode;  /* of the wait */
    bool timed;
    uint64_t on;       /* lock waited for or accused, 0: none */
    uint64_t since_ns; /* how long it has waited, 0: not known */
    struct dlw_last_signal signal;
    uint32_t arrived, parties; /* of a barrier: how many of how many have come; 0: not known */
    uint32_t stack;
    uint32_t n_holds;
    const struct dlw_held *holds;
};

struct dlw_finding {
    uint8_t kind;     /* enum dlw_kind */
    uint8_t harmless; /* enum dlw_harmless, cycles of the lock order only */
    uint8_t doubt;    /* enum dlw_doubt, cycles of the lock order only */
    bool certain;
    uint64_t gate;      /* the common lock of DLW_GUARDED */
    const char *reason; /* one line without a full stop, or NULL; static text */
    uint32_t n_cycle;
    uint32_t n_threads;
    const struct dlw_cycle_entry *cycle;
    const struct dlw_thread_state *threads;
};

#endif
