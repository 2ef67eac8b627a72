/* dlwatch merge: journals and histories into one history. */
#include "report/command/base/command.h"
#include "report/command/base/options.h"
#include "report/command/base/progress.h"
#include "report/command/base/temporary.h"
#include "report/command/merge/history.h"

#include <unistd.h>

struct merge {
    struct dlw_history *history;
    struct dlw_collector *collector;
    struct dlw_progress progress;
    bool sound;
    size_t n_read;
};

static void print_help(void)
{
    puts("Usage: dlwatch merge -o OUT FILE|DIR...\n"
         "Unites the journals of many runs (and what was merged before) in OUT, which 'dlwatch "
         "report'\nreads like a journal, and adds the lock-order cycles that only show when runs "
         "are put together.\n\n"
         "  -o, --output=OUT        the history to write; it may be among the inputs\n"
         "  -h, --help, -V, --version\n\n"
         "Merging the same journals again, in any order or grouping, gives the same history.\n"
         "Status: 0 written, 2 wrong usage or unreadable input (what could be read is written).");
}

/* Between two lines of a journal. */
static void attend(void *context)
{
    struct merge *merge = context;
    if (dlw_progress_is_due(&merge->progress))
        dlw_progress_show(&merge->progress, "%zu journals read, %u lock orders so far",
                          merge->n_read, (unsigned)HASH_CNT(entity.hh, merge->history->edges));
}

/* Each journal's own texts are given back when it has been read. */
static bool merge_one(void *context, const char *path, bool from_folder)
{
    struct merge *merge = context;
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_reading reading = {.doc = doc,
                                  .symbols = merge->history->symbols,
                                  .sink = dlw_collector_sink(merge->collector),
                                  .attend = attend,
                                  .attend_context = merge};
    merge->sound &= dlw_read_path(&reading, path, from_folder);
    dlw_doc_free(doc);
    merge->n_read++;
    attend(merge);
    return true;
}

static bool write_history(struct dlw_history *history, const char *path)
{
    FILE *out = dlw_temporary_open(path);
    if (!out)
        return false;
    dlw_history_write(history, out);
    return dlw_temporary_close(out, true);
}

static void tell(const struct merge *merge, size_t across)
{
    unsigned journals = merge->history->n_journals;
    unsigned orders = (unsigned)HASH_CNT(entity.hh, merge->history->edges);
    dlw_message("%u journal%s, %u lock order%s%s", journals, journals == 1 ? "" : "s", orders,
                orders == 1 ? "" : "s", across ? "" : "; no cycle shows only across runs");
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

/* A history that is there is worth more than an empty one. */
static bool write_what_was_read(struct merge *merge, const char *output)
{
    if (merge->history->n_journals == 0 && !merge->sound) {
        dlw_progress_end(&merge->progress);
        dlw_message("nothing could be read, so %s is not written", output);
        return false;
    }
    dlw_progress_show(&merge->progress, "looking for cycles over %u lock orders",
                      (unsigned)HASH_CNT(entity.hh, merge->history->edges));
    size_t across = dlw_history_cross(merge->history);
    dlw_progress_show(&merge->progress, "writing %s", output);
    bool written = write_history(merge->history, output);
    dlw_progress_end(&merge->progress);
    if (written)
        tell(merge, across);
    return written;
}

static int merge_paths(char **paths, size_t n, const char *output)
{
    struct dlw_symbols *symbols = dlw_symbols_new(NULL, NULL);
    struct merge merge = {
        .history = dlw_history_new(symbols), .progress = dlw_progress_begin(), .sound = true};
    merge.collector = dlw_collector_new(merge.history);
    merge.sound &= dlw_each_path(paths, n, merge_one, &merge);
    bool written = write_what_was_read(&merge, output);
    dlw_collector_free(merge.collector);
    dlw_history_free(merge.history);
    dlw_symbols_free(symbols);
    return merge.sound && written ? DLW_STATUS_OK : DLW_STATUS_TROUBLE;
}

int dlw_merge_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        DLW_HELP_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    const char *output = NULL;
    int option;
    while ((option = dlw_option("merge", argc, argv, "o:", options)) != -1) {
        if (option != 'o')
            return dlw_option_common(option, print_help) - 1;
        output = optarg;
    }
    if (!output || optind == argc)
        return dlw_usage_error("merge", output ? "no journal is given"
                                               : "-o OUT is missing: where the history goes");
    return merge_paths(argv + optind, (size_t)(argc - optind), output);
}
