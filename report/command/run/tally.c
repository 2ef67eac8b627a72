/*
 * Who was there. A watched process that has nothing to say leaves no journal, and one that the
 * library was not loaded into leaves none either: so each that has loaded it appends its pid to one
 * file of the run.
 */
#include "report/command/run/run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TALLY_OF_ALL = 0622 };

const char *dlw_tally_open(struct dlw_region *region, const char *folder)
{
    const char *base = getenv("TMPDIR");
    char *path = dlw_region_print(region, "%s/dlwatch-run-XXXXXX",
                                  folder          ? folder
                                  : base && *base ? base
                                                  : "/tmp");
    int descriptor = mkstemp(path);
    if (descriptor < 0)
        return NULL;
    if (geteuid() == 0) /* who gives up root and then starts a program signs in as well */
        fchmod(descriptor, TALLY_OF_ALL);
    close(descriptor);
    setenv("DLWATCH_TALLY", path, 1);
    return path;
}

static int compare(const void *a, const void *b)
{
    const unsigned *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void add(struct dlw_region *region, unsigned **pids, size_t *n, unsigned pid)
{
    *pids = dlw_region_grow(region, *pids, *n, sizeof(**pids));
    (*pids)[(*n)++] = pid;
}

size_t dlw_tally_close(const char *path, const struct dlw_doc *doc, size_t *n_lost)
{
    char words[32];
    struct dlw_region region = {0};
    unsigned *pids = NULL, pid;
    size_t n = 0, distinct = 0;
    FILE *in = path ? fopen(path, "re") : NULL;
    *n_lost = 0;
    while (in && fgets(words, sizeof(words), in)) {
        pid = (unsigned)strtoul(words, NULL, 10);
        *n_lost += strstr(words, " lost") != NULL;
        add(&region, &pids, &n, pid);
    }
    if (in)
        fclose(in);
    for (size_t i = 0; i < doc->n_processes; i++)
        if (!doc->processes[i]->is_left_alone)
            add(&region, &pids, &n, doc->processes[i]->pid);
    if (n)
        qsort(pids, n, sizeof(*pids), compare);
    for (size_t i = 0; i < n; i++)
        distinct += i == 0 || pids[i] != pids[i - 1];
    dlw_region_free(&region);
    if (path)
        unlink(path);
    return distinct;
}
