/*
 * Inside the journal reader: what a journal holds before it is made into a document. Shared by
 * reader.c, lines.c and process_lines.c (lines) and build.c (findings, edges).
 */
#ifndef DLW_COMMAND_JOURNAL_RAW_H
#define DLW_COMMAND_JOURNAL_RAW_H

#include "report/command/journal/reader.h"

#include <jansson.h>
#include <uthash.h>

/* Of a table of what has an `id` and an `hh`. Not found: `out` is NULL. */
#define DLW_BY_ID_ADD(table, entry) HASH_ADD(hh, table, id, sizeof((entry)->id), entry)
#define DLW_BY_ID_FIND(table, key, out) HASH_FIND(hh, table, &(key), sizeof(uint64_t), out)

struct dlw_raw_module {
    uint64_t id, base;
    const char *path, *build_id;
    UT_hash_handle hh;
};

struct dlw_raw_frame {
    struct dlw_raw_module *module; /* NULL: `offset` is a pc */
    uint64_t offset;
    const char *unknown;
    const char *language; /* "python": then these, and no module; else NULL */
    const char *file, *function;
    unsigned line;
};

struct dlw_raw_stack {
    uint64_t id;
    struct dlw_raw_frame *frames;
    size_t n;
    bool cut;
    struct dlw_stack named; /* made when first asked for */
    bool is_named;
    UT_hash_handle hh;
};

struct dlw_raw_thread {
    uint64_t id;
    struct dlw_doc_thread *thread;
    bool is_main;
    bool is_several;         /* in a merged history: it stands for several of one process */
    uint64_t created, start; /* stacks, named when a finding wants them */
    UT_hash_handle hh;
};

struct dlw_raw_lock {
    uint64_t id;
    struct dlw_doc_lock lock; /* what is known without looking names up */
    uint64_t created, first;  /* stacks */
    struct dlw_raw_module *module;
    struct dlw_raw_thread *thread;
    const char *lasting;           /* its name over runs, in a merged history */
    bool is_signal, outlives;      /* traits of it, in a merged history */
    void *merged;                  /* what merge has made of it */
    struct dlw_doc_lock *named;    /* names looked up; findings copy it */
    struct dlw_doc_lock *in_graph; /* its node among doc->locks, when edges are read */
    UT_hash_handle hh;
};

struct dlw_raw_finding {
    uint64_t id;
    struct dlw_doc_finding *finding;
    UT_hash_handle hh;
};

struct dlw_raw_journal {
    uint64_t id;
    struct dlw_doc_process *process;
    UT_hash_handle hh;
};

struct dlw_reader {
    const struct dlw_reading *reading;
    struct dlw_region *region; /* the document's */
    struct dlw_region own;     /* the tables' */
    const char *path;
    unsigned long line; /* number of the line at hand */
    unsigned complaints;
    bool refused;   /* not a journal, or a newer one: the rest is not looked at */
    uint64_t edges; /* lines of them */
    bool ended, replaced;
    const struct dlw_rights *source_rights; /* of the sources that it names itself... */
    bool has_source_rights;                 /* ...once they were asked for */
    bool is_merged;                         /* a history: its processes stand in journal lines */
    char *partial;                          /* malloc'ed */
    size_t n_partial, room;
    struct dlw_doc_process *process;
    struct dlw_raw_module *modules;
    struct dlw_raw_stack *stacks;
    struct dlw_raw_thread *threads;
    struct dlw_raw_lock *locks;
    struct dlw_raw_finding *findings;
    struct dlw_raw_journal *journals; /* that a merged history holds */
    json_t *waits;                    /* the last snapshot line */
    json_t *withheld; /* by id: the line of a finding that is held back, null for a void one */
};

/* A message with file and line; counts as damage. */
void dlw_reader_complain(struct dlw_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One line. */
void dlw_reader_take(struct dlw_reader *reader, const json_t *line);
/* The same, if it is one that tells of the process; else false. */
bool dlw_reader_take_of_process(struct dlw_reader *reader, const char *type, const json_t *line);
/* The id of a line that defines something; 0 after a message. */
uint64_t dlw_reader_new_id(struct dlw_reader *reader, const json_t *line, const char *what);

struct dlw_stack dlw_reader_stack(struct dlw_reader *reader, uint64_t id);
struct dlw_doc_thread *dlw_reader_thread(struct dlw_reader *reader, uint64_t id);
/* Names looked up; NULL for id 0. */
struct dlw_doc_lock *dlw_reader_lock(struct dlw_reader *reader, uint64_t id);

/* The process has ended: what is still withheld is told. */
void dlw_reader_promote(struct dlw_reader *reader);
void dlw_reader_build_finding(struct dlw_reader *reader, const json_t *line);
void dlw_reader_build_edge(struct dlw_reader *reader, const json_t *line);
/* `kind` as of dlw_doc_lock. */
void dlw_reader_build_cost(struct dlw_reader *reader, const json_t *line, const char *kind);
/* What a thread of a finding did last. */
void dlw_reader_build_trail(struct dlw_reader *reader, const json_t *line);
/* By its module and offset, where it has them. */
void dlw_reader_name_variable(struct dlw_reader *reader, struct dlw_raw_module *module,
                              struct dlw_doc_lock *lock);
/* "mutex", …; a kind that is none is complained of, and "custom". */
const char *dlw_reader_kind(struct dlw_reader *reader, const char *kind);
void dlw_reader_build_waits(struct dlw_reader *reader, const json_t *line);

#endif
