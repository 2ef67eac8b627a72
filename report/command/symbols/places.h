/*
 * The way back: from what a programmer calls a place to addresses of a file.
 */
#ifndef DLW_COMMAND_SYMBOLS_PLACES_H
#define DLW_COMMAND_SYMBOLS_PLACES_H

#include "report/command/symbols/symbols.h"

/* Hex of the build id of the file at `path`, in the region; NULL: it has none, or is no program.
 * *is_program tells these apart. */
const char *dlw_places_build_id(struct dlw_region *region, const char *path, bool *is_program);

/*
 * Calls `found` for each range of addresses (offsets in the file's own numbering) that a call at
 * the place may return to. The place is `n` frames, innermost first, whether they were inlined or
 * called; `covered` says how many of them stand in that one function of the file now. Matched by
 * function and line, and where the file has no lines by the function alone. Returns how many there
 * were.
 */
typedef void dlw_place_found(void *context, uint64_t from, uint64_t to, size_t covered);
size_t dlw_places_find(struct dlw_symbols *symbols, const char *path,
                       const struct dlw_frame *frames, size_t n, dlw_place_found *found,
                       void *context);

#endif
