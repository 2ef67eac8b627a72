/* Follows the journals that a tree of processes writes: by inotify, and by looking at all of them
 * where that is not to be had. A file is opened for each look, so a thousand need no descriptors.
 */
#include "report/command/run/run.h"

#include "report/command/base/command.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

struct journal {
    char *path;
    struct dlw_reader *reader; /* NULL: not ours, or at its end */
    off_t offset;
    UT_hash_handle hh;
};

struct dlw_journals {
    struct dlw_region region;
    const struct dlw_reading *reading;
    const char *folder;      /* that the journals lie in */
    const char *patterns[2]; /* globs: without and with a number before the suffix */
    struct journal *table;
    int descriptor;
    size_t n_read;
    size_t n_empty;  /* files in which there was no room for a line, at the end */
    size_t n_killed; /* files without a line, of processes that were killed as they began */
};

enum { FIRST_LINE = 4 * 1024 * 1024 }; /* a command line may be long */

/* A glob that any file of the option's pattern fits: %p and %e become *, the rest is literal. */
static char *glob_of(struct dlw_region *region, const char *pattern, const char *number)
{
    char *glob = dlw_region_alloc(region, 2 * strlen(pattern) + strlen(number) + 2), *at = glob;
    const char *base = strrchr(pattern, '/'), *suffix = strrchr(base, '.');
    if (!suffix)
        suffix = pattern + strlen(pattern);
    for (; *pattern; pattern++) {
        if (pattern == suffix)
            at = stpcpy(at, number);
        if (*pattern == '%' && (pattern[1] == 'p' || pattern[1] == 'e')) {
            *at++ = '*';
            pattern++;
            continue;
        }
        if (*pattern == '%' && pattern[1] == '%')
            pattern++;
        if (strchr("*?[\\", *pattern))
            *at++ = '\\';
        *at++ = *pattern;
    }
    if (pattern == suffix)
        stpcpy(at, number);
    return glob;
}

static char *folder_of(struct dlw_region *region, const char *pattern)
{
    const char *slash = strrchr(pattern, '/');
    return slash == pattern ? dlw_region_copy(region, "/")
                            : dlw_region_cut(region, pattern, (size_t)(slash - pattern));
}

static struct journal *find_or_add(struct dlw_journals *journals, const char *path)
{
    struct journal *journal;
    HASH_FIND_STR(journals->table, path, journal);
    if (journal)
        return journal;
    journal = dlw_region_alloc(&journals->region, sizeof(*journal));
    journal->path = dlw_region_copy(&journals->region, path);
    journal->offset = -1;
    HASH_ADD_KEYPTR(hh, journals->table, journal->path, strlen(journal->path), journal);
    return journal;
}

static void each_match(struct dlw_journals *journals,
                       void (*visit)(struct dlw_journals *, const char *path))
{
    for (size_t i = 0; i < 2; i++) {
        glob_t found;
        if (glob(journals->patterns[i], GLOB_NOSORT, NULL, &found) == 0) {
            for (size_t j = 0; j < found.gl_pathc; j++)
                visit(journals, found.gl_pathv[j]);
            globfree(&found);
        }
    }
}

static void exclude(struct dlw_journals *journals, const char *path)
{
    find_or_add(journals, path);
}

struct dlw_journals *dlw_journals_new(const struct dlw_reading *reading, const char *pattern)
{
    struct dlw_region region = {0};
    struct dlw_journals *journals = dlw_region_alloc(&region, sizeof(*journals));
    journals->region = region;
    journals->reading = reading;
    journals->folder = folder_of(&journals->region, pattern);
    journals->patterns[0] = glob_of(&journals->region, pattern, "");
    journals->patterns[1] = glob_of(&journals->region, pattern, "-*");
    journals->descriptor = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (journals->descriptor >= 0 &&
        (strchr(journals->folder, '%') ||
         inotify_add_watch(journals->descriptor, journals->folder, IN_CREATE | IN_MODIFY) < 0)) {
        close(journals->descriptor);
        journals->descriptor = -1;
    }
    each_match(journals, exclude);
    return journals;
}

int dlw_journals_descriptor(const struct dlw_journals *journals)
{
    return journals->descriptor;
}

size_t dlw_journals_count(const struct dlw_journals *journals)
{
    return journals->n_read;
}

/* Others may put files into the folder of root's run: what is no file there, but leads to one or
 * is something to wait for, is none of ours. */
static int open_journal(const char *path)
{
    struct stat state;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (descriptor >= 0 && (fstat(descriptor, &state) != 0 || !S_ISREG(state.st_mode))) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

static void read_more(struct journal *journal)
{
    static char buffer[256 * 1024];
    int descriptor = open_journal(journal->path);
    ssize_t n;
    if (descriptor < 0)
        return;
    while ((n = pread(descriptor, buffer, sizeof(buffer), journal->offset)) > 0) {
        dlw_reader_feed(journal->reader, buffer, (size_t)n);
        journal->offset += n;
    }
    close(descriptor);
}

/* Only what was made after we began is ours; `offset` below 0 with no reader marks the others. */
static void update_one(struct dlw_journals *journals, const char *path)
{
    struct journal *journal;
    struct stat state;
    HASH_FIND_STR(journals->table, path, journal);
    if (!journal) {
        if (lstat(path, &state) != 0 || !S_ISREG(state.st_mode))
            return;
        journal = find_or_add(journals, path);
        journal->offset = 0;
        journal->reader = dlw_reader_new(journals->reading, path);
        journals->n_read++;
    }
    if (journal->reader)
        read_more(journal);
}

static void update_announced(struct dlw_journals *journals, const char *name)
{
    size_t n = strlen(journals->folder);
    char *path = malloc(n + strlen(name) + 2);
    if (!path)
        return;
    sprintf(path, "%s/%s", strcmp(journals->folder, "/") == 0 ? "" : journals->folder, name);
    /* A user's own pattern may lie in a folder of other files. */
    if (fnmatch(journals->patterns[0], path, FNM_PATHNAME) == 0 ||
        fnmatch(journals->patterns[1], path, FNM_PATHNAME) == 0)
        update_one(journals, path);
    free(path);
}

/* Returns false when some announcements were lost. */
static bool drain(struct dlw_journals *journals, bool read_them)
{
    char buffer[16 * 1024] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n;
    bool complete = true;
    while ((n = read(journals->descriptor, buffer, sizeof(buffer))) > 0)
        for (char *at = buffer; at < buffer + n;) {
            const struct inotify_event *event = (const struct inotify_event *)at;
            complete &= !(event->mask & IN_Q_OVERFLOW);
            if (read_them && event->len)
                update_announced(journals, event->name);
            at += sizeof(*event) + event->len;
        }
    return complete;
}

void dlw_journals_update(struct dlw_journals *journals, bool all)
{
    bool complete = journals->descriptor >= 0 && drain(journals, !all);
    if (all || !complete)
        each_match(journals, update_one);
}

/* The first line may have been written over since it was read. */
static void look_again(struct dlw_journals *journals, struct journal *journal)
{
    char *line = malloc(FIRST_LINE);
    int descriptor = line ? open_journal(journal->path) : -1;
    ssize_t n = descriptor < 0 ? -1 : pread(descriptor, line, FIRST_LINE, 0);
    const char *end = n > 0 ? memchr(line, '\n', (size_t)n) : NULL;
    if (end)
        dlw_reader_look_again(journal->reader, line, (size_t)(end - line));
    struct stat status;
    if (n == 0 && fstat(descriptor, &status) == 0) {
        journals->n_empty += !(status.st_mode & S_IWUSR);
        journals->n_killed += (status.st_mode & S_IWUSR) != 0;
    }
    if (descriptor >= 0)
        close(descriptor);
    free(line);
}

size_t dlw_journals_close(struct dlw_journals *journals)
{
    struct journal *journal, *next;
    dlw_journals_update(journals, true);
    HASH_ITER(hh, journals->table, journal, next)
    {
        HASH_DELETE(hh, journals->table, journal);
        if (!journal->reader)
            continue;
        look_again(journals, journal);
        dlw_reader_close(journal->reader);
    }
    if (journals->descriptor >= 0)
        close(journals->descriptor);
    size_t n_empty = journals->n_empty;
    if (n_empty)
        dlw_doc_note(journals->reading->doc, "%zu journal%s empty: there was no room for a line",
                     n_empty, n_empty == 1 ? " is" : "s are");
    if (journals->n_killed)
        dlw_doc_note(journals->reading->doc,
                     "%zu process%s killed as %s began, before anything was written",
                     journals->n_killed, journals->n_killed == 1 ? " was" : "es were",
                     journals->n_killed == 1 ? "it" : "they");
    struct dlw_region region = journals->region;
    dlw_region_free(&region);
    return n_empty;
}
