/*
 * The formats, each one file: format/<name>.c with dlw_format_<name>(). The table is format.def.
 * A format reads the document and writes to `out`; it returns 0, or 2 after a message of its own
 * (a tool that is missing). Whoever called it checks `out` for write errors.
 */
#ifndef DLW_COMMAND_FORMAT_FORMAT_H
#define DLW_COMMAND_FORMAT_FORMAT_H

#include "report/command/document/model.h"

#include <stdio.h>

struct dlw_format_options {
    bool color;
    unsigned width;     /* columns, 0: 80 behind the prefix */
    const char *folder; /* paths below it are written relative to it; NULL: see dlw_frame_path */
    bool live;          /* text: blocks alone, each line prefixed "dlwatch[pid]: ", no summary */
    bool summary_only;  /* text: no blocks */
    const char *prefix; /* text: before each line; NULL: none, or the one of `live` */
    bool no_source;     /* text: leave source lines out */
};

typedef int dlw_format_write(FILE *out, struct dlw_doc *doc,
                             const struct dlw_format_options *options);

#define DLW_FORMAT(name, edges, help) dlw_format_write dlw_format_##name;
#include "report/command/format/format.def"
#undef DLW_FORMAT

/* NULL: no such format. */
dlw_format_write *dlw_format_find(const char *name);
/* Does it show the lock order, so that the document needs the edges? */
bool dlw_format_draws_edges(const char *name);
/* "text json …", for messages and completion. */
const char *dlw_format_names(void);

/* Says that it is none, with all names and the nearest: the status to end with, plus 1. */
int dlw_format_refuse(const char *subcommand, const char *name);
/* That whose files have this suffix: html of "x.html"; NULL: not to be told. */
const char *dlw_format_of_path(const char *path);

/* Should text for this descriptor be coloured? Asks `wish`, the terminal, NO_COLOR and TERM. */
bool dlw_format_wants_color(enum dlw_color wish, int descriptor);
/* COLUMNS or the terminal's width; 0: nobody says. */
unsigned dlw_format_width(int descriptor);

#endif
