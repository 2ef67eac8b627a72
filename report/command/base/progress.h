/*
 * A line on the terminal that says how far it is, when it takes longer than one would wait for:
 * written over itself, and wiped at the end. Nothing where stderr is no terminal.
 */
#ifndef DLW_COMMAND_BASE_PROGRESS_H
#define DLW_COMMAND_BASE_PROGRESS_H

#include <stdbool.h>
#include <time.h>

struct dlw_progress { /* all-zero shows nothing, ever */
    bool is_wanted;
    time_t begun, last;
};

struct dlw_progress dlw_progress_begin(void);
/* Once a second; cheap enough for each line of a file. */
bool dlw_progress_is_due(struct dlw_progress *progress);
/* For what takes long as a whole: at once, if a second has gone by since the beginning. */
void dlw_progress_show(struct dlw_progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Shows no more. */
void dlw_progress_end(struct dlw_progress *progress);

/* Before a message. */
void dlw_progress_wipe(void);

#endif
