/*
 * Text that others wrote: names of threads, functions, variables and files, out of ELF, DWARF,
 * /proc, journals and cores. It is cleaned once, where it enters; from there on it is UTF-8 without
 * control characters, so that no name begins a line of its own, turns the direction of what
 * follows, or makes a document that parsers reject.
 */
#ifndef DLW_COMMAND_BASE_CLEAN_H
#define DLW_COMMAND_BASE_CLEAN_H

#include "report/command/base/arena.h"

#include <stdbool.h>
#include <stddef.h>

/* A copy: bytes that are no UTF-8 become U+FFFD; controls (newline and tab too), line separators,
 * marks of direction and code points that are no characters become '?'. NULL stays NULL. */
char *dlw_clean(struct dlw_region *region, const char *text);
/* The same into `out`, cut to whole characters where `room` (at least 1) ends. `keeps_tabs`: for
 * lines of source. */
void dlw_clean_into(char *out, size_t room, const char *text, bool keeps_tabs);
/* How many bytes of the text, at most `room`, are whole characters. */
size_t dlw_clean_fit(const char *text, size_t room);

#endif
