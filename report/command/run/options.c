/* The command line of `dlwatch run`: its long options are the options table. */
#include "report/command/run/run.h"

#include "report/command/base/command.h"
#include "report/command/base/options.h"
#include "report/command/confirm/confirm.h"
#include "report/command/format/format.h"
#include "report/emit/say.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STORAGE = 64 * 1024, FIRST_KEY = 1000 };
enum { OPT_TIMEOUT = 256, OPT_BASELINE, OPT_CONFIRM, OPT_UNCONFIRMED };

struct key {
    const char *name, *run, *values, *help;
};

static const struct key keys[] = {
#define DLW_OPTION(key, type, preload, run, values, help_text) {#key, run, values, help_text},
#include "report/emit/options.def"
#undef DLW_OPTION
};

enum { N_KEYS = sizeof(keys) / sizeof(keys[0]) };

/* help=1 is for a preload; --help is run's own. */
static bool is_offered(const struct key *key)
{
    return strcmp(key->name, "help") != 0;
}

/* `--profile` alone turns it on. */
static bool is_switch(const struct key *key)
{
    return strcmp(key->name, "profile") == 0;
}

static void print_help(void)
{
    printf("Usage: dlwatch run [options] [--output=F:PATH]... [--timeout=S] [--] COMMAND [ARG...]\n"
           "Runs COMMAND, watches it and all its children, prints findings as they are made and a\n"
           "summary at the end, on standard error.\n\n");
    for (size_t i = 0; i < N_KEYS; i++)
        if (is_offered(&keys[i])) {
            int width = is_switch(&keys[i]) ? printf("  --%s", keys[i].name)
                                            : printf("  --%s=%s", keys[i].name, keys[i].values);
            printf("%*s%s%s%s%s\n", width < 34 ? 34 - width : 1, "", keys[i].help,
                   *keys[i].run ? " [" : "", keys[i].run, *keys[i].run ? "]" : "");
        }
    printf("  -o, --output=F:PATH             write a report as well; F: %s\n"
           "                                  (without F: by the name's end, report.html)\n"
           "  --timeout=S                     end the command and its children after S seconds "
           "(5m, 2h) "
           "and\n"
           "                                  report what each waited for\n"
           "  --baseline=OLD                  findings that OLD has are known and don't count\n"
           "  --confirm[=N]                   then run it again, N (%d) times for each possible "
           "inversion,\n"
           "                                  and steer its threads into the deadlock\n"
           "  --unconfirmed=warning           what --confirm did not reach is a warning\n"
           "  -h, --help, -V, --version\n\n"
           "Status: 66 when errors were found (--exitcode=N for another, 0 for none); else the "
           "command's\nown, 127 or 126 when it can't be started, 128+N when signal N ended it; 2 "
           "for wrong usage, and\ninstead of 0 where a journal ends early (a full disk).\n",
           dlw_format_names(), DLW_CONFIRM_TRIES);
}

/* 'like this', with quotes doubled: report/emit/options.c reads it so. */
static const char *quote(struct dlw_region *region, const char *value)
{
    char *quoted = dlw_region_alloc(region, 2 * strlen(value) + 3), *at = quoted;
    *at++ = '\'';
    for (; *value; value++) {
        if (*value == '\'')
            *at++ = '\'';
        *at++ = *value;
    }
    *at = '\'';
    return quoted;
}

static const char *add_pair(struct dlw_region *region, const char *text, const char *key,
                            const char *value)
{
    return dlw_region_print(region, "%s%s%s=%s", text, *text ? ":" : "", key, quote(region, value));
}

static const char *run_defaults(struct dlw_region *region)
{
    const char *text = "";
    for (size_t i = 0; i < N_KEYS; i++)
        if (*keys[i].run)
            text = add_pair(region, text, keys[i].name, keys[i].run);
    return text;
}

static void refuse_line(void *context, const char *line)
{
    const char *consequence = strstr(line, "; using ");
    if (!consequence)
        consequence = strstr(line, "; ignored");
    *(bool *)context = true;
    dlw_message("%.*s", consequence ? (int)(consequence - line) : (int)strlen(line), line);
}

static void warn_line(void *context, const char *line)
{
    (void)context;
    dlw_message("DLWATCH_OPTIONS: %s", line);
}

/* What stands in the environment is only warned about; what the user has typed now must be right.
 */
static bool settle(struct dlw_run_request *request, const char *typed)
{
    const char *environment = getenv("DLWATCH_OPTIONS");
    const char *defaults = run_defaults(&request->region);
    bool is_wrong = false;
    request->storage = dlw_region_alloc(&request->region, STORAGE);
    if (environment)
        dlw_options_parse(&request->options, environment, request->storage, STORAGE, warn_line,
                          NULL);
    dlw_options_parse(&request->options, typed, request->storage, STORAGE, refuse_line, &is_wrong);
    const char *all = dlw_region_print(&request->region, "%s:%s:%s", defaults,
                                       environment ? environment : "", typed);
    dlw_options_parse(&request->options, all, request->storage, STORAGE, NULL, NULL);
    return !is_wrong;
}

/* 0, or the status to end with, plus 1. */
static int take_output(struct dlw_run_request *request, const char *value)
{
    struct dlw_region *region = &request->region;
    const char *colon = strchr(value, ':'), *format = colon ? NULL : dlw_format_of_path(value);
    size_t room = sizeof(request->outputs) / sizeof(request->outputs[0]);
    if (!colon && dlw_format_find(value))
        return 1 + dlw_usage_error("run",
                                   "--output wants format and path: '%s': did you mean "
                                   "--output=%s:report.%s",
                                   value, value, value);
    if (format) { /* its name says it, as with report and attach */
        value = dlw_region_print(region, "%s:%s", format, value);
        colon = strchr(value, ':');
    }
    if (!colon || colon[1] == '\0')
        return 1 + dlw_usage_error("run",
                                   "--output=F:PATH wants one of %s, a colon and a path: '%s'",
                                   dlw_format_names(), value);
    if (request->n_outputs == room)
        return 1 + dlw_usage_error("run", "more than %zu outputs", room);
    struct dlw_run_output *output = &request->outputs[request->n_outputs++];
    output->format = dlw_region_cut(region, value, (size_t)(colon - value));
    output->path = colon + 1;
    if (!dlw_format_find(output->format))
        return dlw_format_refuse("run", output->format);
    return 0;
}

/* Seconds, or with a unit. */
static bool take_timeout(struct dlw_run_request *request, const char *value)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}};
    char *end;
    double number = strtod(value, &end);
    for (size_t i = 0; end != value && i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(end, units[i].unit) == 0)
            request->timeout = number * units[i].seconds;
    return request->timeout > 0 && request->timeout < 1e9;
}

static bool take_confirm(struct dlw_run_request *request, const char *value)
{
    request->tries = DLW_CONFIRM_TRIES;
    return !value || dlw_parse_number(value, 1, 100000, &request->tries);
}

static bool take_unconfirmed(struct dlw_run_request *request, const char *value)
{
    request->lowers = strcmp(value, "warning") == 0;
    return request->lowers || strcmp(value, "error") == 0;
}

static int take_option(struct dlw_run_request *request, int option, const char **typed)
{
    if (option >= FIRST_KEY) {
        *typed = add_pair(&request->region, *typed, keys[(option - FIRST_KEY) / 2].name,
                          optarg ? optarg : "1");
        return 0;
    }
    switch (option) {
    case 'o':
        return take_output(request, optarg);
    case OPT_TIMEOUT:
        if (take_timeout(request, optarg))
            return 0;
        return 1 + dlw_usage_error("run", "--timeout wants seconds, or 5m, 2h: '%s'", optarg);
    case OPT_BASELINE:
        request->baseline = optarg;
        return 0;
    case OPT_CONFIRM:
        if (take_confirm(request, optarg))
            return 0;
        return 1 + dlw_usage_error("run", "--confirm wants a number of tries: '%s'", optarg);
    case OPT_UNCONFIRMED:
        if (take_unconfirmed(request, optarg))
            return 0;
        return 1 + dlw_usage_error("run", "--unconfirmed is warning or error: '%s'", optarg);
    default:
        return dlw_option_common(option, print_help);
    }
}

/* Each key twice: as the table spells it, and with dashes. */
static void fill_options(struct dlw_region *region, struct option *options)
{
    static const struct option own[] = {
        {"output", required_argument, NULL, 'o'},
        {"timeout", required_argument, NULL, OPT_TIMEOUT},
        {"baseline", required_argument, NULL, OPT_BASELINE},
        {"confirm", optional_argument, NULL, OPT_CONFIRM},
        {"unconfirmed", required_argument, NULL, OPT_UNCONFIRMED},
        DLW_HELP_OPTIONS,
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        options[n++] = own[i];
    for (size_t i = 0; i < N_KEYS; i++) {
        if (!is_offered(&keys[i]))
            continue;
        char *dashed = dlw_region_copy(region, keys[i].name);
        for (char *c = dashed; *c; c++)
            *c = *c == '_' ? '-' : *c;
        options[n++] = (struct option){keys[i].name,
                                       is_switch(&keys[i]) ? optional_argument : required_argument,
                                       NULL, FIRST_KEY + 2 * (int)i};
        if (strcmp(dashed, keys[i].name) != 0)
            options[n++] = (struct option){dashed, required_argument, NULL, FIRST_KEY + 2 * (int)i};
    }
}

int dlw_run_parse(struct dlw_run_request *request, int argc, char **argv)
{
    struct option options[2 * N_KEYS + 10] = {0};
    const char *typed = "";
    int option;
    fill_options(&request->region, options);
    while ((option = dlw_option("run", argc, argv, "+o:", options)) != -1) {
        int end = take_option(request, option, &typed);
        if (end)
            return end;
    }
    if (!settle(request, typed))
        return 1 + DLW_STATUS_TROUBLE;
    if (optind == argc)
        return 1 + dlw_usage_error("run", "no command is given");
    request->command = argv + optind;
    return 0;
}

static const char *value_text(struct dlw_region *region, const struct dlw_options *options,
                              size_t index)
{
    size_t at = 0;
#define DLW_FIELD_VALUE_TEXT(field) return (field) ? (field) : "";
#define DLW_FIELD_VALUE_NUMBER(field) return dlw_region_print(region, "%ld", (field));
#define DLW_FIELD_VALUE_WORD(field) return dlw_region_print(region, "%d", (field));
#define DLW_OPTION(key, type, preload, run, values, help_text)                                     \
    if (at++ == index) {                                                                           \
        DLW_FIELD_VALUE_##type(options->key)                                                       \
    }
#include "report/emit/options.def"
#undef DLW_OPTION
    return "";
}

/* The word numbered `index` of "a|b|c". */
static const char *word(struct dlw_region *region, const char *values, const char *index)
{
    int n = atoi(index);
    while (n-- > 0 && strchr(values, '|'))
        values = strchr(values, '|') + 1;
    return dlw_region_cut(region, values, strcspn(values, "|"));
}

/* Findings are told here; with verbosity the programs' own lines go where the log goes. */
static const char *child_log(struct dlw_region *region, const struct dlw_options *options)
{
    const char *log = options->log ? options->log : "stderr";
    char folder[4096];
    if (options->verbosity == 0 || strcmp(log, "none") == 0 ||
        strncmp(log, DLW_SAY_LINES, strlen(DLW_SAY_LINES)) == 0)
        return options->verbosity ? log : "none";
    if (strcmp(log, "stderr") == 0 || *log == '/' || !getcwd(folder, sizeof(folder)))
        return dlw_region_print(region, DLW_SAY_LINES "%s", log);
    return dlw_region_print(region, DLW_SAY_LINES "%s/%s", folder, log);
}

static const char *absolute(struct dlw_region *region, const char *path)
{
    char *folder = *path && *path != '/' ? getcwd(NULL, 0) : NULL;
    const char *whole = folder ? dlw_region_print(region, "%s/%s", folder, path) : path;
    free(folder);
    return whole;
}

/* The watched programs keep their own status and print nothing: their journals are read here. */
const char *dlw_run_child_options(struct dlw_run_request *request, const char *journals)
{
    struct dlw_region *region = &request->region;
    const char *text = "";
    for (size_t i = 0; i < N_KEYS; i++) {
        const char *value = value_text(region, &request->options, i);
        if (strchr(keys[i].values, '|') && strchr("0123456789", *value))
            value = *value ? word(region, keys[i].values, value) : value;
        if (strcmp(keys[i].name, "report") == 0)
            value = journals;
        else if (strcmp(keys[i].name, "log") == 0)
            value = child_log(region, &request->options);
        else if (strcmp(keys[i].name, "exitcode") == 0 || strcmp(keys[i].name, "help") == 0)
            value = "0";
        else if (strcmp(keys[i].name, "avoid") == 0)
            value = absolute(region, value); /* whatever folder its children begin in */
        if (*value && strcmp(keys[i].name, "suppressions") != 0)
            text = add_pair(region, text, keys[i].name, value);
    }
    return text;
}
