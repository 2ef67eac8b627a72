/* dlwatch merge: journals and histories into one history. */
#include "report/command/base/command.h"
#include "report/command/merge/history.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct merge {
    struct dlw_history *history;
    struct dlw_collector *collector;
    bool sound, shows_progress;
    size_t n_read;
};

static void print_help(void)
{
    puts("Usage: dlwatch merge -o OUT FILE|DIR...\n"
         "Unites the journals of many runs (and what was merged before) in OUT, which 'dlwatch "
         "report'\nreads like a journal, and adds the lock-order cycles that only show when runs "
         "are put together.\n\n"
         "  -o, --output=OUT        the history to write; it may be among the inputs\n"
         "  --help, --version\n\n"
         "Merging the same journals again, in any order or grouping, gives the same history.\n"
         "Status: 0 written, 2 wrong usage or unreadable input (what could be read is written).");
}

/* Each journal's own texts are given back when it has been read. */
static bool merge_one(void *context, const char *path, bool from_folder)
{
    struct merge *merge = context;
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_reading reading = {.doc = doc,
                                  .symbols = merge->history->symbols,
                                  .sink = dlw_collector_sink(merge->collector)};
    merge->sound &= dlw_read_path(&reading, path, from_folder);
    dlw_doc_free(doc);
    merge->n_read++;
    if (merge->shows_progress && merge->n_read % 16 == 0)
        fprintf(stderr, "\rdlwatch: %zu journals read ", merge->n_read);
    return true;
}

static bool write_history(struct dlw_history *history, const char *path)
{
    char *temporary = dlw_region_print(&history->region, "%s.XXXXXX", path);
    int descriptor = mkstemp(temporary);
    FILE *out = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (!out) {
        dlw_message("%s: %s", path, strerror(errno));
        return false;
    }
    mode_t mask = umask(0);
    umask(mask);
    fchmod(descriptor, 0666 & ~mask);
    dlw_history_write(history, out);
    bool written = fflush(out) == 0 && !ferror(out);
    if (fclose(out) != 0 || !written || rename(temporary, path) != 0) {
        dlw_message("%s: %s", path, strerror(errno));
        unlink(temporary);
        return false;
    }
    return true;
}

static void tell(const struct merge *merge, size_t across)
{
    if (merge->shows_progress)
        fputs("\r\033[K", stderr);
    dlw_message("%u journals, %u lock orders%s", merge->history->n_journals,
                (unsigned)HASH_CNT(entity.hh, merge->history->edges),
                across ? "" : "; no cycle shows only across runs");
    if (across)
        dlw_message("%zu cycle%s only across runs (dlwatch report tells more)", across,
                    across == 1 ? " shows" : "s show");
    if (merge->history->nameless)
        dlw_message("%llu lock orders are left out: nothing about their locks lasts from run to "
                    "run",
                    (unsigned long long)merge->history->nameless);
    if (merge->history->nameless_variables)
        dlw_message("%llu locks are variables without a name and the same in this very build only; "
                    "merge where the programs are (%s)",
                    (unsigned long long)merge->history->nameless_variables,
                    merge->history->unreadable);
}

static int merge_paths(char **paths, size_t n, const char *output)
{
    struct dlw_symbols *symbols = dlw_symbols_new(NULL, NULL);
    struct merge merge = {.history = dlw_history_new(symbols),
                          .sound = true,
                          .shows_progress = isatty(STDERR_FILENO)};
    merge.collector = dlw_collector_new(merge.history);
    merge.sound &= dlw_each_path(paths, n, merge_one, &merge);
    size_t across = dlw_history_cross(merge.history);
    bool written = write_history(merge.history, output);
    tell(&merge, across);
    dlw_collector_free(merge.collector);
    dlw_history_free(merge.history);
    dlw_symbols_free(symbols);
    return merge.sound && written ? DLW_STATUS_OK : DLW_STATUS_TROUBLE;
}

int dlw_merge_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    const char *output = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "o:", options, NULL)) != -1)
        switch (option) {
        case 'o':
            output = optarg;
            break;
        case 'h':
            print_help();
            return DLW_STATUS_OK;
        case 'v':
            puts("dlwatch " DLW_VERSION);
            return DLW_STATUS_OK;
        default:
            fputs("Try 'dlwatch merge --help' for what there is.\n", stderr);
            return DLW_STATUS_TROUBLE;
        }
    if (!output || optind == argc)
        return dlw_usage_error("merge", output ? "no journal is given"
                                               : "-o OUT is missing: where the history goes");
    return merge_paths(argv + optind, (size_t)(argc - optind), output);
}
