#include "report/command/inspect/across/visible.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
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

uint64_t dlw_proc_numbering(uint32_t pid)
{
    char path[64], link[64] = "";
    uint64_t number = 0;
    snprintf(path, sizeof path, "/proc/%u/ns/pid", pid);
    if (readlink(path, link, sizeof link - 1) <= 0 || sscanf(link, "pid:[%" SCNu64, &number) != 1)
        return 0;
    return number;
}

bool dlw_proc_is_hidden(void)
{
    char text[32] = "";
    if (access("/proc/1/stat", R_OK) || readlink("/proc/self", text, sizeof text - 1) <= 0)
        return true;
    return strtol(text, NULL, 10) != (long)getpid();
}
