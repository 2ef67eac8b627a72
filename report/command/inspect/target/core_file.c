/* Cores are often kept compressed: the tool that made them unpacks them, into a file without a
 * name. */
#include "report/command/inspect/target/core.h"

#include "report/command/base/helper.h"
#include "report/command/base/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct packing {
    const char *magic;
    size_t n;
    const char *tool;
} packings[] = {
    {"\x28\xb5\x2f\xfd", 4, "zstd"},
    {"\x04\x22\x4d\x18", 4, "lz4"},
    {"\xfd"
     "7zXZ",
     5, "xz"},
    {"\x1f\x8b", 2, "gzip"},
    {"BZh", 3, "bzip2"},
};

static const struct packing *packing_of(int descriptor)
{
    unsigned char head[8] = {0};
    if (pread(descriptor, head, sizeof head, 0) < 4)
        return NULL;
    for (size_t i = 0; i < sizeof packings / sizeof *packings; i++)
        if (!memcmp(head, packings[i].magic, packings[i].n))
            return &packings[i];
    return NULL;
}

static int nameless_file(struct dlw_target *target)
{
    const char *folder = getenv("TMPDIR");
    if (!folder || !*folder)
        folder = "/var/tmp";
    char *path = dlw_region_print(target->region, "%s/dlwatch-core.XXXXXX", folder);
    int descriptor = mkostemp(path, O_CLOEXEC);
    if (descriptor >= 0)
        unlink(path);
    return descriptor;
}

/* 0, or an errno of starting it; *status is how it ended. */
static int run_tool(const char *tool, int in, int out, int *status)
{
    char *argv[] = {(char *)tool, "-dc", NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    int error = posix_spawnp(&child, tool, &actions, NULL, argv, dlw_helper_environment());
    posix_spawn_file_actions_destroy(&actions);
    while (!error && waitpid(child, status, 0) < 0 && errno == EINTR)
        continue;
    return error;
}

static int unpack(struct dlw_target *target, struct dlw_doc *doc, const char *path, int packed,
                  const char *tool)
{
    int status = 0;
    int plain = nameless_file(target);
    if (plain < 0) {
        dlw_target_trouble(target, doc, "cannot make a temporary file for the unpacked core: %s",
                           strerror(errno));
        return -1;
    }
    int error = run_tool(tool, packed, plain, &status);
    if (error || (WIFEXITED(status) && WEXITSTATUS(status) == 127)) {
        dlw_target_trouble(target, doc,
                           "%s is compressed, and the tool '%s' is not there to unpack it", path,
                           tool);
        close(plain);
        return -1;
    }
    if (status)
        dlw_target_trouble(target, doc, "%s: %s could not unpack all of it", path, tool);
    return plain;
}

int dlw_core_unpack(struct dlw_target *target, struct dlw_doc *doc, const char *path)
{
    int descriptor = dlw_open_regular(path);
    if (descriptor < 0) {
        dlw_target_trouble(target, doc, "%s: %s", path,
                           errno == EINVAL ? "it is empty or no file" : strerror(errno));
        return -1;
    }
    const struct packing *packing = packing_of(descriptor);
    if (!packing)
        return descriptor;
    int plain = unpack(target, doc, path, descriptor, packing->tool);
    close(descriptor);
    return plain;
}
