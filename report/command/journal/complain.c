/* What is wrong with a journal: with file and line, and not without end. */
#include "report/command/base/command.h"
#include "report/command/journal/raw.h"

#include <stdarg.h>
#include <stdio.h>

enum { MAX_COMPLAINTS = 10 };

void dlw_reader_complain(struct dlw_reader *reader, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    reader->complaints++;
    if (reader->complaints <= MAX_COMPLAINTS)
        dlw_message("%s:%lu: %s", reader->path, reader->line, text);
    if (reader->complaints == MAX_COMPLAINTS)
        dlw_message("%s: further damage is not listed", reader->path);
}
