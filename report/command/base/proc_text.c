#include "report/command/base/proc_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

ssize_t dlw_proc_text(char *out, size_t room, const char *path_format, ...)
{
    char path[300];
    va_list arguments;
    va_start(arguments, path_format);
    vsnprintf(path, sizeof(path), path_format, arguments);
    va_end(arguments);
    out[0] = '\0';
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return -1;
    ssize_t n = read(descriptor, out, room - 1);
    int error = errno;
    close(descriptor);
    errno = error;
    out[n > 0 ? n : 0] = '\0';
    return n;
}
