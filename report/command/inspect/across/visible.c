#include "report/command/inspect/across/visible.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void dlw_proc_each(void (*visit)(void *context, uint32_t pid), void *context)
{
    DIR *folder = opendir("/proc");
    for (const struct dirent *entry; folder && (entry = readdir(folder)) != NULL;)
        if (isdigit((unsigned char)*entry->d_name))
            visit(context, (uint32_t)strtoul(entry->d_name, NULL, 10));
    if (folder)
        closedir(folder);
}

bool dlw_proc_is_numbered_apart(uint32_t pid)
{
    char path[64], ours[64], theirs[64];
    snprintf(path, sizeof path, "/proc/%u/ns/pid", pid);
    ssize_t a = readlink("/proc/self/ns/pid", ours, sizeof ours);
    ssize_t b = readlink(path, theirs, sizeof theirs);
    return a <= 0 || a != b || memcmp(ours, theirs, (size_t)a) != 0;
}

bool dlw_proc_is_hidden(void)
{
    char text[32] = "";
    if (access("/proc/1/stat", R_OK) || readlink("/proc/self", text, sizeof text - 1) <= 0)
        return true;
    return strtol(text, NULL, 10) != (long)getpid();
}
