/*
 * SARIF 2.1.0. A finding is a result; each of its threads is a thread flow of the places where it
 * took and asked for its locks. What GitHub's reader would cut off is cut here, with a note.
 */
#include "report/command/document/classify.h"
#include "report/command/document/words.h"
#include "report/command/format/format.h"

#include <jansson.h>
#include <string.h>

enum { MAX_RESULTS = 5000, MAX_LOCATIONS = 1000 };

struct writer {
    struct dlw_doc *doc;
    const char *folder;
};

static json_t *message(const char *text)
{
    return json_pack("{ss}", "text", text);
}

/* A URI's path: everything but letters, digits and a few signs is percent-encoded. */
static const char *uri(struct writer *writer, const char *path)
{
    char *result = dlw_region_alloc(&writer->doc->region, 3 * strlen(path) + 1), *at = result;
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            strchr("/-._~+@", c))
            *at++ = (char)c;
        else
            at += sprintf(at, "%%%02X", c);
    }
    return result;
}

static json_t *artifact(struct writer *writer, const struct dlw_frame *frame)
{
    const char *path = dlw_frame_path(&writer->doc->region, frame, writer->folder);
    if (*path == '/')
        return json_pack("{ss+}", "uri", "file://", uri(writer, path));
    return json_pack("{ssss}", "uri", uri(writer, path), "uriBaseId", "SRCROOT");
}

static json_t *location(struct writer *writer, const struct dlw_frame *frame, const char *text)
{
    json_t *json = json_object();
    if (frame && frame->file)
        json_object_set_new(json, "physicalLocation",
                            json_pack("{sos{sI}}", "artifactLocation", artifact(writer, frame),
                                      "region", "startLine", (json_int_t)frame->line));
    if (frame && frame->function)
        json_object_set_new(
            json, "logicalLocations",
            json_pack("[{ssss}]", "fullyQualifiedName", frame->function, "kind", "function"));
    if (text)
        json_object_set_new(json, "message", message(text));
    return json;
}

static void add_step(struct writer *writer, json_t *locations, const struct dlw_frame *frame,
                     const char *text, int nesting)
{
    if (json_array_size(locations) < MAX_LOCATIONS)
        json_array_append_new(locations,
                              json_pack("{sosisi}", "location", location(writer, frame, text),
                                        "executionOrder", (int)json_array_size(locations) + 1,
                                        "nestingLevel", nesting));
}

/* Outermost first, as the thread came there. */
static void add_stack(struct writer *writer, json_t *locations, const struct dlw_stack *stack,
                      const char *text)
{
    struct dlw_region *region = &writer->doc->region;
    size_t place = dlw_stack_place(stack);
    if (place == stack->n)
        add_step(writer, locations, NULL, text, 0);
    size_t n = dlw_stack_depth(stack);
    for (size_t i = n > place || place == stack->n ? n : place + 1; i-- > place;) {
        const struct dlw_frame *frame = &stack->frames[i];
        const char *where = frame->function ? frame->function : dlw_frame_place(region, frame);
        if (i == place)
            add_step(writer, locations, frame, text, (int)(n - 1 - i));
        else if (frame->file)
            add_step(writer, locations, frame, dlw_region_print(region, "calls from %s", where),
                     (int)(n - 1 - i));
    }
}

static void add_hold(struct writer *writer, json_t *locations,
                     const struct dlw_doc_finding *finding, const struct dlw_doc_hold *hold,
                     const char *verb)
{
    struct dlw_region *region = &writer->doc->region;
    const char *title = dlw_finding_lock_title(region, finding, hold->lock);
    add_stack(writer, locations, &hold->stack, dlw_region_print(region, "%s %s", verb, title));
}

static json_t *thread_flow(struct writer *writer, const struct dlw_doc_finding *finding,
                           const struct dlw_doc_thread *thread, json_t *locations)
{
    const char *name = dlw_finding_thread_title(&writer->doc->region, finding, thread);
    return json_pack("{sssoso}", "id", name, "message", message(name), "locations", locations);
}

static json_t *code_flow(struct writer *writer, const struct dlw_doc_finding *finding)
{
    struct dlw_region *region = &writer->doc->region;
    json_t *flows = json_array();
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        json_t *locations = json_array(), *taken = locations;
        if (step->holder)
            taken = json_array();
        add_hold(writer, taken, finding, &step->holds, "takes");
        if (step->holder)
            json_array_append_new(flows, thread_flow(writer, finding, step->holder, taken));
        add_hold(writer, locations, finding, &step->wants, "asks for");
        json_array_append_new(flows, thread_flow(writer, finding, step->thread, locations));
    }
    for (size_t i = 0; i < finding->n_threads; i++) {
        const struct dlw_doc_state *state = &finding->threads[i];
        json_t *locations = json_array();
        for (size_t j = 0; j < state->n_holds; j++)
            add_hold(writer, locations, finding, &state->holds[j], "takes");
        add_stack(writer, locations, &state->stack,
                  state->on
                      ? dlw_region_print(region, "%s %s",
                                         state->waits == DLW_WAIT_NONE ? "concerns" : "waits for",
                                         dlw_finding_lock_title(region, finding, state->on))
                      : "stands here");
        json_array_append_new(flows, thread_flow(writer, finding, state->thread, locations));
    }
    return json_pack("[{so}]", "threadFlows", flows);
}

static const char *full_text(struct writer *writer, const struct dlw_doc_finding *finding)
{
    struct dlw_region *region = &writer->doc->region;
    const char *confidence = dlw_finding_confidence(region, finding);
    struct dlw_remedy remedy = dlw_finding_remedy(region, finding);
    const char *text = dlw_region_print(region, "%s.%s%s", finding->message,
                                        confidence ? "\n\n" : "", confidence ? confidence : "");
    for (size_t i = 0; i < remedy.n; i++)
        text = dlw_region_print(region, "%s\n\n%s", text, remedy.paragraphs[i]);
    return text;
}

static json_t *result(struct writer *writer, const struct dlw_doc_finding *finding)
{
    json_t *json =
        json_pack("{sssisssos{ss}si}", "ruleId", dlw_kind_word(finding->kind), "ruleIndex",
                  (int)finding->kind, "level", dlw_severity_word(finding->severity), "message",
                  message(full_text(writer, finding)), "partialFingerprints", "dlwatch/v1",
                  finding->fingerprint, "occurrenceCount",
                  (int)(finding->count > 1000000 ? 1000000 : finding->count));
    const struct dlw_frame *frame = dlw_finding_frame(finding);
    json_t *locations = json_array();
    if (frame)
        json_array_append_new(locations, location(writer, frame, NULL));
    json_object_set_new(json, "locations", locations);
    json_object_set_new(json, "codeFlows", code_flow(writer, finding));
    return json;
}

/* Of a kind, wherever it is found. */
static json_t *rule(struct dlw_region *region, enum dlw_kind kind)
{
    const struct dlw_kind_words *words = dlw_kind_words(kind);
    const char *advice = dlw_words_fill(region, words->advice, "the lock", "this call");
    return json_pack("{sssososos{ss}}", "id", dlw_kind_word(kind), "shortDescription",
                     message(words->summary), "fullDescription", message(words->description),
                     "help", message(advice), "defaultConfiguration", "level",
                     dlw_severity_word(dlw_kind_severity(kind)));
}

static json_t *driver(struct dlw_region *region)
{
    json_t *list = json_array();
    for (int kind = 0; kind < DLW_N_KINDS; kind++)
        json_array_append_new(list, rule(region, (enum dlw_kind)kind));
    return json_pack("{sssssssssoso}", "name", "dlwatch", "version", DLW_VERSION, "semanticVersion",
                     DLW_VERSION, "fullName", "dlwatch " DLW_VERSION, "rules", list, "properties",
                     json_pack("{s[ss]}", "tags", "deadlock", "pthreads"));
}

static json_t *results(struct writer *writer, size_t *cut)
{
    json_t *json = json_array();
    for (size_t i = 0; i < writer->doc->n_findings; i++) {
        const struct dlw_doc_finding *finding = writer->doc->findings[i];
        if (!dlw_doc_is_listed(finding))
            continue;
        if (json_array_size(json) < MAX_RESULTS)
            json_array_append_new(json, result(writer, finding));
        else
            ++*cut;
    }
    return json;
}

int dlw_format_sarif(FILE *out, struct dlw_doc *doc, const struct dlw_format_options *options)
{
    struct writer writer = {doc, options->folder ? options->folder : dlw_source_folder()};
    size_t cut = 0;
    json_t *list = results(&writer, &cut);
    json_t *run = json_pack("{s{so}soss}", "tool", "driver", driver(&doc->region), "results", list,
                            "columnKind", "utf16CodeUnits");
    json_object_set_new(
        run, "originalUriBaseIds",
        json_pack("{s{ss++}}", "SRCROOT", "uri", "file://", uri(&writer, writer.folder), "/"));
    json_t *notes = json_array();
    if (cut)
        json_array_append_new(
            notes,
            json_pack("{ssso}", "level", "note", "message",
                      message(dlw_region_print(&doc->region, "%zu results were left out", cut))));
    json_object_set_new(
        run, "invocations",
        json_pack("[{sbso}]", "executionSuccessful", 1, "toolExecutionNotifications", notes));
    if (cut)
        fprintf(stderr, "dlwatch: %zu results are left out of the SARIF file: GitHub keeps %d\n",
                cut, MAX_RESULTS);
    json_t *json =
        json_pack("{sssss[o]}", "$schema", "https://json.schemastore.org/sarif-2.1.0.json",
                  "version", "2.1.0", "runs", run);
    json_dumpf(json, out, JSON_INDENT(1));
    fputc('\n', out);
    json_decref(json);
    return 0;
}
