#include "report/command/format/format.h"

#include "report/command/base/command.h"
#include "report/command/base/options.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const struct {
    const char *name;
    dlw_format_write *write;
    bool draws_edges;
} formats[] = {
#define DLW_FORMAT(name, edges, help) {#name, dlw_format_##name, edges},
#include "report/command/format/format.def"
#undef DLW_FORMAT
};

dlw_format_write *dlw_format_find(const char *name)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (strcmp(formats[i].name, name) == 0)
            return formats[i].write;
    return NULL;
}

bool dlw_format_draws_edges(const char *name)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (strcmp(formats[i].name, name) == 0)
            return formats[i].draws_edges;
    return false;
}

const char *dlw_format_names(void)
{
    static const char names[] =
#define DLW_FORMAT(name, edges, help) " " #name
#include "report/command/format/format.def"
#undef DLW_FORMAT
        ;
    return names + 1;
}

int dlw_format_refuse(const char *subcommand, const char *name)
{
    enum { N = sizeof(formats) / sizeof(formats[0]) };
    const char *names[N + 1] = {NULL};
    for (size_t i = 0; i < N; i++)
        names[i] = formats[i].name;
    const char *nearest = dlw_nearest(name, names);
    return 1 + dlw_usage_error(subcommand, "unknown format '%s' (one of: %s)%s%s", name,
                               dlw_format_names(), nearest ? ": did you mean " : "",
                               nearest ? nearest : "");
}

const char *dlw_format_of_path(const char *path)
{
    static const char *const told[] = {"html", "json", "sarif", "svg", "dot"};
    const char *suffix = strrchr(path, '.');
    for (size_t i = 0; suffix && i < sizeof(told) / sizeof(told[0]); i++)
        if (strcmp(suffix + 1, told[i]) == 0)
            return told[i];
    return NULL;
}

bool dlw_format_wants_color(enum dlw_color wish, int descriptor)
{
    if (wish != DLW_COLOR_AUTO)
        return wish == DLW_COLOR_ALWAYS;
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0) && isatty(descriptor);
}

unsigned dlw_format_width(int descriptor)
{
    const char *columns = getenv("COLUMNS");
    int width = columns ? atoi(columns) : 0;
    struct winsize size;
    if (width <= 0 && ioctl(descriptor, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    if (width <= 0)
        return 0;
    return width < 40 ? 40 : width > 1000 ? 1000 : (unsigned)width;
}
