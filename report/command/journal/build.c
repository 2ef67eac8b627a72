/* From the raw tables of a journal to findings with names: stacks are resolved when first used. */
#include "report/command/journal/raw.h"

#include "report/command/base/clean.h"
#include "report/command/base/rights.h"
#include "report/command/journal/json_get.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path;
}

/* Frames of the library that watches, and of libc's locking functions, say nothing about the
 * program. A stack of nothing else is left as it is. */
static bool is_plumbing(const struct dlw_raw_frame *frame)
{
    const char *name = frame->module ? base_name(frame->module->path) : NULL;
    return name && (strncmp(name, "libdlwatch.so", 13) == 0 || strncmp(name, "libc.so.", 8) == 0 ||
                    strncmp(name, "libpthread", 10) == 0);
}

static size_t first_of_program(const struct dlw_raw_stack *stack)
{
    for (size_t i = 0; i < stack->n; i++)
        if (!is_plumbing(&stack->frames[i]))
            return i;
    return 0;
}

/* What a journal names itself is the word of its owner, or of the process that it lies in. */
static const struct dlw_rights *source_rights(struct dlw_reader *reader)
{
    struct stat state;
    if (reader->has_source_rights)
        return reader->source_rights;
    reader->has_source_rights = true;
    reader->source_rights = dlw_symbols_rights(reader->reading->symbols);
    bool is_file = reader->path && stat(reader->path, &state) == 0;
    if (!reader->source_rights && (is_file || fstat(STDIN_FILENO, &state) == 0))
        reader->source_rights = dlw_rights_of_owner(reader->region, &state);
    return reader->source_rights;
}

static void name_line(struct dlw_reader *reader, const struct dlw_raw_frame *raw,
                      struct dlw_frame *out)
{
    bool is_relative = *raw->file != '/' && *raw->file != '<';
    out->language = raw->language;
    out->file = raw->file;
    out->function = raw->function;
    out->line = raw->line;
    out->folder = is_relative && reader->process ? reader->process->folder : NULL;
    out->rights = source_rights(reader);
}

static void name_frame(struct dlw_reader *reader, const struct dlw_raw_frame *raw, bool is_return,
                       struct dlw_stack *out)
{
    if (raw->module && !raw->unknown) {
        const struct dlw_code code = {raw->module->path, raw->module->build_id, raw->offset,
                                      raw->module->base + raw->offset, is_return};
        dlw_symbols_frames(reader->reading->symbols, reader->region, &code, out);
        return;
    }
    out->frames = dlw_region_grow(reader->region, out->frames, out->n, sizeof(*out->frames));
    struct dlw_frame *frame = &out->frames[out->n++];
    memset(frame, 0, sizeof(*frame));
    frame->unknown = raw->unknown;
    if (raw->language)
        name_line(reader, raw, frame);
    else if (!raw->unknown)
        frame->pc = raw->offset;
}

static struct dlw_stack name_stack(struct dlw_reader *reader, uint64_t id, bool is_return)
{
    struct dlw_raw_stack *raw;
    struct dlw_stack none = {0};
    DLW_BY_ID_FIND(reader->stacks, id, raw);
    if (!raw) {
        if (id)
            dlw_reader_complain(reader, "stack %llu is not in the journal", (unsigned long long)id);
        return none;
    }
    if (raw->is_named)
        return raw->named;
    for (size_t i = first_of_program(raw); i < raw->n; i++)
        name_frame(reader, &raw->frames[i], is_return, &raw->named);
    raw->named.cut = raw->cut;
    raw->is_named = true;
    return raw->named;
}

struct dlw_stack dlw_reader_stack(struct dlw_reader *reader, uint64_t id)
{
    return name_stack(reader, id, true);
}

struct dlw_doc_thread *dlw_reader_thread(struct dlw_reader *reader, uint64_t id)
{
    struct dlw_raw_thread *raw;
    DLW_BY_ID_FIND(reader->threads, id, raw);
    if (!raw) {
        struct dlw_doc_thread *stranger = dlw_region_alloc(reader->region, sizeof(*stranger));
        stranger->id = (uint32_t)id;
        stranger->process = reader->is_merged ? NULL : reader->process;
        return stranger;
    }
    if (raw->created)
        raw->thread->created = dlw_reader_stack(reader, raw->created);
    if (raw->start) {
        struct dlw_stack start = name_stack(reader, raw->start, false);
        if (start.n && dlw_frame_is_interpreter(&start.frames[start.n - 1]))
            start.n = 0; /* all of Python's threads begin there */
        if (start.n)
            raw->thread->start = start.frames[start.n - 1].function;
        if (start.n && dlw_frame_is_own(&start.frames[start.n - 1]))
            raw->thread->begins = &start.frames[start.n - 1];
    }
    raw->created = raw->start = 0;
    return raw->thread;
}

void dlw_reader_name_variable(struct dlw_reader *reader, struct dlw_raw_module *module,
                              struct dlw_doc_lock *lock)
{
    if (!module)
        return;
    lock->module = dlw_clean(reader->region, module->path);
    lock->build_id = module->build_id;
    struct dlw_variable variable = dlw_symbols_variable(reader->reading->symbols, module->path,
                                                        module->build_id, lock->offset);
    if (!lock->name) {
        lock->name = variable.name;
        lock->expression = variable.expression;
        if (variable.file && variable.line)
            lock->declared = dlw_region_print(reader->region, "%s:%u", dlw_base_name(variable.file),
                                              variable.line);
    }
}

struct dlw_doc_lock *dlw_reader_lock(struct dlw_reader *reader, uint64_t id)
{
    struct dlw_raw_lock *raw;
    DLW_BY_ID_FIND(reader->locks, id, raw);
    if (!raw)
        return NULL;
    if (raw->named)
        return raw->named;
    raw->named = dlw_region_alloc(reader->region, sizeof(*raw->named));
    *raw->named = raw->lock;
    dlw_reader_name_variable(reader, raw->module, raw->named);
    raw->named->created = dlw_reader_stack(reader, raw->created);
    raw->named->first = dlw_reader_stack(reader, raw->first);
    if (raw->thread)
        raw->named->thread = dlw_reader_thread(reader, raw->thread->id);
    return raw->named;
}

/* Each finding has its own L1, L2, …, so it has its own copies. */
static struct dlw_doc_lock *finding_lock(struct dlw_reader *reader, struct dlw_doc_finding *finding,
                                         uint64_t id)
{
    for (size_t i = 0; i < finding->n_locks; i++)
        if (finding->locks[i]->source == id)
            return finding->locks[i];
    struct dlw_doc_lock *shared = dlw_reader_lock(reader, id);
    if (!shared && !id)
        return NULL;
    struct dlw_doc_lock *lock = dlw_region_alloc(reader->region, sizeof(*lock));
    if (shared) {
        *lock = *shared;
    } else {
        lock->kind = "custom";
        dlw_reader_complain(reader, "lock %llu is not in the journal", (unsigned long long)id);
    }
    lock->source = id;
    dlw_doc_name_lock(reader->reading->doc, finding, lock);
    return lock;
}

static struct dlw_doc_lock *any_lock(struct dlw_reader *reader, struct dlw_doc_finding *finding,
                                     uint64_t id)
{
    if (finding)
        return finding_lock(reader, finding, id);
    struct dlw_doc_lock *lock = dlw_reader_lock(reader, id);
    if (lock)
        dlw_doc_name_document_lock(reader->reading->doc, lock);
    return lock;
}

static enum dlw_mode mode_of(const json_t *json, const char *key)
{
    const char *word = dlw_json_text(json, key);
    return word && strcmp(word, "shared") == 0 ? DLW_SHARED : DLW_EXCLUSIVE;
}

static void build_hold(struct dlw_reader *reader, struct dlw_doc_finding *finding,
                       const json_t *json, struct dlw_doc_hold *out)
{
    out->lock = any_lock(reader, finding, dlw_json_number(json, "lock"));
    out->mode = mode_of(json, "mode");
    out->timed = dlw_json_flag(json, "timed");
    out->stack = dlw_reader_stack(reader, dlw_json_number(json, "stack"));
}

/* A history names the journal of each step: the thread then is one of that process, by the name
 * that it has there. */
static struct dlw_doc_thread *thread_of(struct dlw_reader *reader, const json_t *entry)
{
    struct dlw_doc_thread *thread = dlw_reader_thread(reader, dlw_json_number(entry, "thread"));
    struct dlw_raw_journal *raw;
    uint64_t id = dlw_json_number(entry, "journal");
    DLW_BY_ID_FIND(reader->journals, id, raw);
    if (!raw)
        return thread;
    struct dlw_doc_thread *own = dlw_region_alloc(reader->region, sizeof(*own));
    *own = *thread;
    own->process = raw->process;
    own->name = dlw_clean(reader->region, dlw_json_text(entry, "name"));
    return own;
}

static bool build_cycle(struct dlw_reader *reader, struct dlw_doc_finding *finding,
                        const json_t *cycle)
{
    size_t n = json_array_size(cycle);
    finding->cycle = dlw_region_alloc(reader->region, n * sizeof(*finding->cycle));
    finding->n_cycle = n;
    for (size_t i = 0; i < n; i++) {
        const json_t *entry = json_array_get(cycle, i);
        struct dlw_doc_step *step = &finding->cycle[i];
        step->thread = thread_of(reader, entry);
        step->scope = dlw_clean(reader->region, dlw_json_text(entry, "scope"));
        build_hold(reader, finding, json_object_get(entry, "holds"), &step->holds);
        build_hold(reader, finding, json_object_get(entry, "wants"), &step->wants);
        if (!step->holds.lock || !step->wants.lock)
            return false;
        /* Who holds "the end of a thread" is that thread. */
        if (dlw_doc_is_thread(step->holds.lock) && !step->holds.lock->thread)
            step->holds.lock->thread = step->thread;
    }
    return true;
}

static void build_signal(struct dlw_reader *reader, const json_t *json, struct dlw_doc_signal *out)
{
    if (!json)
        return;
    out->is_known = true;
    out->count = dlw_json_number(json, "count");
    out->is_before = dlw_json_flag(json, "before");
    out->stack = dlw_reader_stack(reader, dlw_json_number(json, "stack"));
    if (dlw_json_number(json, "thread"))
        out->thread = dlw_reader_thread(reader, dlw_json_number(json, "thread"));
}

static void build_state(struct dlw_reader *reader, struct dlw_doc_finding *finding,
                        const json_t *json, struct dlw_doc_state *out)
{
    const char *waits = dlw_json_text(json, "waits");
    int kind = waits ? dlw_wait_find(waits) : -1;
    out->thread = thread_of(reader, json);
    out->waits = kind < 0 ? DLW_WAIT_NONE : (enum dlw_wait_kind)kind;
    out->on = any_lock(reader, finding, dlw_json_number(json, "for"));
    out->mode = mode_of(json, "mode");
    out->timed = dlw_json_flag(json, "timed");
    out->since = dlw_json_real(json, "since", -1);
    out->syscall = dlw_clean(reader->region, dlw_json_text(json, "syscall"));
    out->stack = dlw_reader_stack(reader, dlw_json_number(json, "stack"));
    if (out->waits == DLW_WAIT_FUTEX && out->on && !out->on->name)
        out->on->name = dlw_futex_name(&out->stack);
    build_signal(reader, json_object_get(json, "signalled"), &out->signal);
    out->arrived = (uint32_t)dlw_json_number(json, "arrived");
    out->parties = (uint32_t)dlw_json_number(json, "of");
    const json_t *holds = json_object_get(json, "holds");
    size_t n = json_array_size(holds);
    out->holds = dlw_region_alloc(reader->region, n * sizeof(*out->holds));
    for (size_t i = 0; i < n; i++) {
        build_hold(reader, finding, json_array_get(holds, i), &out->holds[out->n_holds]);
        if (out->holds[out->n_holds].lock)
            out->n_holds++;
    }
}

static enum dlw_harmless harmless_of(const char *word)
{
    int harmless = word ? dlw_harmless_find(word) : -1;
    return harmless < 0 ? DLW_FEASIBLE : (enum dlw_harmless)harmless;
}

static enum dlw_doubt doubt_of(const char *word)
{
    int doubt = word ? dlw_doubt_find(word) : -1;
    return doubt < 0 ? DLW_NO_DOUBT : (enum dlw_doubt)doubt;
}

static bool is_a_cycle_kind(enum dlw_kind kind)
{
    return dlw_kind_form(kind) == DLW_FORM_CYCLE;
}

static void build_threads(struct dlw_reader *reader, struct dlw_doc_finding *finding,
                          const json_t *threads)
{
    size_t n = json_array_size(threads);
    finding->threads = dlw_region_alloc(reader->region, n * sizeof(*finding->threads));
    finding->n_threads = n;
    for (size_t i = 0; i < n; i++)
        build_state(reader, finding, json_array_get(threads, i), &finding->threads[i]);
}

/* A wait for a lock whose holder has gone: the second state is that holder's. */
static void build_holder(struct dlw_doc_finding *finding)
{
    if (finding->kind != DLW_DEADLOCK || finding->n_cycle != 1 || finding->n_threads != 2)
        return;
    finding->cycle[0].holder = finding->threads[1].thread;
    finding->n_threads = 0;
}

/* A history says of a finding in which journal it stood. */
static const struct dlw_doc_process *process_of(struct dlw_reader *reader, const json_t *line)
{
    struct dlw_raw_journal *raw;
    uint64_t id = dlw_json_number(line, "journal");
    DLW_BY_ID_FIND(reader->journals, id, raw);
    return raw ? raw->process : reader->is_merged ? NULL : reader->process;
}

void dlw_reader_build_finding(struct dlw_reader *reader, const json_t *line)
{
    struct dlw_doc *doc = reader->reading->doc;
    const char *word = dlw_json_text(line, "kind");
    int kind = word ? dlw_kind_find(word) : -1;
    const json_t *cycle = json_object_get(line, "cycle");
    const json_t *threads = json_object_get(line, "threads");
    if (kind < 0 || (json_array_size(cycle) == 0 && json_array_size(threads) == 0)) {
        dlw_reader_complain(reader, kind < 0 ? "a finding of no known kind"
                                             : "a finding without cycle or threads");
        return;
    }
    struct dlw_doc_finding *finding = dlw_doc_add_finding(doc, (enum dlw_kind)kind);
    const char *certainty = dlw_json_text(line, "certainty");
    finding->process = process_of(reader, line);
    finding->across_runs = dlw_json_flag(line, "across");
    if (dlw_json_number(line, "count"))
        finding->count = dlw_json_number(line, "count");
    finding->certain = certainty && strcmp(certainty, "certain") == 0;
    finding->time = dlw_json_real(line, "time", 0);
    finding->reason = dlw_clean(reader->region, dlw_json_text(line, "reason"));
    finding->harmless = harmless_of(dlw_json_text(line, "harmless"));
    finding->doubt = doubt_of(dlw_json_text(line, "doubt"));
    bool sound = build_cycle(reader, finding, cycle);
    build_threads(reader, finding, threads);
    build_holder(finding);
    finding->gate = finding_lock(reader, finding, dlw_json_number(line, "harmless_lock"));
    if (sound && (finding->n_cycle || !is_a_cycle_kind(finding->kind)))
        return;
    dlw_reader_complain(reader, "a finding that refers to what the journal does not hold");
    doc->n_findings--;
}

/* A lock stands once in the picture, however many edges it has. */
static struct dlw_doc_lock *node(struct dlw_reader *reader, uint64_t id)
{
    struct dlw_raw_lock *raw;
    DLW_BY_ID_FIND(reader->locks, id, raw);
    if (!raw)
        return NULL;
    if (!raw->in_graph) {
        raw->in_graph = dlw_region_alloc(reader->region, sizeof(*raw->in_graph));
        *raw->in_graph = *dlw_reader_lock(reader, id);
        dlw_doc_name_document_lock(reader->reading->doc, raw->in_graph);
    }
    return raw->in_graph;
}

static void build_gates(struct dlw_reader *reader, const json_t *gates, struct dlw_doc_edge *edge)
{
    size_t n = json_array_size(gates);
    edge->gates = dlw_region_alloc(reader->region, n * sizeof(struct dlw_doc_lock *));
    for (size_t i = 0; i < n; i++) {
        json_int_t id = json_integer_value(json_array_get(gates, i));
        struct dlw_doc_lock *gate = id > 0 ? node(reader, (uint64_t)id) : NULL;
        if (gate)
            edge->gates[edge->n_gates++] = gate;
    }
}

void dlw_reader_build_edge(struct dlw_reader *reader, const json_t *line)
{
    reader->process->edges++;
    if (!reader->reading->edges)
        return;
    struct dlw_doc_lock *from = node(reader, dlw_json_number(line, "from"));
    struct dlw_doc_lock *to = node(reader, dlw_json_number(line, "to"));
    if (!from || !to) {
        dlw_reader_complain(reader, "an edge between locks that the journal does not hold");
        return;
    }
    struct dlw_doc_edge *edge = dlw_doc_add_edge(reader->reading->doc);
    edge->from = from;
    edge->to = to;
    edge->thread = dlw_reader_thread(reader, dlw_json_number(line, "thread"));
    edge->hold = dlw_reader_stack(reader, dlw_json_number(line, "hold"));
    edge->want = dlw_reader_stack(reader, dlw_json_number(line, "want"));
    edge->from_mode = mode_of(line, "from_mode");
    edge->to_mode = mode_of(line, "to_mode");
    edge->timed = dlw_json_flag(line, "timed");
    build_gates(reader, json_object_get(line, "gates"), edge);
}

void dlw_reader_build_cost(struct dlw_reader *reader, const json_t *line, const char *kind)
{
    struct dlw_doc_cost *cost = dlw_doc_add_cost(reader->reading->doc);
    struct dlw_raw_module *image;
    uint64_t module = dlw_json_number(line, "module"), holder = dlw_json_number(line, "holder");
    cost->lock = dlw_region_alloc(reader->region, sizeof(*cost->lock));
    cost->lock->kind = kind;
    cost->lock->address = dlw_json_address(line, "address");
    cost->lock->offset = dlw_json_address(line, "offset");
    cost->lock->process = cost->process = reader->process;
    DLW_BY_ID_FIND(reader->modules, module, image);
    dlw_reader_name_variable(reader, image, cost->lock);
    cost->place = dlw_reader_stack(reader, dlw_json_number(line, "place"));
    if (holder)
        cost->holder = dlw_reader_stack(reader, holder);
    cost->holder_name = dlw_clean(reader->region, dlw_json_text(line, "holder_name"));
    cost->takings = dlw_json_number(line, "takings");
    cost->contended = dlw_json_number(line, "contended");
    cost->wait = dlw_json_number(line, "wait");
    cost->wait_longest = dlw_json_number(line, "wait_longest");
    cost->holds = dlw_json_number(line, "holds");
    cost->hold = dlw_json_number(line, "hold");
    cost->hold_longest = dlw_json_number(line, "hold_longest");
    cost->blocked = dlw_json_number(line, "blocked");
    cost->blocked_time = dlw_json_number(line, "blocked_time");
}

void dlw_reader_build_waits(struct dlw_reader *reader, const json_t *line)
{
    const json_t *threads = json_object_get(line, "threads");
    for (size_t i = 0; i < json_array_size(threads); i++) {
        struct dlw_doc_state *state = dlw_doc_add_thread(reader->reading->doc);
        build_state(reader, NULL, json_array_get(threads, i), state);
    }
}
