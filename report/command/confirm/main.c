/* dlwatch confirm: the command line. */
#include "report/command/confirm/confirm.h"

#include "report/command/base/command.h"
#include "report/command/base/options.h"
#include "report/command/document/suppressions.h"
#include "report/command/format/format.h"
#include "report/command/format/output.h"
#include "report/command/journal/names.h"
#include "report/command/journal/reader.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OPT_TRIES = 256,
    OPT_PAUSE,
    OPT_FINDING,
    OPT_TIMEOUT,
    OPT_UNCONFIRMED,
    OPT_REPLAY,
    OPT_FORMAT,
    OPT_SUPPRESSIONS
};

struct request {
    struct dlw_confirm confirm;
    const char *fingerprints[256];
    size_t n_fingerprints;
    const char *replay, *format, *output, *suppressions;
};

static struct request request = {.confirm = {.tries = DLW_CONFIRM_TRIES}, .format = "text"};

static void print_help(void)
{
    printf(
        "Usage: dlwatch confirm [options] FILE|DIR... -- COMMAND [ARG...]\n"
        "       dlwatch confirm --replay=FILE -- COMMAND [ARG...]\n"
        "Runs COMMAND again for each lock-order inversion that the journals hold, and steers its "
        "threads\ninto the deadlock: who is between the two locks of a step is kept there until "
        "the others are\nbetween theirs. What was reached is certain, with the deadlock's own "
        "stacks; of the others it\nis said how far it came. What COMMAND prints is not shown.\n\n"
        "  --tries=N               how often each finding is tried (%d)\n"
        "  --pause=MS              how long a thread is kept waiting at most (chosen from what "
        "was seen)\n"
        "  --finding=FINGERPRINT   only this one; repeatable\n"
        "  --timeout=S             end a try after S seconds (60, and four pauses)\n"
        "  --unconfirmed=warning   what was not reached is a warning (error: as it was)\n"
        "  --replay=FILE           play one try again, from the file that its report named\n"
        "  --suppressions=FILE     findings not to try\n"
        "  --format=F              one of: %s (text)\n"
        "  -o, --output=OUT        write there instead of standard output\n"
        "  -h, --help, -V, --version\n\n"
        "Status: 66 when one was confirmed, 0 when none was, 2 for wrong usage, unreadable "
        "input, or a\ncommand that can't be started.\n",
        DLW_CONFIRM_TRIES, dlw_format_names());
}

static bool take_number(const char *value, long most, long *out)
{
    return dlw_parse_number(value, 1, most, out);
}

static int bad_value(const char *option, const char *value)
{
    return 1 + dlw_usage_error("confirm", "bad value for --%s: '%s'", option, value);
}

static int take_fingerprint(const char *value)
{
    if (request.n_fingerprints == sizeof(request.fingerprints) / sizeof(request.fingerprints[0]))
        return 1 + dlw_usage_error("confirm", "too many findings");
    request.fingerprints[request.n_fingerprints++] = value;
    return 0;
}

static int take_timeout(const char *value)
{
    char *end;
    request.confirm.timeout = strtod(value, &end);
    return *value && !*end && request.confirm.timeout > 0 && request.confirm.timeout < 1e6
               ? 0
               : bad_value("timeout", value);
}

/* 0: go on; else the status to end with, plus 1. */
static int take_option(int option, const char *value)
{
    switch (option) {
    case OPT_TRIES:
        return take_number(value, 100000, &request.confirm.tries) ? 0 : bad_value("tries", value);
    case OPT_PAUSE:
        return take_number(value, 3600000, &request.confirm.pause) ? 0 : bad_value("pause", value);
    case OPT_FINDING:
        return take_fingerprint(value);
    case OPT_TIMEOUT:
        return take_timeout(value);
    case OPT_UNCONFIRMED:
        request.confirm.lowers = strcmp(value, "warning") == 0;
        return request.confirm.lowers || strcmp(value, "error") == 0
                   ? 0
                   : bad_value("unconfirmed", value);
    case OPT_REPLAY:
        request.replay = value;
        return 0;
    case OPT_FORMAT:
        request.format = value;
        return dlw_format_find(value) ? 0 : dlw_format_refuse("confirm", value);
    case 'o':
        request.output = value;
        return 0;
    case OPT_SUPPRESSIONS:
        request.suppressions = value;
        return 0;
    default:
        return dlw_option_common(option, print_help);
    }
}

/* Where the command begins: behind the first "--". 0: nowhere. */
static int find_command(int argc, char **argv)
{
    for (int i = 1; i < argc - 1; i++)
        if (strcmp(argv[i], "--") == 0)
            return i + 1;
    return 0;
}

static int parse(int argc, char **argv)
{
    static const struct option options[] = {
        {"tries", required_argument, NULL, OPT_TRIES},
        {"pause", required_argument, NULL, OPT_PAUSE},
        {"finding", required_argument, NULL, OPT_FINDING},
        {"timeout", required_argument, NULL, OPT_TIMEOUT},
        {"unconfirmed", required_argument, NULL, OPT_UNCONFIRMED},
        {"replay", required_argument, NULL, OPT_REPLAY},
        {"format", required_argument, NULL, OPT_FORMAT},
        {"suppressions", required_argument, NULL, OPT_SUPPRESSIONS},
        {"output", required_argument, NULL, 'o'},
        DLW_HELP_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    int command = find_command(argc, argv), option;
    while ((option = dlw_option("confirm", command ? command - 1 : argc, argv, "o:", options)) !=
           -1) {
        int end = take_option(option, optarg);
        if (end)
            return end;
    }
    if (!command)
        return 1 + dlw_usage_error("confirm", "no command is given: it stands behind --");
    request.confirm.command = argv + command;
    if (!request.replay && optind == command - 1)
        return 1 + dlw_usage_error("confirm", "no journal is given");
    return 0;
}

/* ---- findings of journals ---- */

static bool is_wanted(const struct dlw_doc_finding *finding)
{
    if (request.n_fingerprints == 0)
        return dlw_confirm_is_possible(finding);
    for (size_t i = 0; i < request.n_fingerprints; i++)
        if (finding->kind == DLW_LOCK_ORDER_INVERSION &&
            strcmp(request.fingerprints[i], finding->fingerprint) == 0)
            return true;
    return false;
}

/* The report is of what was tried. */
static void keep_tried(struct dlw_doc *doc)
{
    size_t n = 0;
    for (size_t i = 0; i < doc->n_findings; i++)
        if (doc->findings[i]->confirmed)
            doc->findings[n++] = doc->findings[i];
    doc->n_findings = n;
    dlw_doc_summarize(doc);
}

static size_t count_wanted(const struct dlw_doc *doc)
{
    size_t n = 0;
    for (size_t i = 0; i < doc->n_findings; i++)
        n += is_wanted(doc->findings[i]);
    return n;
}

static int confirm_all(struct dlw_doc *doc)
{
    size_t n = count_wanted(doc);
    if (n == 0 && request.n_fingerprints) {
        dlw_message("no lock-order inversion of these fingerprints is in the journals");
        return DLW_STATUS_TROUBLE;
    }
    int confirmed = dlw_confirm_findings(doc, &request.confirm, is_wanted);
    if (confirmed < 0)
        return DLW_STATUS_TROUBLE;
    keep_tried(doc);
    if (!dlw_output_write(doc, request.format, request.output, DLW_COLOR_AUTO, false))
        return DLW_STATUS_TROUBLE;
    return confirmed ? DLW_STATUS_FOUND : DLW_STATUS_OK;
}

static int confirm_journals(char **paths, size_t n)
{
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_doc_rules rules = {.show =
                                      request.n_fingerprints ? DLW_SHOW_ALL : DLW_SHOW_FEASIBLE};
    struct dlw_reading reading = {.doc = doc, .symbols = request.confirm.symbols};
    bool sound = true;
    if (request.suppressions) {
        rules.suppressions = dlw_suppressions_new();
        sound = dlw_suppressions_read(rules.suppressions, request.suppressions);
    }
    sound &= dlw_read_paths(&reading, paths, n);
    for (size_t i = 0; i < doc->n_processes; i++)
        doc->n_watched += !doc->processes[i]->is_left_alone;
    dlw_names_restore(doc);
    dlw_doc_finish(doc, &rules);
    int status = sound ? confirm_all(doc) : DLW_STATUS_TROUBLE;
    dlw_suppressions_free(rules.suppressions);
    dlw_doc_free(doc);
    return status;
}

/* ---- one try again ---- */

static int replay(void)
{
    struct dlw_confirm *confirm = &request.confirm;
    struct dlw_region region = {0};
    struct dlw_try one;
    char *roles = realpath(request.replay, NULL);
    int status = DLW_STATUS_TROUBLE;
    if (!roles) {
        dlw_message("%s: no such file", request.replay);
    } else if (dlw_confirm_make_folder(&region, confirm)) {
        if (confirm->timeout == 0)
            confirm->timeout = DLW_CONFIRM_TIMEOUT;
        if (dlw_try_run(confirm, 1, roles, NULL, NULL, &one))
            status =
                dlw_output_write(one.doc, request.format, request.output, DLW_COLOR_AUTO, false)
                    ? (one.deadlock ? DLW_STATUS_FOUND : DLW_STATUS_OK)
                    : DLW_STATUS_TROUBLE;
        else
            dlw_message("%s", confirm->trouble);
        rmdir(confirm->folder);
        dlw_doc_free(one.doc);
    }
    free(roles);
    dlw_region_free(&region);
    return status;
}

int dlw_confirm_main(int argc, char **argv)
{
    int end = parse(argc, argv);
    if (end)
        return end - 1;
    int command = find_command(argc, argv);
    request.confirm.environment = environ;
    request.confirm.symbols = dlw_symbols_new(NULL, NULL);
    int status =
        request.replay ? replay() : confirm_journals(argv + optind, (size_t)(command - 1 - optind));
    dlw_symbols_free(request.confirm.symbols);
    return status;
}
