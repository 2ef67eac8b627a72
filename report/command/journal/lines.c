/* The lines of a journal: each is checked and put into a table by its id; those that tell of the
 * process itself are in process_lines.c. */
#include "report/command/journal/raw.h"

#include "report/command/base/clean.h"
#include "report/command/journal/json_get.h"

#include <string.h>

enum { MAX_FRAMES = 1024 };

uint64_t dlw_reader_new_id(struct dlw_reader *reader, const json_t *line, const char *what)
{
    uint64_t id = dlw_json_number(line, "id");
    if (!id)
        dlw_reader_complain(reader, "a %s without an id", what);
    return id;
}

static void read_module(struct dlw_reader *reader, const json_t *line)
{
    struct dlw_raw_module *module;
    uint64_t id = dlw_reader_new_id(reader, line, "module");
    DLW_BY_ID_FIND(reader->modules, id, module);
    const char *path = dlw_json_text(line, "path");
    if (!id || module || !path) {
        if (id)
            dlw_reader_complain(reader,
                                module ? "module %llu a second time" : "module %llu has no path",
                                (unsigned long long)id);
        return;
    }
    module = dlw_region_alloc(&reader->own, sizeof(*module));
    module->id = id;
    module->path = dlw_region_copy(reader->region, path);
    module->build_id = dlw_clean(reader->region, dlw_json_text(line, "build_id"));
    module->base = dlw_json_address(line, "base");
    DLW_BY_ID_ADD(reader->modules, module);
}

/* ["python","app.py",42,"worker"] */
static bool read_line_of_language(struct dlw_reader *reader, const json_t *json,
                                  struct dlw_raw_frame *frame)
{
    const char *language = json_string_value(json_array_get(json, 0));
    const char *file = json_string_value(json_array_get(json, 1));
    const json_t *line = json_array_get(json, 2);
    const char *function = json_string_value(json_array_get(json, 3));
    if (!file || !function || !json_is_integer(line) || json_integer_value(line) < 0)
        return false;
    frame->language = dlw_clean(reader->region, language);
    frame->file = dlw_clean(reader->region, file);
    frame->function = dlw_clean(reader->region, function);
    frame->line = (unsigned)json_integer_value(line);
    return true;
}

static bool read_frame(struct dlw_reader *reader, const json_t *json, struct dlw_raw_frame *frame)
{
    const json_t *first = json_array_get(json, 0);
    if (json_is_string(first) && json_array_size(json) > 1)
        return read_line_of_language(reader, json, frame);
    if (json_is_string(first)) {
        frame->unknown = dlw_clean(reader->region, json_string_value(first));
        return true;
    }
    if (!json_is_integer(first) || json_integer_value(first) < 0 ||
        !dlw_json_parse_address(json_string_value(json_array_get(json, 1)), &frame->offset))
        return false;
    uint64_t id = (uint64_t)json_integer_value(first);
    DLW_BY_ID_FIND(reader->modules, id, frame->module);
    if (id && !frame->module)
        frame->unknown = "its module stands on a damaged line of the journal";
    return true;
}

static void read_stack(struct dlw_reader *reader, const json_t *line)
{
    uint64_t id = dlw_reader_new_id(reader, line, "stack");
    if (!id)
        return;
    struct dlw_raw_stack *stack;
    DLW_BY_ID_FIND(reader->stacks, id, stack);
    const json_t *frames = json_object_get(line, "frames");
    if (stack || !json_is_array(frames) || json_array_size(frames) > MAX_FRAMES) {
        dlw_reader_complain(reader,
                            stack ? "stack %llu a second time"
                                  : "stack %llu has no frames, or more than can be",
                            (unsigned long long)id);
        return;
    }
    stack = dlw_region_alloc(&reader->own, sizeof(*stack));
    stack->id = id;
    stack->cut = dlw_json_flag(line, "cut");
    stack->frames =
        dlw_region_alloc(&reader->own, json_array_size(frames) * sizeof(*stack->frames));
    for (size_t i = 0; i < json_array_size(frames); i++)
        if (read_frame(reader, json_array_get(frames, i), &stack->frames[stack->n]))
            stack->n++;
        else
            dlw_reader_complain(reader, "frame %zu of stack %llu is none", i,
                                (unsigned long long)id);
    DLW_BY_ID_ADD(reader->stacks, stack);
}

static void read_thread(struct dlw_reader *reader, const json_t *line)
{
    uint64_t id = dlw_reader_new_id(reader, line, "thread");
    if (!id)
        return;
    struct dlw_raw_thread *raw;
    DLW_BY_ID_FIND(reader->threads, id, raw);
    if (!raw) {
        raw = dlw_region_alloc(&reader->own, sizeof(*raw));
        raw->id = id;
        raw->thread = dlw_region_alloc(reader->region, sizeof(*raw->thread));
        DLW_BY_ID_ADD(reader->threads, raw);
    }
    struct dlw_doc_thread *thread = raw->thread;
    thread->id = (uint32_t)id;
    thread->process = reader->is_merged ? NULL : reader->process;
    thread->tid = (uint32_t)dlw_json_number(line, "tid");
    thread->parent = (uint32_t)dlw_json_number(line, "parent");
    const char *name = dlw_json_text(line, "name");
    thread->name = name && *name ? dlw_clean(reader->region, name) : thread->name;
    raw->is_main = reader->is_merged ? dlw_json_flag(line, "main") : id == 1;
    thread->is_main = raw->is_main;
    raw->is_several = dlw_json_flag(line, "several");
    raw->created = dlw_json_number(line, "created");
    raw->start = dlw_json_number(line, "start");
}

const char *dlw_reader_kind(struct dlw_reader *reader, const char *kind)
{
    for (unsigned i = 0; kind && i < DLW_N_LOCK_KINDS; i++)
        if (strcmp(dlw_lock_kind_word(i), kind) == 0)
            return dlw_lock_kind_word(i);
    dlw_reader_complain(reader, "a lock of no known kind");
    return "custom";
}

static void read_lock(struct dlw_reader *reader, const json_t *line)
{
    uint64_t id = dlw_reader_new_id(reader, line, "lock");
    if (!id)
        return;
    struct dlw_raw_lock *raw;
    DLW_BY_ID_FIND(reader->locks, id, raw);
    if (raw) {
        dlw_reader_complain(reader, "lock %llu a second time", (unsigned long long)id);
        return;
    }
    raw = dlw_region_alloc(&reader->own, sizeof(*raw));
    raw->id = id;
    struct dlw_doc_lock *lock = &raw->lock;
    lock->source = id;
    lock->process = reader->is_merged ? NULL : reader->process;
    lock->kind = dlw_reader_kind(reader, dlw_json_text(line, "kind"));
    lock->address = dlw_json_address(line, "address");
    lock->attributes = dlw_clean(reader->region, dlw_json_text(line, "attr"));
    lock->class_name = dlw_clean(reader->region, dlw_json_text(line, "class"));
    lock->name = dlw_clean(reader->region, dlw_json_text(line, "name"));
    lock->offset = dlw_json_address(line, "offset");
    raw->created = dlw_json_number(line, "created");
    raw->first = dlw_json_number(line, "first");
    raw->is_signal = dlw_json_flag(line, "signal");
    raw->outlives = dlw_json_flag(line, "outlives");
    raw->lasting = dlw_clean(reader->region, dlw_json_text(line, "lasting"));
    uint64_t module = dlw_json_number(line, "module"), thread = dlw_json_number(line, "thread");
    DLW_BY_ID_FIND(reader->modules, module, raw->module);
    DLW_BY_ID_FIND(reader->threads, thread, raw->thread);
    DLW_BY_ID_ADD(reader->locks, raw);
}

static void read_finding(struct dlw_reader *reader, const json_t *line)
{
    uint64_t id = dlw_reader_new_id(reader, line, "finding");
    if (!id)
        return;
    struct dlw_raw_finding *raw;
    DLW_BY_ID_FIND(reader->findings, id, raw);
    if (raw) {
        dlw_reader_complain(reader, "finding %llu a second time", (unsigned long long)id);
        return;
    }
    if (reader->reading->sink)
        return;
    size_t before = reader->reading->doc->n_findings;
    dlw_reader_build_finding(reader, line);
    if (reader->reading->doc->n_findings == before)
        return;
    raw = dlw_region_alloc(&reader->own, sizeof(*raw));
    raw->id = id;
    raw->finding = reader->reading->doc->findings[before];
    raw->finding->id = (uint32_t)id;
    DLW_BY_ID_ADD(reader->findings, raw);
}

/* The line of an id, by which it is kept. A void one stays void, whichever line comes first. */
static void keep_withheld(struct dlw_reader *reader, uint64_t id, json_t *line)
{
    char key[24];
    snprintf(key, sizeof(key), "%llu", (unsigned long long)id);
    if (!reader->withheld)
        reader->withheld = json_object();
    if (json_is_null(line) || !json_object_get(reader->withheld, key))
        json_object_set(reader->withheld, key, line);
}

static void read_withheld(struct dlw_reader *reader, const json_t *line)
{
    uint64_t id = dlw_reader_new_id(reader, line, "withheld finding");
    json_t *copy = json_deep_copy(line);
    if (id)
        keep_withheld(reader, id, copy);
    json_decref(copy);
}

static void read_void(struct dlw_reader *reader, const json_t *line)
{
    keep_withheld(reader, dlw_json_number(line, "finding"), json_null());
}

void dlw_reader_promote(struct dlw_reader *reader)
{
    const struct dlw_line_sink *sink = reader->reading->sink;
    const char *key, *ended = reader->process ? reader->process->ended : NULL;
    json_t *line;
    if (!reader->process || (ended && strcmp(ended, "running") == 0))
        return;
    json_object_foreach(reader->withheld, key, line)
    {
        if (json_is_null(line))
            continue;
        if (!json_object_get(line, "reason"))
            json_object_set_new(line, "reason",
                                json_string("the process ended before it was seen whether the "
                                            "semaphore is a lock"));
        if (sink)
            sink->line(sink->context, reader, "finding", line);
        else
            read_finding(reader, line);
    }
}

static void read_again(struct dlw_reader *reader, const json_t *line)
{
    struct dlw_raw_finding *raw;
    uint64_t id = dlw_json_number(line, "finding"), count = dlw_json_number(line, "count");
    /* Of an edge: so many that say the same, and have no line. */
    reader->edges += dlw_json_number(line, "more");
    DLW_BY_ID_FIND(reader->findings, id, raw);
    if (raw && count > raw->finding->count)
        raw->finding->count = count;
}

static void read_waits(struct dlw_reader *reader, const json_t *line)
{
    if (reader->reading->sink)
        return;
    json_decref(reader->waits);
    reader->waits = json_deep_copy(line);
}

static void read_profile(struct dlw_reader *reader, const json_t *line)
{
    uint64_t lost = dlw_json_number(line, "lost");
    if (lost)
        dlw_doc_note(reader->reading->doc,
                     "the profile of process %u had no room for %llu takings, of more locks and "
                     "places than it keeps",
                     reader->process->pid, (unsigned long long)lost);
    else if (!reader->reading->sink)
        dlw_reader_build_cost(reader, line, dlw_reader_kind(reader, dlw_json_text(line, "kind")));
}

static void read_trail(struct dlw_reader *reader, const json_t *line)
{
    if (!reader->reading->sink)
        dlw_reader_build_trail(reader, line);
}

static const struct {
    const char *type;
    void (*read)(struct dlw_reader *reader, const json_t *line);
} line_types[] = {
    {"module", read_module},         {"stack", read_stack},
    {"thread", read_thread},         {"lock", read_lock},
    {"edge", dlw_reader_build_edge}, {"finding", read_finding},
    {"withheld", read_withheld},     {"void", read_void},
    {"again", read_again},           {"profile", read_profile},
    {"trail", read_trail},           {"waits", read_waits},
};

void dlw_reader_take(struct dlw_reader *reader, const json_t *line)
{
    const char *type = dlw_json_text(line, "type");
    if (!type) {
        dlw_reader_complain(reader, "a line without a type");
        return;
    }
    if (!reader->process && strcmp(type, "process") != 0) {
        dlw_reader_complain(reader, "not a dlwatch journal: it does not begin with a process line");
        reader->refused = true;
        return;
    }
    reader->replaced = false; /* an exec that failed is followed by more */
    const struct dlw_line_sink *sink = reader->reading->sink;
    if (sink)
        sink->line(sink->context, reader, type, line);
    reader->edges += strcmp(type, "edge") == 0;
    if (dlw_reader_take_of_process(reader, type, line))
        return;
    for (size_t i = 0; i < sizeof(line_types) / sizeof(line_types[0]); i++)
        if (strcmp(line_types[i].type, type) == 0) {
            line_types[i].read(reader, line);
            return;
        }
}
