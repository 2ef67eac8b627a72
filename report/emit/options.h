/*
 * DLWATCH_OPTIONS, parsed inside the watched process: no malloc, no stdio.
 * The table is options.def; the command includes it too.
 */
#ifndef DLW_EMIT_OPTIONS_H
#define DLW_EMIT_OPTIONS_H

#include <stddef.h>

enum dlw_on_deadlock { DLW_THEN_CONTINUE, DLW_THEN_EXIT, DLW_THEN_ABORT };
enum dlw_show { DLW_SHOW_FEASIBLE, DLW_SHOW_ALL, DLW_SHOW_STRICT };
enum dlw_color { DLW_COLOR_AUTO, DLW_COLOR_ALWAYS, DLW_COLOR_NEVER };

#define DLW_FIELD_TEXT const char *
#define DLW_FIELD_NUMBER long
#define DLW_FIELD_WORD int
struct dlw_options {
#define DLW_OPTION(key, type, preload, run, values, help_text) DLW_FIELD_##type key;
#include "report/emit/options.def"
#undef DLW_OPTION
};

/* Receives one warning line (no newline) for each thing that is wrong; the default then stands. */
typedef void dlw_options_warn(void *context, const char *line);

/*
 * Fills `out` with defaults, then with what `text` (may be NULL) says. Pairs are separated by
 * colons or white space; a value with either in it is 'quoted'. Texts are copied into `storage`;
 * what does not fit is warned about and left at its default. Never fails.
 */
void dlw_options_parse(struct dlw_options *out, const char *text, char *storage,
                       size_t storage_size, dlw_options_warn *warn, void *context);

/* The table for help=1, line by line through `line`. */
void dlw_options_help(dlw_options_warn *line, void *context);

/*
 * Replaces %p, %e and %% in `pattern`; `attempt` > 0 puts "-attempt" before the suffix (the part
 * from the last dot of the last component). Returns the length, or 0 when it does not fit.
 */
size_t dlw_options_path(char *out, size_t size, const char *pattern, long pid, const char *exe,
                        unsigned attempt);

/* Is `exe` (a path) watched, by the comma list `names`? NULL or empty: yes. Compares base names. */
int dlw_options_watches(const char *names, const char *exe);

#endif
