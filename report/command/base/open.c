/* Files that an option names. */
#include "report/command/base/command.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nothing that can be waited for. */
static bool is_harmless(const char *path)
{
    return strcmp(path, "/dev/null") == 0 || strncmp(path, "/dev/fd/", 8) == 0 ||
           strncmp(path, "/proc/self/fd/", 14) == 0 || strcmp(path, "/dev/stdin") == 0;
}

FILE *dlw_open_file(const char *path)
{
    struct stat state;
    const char *trouble = NULL;
    if (stat(path, &state) != 0)
        trouble = strerror(errno);
    else if (S_ISDIR(state.st_mode))
        trouble = strerror(EISDIR);
    else if (!S_ISREG(state.st_mode) && !is_harmless(path))
        trouble = "not a regular file";
    FILE *in = trouble ? NULL : fopen(path, "re");
    if (!in)
        dlw_message("%s: %s", path, trouble ? trouble : strerror(errno));
    return in;
}

int dlw_elf_type(int descriptor)
{
    unsigned char head[EI_NIDENT + 2] = {0};
    if (pread(descriptor, head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
        memcmp(head, ELFMAG, SELFMAG) != 0)
        return -1;
    return head[EI_NIDENT] | head[EI_NIDENT + 1] << 8;
}
