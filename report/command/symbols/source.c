/* Lines of the program's source, where it is at hand and the program may read it itself. */
#include "report/command/symbols/source.h"
#include "report/command/base/clean.h"
#include "report/command/base/rights.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not absurdly long to read through. */
static int open_source(const struct dlw_frame *frame, const char *folder, const char *file)
{
    enum { MAX_SIZE = 32 * 1024 * 1024 };
    char path[4096];
    struct stat state;
    int n = folder ? snprintf(path, sizeof(path), "%s/%s", folder, file)
                   : snprintf(path, sizeof(path), "%s", file);
    if (n < 0 || (size_t)n >= sizeof(path))
        return -1;
    int descriptor = dlw_rights_open(frame->rights, path);
    if (descriptor < 0 || (fstat(descriptor, &state) == 0 && state.st_size <= MAX_SIZE))
        return descriptor;
    close(descriptor);
    return -1;
}

static int find_source(const struct dlw_frame *frame, const char *working_folder)
{
    const char *file = frame->named ? frame->named : frame->file;
    if (file[0] == '/')
        return open_source(frame, NULL, file);
    int in = frame->folder ? open_source(frame, frame->folder, file) : -1;
    if (in < 0 && working_folder)
        in = open_source(frame, working_folder, file);
    return in >= 0 ? in : open_source(frame, NULL, file);
}

/* Where the lines of a file begin. A report of thousands of places reads from few files, each of
 * them opened anew by the rights of who asks. */
struct lines {
    dev_t device;
    ino_t file;
    off_t size;
    struct timespec changed;
    uint32_t *starts; /* malloc'ed */
    size_t n, room;
};

static bool is_of(const struct lines *lines, const struct stat *state)
{
    return lines->starts && lines->device == state->st_dev && lines->file == state->st_ino &&
           lines->size == state->st_size && lines->changed.tv_sec == state->st_mtim.tv_sec &&
           lines->changed.tv_nsec == state->st_mtim.tv_nsec;
}

static bool add_line(struct lines *lines, uint32_t start)
{
    if (lines->n == lines->room) {
        size_t room = lines->room ? lines->room * 2 : 1024;
        uint32_t *larger = realloc(lines->starts, room * sizeof(*larger));
        if (!larger)
            return false;
        lines->starts = larger;
        lines->room = room;
    }
    lines->starts[lines->n++] = start;
    return true;
}

static bool find_lines(int in, struct lines *lines)
{
    char bytes[64 * 1024];
    uint32_t at = 0;
    ssize_t n;
    lines->n = 0;
    if (!add_line(lines, 0))
        return false;
    while ((n = pread(in, bytes, sizeof(bytes), at)) > 0) {
        for (const char *end, *from = bytes; (end = memchr(from, '\n', (size_t)(bytes + n - from)));
             from = end + 1)
            if (!add_line(lines, at + (uint32_t)(end + 1 - bytes)))
                return false;
        at += (uint32_t)n;
    }
    return true;
}

/* NULL when it can't be read. */
static const struct lines *lines_of(int in)
{
    enum { FILES = 8 };
    static struct lines known[FILES];
    static unsigned next;
    struct stat state;
    if (fstat(in, &state) != 0)
        return NULL;
    for (size_t i = 0; i < FILES; i++)
        if (is_of(&known[i], &state))
            return &known[i];
    struct lines *lines = &known[next++ % FILES];
    lines->size = -1;
    if (!find_lines(in, lines))
        return NULL;
    lines->device = state.st_dev;
    lines->file = state.st_ino;
    lines->size = state.st_size;
    lines->changed = state.st_mtim;
    return lines;
}

static bool read_line(int in, unsigned wanted, char *buffer, size_t size)
{
    const struct lines *lines = lines_of(in);
    if (!lines || wanted > lines->n)
        return false;
    ssize_t n = pread(in, buffer, size - 1, lines->starts[wanted - 1]);
    if (n <= 0)
        return false;
    buffer[n] = '\0';
    buffer[strcspn(buffer, "\r\n")] = '\0';
    return true;
}

bool dlw_source_line(const struct dlw_frame *frame, const char *working_folder, char *buffer,
                     size_t size)
{
    char line[512];
    if (!frame->file || !frame->line)
        return false;
    int in = find_source(frame, working_folder);
    if (in < 0)
        return false;
    bool found = read_line(in, frame->line, line, sizeof(line));
    close(in);
    if (found)
        dlw_clean_into(buffer, size, line, true);
    return found && buffer[strspn(buffer, " \t")] != '\0';
}
