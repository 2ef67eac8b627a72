/*
 * Many journals as one: everything in it is known by its content, not by when it was read. A key is
 * a hash of what survives address randomisation and other runs; where several things have one key,
 * the smallest stands for all. So a history is a union of sets: the order of merging, and merging
 * the same journal twice, make no difference.
 *
 * Memory follows what is different in the journals, not their number; a journal by itself costs a
 * line and a bit, at most four bytes, in each piece of evidence that it has.
 */
#ifndef DLW_COMMAND_MERGE_HISTORY_H
#define DLW_COMMAND_MERGE_HISTORY_H

#include "report/command/base/arena.h"
#include "report/command/journal/reader.h"
#include "report/command/merge/seen.h"

#include <jansson.h>
#include <stdio.h>
#include <uthash.h>

struct dlw_key {
    uint64_t a, b;
};

/* Begins every entity. */
struct dlw_entity {
    struct dlw_key key;
    uint32_t id; /* given when written; 0: nothing refers to it */
    UT_hash_handle hh;
};

struct dlw_h_journal {
    struct dlw_entity entity;
    uint32_t index;      /* its bit */
    const char *line;    /* fields of its line, as a JSON object */
    const char *program; /* base name of what it ran; NULL: not known */
    unsigned rank;       /* of two readings the one that saw the end wins */
};

struct dlw_h_module {
    struct dlw_entity entity;
    const char *path, *build_id;
};

struct dlw_h_frame {
    struct dlw_h_module *module; /* NULL: unknown, or not native */
    uint64_t offset;
    const char *unknown;
    const char *language, *file, *function; /* of a line that an interpreter runs */
    uint64_t line;
};

struct dlw_h_stack {
    struct dlw_entity entity;
    struct dlw_h_frame *frames;
    size_t n;
    bool cut;
};

/* Threads that do the same work: the main thread, or those with one start routine. */
struct dlw_h_role {
    struct dlw_entity entity;
    bool is_main;
    const char *name;
    struct dlw_h_stack *start, *created;
    bool is_several; /* a journal has more than one thread of it */
};

/* What one program calls the threads of a role: each test of a project has a main thread. */
struct dlw_h_name {
    struct dlw_entity entity;
    struct dlw_h_role *role;
    const char *program, *name;
};

struct dlw_h_lock {
    struct dlw_entity entity;
    const char *lasting; /* "variable bank:gate", "created 12ab…", … */
    const char *kind, *attributes, *name, *class_name;
    struct dlw_h_module *module;
    uint64_t offset;
    struct dlw_h_stack *created, *first;
    struct dlw_h_role *role;  /* kind thread */
    bool is_signal, outlives; /* some of it, in some run: see JOURNAL.md */
};

/* A way to take `to` under `from` that differs in what decides whether a circle is real. */
struct dlw_h_variant {
    struct dlw_key key;
    struct dlw_h_role *role;
    struct dlw_h_lock **gates;
    size_t n_gates;
    uint8_t from_mode, to_mode;
    bool timed;
    struct dlw_h_stack *hold, *want;
    struct dlw_seen journals; /* that have it, by index */
    const char *scope;        /* the test that showed it, as `teller` says; or NULL */
    const struct dlw_h_journal *teller;
};

enum { DLW_H_VARIANTS = 16 };

struct dlw_h_edge {
    struct dlw_entity entity;
    struct dlw_h_lock *from, *to;
    struct dlw_h_variant *variants; /* by key; the smallest DLW_H_VARIANTS are kept */
    size_t n;
};

struct dlw_h_hold {
    struct dlw_h_lock *lock;
    struct dlw_h_stack *stack;
    bool shared, timed;
};

/* A step of a cycle (holds[0], then `wants`), or the state of a thread. */
struct dlw_h_part {
    struct dlw_h_role *role;
    const struct dlw_h_journal *journal; /* where the step was seen; NULL: that of the finding */
    struct dlw_h_hold wants;
    const char *waits; /* of a state: the word, or NULL */
    const char *scope; /* of a step: the test, or NULL */
    struct dlw_h_stack *stack;
    struct dlw_h_hold *holds;
    size_t n_holds;
};

struct dlw_h_count {
    uint32_t journal; /* index */
    uint64_t count;
};

struct dlw_h_finding {
    struct dlw_entity entity;
    const char *kind, *reason, *harmless;
    struct dlw_h_lock *harmless_lock;
    enum dlw_doubt doubt;
    bool certain, is_cycle, across;
    double time;
    struct dlw_h_part *parts;
    size_t n_parts;
    struct dlw_h_count *counts;
    size_t n_counts;
};

struct dlw_history {
    struct dlw_region region;
    struct dlw_symbols *symbols;
    struct dlw_h_journal *journals; /* tables, by key */
    struct dlw_h_module *modules;
    struct dlw_h_stack *stacks;
    struct dlw_h_role *roles;
    struct dlw_h_name *names;
    struct dlw_h_lock *locks;
    struct dlw_h_edge *edges;
    struct dlw_h_finding *findings;
    struct dlw_h_journal **by_index;
    uint32_t n_journals;
    uint64_t nameless;           /* edges left out: nothing about their locks lasts */
    uint64_t nameless_variables; /* their program can't be read: known in this very build only */
    const char *unreadable;      /* such a program, and why */
};

/* ---- history.c: the sets ---- */

struct dlw_history *dlw_history_new(struct dlw_symbols *symbols);
void dlw_history_free(struct dlw_history *history);

struct dlw_key dlw_key_of(const void *bytes, size_t n);
void dlw_key_add(struct dlw_key *key, const void *bytes, size_t n);
void dlw_key_add_text(struct dlw_key *key, const char *text); /* NULL is not "" */
int dlw_key_compare(const struct dlw_key *a, const struct dlw_key *b);

struct dlw_h_module *dlw_h_module(struct dlw_history *history, const char *path,
                                  const char *build_id);
struct dlw_key dlw_h_stack_key(const struct dlw_h_stack *draft);
struct dlw_h_stack *dlw_h_stack(struct dlw_history *history, const struct dlw_h_stack *draft);
struct dlw_h_role *dlw_h_role(struct dlw_history *history, const struct dlw_h_role *draft);
/* Several threads of one role: the smallest name. NULL texts: nothing is noted. */
void dlw_h_name(struct dlw_history *history, struct dlw_h_role *role, const char *program,
                const char *name);
/* NULL: it has none in that program. */
const char *dlw_h_name_of(struct dlw_history *history, const struct dlw_h_role *role,
                          const char *program);
struct dlw_h_lock *dlw_h_lock(struct dlw_history *history, const struct dlw_h_lock *draft);
struct dlw_h_edge *dlw_h_edge(struct dlw_history *history, struct dlw_h_lock *from,
                              struct dlw_h_lock *to);
/* NULL: there is none, and none is made. */
struct dlw_h_edge *dlw_h_known_edge(struct dlw_history *history, const struct dlw_h_lock *from,
                                    const struct dlw_h_lock *to);
/* NULL: there are enough smaller ones. Valid until the next call for this edge. */
struct dlw_h_variant *dlw_h_variant(struct dlw_history *history, struct dlw_h_edge *edge,
                                    const struct dlw_h_variant *draft);
/* Of several tests the one of the journal with the smallest key stays. */
void dlw_h_scope(struct dlw_history *history, struct dlw_h_variant *variant,
                 const struct dlw_h_journal *journal, const char *scope);
struct dlw_h_finding *dlw_h_finding(struct dlw_history *history, const struct dlw_h_finding *draft);
void dlw_h_count(struct dlw_history *history, struct dlw_h_finding *finding, uint32_t journal,
                 uint64_t count);
struct dlw_h_journal *dlw_h_journal(struct dlw_history *history, struct dlw_key key,
                                    const char *line, unsigned rank, const char *exe);

/* ---- collect.c: from a journal into the sets ---- */

struct dlw_collector; /* opaque */
struct dlw_collector *dlw_collector_new(struct dlw_history *history);
void dlw_collector_free(struct dlw_collector *collector);
const struct dlw_line_sink *dlw_collector_sink(const struct dlw_collector *collector);

/* ---- cross.c: what only shows across journals ---- */

/* Is it one object in every run (a variable, a given name), not a class of them? */
bool dlw_h_is_sure(const struct dlw_h_lock *lock);
/* Adds the findings; returns how many. */
size_t dlw_history_cross(struct dlw_history *history);

/* ---- write.c ---- */

void dlw_history_write(struct dlw_history *history, FILE *out);

#endif
