/*
 * Lines for people from inside the watched process: "dlwatch[pid]: …" on the log (descriptor 2 or a
 * file). No malloc, no stdio, errno kept. Safe from any thread and in a signal handler: a line is
 * one write from the stack.
 */
#ifndef DLW_EMIT_SAY_H
#define DLW_EMIT_SAY_H

#include "report/emit/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In front of a log, from a `run` whose verbosity asks for it: lines go there, blocks nowhere. */
#define DLW_SAY_LINES "lines:"

/* Notes what descriptor 2 is now (device, inode, kind); later lines go there only while it is still
 * the same. */
void dlw_say_start(const struct dlw_options *options, const char *start_folder, const char *exe);
/* Pieces are NULL-terminated strings, joined. Cut at 1 KiB. */
void dlw_say(const char *piece, ...) __attribute__((sentinel));
/* The same for one piece, on descriptor 2 wherever the log goes: what nobody else can tell. */
void dlw_say_on_stderr(const char *text);
/* Writes text as it is (a block that is already prefixed). */
void dlw_say_raw(const char *text, size_t size);
/* The descriptor that a helper process should write to: 2 while it is what it was, a file opened
 * for appending, or -1 for nowhere. */
int dlw_say_descriptor(void);
bool dlw_say_wants_blocks(void);

/* Decimal into `buffer` (at least 21 bytes); returns it. */
char *dlw_say_number(char *buffer, uint64_t number);
char *dlw_say_hex(char *buffer, uint64_t number); /* "0x…" */

#endif
