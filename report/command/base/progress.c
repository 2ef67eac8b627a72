#include "report/command/base/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static bool is_on_screen;

void dlw_progress_wipe(void)
{
    if (is_on_screen)
        fputs("\r\033[K", stderr);
    is_on_screen = false;
}

struct dlw_progress dlw_progress_begin(void)
{
    time_t now = time(NULL);
    return (struct dlw_progress){.is_wanted = isatty(STDERR_FILENO), .begun = now, .last = now};
}

bool dlw_progress_is_due(struct dlw_progress *progress)
{
    if (!progress->is_wanted)
        return false;
    time_t now = time(NULL);
    if (now <= progress->last)
        return false;
    progress->last = now;
    return true;
}

void dlw_progress_show(struct dlw_progress *progress, const char *format, ...)
{
    va_list arguments;
    if (!progress->is_wanted || time(NULL) <= progress->begun + 1)
        return;
    is_on_screen = true;
    fputs("\r\033[Kdlwatch: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs("\r", stderr);
}

void dlw_progress_end(struct dlw_progress *progress)
{
    dlw_progress_wipe();
    progress->is_wanted = false;
}
