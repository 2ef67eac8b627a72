/* Files and folders given on the command line. */
#include "report/command/journal/reader.h"

#include "report/command/base/command.h"
#include "report/command/base/rights.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool feed_descriptor(struct dlw_reader *reader, const char *name, int descriptor)
{
    static char buffer[256 * 1024];
    for (;;) {
        ssize_t n = read(descriptor, buffer, sizeof(buffer));
        if (n == 0)
            return true;
        if (n > 0) {
            dlw_reader_feed(reader, buffer, (size_t)n);
            if (dlw_reader_has_refused(reader)) /* what comes behind may have no end */
                return true;
        } else if (errno != EINTR) {
            dlw_message("%s: %s", name, strerror(errno));
            return false;
        }
    }
}

/* Beside journals a folder may hold anything; a journal begins with a brace. */
static bool looks_like_a_journal(int descriptor)
{
    char start[64];
    ssize_t n = pread(descriptor, start, sizeof(start), 0);
    return n > 0 && start[0] == '{' && memmem(start, (size_t)n, "\"type\"", 6);
}

static bool has_journal_name(const char *path)
{
    size_t n = strlen(path);
    return n > 5 && strcmp(path + n - 5, ".json") == 0;
}

/* Empty ones, of processes that were killed as they made them, are not even opened. */
static bool is_passed_over(int descriptor, const char *path)
{
    return !has_journal_name(path) && !looks_like_a_journal(descriptor);
}

/* What people give to the wrong subcommand. */
static bool is_of_others(int descriptor, const char *path)
{
    int type = dlw_elf_type(descriptor);
    if (type == ET_CORE)
        dlw_message("%s is a core dump, not a journal: did you mean dlwatch core %s", path, path);
    else if (type >= 0)
        dlw_message("%s is a program or library, not a journal: did you mean dlwatch run -- %s",
                    path, path);
    return type >= 0;
}

bool dlw_read_path(const struct dlw_reading *reading, const char *path, bool from_folder)
{
    bool is_input = strcmp(path, "-") == 0, whole = true;
    /* A pipe or device among a folder's files is left alone; one that was asked for is waited for.
     */
    int descriptor = is_input      ? STDIN_FILENO
                     : from_folder ? dlw_open_regular(path)
                                   : open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 && from_folder && errno == EINVAL)
        return true;
    if (descriptor < 0) {
        dlw_message("%s: %s", path, strerror(errno));
        return false;
    }
    if (!from_folder && !is_input && is_of_others(descriptor, path)) {
        whole = false;
    } else if (!from_folder || !is_passed_over(descriptor, path)) {
        struct dlw_reader *reader = dlw_reader_new(reading, is_input ? "standard input" : path);
        bool fed = feed_descriptor(reader, path, descriptor);
        whole = dlw_reader_close(reader) && fed;
    }
    if (!is_input)
        close(descriptor);
    return whole;
}

struct walk {
    const struct dlw_reading *reading;
    bool whole;
};

static bool read_one(void *context, const char *path, bool from_folder)
{
    struct walk *walk = context;
    walk->whole &= dlw_read_path(walk->reading, path, from_folder);
    return true;
}

bool dlw_read_paths(const struct dlw_reading *reading, char *const *paths, size_t n)
{
    struct walk walk = {reading, true};
    return dlw_each_path(paths, n, read_one, &walk) && walk.whole;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool is_folder(const char *path)
{
    struct stat state;
    return stat(path, &state) == 0 && S_ISDIR(state.st_mode);
}

static bool each_in_folder(const char *folder, dlw_path_visit *visit, void *context, int depth);

static bool visit_entry(const char *folder, const char *name, dlw_path_visit *visit, void *context,
                        int depth)
{
    struct dlw_region region = {0};
    const char *path = dlw_region_print(&region, "%s%s%s", folder,
                                        folder[strlen(folder) - 1] == '/' ? "" : "/", name);
    bool result = is_folder(path) ? depth == 0 || each_in_folder(path, visit, context, depth - 1)
                                  : visit(context, path, true);
    dlw_region_free(&region);
    return result;
}

/* In the order of names, so that the same folder gives the same report. */
static bool each_in_folder(const char *folder, dlw_path_visit *visit, void *context, int depth)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, is_visible, alphasort);
    if (n < 0) {
        dlw_message("%s: %s", folder, strerror(errno));
        return false;
    }
    bool result = true;
    for (int i = 0; i < n; i++) {
        if (result)
            result = visit_entry(folder, entries[i]->d_name, visit, context, depth);
        free(entries[i]);
    }
    free(entries);
    return result;
}

bool dlw_each_path(char *const *paths, size_t n, dlw_path_visit *visit, void *context)
{
    enum { MAX_DEPTH = 16 };
    bool result = true;
    for (size_t i = 0; i < n; i++)
        result &= is_folder(paths[i]) ? each_in_folder(paths[i], visit, context, MAX_DEPTH)
                                      : visit(context, paths[i], false);
    return result;
}
