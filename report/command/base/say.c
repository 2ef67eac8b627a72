/* Lines for the user, and what they were given. */
#include "report/command/base/clean.h"
#include "report/command/base/command.h"
#include "report/command/base/progress.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void (*dlw_inherited_sigpipe)(int) = SIG_DFL;

enum { MOST = 2048 };

static void print_clean(char out[MOST], const char *format, va_list arguments)
{
    char line[MOST];
    vsnprintf(line, sizeof(line), format, arguments);
    dlw_clean_into(out, MOST, line, false);
}

void dlw_message(const char *format, ...)
{
    char clean[MOST];
    va_list arguments;
    va_start(arguments, format);
    print_clean(clean, format, arguments);
    va_end(arguments);
    dlw_progress_wipe();
    fprintf(stderr, "dlwatch: %s\n", clean);
}

int dlw_usage_error(const char *subcommand, const char *format, ...)
{
    char clean[MOST];
    va_list arguments;
    va_start(arguments, format);
    print_clean(clean, format, arguments);
    va_end(arguments);
    fprintf(stderr, "dlwatch: %s\nTry 'dlwatch %s%s--help' for what there is.\n", clean,
            subcommand ? subcommand : "", subcommand ? " " : "");
    return DLW_STATUS_TROUBLE;
}

bool dlw_parse_number(const char *text, long low, long high, long *out)
{
    char *end;
    if (*text == '\0' || strspn(text, "-0123456789") != strlen(text))
        return false;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno || *end != '\0' || number < low || number > high)
        return false;
    *out = number;
    return true;
}
