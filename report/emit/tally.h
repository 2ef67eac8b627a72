/*
 * Signs in with the `dlwatch run` above, which can't tell a process that has nothing to say from
 * one that was never there, or whose journal could not be made (in another root, say): both leave
 * no file. So the run's tally is opened at start, and its descriptor kept.
 */
#ifndef DLW_EMIT_TALLY_H
#define DLW_EMIT_TALLY_H

#include <stdbool.h>
#include <stdint.h>

/* A line with the pid. `path` NULL, or no regular file: nothing is done, now or later. */
void dlw_tally_sign_in(const char *path, uint32_t pid);
/* What the process has to say can't be written: "PID lost". Any thread; a write. False: the run
 * can't be told. */
bool dlw_tally_lost(uint32_t pid);

#endif
