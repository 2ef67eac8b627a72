#include "report/command/format/output.h"

#include "report/command/base/temporary.h"
#include "report/command/format/format.h"
#include "report/emit/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool write_as(FILE *out, struct dlw_doc *doc, const char *format, enum dlw_color color,
                     int descriptor, bool live)
{
    struct dlw_format_options options = {
        .color = dlw_format_wants_color(color, descriptor),
        .width = dlw_format_width(descriptor),
        .live = live,
    };
    return dlw_format_find(format)(out, doc, &options) == 0;
}

static bool write_to(FILE *out, struct dlw_doc *doc, const char *format, enum dlw_color color,
                     bool live)
{
    return write_as(out, doc, format, color, fileno(out), live);
}

/* Others write to the same place at the same time, so nothing goes out by halves: see
 * dlw_fd_write. Who reads may be slow; when nobody does any more, that ends it. */
static bool write_whole(const char *text, size_t size)
{
    long error;
    do {
        size_t written = 0;
        error = dlw_fd_write(STDOUT_FILENO, text, size, &written);
        text += written;
        size -= written;
    } while (error == -EAGAIN);
    return error == 0;
}

static bool write_live(struct dlw_doc *doc, enum dlw_color color)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return false;
    bool made = write_as(out, doc, "text", color, STDOUT_FILENO, true);
    made &= fclose(out) == 0 && write_whole(text, size);
    free(text);
    return made;
}

static bool write_file(struct dlw_doc *doc, const char *format, const char *path,
                       enum dlw_color color)
{
    FILE *out = dlw_temporary_open(path);
    return out && dlw_temporary_close(out, write_to(out, doc, format, color, false));
}

bool dlw_output_write(struct dlw_doc *doc, const char *format, const char *path,
                      enum dlw_color color, bool live)
{
    if (path && strcmp(path, "-") != 0)
        return write_file(doc, format, path, color);
    if (live && strcmp(format, "text") == 0)
        return write_live(doc, color);
    return write_to(stdout, doc, format, color, live);
}
