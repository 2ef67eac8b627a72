/*
 * Lines of Python as stacks name them: interned, numbered from 1, never forgotten; their number is
 * bounded by the program's code paths. Reading by number takes no lock. Making one takes RANK_LINES
 * for some ns; called with no internal lock held and the caller's guard up.
 */
#ifndef DLW_STACKS_LINES_H
#define DLW_STACKS_LINES_H

#include "report/emit/journal/journal.h"
#include "report/emit/python/frames.h"

/* 0: it can't be read, or there is no memory. */
uint32_t dlw_line_of(const struct dlw_python_frame *frame);
/* The same of some of these `n` at once, from the first on; returns of how many, at least 1. */
unsigned dlw_lines_of(const struct dlw_python_frame *frames, unsigned n, uint32_t *out);
/* NULL: there is none with this number. */
const struct dlw_journal_line *dlw_line_get(uint32_t number);

bool dlw_lines_before_fork(void);
void dlw_lines_after_fork(bool child);

#endif
