/* Lines of the program's source, where it is at hand and the program may read it itself. */
#include "report/command/base/clean.h"
#include "report/command/base/rights.h"
#include "report/command/format/text/parts.h"

#include <string.h>
#include <unistd.h>

/* Not absurdly long to read through. */
static FILE *open_source(const struct dlw_frame *frame, const char *folder, const char *file)
{
    enum { MAX_SIZE = 32 * 1024 * 1024 };
    char path[4096];
    struct stat state;
    int n = folder ? snprintf(path, sizeof(path), "%s/%s", folder, file)
                   : snprintf(path, sizeof(path), "%s", file);
    if (n < 0 || (size_t)n >= sizeof(path))
        return NULL;
    int descriptor = dlw_rights_open(frame->rights, path);
    if (descriptor < 0)
        return NULL;
    if (fstat(descriptor, &state) == 0 && state.st_size <= MAX_SIZE)
        return fdopen(descriptor, "r");
    close(descriptor);
    return NULL;
}

static FILE *find_source(const struct dlw_frame *frame, const char *working_folder)
{
    const char *file = frame->named ? frame->named : frame->file;
    if (file[0] == '/')
        return open_source(frame, NULL, file);
    FILE *in = frame->folder ? open_source(frame, frame->folder, file) : NULL;
    if (!in && working_folder)
        in = open_source(frame, working_folder, file);
    return in ? in : open_source(frame, NULL, file);
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
    char line[512];
    if (!frame->file || !frame->line)
        return false;
    FILE *in = find_source(frame, working_folder);
    if (!in)
        return false;
    bool found = read_to_line(in, frame->line, line, sizeof(line));
    fclose(in);
    if (found)
        dlw_clean_into(buffer, size, line, true);
    return found && buffer[strspn(buffer, " \t")] != '\0';
}
