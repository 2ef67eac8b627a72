/* The parts of `dlwatch run`. */
#ifndef DLW_COMMAND_RUN_RUN_H
#define DLW_COMMAND_RUN_RUN_H

#include "report/command/base/arena.h"
#include "report/command/document/suppressions.h"
#include "report/command/journal/reader.h"
#include "report/emit/options.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* ---- options.c: the command line ---- */

struct dlw_run_output {
    const char *format, *path;
};

struct dlw_run_request {
    struct dlw_region region;
    struct dlw_options
        options; /* run's defaults, DLWATCH_OPTIONS, the command line, in this order */
    char *storage;
    struct dlw_run_output outputs[16];
    size_t n_outputs;
    const char *baseline;
    double timeout; /* seconds, 0: none */
    long tries;     /* of --confirm, for each finding; 0: none */
    bool lowers;    /* --unconfirmed=warning */
    char **command;
};

/* 0: go on; else the status to end with, plus 1. */
int dlw_run_parse(struct dlw_run_request *request, int argc, char **argv);
/* DLWATCH_OPTIONS for the watched processes, which write their journals to `journals`. */
const char *dlw_run_child_options(struct dlw_run_request *request, const char *journals);

/* ---- program.c: what is going to run ---- */

struct dlw_program {
    const char *path;    /* NULL: not to be found */
    int status;          /* 127, 126: it can't be started, `trouble` says why */
    const char *trouble; /* why it can't be started, or can't be watched; NULL: all is well */
    const char *why;     /* the same in the words of the summary, where it can't be watched */
    bool keeps_preload;  /* false: it would not even start with the library */
    const char *runtime; /* soname of a sanitizer's runtime, which must come first; or NULL */
};

struct dlw_program dlw_program_inspect(struct dlw_region *region, const char *command);
/* Of a static program: could it have threads? By its symbols; true where it has none. */
bool dlw_program_may_have_threads(const char *path);
/* The library that belongs to this command, or NULL. */
const char *dlw_program_library(struct dlw_region *region);

/* ---- journals.c: the journals of the tree, as they grow ---- */

struct dlw_journals; /* opaque */

/* `pattern` is absolute, with the marks of the option `report`. Files that are there already are
 * not ours. */
struct dlw_journals *dlw_journals_new(const struct dlw_reading *reading, const char *pattern);
/* Readable when something may have changed, or -1: then look now and then. */
int dlw_journals_descriptor(const struct dlw_journals *journals);
/* Reads what is new. `all`: looks at every file, not only at those that were announced. */
void dlw_journals_update(struct dlw_journals *journals, bool all);
/* Reads the rest and settles how each process ended. Returns how many journals had no room for
 * a line. */
size_t dlw_journals_close(struct dlw_journals *journals);
size_t dlw_journals_count(const struct dlw_journals *journals);

/* ---- tally.c: which processes loaded the library ---- */

/* Makes the file that they write themselves into, and names it to them (DLWATCH_TALLY). NULL: could
 * not. */
const char *dlw_tally_open(struct dlw_region *region, const char *folder);
/* How many there were, those of the journals included; removes the file. NULL: of the journals
 * alone. *n_lost: how many had something to say and could not make a journal. */
size_t dlw_tally_close(const char *path, const struct dlw_doc *doc, size_t *n_lost);

/* ---- tree.c: the processes below this one ---- */

/* Pids of all descendants, in the order of their making where it can be told; returns how many. */
size_t dlw_tree_list(struct dlw_region *region, pid_t **out);
/* Ends them all: asks first (SIGTERM), then does not ask. Returns when none is left. */
void dlw_tree_end(pid_t command, int *status);
/* Adds to the document what each thread of the process waits for, as far as it can be seen from
 * outside. */
void dlw_tree_describe(struct dlw_doc *doc, pid_t pid);

#endif
