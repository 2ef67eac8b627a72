/*
 * A line of bounded length, put together from pieces: what does not fit is cut. Only memory, no
 * system call, so that the options table can be linked anywhere.
 */
#ifndef DLW_EMIT_LINE_H
#define DLW_EMIT_LINE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct dlw_line {
    char *text; /* always terminated once something was added */
    size_t used, room;
};

/* `array` is a char array; one byte is kept for the terminator. */
#define DLW_LINE(array)                                                                            \
    {                                                                                              \
        (array), 0, sizeof(array) - 1                                                              \
    }

static inline void dlw_line_add_bytes(struct dlw_line *line, const char *bytes, size_t size)
{
    size_t fits = size < line->room - line->used ? size : line->room - line->used;

    memcpy(line->text + line->used, bytes, fits);
    line->used += fits;
    line->text[line->used] = '\0';
}

static inline void dlw_line_add(struct dlw_line *line, const char *text)
{
    dlw_line_add_bytes(line, text, strlen(text));
}

/* Writes the digits of `number` in `base` so that they end just before `end`; returns their start.
 * 20 bytes are enough for every base from ten up. */
static inline char *dlw_line_digits(char *end, uint64_t number, unsigned base)
{
    do {
        *--end = "0123456789abcdef"[number % base];
        number /= base;
    } while (number);
    return end;
}

static inline void dlw_line_add_number(struct dlw_line *line, uint64_t number)
{
    char digits[20];
    char *start = dlw_line_digits(digits + sizeof digits, number, 10);

    dlw_line_add_bytes(line, start, (size_t)(digits + sizeof digits - start));
}

#endif
