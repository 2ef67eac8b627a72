/* What write.c and write_finding.c share. */
#ifndef DLW_COMMAND_MERGE_WRITE_H
#define DLW_COMMAND_MERGE_WRITE_H

#include "report/command/merge/history.h"
#include "report/emit/journal/jsonl.h"

struct writer {
    struct dlw_history *history;
    FILE *out;
    struct dlw_jsonl json; /* a line of those that there are many of */
};

/* Puts the line on the file, and drops it. */
void dlw_write_line(struct writer *writer, json_t *line);
/* A line with its type and id. */
json_t *dlw_write_line_of(const char *type, const struct dlw_entity *entity);
const char *dlw_write_mode(bool shared);
/* For qsort. */
int dlw_write_compare_numbers(const void *a, const void *b);
void dlw_write_finding(struct writer *writer, struct dlw_entity *finding);

#endif
