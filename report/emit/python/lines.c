#include "report/emit/python/lines.h"

#include <string.h>

static int signed_byte(unsigned char byte)
{
    return byte < 0x80 ? byte : byte - 0x100;
}

static bool found(struct dlw_python_line_search *search, long line)
{
    search->line = line;
    return search->is_found = true;
}

/* A step of address and one of line: the line begins where the step leads to. */
static bool take_step(struct dlw_python_line_search *search)
{
    search->end += search->entry[0];
    if (search->end > search->offset)
        return found(search, search->line);
    search->line += signed_byte(search->entry[1]);
    return false;
}

/* A range: how long it is, and how its line differs from that of the last that had one. */
static bool take_range(struct dlw_python_line_search *search)
{
    enum { NO_LINE = -128 };
    int step = signed_byte(search->entry[1]);
    search->end += search->entry[0];
    search->line += step == NO_LINE ? 0 : step;
    return search->offset < search->end && found(search, step == NO_LINE ? 0 : search->line);
}

/* Six bits a byte, the lowest first; the seventh says that more follow. */
static bool read_number(const struct dlw_python_line_search *search, uint32_t *out)
{
    *out = 0;
    for (unsigned i = 1, shift = 0; i < search->n && shift < 32; i++, shift += 6) {
        *out |= (uint32_t)(search->entry[i] & 0x3f) << shift;
        if (!(search->entry[i] & 0x40))
            return true;
    }
    return false;
}

/* The line of an entry less that of the one before; of a number, its sign is the lowest bit. */
static bool line_step(const struct dlw_python_line_search *search, long *step)
{
    enum { ONE_LINE = 10, NO_COLUMNS = 13, LONG_FORM = 14 };
    unsigned form = search->entry[0] >> 3 & 15;
    uint32_t number;
    *step = form >= ONE_LINE && form < NO_COLUMNS ? (long)form - ONE_LINE : 0;
    if (form != NO_COLUMNS && form != LONG_FORM)
        return true;
    if (!read_number(search, &number))
        return false;
    *step = number & 1 ? -(long)(number >> 1) : (long)(number >> 1);
    return true;
}

/* Its first byte says form, and length in pairs of bytes. */
static bool take_location(struct dlw_python_line_search *search)
{
    enum { NO_LINE = 15 };
    long step;
    if (!line_step(search, &step))
        return found(search, 0);
    search->line += step;
    search->end += 2 * (uint32_t)((search->entry[0] & 7) + 1);
    return search->offset < search->end &&
           found(search, (search->entry[0] >> 3 & 15) == NO_LINE ? 0 : search->line);
}

/* Of an entry the first byte alone has its highest bit set. */
static bool feed_location(struct dlw_python_line_search *search, unsigned char byte)
{
    bool is_first = byte & 0x80;
    if (is_first && search->n && take_location(search))
        return true;
    search->n = is_first ? 0 : search->n;
    if (!is_first && !search->n)
        return found(search, 0);
    if (search->n < sizeof search->entry)
        search->entry[search->n++] = byte;
    return false;
}

static bool feed_pair(struct dlw_python_line_search *search, unsigned char byte)
{
    search->entry[search->n++] = byte;
    if (search->n < 2)
        return false;
    search->n = 0;
    return search->format == DLW_PYTHON_LNOTAB ? take_step(search) : take_range(search);
}

void dlw_python_line_begin(struct dlw_python_line_search *search, unsigned version,
                           unsigned first_line, uint32_t offset)
{
    *search = (struct dlw_python_line_search){.format = version < 0x030a   ? DLW_PYTHON_LNOTAB
                                                        : version < 0x030b ? DLW_PYTHON_LINETABLE
                                                                           : DLW_PYTHON_LOCATIONS,
                                              .offset = offset,
                                              .line = (long)first_line};
}

bool dlw_python_line_feed(struct dlw_python_line_search *search, const unsigned char *bytes,
                          size_t size)
{
    for (size_t i = 0; i < size && !search->is_found; i++)
        if (search->format == DLW_PYTHON_LOCATIONS)
            feed_location(search, bytes[i]);
        else
            feed_pair(search, bytes[i]);
    return search->is_found;
}

unsigned dlw_python_line_end(struct dlw_python_line_search *search)
{
    if (search->format == DLW_PYTHON_LOCATIONS && !search->is_found && search->n)
        take_location(search);
    /* The last step of the oldest tables has no end. */
    if (!search->is_found && search->format != DLW_PYTHON_LNOTAB)
        return 0;
    return search->line > 0 && search->line < INT32_MAX ? (unsigned)search->line : 0;
}
