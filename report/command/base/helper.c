#include "report/command/base/helper.h"

#include "report/command/base/arena.h"

#include <string.h>
#include <unistd.h>

extern char **environ;

static const char preload[] = "LD_PRELOAD=";

/* The list without our library, which `run` may call .libdlwatch.so. */
static char *without_library(struct dlw_region *region, const char *list)
{
    char *out = dlw_region_alloc(region, sizeof(preload) + strlen(list) + 1);
    strcpy(out, preload);
    size_t n = strlen(out), start = n;
    while (*(list += strspn(list, " :"))) {
        size_t length = strcspn(list, " :"), base = length;
        while (base > 0 && list[base - 1] != '/')
            base--;
        base += base < length && list[base] == '.';
        if (strncmp(list + base, "libdlwatch.so", 13) != 0) {
            if (n > start)
                out[n++] = ':';
            memcpy(out + n, list, length);
            n += length;
        }
        list += length;
    }
    out[n] = '\0';
    return n > start ? out : NULL;
}

char **dlw_helper_environment(void)
{
    static struct dlw_region region;
    static char **result;
    size_t n = 0;
    if (result)
        return result;
    for (char **at = environ; at && *at; at++)
        n++;
    result = dlw_region_alloc(&region, (n + 1) * sizeof(*result));
    n = 0;
    for (char **at = environ; at && *at; at++) {
        char *item = *at;
        if (strncmp(item, preload, strlen(preload)) == 0)
            item = without_library(&region, item + strlen(preload));
        else if (strncmp(item, "DLWATCH_", 8) == 0)
            item = NULL;
        if (item)
            result[n++] = item;
    }
    result[n] = NULL;
    return result;
}
