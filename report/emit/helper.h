/*
 * Starts `dlwatch report` beside the watched process to print one finding with names, without the
 * process noticing: a raw clone that runs no atfork handler, an intermediate that is reaped at once
 * (so neither SIGCHLD nor a waitpid(-1) of the program sees anything), all signals blocked
 * meanwhile, no preload, all other descriptors closed.
 *
 * Not started where the process could notice it (unnoticed.h), when it is confined by seccomp, or
 * when the command isn't found: the caller then prints module+offset itself.
 */
#ifndef DLW_EMIT_HELPER_H
#define DLW_EMIT_HELPER_H

#include <stdbool.h>
#include <stdint.h>

/* The command that belongs to the library at `library_path`: beside it, or in ../bin (or
 * ../../bin). A relative path (LD_PRELOAD=./libdlwatch.so) is taken from the folder at start.
 * Remembered, and later started only while that path leads to the same file. False: none. */
bool dlw_helper_find(const char *library_path, const char *start_folder);
/* The process is about to confine itself (seccomp): from now on no helper is started, and nothing
 * here makes a system call to ask whether one could be. */
void dlw_helper_confine(void);
bool dlw_helper_is_possible(void);
/* Runs: dlwatch report --format=text --live --after=N EXTRA... - <journal >output 2>output, N being
 * the one started before, so that their blocks don't mix. The arguments end with NULL; NULL: none.
 * True when the command was started, which is certain: false includes one that could not be
 * executed. Takes neither descriptor. `journal` is read from where it stands. */
bool dlw_helper_print(int journal, int output, const char *const *extra_arguments);
/* Waits until the helper that was handed on as N has ended (0: none), at most `milliseconds`.
 * Called by a helper. */
void dlw_helper_wait_for(uint64_t helper, int milliseconds);
/* Waits until every helper started has ended, at most `milliseconds`. Called before the process
 * ends. */
void dlw_helper_wait(int milliseconds);

#endif
