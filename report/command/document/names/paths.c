/* Source paths as people and CI want them: normal, and from the top of the repository. */
#include "report/command/document/model.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "/a/./b//../c" is "/a/c". By its letters alone: the source need not be on this machine. */
static const char *normal(struct dlw_region *region, const char *path)
{
    bool is_absolute = *path == '/';
    char *out = dlw_region_alloc(region, strlen(path) + 2);
    size_t n = 0, floor = 0; /* what no ".." takes back */
    while (*path) {
        path += strspn(path, "/");
        size_t length = strcspn(path, "/");
        bool is_up = length == 2 && strncmp(path, "..", 2) == 0;
        if (is_up && n > floor) {
            while (n > floor && out[n - 1] != '/')
                n--;
            n -= n > 0;
        } else if (length && !(length == 1 && *path == '.') && !(is_up && is_absolute)) {
            if (n || is_absolute)
                out[n++] = '/';
            memcpy(out + n, path, length);
            n += length;
            floor = is_up ? n : floor;
        }
        path += length;
    }
    out[n] = '\0';
    return out;
}

static bool has_repository(const char *folder)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/.git", folder);
    return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

const char *dlw_source_folder(void)
{
    static char top[PATH_MAX];
    char folder[PATH_MAX];
    if (*top || !getcwd(top, sizeof(top)))
        return top;
    memcpy(folder, top, sizeof(folder));
    for (char *slash; *folder; *slash = '\0') {
        if (has_repository(folder)) {
            memcpy(top, folder, sizeof(top));
            break;
        }
        slash = strrchr(folder, '/');
    }
    return top;
}

static const char *below(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    return n > 1 && strncmp(path, folder, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

const char *dlw_frame_path(struct dlw_region *region, const struct dlw_frame *frame,
                           const char *folder)
{
    const char *path = frame->file;
    if (!path)
        return NULL;
    if (*path != '/' && frame->folder && *frame->folder == '/')
        path = dlw_region_print(region, "%s/%s", frame->folder, path);
    return below(normal(region, path), folder ? folder : dlw_source_folder());
}
