/* From an instruction to its line: the tables of code objects, as each release writes them. */
#ifndef DLW_EMIT_PYTHON_LINES_H
#define DLW_EMIT_PYTHON_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dlw_python_lines {
    DLW_PYTHON_LNOTAB,    /* pairs of steps (3.9) */
    DLW_PYTHON_LINETABLE, /* pairs of ranges (3.10) */
    DLW_PYTHON_LOCATIONS, /* entries of varying length (from 3.11) */
};

/* A table is read piece by piece, since that of a large module is larger than a small stack. */
struct dlw_python_line_search {
    enum dlw_python_lines format;
    uint32_t offset; /* that is looked for, in bytes from the first instruction */
    uint32_t end;    /* of what was read so far */
    long line;
    bool is_found;
    unsigned char entry[8]; /* the one that is being read; what tells its line is no longer */
    uint8_t n;
};

/* `version` is that of the layout. */
void dlw_python_line_begin(struct dlw_python_line_search *search, unsigned version,
                           unsigned first_line, uint32_t offset);
/* True: enough was read. */
bool dlw_python_line_feed(struct dlw_python_line_search *search, const unsigned char *bytes,
                          size_t size);
/* 0: the table gives the instruction no line, or is damaged. */
unsigned dlw_python_line_end(struct dlw_python_line_search *search);

#endif
