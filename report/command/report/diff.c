/* dlwatch diff: what one report has that another has not. */
#include "report/command/base/command.h"
#include "report/command/base/options.h"
#include "report/command/base/temporary.h"
#include "report/command/journal/baseline.h"

#include <jansson.h>
#include <string.h>

enum { OPT_FORMAT = 256, OPT_EXITCODE };

struct request {
    const char *output;
    bool is_json;
    long exitcode;
};

struct difference {
    struct dlw_baseline *old, *new;
    size_t n_new, n_gone, n_same;
};

static void print_help(void)
{
    puts("Usage: dlwatch diff [options] OLD NEW\n"
         "Lists the findings that NEW has and OLD has not, those that are gone, and those that are "
         "the same.\nEach is a file written by --format=json, a journal, a folder of journals, or "
         "what merge wrote;\nfindings are the same when their fingerprints are.\n\n"
         "  --format=text|json      (text)\n"
         "  -o, --output=OUT        write there instead of standard output\n"
         "  --exitcode=N            status when there are new ones (66)\n"
         "  -h, --help, -V, --version\n\n"
         "Status: 0 nothing new, 66 something new, 2 wrong usage or unreadable input.");
}

/* 0: go on; else the status to end with, plus 1. */
static int take_option(struct request *request, int option)
{
    switch (option) {
    case OPT_FORMAT:
        request->is_json = strcmp(optarg, "json") == 0;
        if (request->is_json || strcmp(optarg, "text") == 0)
            return 0;
        return 1 + dlw_usage_error("diff", "unknown format '%s' (one of: text json)", optarg);
    case 'o':
        request->output = optarg;
        return 0;
    case OPT_EXITCODE:
        if (dlw_parse_number(optarg, 0, 255, &request->exitcode))
            return 0;
        return 1 + dlw_usage_error("diff", "bad value for --exitcode: '%s'", optarg);
    default:
        return dlw_option_common(option, print_help);
    }
}

static int parse(struct request *request, int argc, char **argv)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, OPT_FORMAT},
        {"output", required_argument, NULL, 'o'},
        {"exitcode", required_argument, NULL, OPT_EXITCODE},
        DLW_HELP_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = dlw_option("diff", argc, argv, "o:", options)) != -1) {
        int end = take_option(request, option);
        if (end)
            return end;
    }
    if (optind + 2 != argc)
        return 1 + dlw_usage_error("diff", optind + 2 < argc ? "more than OLD and NEW are given"
                                                             : "OLD and NEW are wanted");
    return 0;
}

static bool has(const struct dlw_baseline *list, const struct dlw_known *known)
{
    const struct dlw_known *found = dlw_baseline_find(list, known->fingerprint);
    return found && found->is_listed;
}

/* Calls for what `in` lists, and `other` lists too or not. */
typedef void visit(void *context, const struct dlw_known *known);
static size_t each(const struct dlw_baseline *in, const struct dlw_baseline *other, bool in_both,
                   visit *call, void *context)
{
    size_t n = 0;
    for (const struct dlw_known *known = NULL; (known = dlw_baseline_next(in, known));) {
        if (!known->is_listed || has(other, known) != in_both)
            continue;
        n++;
        if (call)
            call(context, known);
    }
    return n;
}

static const char *word(const char *text)
{
    return text ? text : "?";
}

static void print_line(void *context, const struct dlw_known *known)
{
    FILE *out = context;
    fputs("  ", out);
    if (known->file)
        fprintf(out, "%s:%u: ", known->file, known->line);
    fprintf(out, "%s: %s [%s]\n", word(known->severity), word(known->message), word(known->kind));
}

static void print_text(FILE *out, const struct difference *found)
{
    if (found->n_new)
        fputs("New\n", out);
    each(found->new, found->old, false, print_line, out);
    if (found->n_gone)
        fputs("Gone\n", out);
    each(found->old, found->new, false, print_line, out);
    if (found->n_same)
        fputs("The same\n", out);
    each(found->new, found->old, true, print_line, out);
    fprintf(out, "Summary: %zu new, %zu gone, %zu the same.\n", found->n_new, found->n_gone,
            found->n_same);
}

static void put_text(json_t *object, const char *key, const char *text)
{
    if (text)
        json_object_set_new(object, key, json_string(text));
}

static void add_json(void *context, const struct dlw_known *known)
{
    json_t *json = json_object();
    put_text(json, "kind", known->kind);
    put_text(json, "severity", known->severity);
    put_text(json, "fingerprint", known->fingerprint);
    put_text(json, "message", known->message);
    if (known->file)
        json_object_set_new(
            json, "place",
            json_pack("{sssI}", "file", known->file, "line", (json_int_t)known->line));
    json_array_append_new(context, json);
}

static void print_json(FILE *out, const struct difference *found)
{
    json_t *lists[3] = {json_array(), json_array(), json_array()};
    each(found->new, found->old, false, add_json, lists[0]);
    each(found->old, found->new, false, add_json, lists[1]);
    each(found->new, found->old, true, add_json, lists[2]);
    json_t *json = json_pack("{sisososos{sIsIsI}}", "version", 1, "new", lists[0], "gone", lists[1],
                             "same", lists[2], "summary", "new", (json_int_t)found->n_new, "gone",
                             (json_int_t)found->n_gone, "same", (json_int_t)found->n_same);
    json_dumpf(json, out, JSON_INDENT(1));
    fputc('\n', out);
    json_decref(json);
}

static bool write_to(const struct request *request, const struct difference *found)
{
    bool is_file = request->output && strcmp(request->output, "-") != 0;
    FILE *out = is_file ? dlw_temporary_open(request->output) : stdout;
    if (!out)
        return false;
    (request->is_json ? print_json : print_text)(out, found);
    return !is_file || dlw_temporary_close(out, true);
}

int dlw_diff_main(int argc, char **argv)
{
    struct request request = {.exitcode = DLW_STATUS_FOUND};
    int end = parse(&request, argc, argv);
    if (end)
        return end - 1;
    struct dlw_symbols *symbols = dlw_symbols_new(NULL, NULL);
    struct difference found = {.old = dlw_baseline_read(argv[optind], symbols),
                               .new = dlw_baseline_read(argv[optind + 1], symbols)};
    int status = DLW_STATUS_TROUBLE;
    if (found.old && found.new) {
        found.n_new = each(found.new, found.old, false, NULL, NULL);
        found.n_gone = each(found.old, found.new, false, NULL, NULL);
        found.n_same = each(found.new, found.old, true, NULL, NULL);
        if (write_to(&request, &found))
            status = found.n_new ? (int)request.exitcode : DLW_STATUS_OK;
    }
    dlw_baseline_free(found.old);
    dlw_baseline_free(found.new);
    dlw_symbols_free(symbols);
    return status;
}
