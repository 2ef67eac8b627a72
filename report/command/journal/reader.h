/*
 * Reads journals (report/JOURNAL.md) into a document, line by line, as far as they are readable: a
 * damaged line gets a message "dlwatch: FILE:LINE: …" and is passed over. Trusts nothing it reads.
 */
#ifndef DLW_COMMAND_JOURNAL_READER_H
#define DLW_COMMAND_JOURNAL_READER_H

#include "report/command/document/model.h"
#include "report/command/symbols/symbols.h"

struct dlw_reader; /* one journal; opaque */

/* For `merge`: gets the lines that refer to others instead of the document. The line at hand and
 * the tables (raw.h) are the reader's; `closing` is called before they go. */
struct dlw_line_sink {
    void *context;
    void (*line)(void *context, struct dlw_reader *reader, const char *type, const void *json);
    void (*closing)(void *context, struct dlw_reader *reader);
};

struct dlw_reading {
    struct dlw_doc *doc;
    struct dlw_symbols *symbols;
    bool edges; /* fill doc->edges and doc->locks */
    const struct dlw_line_sink *sink;
    const char *run; /* leave out the journals of another `dlwatch run` than this; NULL: none */
    bool growing;    /* the files are still written: a last line without its end is no damage */
    /* Called after each line, or NULL: who reads for long looks up from time to time. */
    void (*attend)(void *context);
    void *attend_context;
};

struct dlw_reader *dlw_reader_new(const struct dlw_reading *reading, const char *path);
/* Any piece of the file, in order. */
void dlw_reader_feed(struct dlw_reader *reader, const char *bytes, size_t n);
/* It is no journal, or not one for us: what comes behind is not looked at. */
bool dlw_reader_has_refused(const struct dlw_reader *reader);
/* The file has ended. Says how the process ended, as far as that can be known. True: it was whole.
 */
bool dlw_reader_close(struct dlw_reader *reader);
/* The first line again, once the file has ended: it may have been cut short meanwhile. */
void dlw_reader_look_again(struct dlw_reader *reader, const char *line, size_t n);
/* NULL before its first line was read, and of another run's. */
struct dlw_doc_process *dlw_reader_process(struct dlw_reader *reader);

/* Files, folders (their files), "-" for standard input. False: something could not be read. */
bool dlw_read_paths(const struct dlw_reading *reading, char *const *paths, size_t n);
/* One of them; see below for `from_folder`. */
bool dlw_read_path(const struct dlw_reading *reading, const char *path, bool from_folder);
/* The same, file by file, with what `visit` makes of each; for whoever keeps no document of all.
 * Stops when visit returns false. */
typedef bool dlw_path_visit(void *context, const char *path, bool from_folder);
bool dlw_each_path(char *const *paths, size_t n, dlw_path_visit *visit, void *context);

#endif
