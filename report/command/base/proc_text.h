/* Files of /proc, which have no length before they are read. */
#ifndef DLW_COMMAND_BASE_PROC_TEXT_H
#define DLW_COMMAND_BASE_PROC_TEXT_H

#include <sys/types.h>

/* The file of this path, whole if it fits, with a NUL behind it. Returns its length; negative, with
 * errno, when it can't be read: then `out` is empty. */
ssize_t dlw_proc_text(char *out, size_t room, const char *path_format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
