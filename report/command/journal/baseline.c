#include "report/command/journal/baseline.h"

#include "report/command/base/command.h"
#include "report/command/journal/json_get.h"
#include "report/command/journal/reader.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A report of before there was a place names none. */
static void add_reported(struct dlw_baseline *baseline, const json_t *finding)
{
    const json_t *place = json_object_get(finding, "place");
    json_int_t line = json_integer_value(json_object_get(place, "line"));
    struct dlw_known known = {
        .fingerprint = dlw_json_text(finding, "fingerprint"),
        .kind = dlw_json_text(finding, "kind"),
        .severity = dlw_json_text(finding, "severity"),
        .message = dlw_json_text(finding, "message"),
        .file = dlw_json_text(place, "file"),
        .line = line > 0 && line < INT_MAX ? (unsigned)line : 0,
        .is_listed = !json_object_get(finding, "harmless"),
    };
    if (known.fingerprint)
        dlw_baseline_add(baseline, &known);
}

static bool add_findings(struct dlw_baseline *baseline, const json_t *report, const char *path)
{
    const json_t *findings = json_object_get(report, "findings");
    const json_t *version = json_object_get(report, "version");
    if (!json_is_array(findings) || !json_is_integer(version)) {
        dlw_message("%s:1: neither a report written by --format=json nor a journal", path);
        return false;
    }
    if (json_integer_value(version) != 1) {
        dlw_message("%s:1: a report of version %lld, this dlwatch reads 1", path,
                    (long long)json_integer_value(version));
        return false;
    }
    for (size_t i = 0; i < json_array_size(findings); i++)
        add_reported(baseline, json_array_get(findings, i));
    return true;
}

static void add_found(struct dlw_baseline *baseline, struct dlw_doc *doc,
                      const struct dlw_doc_finding *finding)
{
    const struct dlw_frame *frame = dlw_finding_frame(finding);
    struct dlw_known known = {
        .fingerprint = finding->fingerprint,
        .kind = dlw_kind_word(finding->kind),
        .severity = dlw_severity_word(finding->severity),
        .message = finding->message,
        .file = frame ? dlw_frame_path(&doc->region, frame, NULL) : NULL,
        .line = frame ? frame->line : 0,
        .is_listed = finding->harmless == DLW_FEASIBLE,
    };
    dlw_baseline_add(baseline, &known);
}

static bool read_journals(struct dlw_baseline *baseline, const char *path,
                          struct dlw_symbols *symbols)
{
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_doc_rules rules = {.show = DLW_SHOW_ALL};
    struct dlw_reading reading = {.doc = doc, .symbols = symbols};
    char *paths[] = {(char *)path};
    bool whole = dlw_read_paths(&reading, paths, 1);
    dlw_doc_finish(doc, &rules);
    for (size_t i = 0; i < doc->n_findings; i++)
        add_found(baseline, doc, doc->findings[i]);
    dlw_doc_free(doc);
    return whole;
}

static bool is_folder(const char *path)
{
    struct stat state;
    return stat(path, &state) == 0 && S_ISDIR(state.st_mode);
}

/* A journal's first line is a whole object of type process; a report is one object in all. */
static bool is_journal(FILE *in)
{
    json_error_t error;
    json_t *first = json_loadf(in, JSON_DISABLE_EOF_CHECK, &error);
    bool result = dlw_json_text(first, "type") != NULL;
    json_decref(first);
    rewind(in);
    return result;
}

static bool read_file(struct dlw_baseline *baseline, const char *path, struct dlw_symbols *symbols)
{
    FILE *in = dlw_open_file(path);
    if (!in)
        return false;
    if (is_journal(in)) {
        fclose(in);
        return read_journals(baseline, path, symbols);
    }
    json_error_t error;
    json_t *report = json_loadf(in, 0, &error);
    fclose(in);
    if (!report) {
        dlw_message("%s:%d: %s", path, error.line > 0 ? error.line : 1, error.text);
        return false;
    }
    bool sound = add_findings(baseline, report, path);
    json_decref(report);
    return sound;
}

struct dlw_baseline *dlw_baseline_read(const char *path, struct dlw_symbols *symbols)
{
    struct dlw_baseline *baseline = dlw_baseline_new();
    bool sound = is_folder(path) ? read_journals(baseline, path, symbols)
                                 : read_file(baseline, path, symbols);
    if (sound)
        return baseline;
    dlw_baseline_free(baseline);
    return NULL;
}
