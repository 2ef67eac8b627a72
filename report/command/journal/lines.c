/* The lines of a journal: each is checked and put into a table by its id. */
#include "report/command/journal/raw.h"

#include "report/command/base/clean.h"
#include "report/command/journal/json_get.h"

#include <string.h>

enum { MAX_FRAMES = 1024, JOURNAL_VERSION = 1 };

#define ADD(table, entry) HASH_ADD(hh, table, id, sizeof((entry)->id), entry)
#define FIND(table, key, out) HASH_FIND(hh, table, &(key), sizeof(uint64_t), out)

static void copy_argv(struct dlw_reader *reader, struct dlw_doc_process *process,
                      const json_t *argv)
{
    size_t n = json_array_size(argv);
    process->argv = dlw_region_alloc(reader->region, (n + 1) * sizeof(*process->argv));
    process->argc = n;
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(argv, i));
        process->argv[i] = dlw_clean(reader->region, text ? text : "");
    }
}

static void check_release(struct dlw_reader *reader, const json_t *line)
{
    const char *release = dlw_json_text(line, "dlwatch");
    if (release && strcmp(release, DLW_VERSION) != 0)
        dlw_doc_note(reader->reading->doc,
                     "%s was written by libdlwatch.so %s, this is dlwatch " DLW_VERSION,
                     reader->path, release);
}

static void fill_process(struct dlw_reader *reader, struct dlw_doc_process *process,
                         const json_t *line)
{
    process->journal = reader->path;
    process->pid = (uint32_t)dlw_json_number(line, "pid");
    process->ppid = (uint32_t)dlw_json_number(line, "ppid");
    process->exe = dlw_clean(reader->region, dlw_json_text(line, "exe"));
    process->folder = dlw_clean(reader->region, dlw_json_text(line, "cwd"));
    process->start = dlw_json_real(line, "start", 0);
    process->cut = dlw_clean(reader->region, dlw_json_text(line, "cut"));
    process->status = -1;
    const char *by = dlw_json_text(line, "by");
    process->forked = by && strcmp(by, "fork") == 0;
    copy_argv(reader, process, json_object_get(line, "argv"));
}

static void fill_end(struct dlw_doc_process *process, const json_t *line)
{
    static const char *const known[] = {"exit",   "deadlock", "abort",  "exec",
                                        "signal", "killed",   "running"};
    const char *ended = dlw_json_text(line, "ended");
    for (size_t i = 0; ended && i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i], ended) == 0)
            process->ended = known[i];
    const json_t *status = json_object_get(line, "status");
    if (json_is_integer(status) && json_integer_value(status) >= 0 &&
        json_integer_value(status) < 65536)
        process->status = (int)json_integer_value(status);
    process->edges = dlw_json_number(line, "edges");
    process->locks = dlw_json_number(line, "locks");
    process->threads = dlw_json_number(line, "threads");
    process->calls = dlw_json_number(line, "calls");
}

static void fill_bounds(struct dlw_doc_process *process, const json_t *line)
{
    process->dropped = dlw_json_number(line, "dropped");
    process->given_up = dlw_json_number(line, "given_up");
    process->untold = dlw_json_number(line, "untold");
}

/* The id of a line that defines something; 0 after a message. */
static uint64_t new_id(struct dlw_reader *reader, const json_t *line, const char *what)
{
    uint64_t id = dlw_json_number(line, "id");
    if (!id)
        dlw_reader_complain(reader, "a %s without an id", what);
    return id;
}

/* Of this very run, or of one that it contains: "outer.inner". One without an id may be ours, of a
 * program that was started with an environment made anew: better one too many. */
static bool is_of_run(const char *wanted, const char *run)
{
    size_t n = wanted ? strlen(wanted) : 0;
    return !wanted || !run || (strncmp(run, wanted, n) == 0 && (!run[n] || run[n] == '.'));
}

static void read_process(struct dlw_reader *reader, const json_t *line)
{
    if (reader->process) {
        dlw_reader_complain(reader, "a second process line");
        return;
    }
    const json_t *version = json_object_get(line, "version");
    if (!json_is_integer(version) || json_integer_value(version) < 1) {
        dlw_reader_complain(reader, "the journal does not name its version");
        reader->refused = true;
        return;
    }
    if (json_integer_value(version) > JOURNAL_VERSION) {
        dlw_reader_complain(reader,
                            "written by a newer dlwatch (journal version %lld, this one reads %d)",
                            (long long)json_integer_value(version), JOURNAL_VERSION);
        reader->refused = true;
        return;
    }
    if (!is_of_run(reader->reading->run, dlw_json_text(line, "run"))) {
        reader->refused = true;
        return;
    }
    check_release(reader, line);
    reader->is_merged = dlw_json_flag(line, "merged");
    struct dlw_doc_process *process = reader->is_merged
                                          ? dlw_region_alloc(reader->region, sizeof(*process))
                                          : dlw_doc_add_process(reader->reading->doc);
    reader->process = process;
    fill_process(reader, process, line);
}

static void read_journal(struct dlw_reader *reader, const json_t *line)
{
    uint64_t id = new_id(reader, line, "journal");
    struct dlw_raw_journal *raw;
    FIND(reader->journals, id, raw);
    if (!id || raw || !reader->is_merged)
        return;
    raw = dlw_region_alloc(&reader->own, sizeof(*raw));
    raw->id = id;
    raw->process = dlw_doc_add_process(reader->reading->doc);
    fill_process(reader, raw->process, line);
    fill_end(raw->process, line);
    fill_bounds(raw->process, line);
    ADD(reader->journals, raw);
}

static void read_module(struct dlw_reader *reader, const json_t *line)
{
    struct dlw_raw_module *module;
    uint64_t id = new_id(reader, line, "module");
    FIND(reader->modules, id, module);
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
    ADD(reader->modules, module);
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
    FIND(reader->modules, id, frame->module);
    if (id && !frame->module)
        frame->unknown = "its module stands on a damaged line of the journal";
    return true;
}

static void read_stack(struct dlw_reader *reader, const json_t *line)
{
    uint64_t id = new_id(reader, line, "stack");
    if (!id)
        return;
    struct dlw_raw_stack *stack;
    FIND(reader->stacks, id, stack);
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
    ADD(reader->stacks, stack);
}

static void read_thread(struct dlw_reader *reader, const json_t *line)
{
    uint64_t id = new_id(reader, line, "thread");
    if (!id)
        return;
    struct dlw_raw_thread *raw;
    FIND(reader->threads, id, raw);
    if (!raw) {
        raw = dlw_region_alloc(&reader->own, sizeof(*raw));
        raw->id = id;
        raw->thread = dlw_region_alloc(reader->region, sizeof(*raw->thread));
        ADD(reader->threads, raw);
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
    uint64_t id = new_id(reader, line, "lock");
    if (!id)
        return;
    struct dlw_raw_lock *raw;
    FIND(reader->locks, id, raw);
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
    FIND(reader->modules, module, raw->module);
    FIND(reader->threads, thread, raw->thread);
    ADD(reader->locks, raw);
}

static void read_finding(struct dlw_reader *reader, const json_t *line)
{
    uint64_t id = new_id(reader, line, "finding");
    if (!id)
        return;
    struct dlw_raw_finding *raw;
    FIND(reader->findings, id, raw);
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
    ADD(reader->findings, raw);
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
    uint64_t id = new_id(reader, line, "withheld finding");
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
    FIND(reader->findings, id, raw);
    if (raw && count > raw->finding->count)
        raw->finding->count = count;
}

static void read_off(struct dlw_reader *reader, const json_t *line)
{
    const char *reason = dlw_json_text(line, "reason");
    reader->process->off = dlw_clean(reader->region, reason ? reason : "no reason given");
}

static const char *clean_text(struct dlw_reader *reader, const json_t *line, const char *name)
{
    const char *text = dlw_json_text(line, name);
    return dlw_clean(reader->region, text ? text : "?");
}

static void read_lacks(struct dlw_reader *reader, const json_t *line)
{
    struct dlw_doc_process *process = reader->process;
    struct dlw_doc_lack lack = {clean_text(reader, line, "what"), clean_text(reader, line, "why"),
                                clean_text(reader, line, "effect"),
                                json_is_true(json_object_get(line, "reduces"))};
    process->lacks =
        dlw_region_grow(reader->region, process->lacks, process->n_lacks, sizeof(lack));
    process->lacks[process->n_lacks++] = lack;
}

static void read_note(struct dlw_reader *reader, const json_t *line)
{
    if (reader->reading->doc)
        dlw_doc_note(reader->reading->doc, "%s", clean_text(reader, line, "text"));
}

/* The last line of a deadlock counts. */
static void read_avoided(struct dlw_reader *reader, const json_t *line)
{
    struct dlw_doc_process *process = reader->process;
    struct dlw_doc_avoided avoided = {clean_text(reader, line, "deadlock"),
                                      dlw_json_number(line, "count"),
                                      dlw_json_number(line, "exhausted"),
                                      dlw_json_number(line, "let_go"), dlw_json_flag(line, "off")};
    for (size_t i = 0; i < process->n_avoided; i++)
        if (strcmp(process->avoided[i].deadlock, avoided.deadlock) == 0) {
            process->avoided[i] = avoided;
            return;
        }
    process->avoided =
        dlw_region_grow(reader->region, process->avoided, process->n_avoided, sizeof(avoided));
    process->avoided[process->n_avoided++] = avoided;
}

/* A relative path is mostly taken from the folder that the process began in. */
static void read_unwatched(struct dlw_reader *reader, const json_t *line)
{
    const char *exe = dlw_json_text(line, "exe"), *why = dlw_json_text(line, "why");
    if (!reader->reading->doc)
        return;
    if (!exe || !why) {
        dlw_reader_complain(reader, "an unwatched program without its name");
        return;
    }
    dlw_doc_add_unwatched(reader->reading->doc, exe, why);
    if (strcmp(why, "exe") != 0 && strcmp(why, "no libpthread at start") != 0)
        return;
    reader->process->is_left_alone = true;
    reader->process->ended = "exit"; /* nobody will say */
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

static void read_bounds(struct dlw_reader *reader, const json_t *line)
{
    fill_bounds(reader->process, line);
}

static void read_exec(struct dlw_reader *reader, const json_t *line)
{
    (void)line;
    reader->replaced = true;
}

static void read_end(struct dlw_reader *reader, const json_t *line)
{
    fill_end(reader->process, line);
    if (!reader->process->ended)
        reader->process->ended = "exit";
    reader->ended = true;
}

static const struct {
    const char *type;
    void (*read)(struct dlw_reader *reader, const json_t *line);
} line_types[] = {
    {"process", read_process},
    {"journal", read_journal},
    {"module", read_module},
    {"stack", read_stack},
    {"thread", read_thread},
    {"lock", read_lock},
    {"edge", dlw_reader_build_edge},
    {"finding", read_finding},
    {"withheld", read_withheld},
    {"void", read_void},
    {"again", read_again},
    {"off", read_off},
    {"lacks", read_lacks},
    {"avoided", read_avoided},
    {"note", read_note},
    {"unwatched", read_unwatched},
    {"bounds", read_bounds},
    {"profile", read_profile},
    {"trail", read_trail},
    {"waits", read_waits},
    {"exec", read_exec},
    {"end", read_end},
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
    for (size_t i = 0; i < sizeof(line_types) / sizeof(line_types[0]); i++)
        if (strcmp(line_types[i].type, type) == 0) {
            line_types[i].read(reader, line);
            return;
        }
}
