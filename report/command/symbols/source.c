/* Lines of the program's source, where it is at hand. */
#include "report/command/format/text/parts.h"

#include <string.h>
#include <sys/stat.h>

/* Only a file that is no device, and not absurdly long to read through. */
static FILE *open_source(const char *folder, const char *file)
{
    enum { MAX_SIZE = 32 * 1024 * 1024 };
    char path[4096];
    struct stat state;
    int n = folder ? snprintf(path, sizeof(path), "%s/%s", folder, file)
                   : snprintf(path, sizeof(path), "%s", file);
    if (n < 0 || (size_t)n >= sizeof(path) || stat(path, &state) != 0 || !S_ISREG(state.st_mode) ||
        state.st_size > MAX_SIZE)
        return NULL;
    return fopen(path, "re");
}

static FILE *find_source(const struct dlw_frame *frame, const char *working_folder)
{
    if (frame->file[0] == '/')
        return open_source(NULL, frame->file);
    FILE *in = frame->folder ? open_source(frame->folder, frame->file) : NULL;
    if (!in && working_folder)
        in = open_source(working_folder, frame->file);
    return in ? in : open_source(NULL, frame->file);
}

static bool read_to_line(FILE *in, unsigned wanted, char *buffer, size_t size)
{
    unsigned line = 1;
    int byte;
    while (line < wanted && (byte = getc_unlocked(in)) != EOF)
        line += byte == '\n';
    if (line != wanted || !fgets(buffer, (int)size, in))
        return false;
    buffer[strcspn(buffer, "\r\n")] = '\0';
    return true;
}

bool dlw_source_line(const struct dlw_frame *frame, const char *working_folder, char *buffer,
                     size_t size)
{
    if (!frame->file || !frame->line)
        return false;
    FILE *in = find_source(frame, working_folder);
    if (!in)
        return false;
    bool found = read_to_line(in, frame->line, buffer, size);
    fclose(in);
    return found && buffer[strspn(buffer, " \t")] != '\0';
}
