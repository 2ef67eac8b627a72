/*
 * A file that takes the place of another once it is whole. Until then it lies beside that under a
 * name of its own, and is gone when it is not to be, or a signal ends the command before. One at a
 * time.
 */
#ifndef DLW_COMMAND_BASE_TEMPORARY_H
#define DLW_COMMAND_BASE_TEMPORARY_H

#include <stdbool.h>
#include <stdio.h>

/* Could it be written? Else false after a message, before there is anything to write. */
bool dlw_temporary_is_possible(const char *path);
/* A device or pipe is opened itself, as it can't be replaced. NULL after a message. */
FILE *dlw_temporary_open(const char *path);
/* Closes it, and puts it in place if `is_made` and it was written. False, after a message where it
 * could not be written: nothing has changed. */
bool dlw_temporary_close(FILE *out, bool is_made);
/* For a handler of a signal that ends the command: the file goes. Needs no lock. */
void dlw_temporary_drop(void);

#endif
