#include "report/command/symbols/spans.h"

#include "report/command/base/command.h"

#include <stdlib.h>

void dlw_spans_add(struct dlw_spans *spans, struct dlw_span span)
{
    if (span.low >= span.high)
        return;
    if (spans->n == spans->room) {
        size_t room = spans->room ? spans->room * 2 : 64;
        struct dlw_span *larger = realloc(spans->list, room * sizeof(*larger));
        if (!larger) {
            dlw_message("out of memory");
            exit(DLW_STATUS_TROUBLE);
        }
        spans->list = larger;
        spans->room = room;
    }
    spans->list[spans->n++] = span;
    spans->is_sorted = false;
}

static int compare(const void *a, const void *b)
{
    const struct dlw_span *x = a, *y = b;
    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->value > y->value ? -1 : x->value < y->value; /* of equal ones the first is found */
}

static void sort(struct dlw_spans *spans)
{
    uint64_t reach = 0;
    if (spans->n)
        qsort(spans->list, spans->n, sizeof(*spans->list), compare);
    for (size_t i = 0; i < spans->n; i++) {
        reach = spans->list[i].high > reach ? spans->list[i].high : reach;
        spans->list[i].reach = reach;
    }
    spans->is_sorted = true;
}

const struct dlw_span *dlw_spans_find(struct dlw_spans *spans, uint64_t address)
{
    size_t first = 0, end = spans->n;
    if (!spans->is_sorted)
        sort(spans);
    while (first < end) { /* how many begin at or before the address */
        size_t middle = first + (end - first) / 2;
        if (spans->list[middle].low <= address)
            first = middle + 1;
        else
            end = middle;
    }
    while (first-- > 0 && spans->list[first].reach > address)
        if (spans->list[first].high > address)
            return &spans->list[first];
    return NULL;
}

void dlw_spans_free(struct dlw_spans *spans)
{
    free(spans->list);
    *spans = (struct dlw_spans){0};
}
