/*
 * Address ranges that can be asked for what covers an address: a sorted array and a binary search.
 * All are added first; the first question sorts them. Ranges may overlap.
 */
#ifndef DLW_COMMAND_SYMBOLS_SPANS_H
#define DLW_COMMAND_SYMBOLS_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dlw_span {
    uint64_t low, high; /* high is one past the end */
    uint64_t reach;     /* the highest end of this and all before it */
    uint32_t rank;      /* of ranges that begin at one address the highest is found */
    uint32_t value;     /* the caller's */
};

struct dlw_spans {
    struct dlw_span *list; /* malloc'ed */
    size_t n, room;
    bool is_sorted;
};

/* Empty ranges are left out. */
void dlw_spans_add(struct dlw_spans *spans, struct dlw_span span);
/* The range that begins last of those that cover the address; NULL: none does. */
const struct dlw_span *dlw_spans_find(struct dlw_spans *spans, uint64_t address);
void dlw_spans_free(struct dlw_spans *spans);

#endif
