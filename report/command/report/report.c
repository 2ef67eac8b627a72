/* dlwatch report: journals to any format. */
#include "report/command/base/command.h"
#include "report/command/base/options.h"
#include "report/command/base/progress.h"
#include "report/command/base/temporary.h"

#include "report/command/document/classify.h"
#include "report/command/document/suppressions.h"
#include "report/command/format/format.h"
#include "report/command/format/output.h"
#include "report/command/journal/baseline.h"
#include "report/command/journal/names.h"
#include "report/command/journal/reader.h"
#include "report/emit/helper.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    OPT_FORMAT = 256,
    OPT_BASELINE,
    OPT_SUPPRESSIONS,
    OPT_SHOW,
    OPT_COLOR,
    OPT_EXITCODE,
    OPT_FAIL_ON,
    OPT_LIVE,
    OPT_ADVICE,
    OPT_TIMELINE,
    OPT_AFTER
};
enum { LONGEST_TURN_MS = 10000 };

struct request {
    const char *format, *output, *baseline;
    const char *suppressions[64];
    size_t n_suppressions;
    enum dlw_show show;
    bool unused; /* list suppressions that matched nothing */
    enum dlw_color color;
    int exitcode;
    bool warnings_fail;
    bool live;
    bool advice, timeline;
    uint64_t after; /* the helper that prints before us (report/emit/helper.h) */
};

static void print_help(void)
{
    printf(
        "Usage: dlwatch report [options] FILE|DIR...\n"
        "Reads journals (report=PATH, or the folder that 'dlwatch run' named) and says what they "
        "hold.\nA '-' is standard input.\n\n"
        "  --format=F              one of: %s (as OUT's suffix says, else "
        "text)\n"
        "  -o, --output=OUT        write there instead of standard output\n"
        "  --baseline=OLD          leave out what OLD knows already: a file written by "
        "--format=json,\n                          or journals\n"
        "  --suppressions=FILE     findings not to report, lines of fingerprint:HEX or "
        "kind:pattern\n"
        "  --show=feasible|all|strict|unused-suppressions\n"
        "                          all: also cycles a run proves harmless; strict: they are "
        "errors\n"
        "  --color=auto|always|never\n"
        "  --exitcode=N            status when errors were found (66)\n"
        "  --fail_on=error|warning warning: the same for warnings, and where there is no process\n"
        "  --live                  blocks of findings alone, each line with the process's "
        "prefix\n"
        "  --advice                all ways out of each finding, why they work, and whole stacks; "
        "without a file just why\n"
        "  --timeline              what the threads of each finding did last, in the text as well\n"
        "  -h, --help, -V, --version\n\n"
        "Status: 0 nothing found, 66 errors found, 2 wrong usage or unreadable input.\n",
        dlw_format_names());
}

static bool set_show(struct request *request, const char *word)
{
    static const char *const words[] = {"feasible", "all", "strict"};
    if (strcmp(word, "unused-suppressions") == 0) {
        request->unused = true;
        return true;
    }
    for (int i = 0; i < 3; i++)
        if (strcmp(words[i], word) == 0) {
            request->show = (enum dlw_show)i;
            return true;
        }
    return false;
}

static bool set_color(enum dlw_color *color, const char *word)
{
    static const char *const words[] = {"auto", "always", "never"};
    for (int i = 0; i < 3; i++)
        if (strcmp(words[i], word) == 0) {
            *color = (enum dlw_color)i;
            return true;
        }
    return false;
}

static int refuse(const char *option, const char *value, const char *allowed)
{
    return 1 + dlw_usage_error("report", "bad value for --%s: '%s' (one of: %s)", option, value,
                               allowed);
}

/* 0: go on; else the status to end with, plus 1. */
static int take_option(struct request *request, int option, const char *value)
{
    long number;
    switch (option) {
    case OPT_FORMAT:
        request->format = value;
        return dlw_format_find(value) ? 0 : dlw_format_refuse("report", value);
    case 'o':
        request->output = value;
        return 0;
    case OPT_BASELINE:
        request->baseline = value;
        return 0;
    case OPT_SUPPRESSIONS:
        if (request->n_suppressions ==
            sizeof(request->suppressions) / sizeof(*request->suppressions))
            return 1 + dlw_usage_error("report", "too many suppression files");
        request->suppressions[request->n_suppressions++] = value;
        return 0;
    case OPT_SHOW:
        return set_show(request, value)
                   ? 0
                   : refuse("show", value, "feasible all strict unused-suppressions");
    case OPT_COLOR:
        return set_color(&request->color, value) ? 0 : refuse("color", value, "auto always never");
    case OPT_EXITCODE:
        if (!dlw_parse_number(value, 0, 255, &number))
            return refuse("exitcode", value, "0 to 255");
        request->exitcode = (int)number;
        return 0;
    case OPT_FAIL_ON:
        request->warnings_fail = strcmp(value, "warning") == 0;
        if (!request->warnings_fail && strcmp(value, "error") != 0)
            return refuse("fail_on", value, "error warning");
        return 0;
    case OPT_LIVE:
        request->live = true;
        return 0;
    case OPT_ADVICE:
        request->advice = true;
        return 0;
    case OPT_TIMELINE:
        request->timeline = true;
        return 0;
    case OPT_AFTER: /* from the library alone, so not among the help */
        request->after = strtoull(value, NULL, 10);
        return 0;
    default:
        return dlw_option_common(option, print_help);
    }
}

/* `run` names its folder in its last line, which is long gone by when it is wanted. */
static int lacks_journal(void)
{
    const char *base = getenv("TMPDIR");
    struct dlw_region region = {0};
    glob_t found = {0};
    struct stat state, newest = {0};
    const char *folder = NULL;
    glob(dlw_region_print(&region, "%s/dlwatch-??????", base && *base ? base : "/tmp"), 0, NULL,
         &found);
    for (size_t i = 0; i < found.gl_pathc; i++)
        if (stat(found.gl_pathv[i], &state) == 0 && S_ISDIR(state.st_mode) &&
            state.st_uid == geteuid() && (!folder || state.st_mtime >= newest.st_mtime)) {
            folder = found.gl_pathv[i];
            newest = state;
        }
    int status =
        folder ? dlw_usage_error(
                     "report", "no journal is given; the newest that a run kept are in %s", folder)
               : dlw_usage_error("report", "no journal is given");
    globfree(&found);
    dlw_region_free(&region);
    return status;
}

static int parse(struct request *request, int argc, char **argv)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, OPT_FORMAT},
        {"output", required_argument, NULL, 'o'},
        {"baseline", required_argument, NULL, OPT_BASELINE},
        {"suppressions", required_argument, NULL, OPT_SUPPRESSIONS},
        {"show", required_argument, NULL, OPT_SHOW},
        {"color", required_argument, NULL, OPT_COLOR},
        {"exitcode", required_argument, NULL, OPT_EXITCODE},
        {"fail_on", required_argument, NULL, OPT_FAIL_ON},
        {"fail-on", required_argument, NULL, OPT_FAIL_ON}, /* as it was first spelt */
        {"live", no_argument, NULL, OPT_LIVE},
        {"advice", no_argument, NULL, OPT_ADVICE},
        {"timeline", no_argument, NULL, OPT_TIMELINE},
        {"after", required_argument, NULL, OPT_AFTER},
        DLW_HELP_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = dlw_option("report", argc, argv, "o:", options)) != -1) {
        int end = take_option(request, option, optarg);
        if (end)
            return end;
    }
    if (optind == argc && request->advice) {
        printf("%s\n", dlw_remedy_lecture());
        return 1;
    }
    if (optind == argc)
        return 1 + lacks_journal();
    if (!request->format)
        request->format = request->output ? dlw_format_of_path(request->output) : NULL;
    if (!request->format)
        request->format = "text";
    return 0;
}

/* NULL when none is asked for; *sound says whether all could be read. */
static struct dlw_suppressions *read_suppressions(const struct request *request, bool *sound)
{
    if (!request->n_suppressions)
        return NULL;
    struct dlw_suppressions *suppressions = dlw_suppressions_new();
    for (size_t i = 0; i < request->n_suppressions; i++)
        *sound &= dlw_suppressions_read(suppressions, request->suppressions[i]);
    return suppressions;
}

static bool write_report(const struct request *request, struct dlw_doc *doc,
                         struct dlw_suppressions *suppressions)
{
    dlw_helper_wait_for(request->after, LONGEST_TURN_MS);
    if (!request->unused)
        return dlw_output_write(doc, request->format, request->output, request->color,
                                request->live);
    if (suppressions)
        dlw_suppressions_unused(suppressions, stdout);
    return true;
}

struct reading {
    struct dlw_progress progress;
    const struct dlw_doc *doc;
};

/* Between two lines of a journal. */
static void attend(void *context)
{
    struct reading *reading = context;
    const struct dlw_doc *doc = reading->doc;
    unsigned long long edges = 0;
    if (!dlw_progress_is_due(&reading->progress))
        return;
    for (size_t i = 0; i < doc->n_processes; i++)
        edges += doc->processes[i]->edges;
    dlw_progress_show(&reading->progress, "%zu findings, %llu lock orders read so far",
                      doc->n_findings, edges);
}

/* What is written to a terminal must not run into the line. */
static void show_writing(struct reading *reading, const struct request *request)
{
    if (request->output && strcmp(request->output, "-") != 0)
        dlw_progress_show(&reading->progress, "writing %s", request->output);
    else
        dlw_progress_end(&reading->progress);
}

static int report(const struct request *request, char **paths, size_t n)
{
    if (request->output && strcmp(request->output, "-") != 0 &&
        !dlw_temporary_is_possible(request->output))
        return DLW_STATUS_TROUBLE;
    struct dlw_symbols *symbols = dlw_symbols_new(NULL, NULL);
    struct dlw_doc *doc = dlw_doc_new();
    bool sound = true;
    struct dlw_doc_rules rules = {.show = request->show};
    struct dlw_baseline *baseline =
        request->baseline ? dlw_baseline_read(request->baseline, symbols) : NULL;
    sound &= baseline || !request->baseline;
    rules.baseline = baseline;
    rules.suppressions = read_suppressions(request, &sound);
    struct dlw_reading reading = {
        .doc = doc, .symbols = symbols, .edges = dlw_format_draws_edges(request->format)};
    struct reading state = {.doc = doc};
    if (!request->live)
        state.progress = dlw_progress_begin();
    reading.attend = attend;
    reading.attend_context = &state;
    sound &= dlw_read_paths(&reading, paths, n);
    show_writing(&state, request);
    for (size_t i = 0; i < doc->n_processes; i++)
        doc->n_watched += !doc->processes[i]->is_left_alone;
    dlw_names_restore(doc);
    dlw_doc_finish(doc, &rules);
    doc->explains = request->advice;
    doc->has_timeline = request->timeline;
    /* Of nothing that could be read "nothing found" would say too much. */
    if (sound || doc->n_processes || strcmp(request->format, "text") != 0)
        sound &= write_report(request, doc, rules.suppressions);
    dlw_progress_end(&state.progress);
    bool has_failed = doc->summary.errors ||
                      (request->warnings_fail && (doc->summary.warnings || doc->n_watched == 0));
    int status = has_failed ? request->exitcode : DLW_STATUS_OK;
    dlw_suppressions_free(rules.suppressions);
    dlw_baseline_free(baseline);
    dlw_doc_free(doc);
    dlw_symbols_free(symbols);
    return sound ? status : DLW_STATUS_TROUBLE;
}

int dlw_report_main(int argc, char **argv)
{
    struct request request = {.exitcode = DLW_STATUS_FOUND};
    int end = parse(&request, argc, argv);
    if (end)
        return end - 1;
    /* Started by the library of a program that waits: no network, however the user is set up. */
    if (request.live)
        unsetenv("DEBUGINFOD_URLS");
    return report(&request, argv + optind, (size_t)(argc - optind));
}
