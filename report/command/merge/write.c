/* A history as a journal (report/JOURNAL.md): what is referred to comes first, each sort by key. */
#include "report/command/merge/history.h"

#include "report/command/base/command.h"
#include "report/emit/journal/jsonl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    struct dlw_history *history;
    FILE *out;
    struct dlw_jsonl json; /* a line of those that there are many of */
};

/* ---- only what is referred to is written: the smaller of two stacks may have replaced another
 * ---- */

static void mark_stack(struct dlw_h_stack *stack)
{
    if (!stack || stack->entity.id)
        return;
    stack->entity.id = 1;
    for (size_t i = 0; i < stack->n; i++)
        if (stack->frames[i].module)
            stack->frames[i].module->entity.id = 1;
}

static void mark_role(struct dlw_h_role *role)
{
    if (!role || role->entity.id)
        return;
    role->entity.id = 1;
    mark_stack(role->start);
    mark_stack(role->created);
}

static void mark_lock(struct dlw_h_lock *lock)
{
    if (!lock || lock->entity.id)
        return;
    lock->entity.id = 1;
    if (lock->module)
        lock->module->entity.id = 1;
    mark_stack(lock->created);
    mark_stack(lock->first);
    mark_role(lock->role);
}

static void mark_hold(const struct dlw_h_hold *hold)
{
    mark_lock(hold->lock);
    mark_stack(hold->stack);
}

static void mark_finding(const struct dlw_h_finding *finding)
{
    mark_lock(finding->harmless_lock);
    for (size_t i = 0; i < finding->n_parts; i++) {
        const struct dlw_h_part *part = &finding->parts[i];
        mark_role(part->role);
        mark_hold(&part->wants);
        mark_stack(part->stack);
        for (size_t j = 0; j < part->n_holds; j++)
            mark_hold(&part->holds[j]);
    }
}

static void mark_edge(const struct dlw_h_edge *edge)
{
    mark_lock(edge->from);
    mark_lock(edge->to);
    for (size_t i = 0; i < edge->n; i++) {
        const struct dlw_h_variant *variant = &edge->variants[i];
        mark_role(variant->role);
        mark_stack(variant->hold);
        mark_stack(variant->want);
        for (size_t j = 0; j < variant->n_gates; j++)
            mark_lock(variant->gates[j]);
    }
}

static void mark_all(struct dlw_history *history)
{
    struct dlw_h_edge *edge, *next_edge;
    struct dlw_h_finding *finding, *next_finding;
    struct dlw_h_name *name, *next_name;
    HASH_ITER(entity.hh, history->edges, edge, next_edge)
    mark_edge(edge);
    HASH_ITER(entity.hh, history->names, name, next_name)
    mark_role(name->role);
    HASH_ITER(entity.hh, history->findings, finding, next_finding)
    mark_finding(finding);
}

/* ---- numbering ---- */

static int compare_entities(const void *a, const void *b)
{
    const struct dlw_entity *const *x = a, *const *y = b;
    return dlw_key_compare(&(*x)->key, &(*y)->key);
}

/* The marked ones in the order of their keys, numbered from 1. `all`: unmarked ones too. */
static size_t number(struct dlw_region *region, struct dlw_entity *head, bool all,
                     struct dlw_entity ***out)
{
    size_t n = 0;
    struct dlw_entity *entity, *next;
    *out = dlw_region_alloc(region, (HASH_COUNT(head) + 1) * sizeof(struct dlw_entity *));
    HASH_ITER(hh, head, entity, next)
    if (all || entity->id)
        (*out)[n++] = entity;
    qsort(*out, n, sizeof(struct dlw_entity *), compare_entities);
    for (size_t i = 0; i < n; i++)
        (*out)[i]->id = (uint32_t)i + 1;
    return n;
}

/* ---- lines ---- */

static void put(struct writer *writer, json_t *line)
{
    json_dumpf(line, writer->out, JSON_COMPACT | JSON_REAL_PRECISION(17));
    fputc('\n', writer->out);
    json_decref(line);
}

static void text(json_t *json, const char *key, const char *value)
{
    if (value)
        json_object_set_new(json, key, json_string(value));
}

static void refer(json_t *json, const char *key, const struct dlw_entity *entity)
{
    if (entity)
        json_object_set_new(json, key, json_integer(entity->id));
}

static json_t *line_of(const char *type, const struct dlw_entity *entity)
{
    return json_pack("{sssi}", "type", type, "id", (int)entity->id);
}

static void put_journal(struct writer *writer, struct dlw_entity *entity)
{
    struct dlw_h_journal *journal = (struct dlw_h_journal *)entity;
    json_t *line = line_of("journal", entity), *fields = json_loads(journal->line, 0, NULL);
    json_object_set_new(line, "key",
                        json_sprintf("%016" PRIx64 "%016" PRIx64, entity->key.a, entity->key.b));
    json_object_set_new(line, "rank", json_integer(journal->rank));
    if (fields)
        json_object_update(line, fields);
    json_decref(fields);
    put(writer, line);
}

/* ---- lines that there are many of ---- */

static bool make_room(struct dlw_jsonl *json, size_t size)
{
    size_t room = 2 * json->room + size;
    char *text = realloc(json->text, room);
    if (!text) {
        dlw_message("out of memory");
        exit(DLW_STATUS_TROUBLE);
    }
    json->text = text;
    json->room = room;
    return true;
}

static void begin(struct writer *writer, const char *type)
{
    dlw_jsonl_line_begin(&writer->json, type);
}

static void end(struct writer *writer)
{
    dlw_jsonl_line_end(&writer->json);
    fwrite(writer->json.text, 1, writer->json.used, writer->out);
    writer->json.used = writer->json.line = 0;
}

static void put_number(struct writer *writer, const char *key, uint64_t number)
{
    dlw_jsonl_number_field(&writer->json, key, number);
}

static void put_text(struct writer *writer, const char *key, const char *value)
{
    if (value)
        dlw_jsonl_text_field(&writer->json, key, value);
}

static void put_id(struct writer *writer, const char *key, const struct dlw_entity *entity)
{
    if (entity)
        put_number(writer, key, entity->id);
}

static void put_module(struct writer *writer, struct dlw_entity *entity)
{
    struct dlw_h_module *module = (struct dlw_h_module *)entity;
    begin(writer, "module");
    put_id(writer, "id", entity);
    put_text(writer, "path", module->path);
    put_text(writer, "build_id", module->build_id);
    put_text(writer, "base", "0x0");
    end(writer);
}

static void put_stack(struct writer *writer, struct dlw_entity *entity)
{
    struct dlw_h_stack *stack = (struct dlw_h_stack *)entity;
    struct dlw_jsonl *json = &writer->json;
    begin(writer, "stack");
    put_id(writer, "id", entity);
    dlw_jsonl_open(json, "frames", '[');
    for (size_t i = 0; i < stack->n; i++) {
        const struct dlw_h_frame *frame = &stack->frames[i];
        dlw_jsonl_open(json, NULL, '[');
        if (frame->language) {
            dlw_jsonl_text(json, frame->language);
            dlw_jsonl_text(json, frame->file);
            dlw_jsonl_number(json, frame->line);
            dlw_jsonl_text(json, frame->function);
        } else if (frame->module) {
            dlw_jsonl_number(json, frame->module->entity.id);
            dlw_jsonl_hex(json, frame->offset);
        } else {
            dlw_jsonl_text(json, frame->unknown ? frame->unknown : "unknown");
        }
        dlw_jsonl_close(json, ']');
    }
    dlw_jsonl_close(json, ']');
    if (stack->cut)
        dlw_jsonl_true_field(json, "cut");
    end(writer);
}

static void put_role(struct writer *writer, struct dlw_entity *entity)
{
    struct dlw_h_role *role = (struct dlw_h_role *)entity;
    begin(writer, "thread");
    put_id(writer, "id", entity);
    put_text(writer, "name", role->name);
    put_id(writer, "start", role->start ? &role->start->entity : NULL);
    put_id(writer, "created", role->created ? &role->created->entity : NULL);
    if (role->is_main)
        dlw_jsonl_true_field(&writer->json, "main");
    if (role->is_several)
        dlw_jsonl_true_field(&writer->json, "several");
    end(writer);
}

static void put_name(struct writer *writer, struct dlw_entity *entity)
{
    struct dlw_h_name *name = (struct dlw_h_name *)entity;
    begin(writer, "name");
    put_id(writer, "thread", &name->role->entity);
    put_text(writer, "program", name->program);
    put_text(writer, "name", name->name);
    end(writer);
}

static void put_lock(struct writer *writer, struct dlw_entity *entity)
{
    struct dlw_h_lock *lock = (struct dlw_h_lock *)entity;
    begin(writer, "lock");
    put_id(writer, "id", entity);
    put_text(writer, "kind", lock->kind);
    put_text(writer, "lasting", lock->lasting);
    put_text(writer, "attr", lock->attributes);
    put_text(writer, "name", lock->name);
    put_text(writer, "class", lock->class_name);
    if (lock->module) {
        put_id(writer, "module", &lock->module->entity);
        dlw_jsonl_hex_field(&writer->json, "offset", lock->offset);
    }
    put_id(writer, "created", lock->created ? &lock->created->entity : NULL);
    put_id(writer, "first", lock->first ? &lock->first->entity : NULL);
    put_id(writer, "thread", lock->role ? &lock->role->entity : NULL);
    if (lock->is_signal)
        dlw_jsonl_true_field(&writer->json, "signal");
    if (lock->outlives)
        dlw_jsonl_true_field(&writer->json, "outlives");
    end(writer);
}

static const char *mode_word(bool shared)
{
    return shared ? "shared" : "exclusive";
}

static json_t *mode_json(bool shared)
{
    return json_string(mode_word(shared));
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* "1-3,7": the numbers that this file gives the journals. */
static char *ranges(struct writer *writer, const struct dlw_seen *journals)
{
    enum { LONGEST = 24 }; /* of "4294967295-4294967295," */
    struct dlw_history *history = writer->history;
    size_t n = dlw_seen_numbers(journals, NULL);
    uint32_t *ids = malloc((n + 1) * sizeof(*ids));
    char *result = malloc((n + 1) * LONGEST), *out = result;
    if (!ids || !result)
        exit(2);
    *out = '\0';
    dlw_seen_numbers(journals, ids);
    for (size_t i = 0; i < n; i++)
        ids[i] = history->by_index[ids[i]]->entity.id;
    qsort(ids, n, sizeof(*ids), compare_numbers);
    for (size_t i = 0; i < n; i++) {
        size_t last = i;
        while (last + 1 < n && ids[last + 1] == ids[last] + 1)
            last++;
        out += sprintf(out, "%s%" PRIu32, i ? "," : "", ids[i]);
        if (last > i)
            out += sprintf(out, "-%" PRIu32, ids[last]);
        i = last;
    }
    free(ids);
    return result;
}

static void put_variant(struct writer *writer, const struct dlw_h_edge *edge,
                        const struct dlw_h_variant *variant)
{
    struct dlw_jsonl *json = &writer->json;
    char *journals = ranges(writer, &variant->journals);
    begin(writer, "edge");
    put_id(writer, "from", &edge->from->entity);
    put_id(writer, "to", &edge->to->entity);
    put_id(writer, "thread", variant->role ? &variant->role->entity : NULL);
    put_id(writer, "hold", variant->hold ? &variant->hold->entity : NULL);
    put_id(writer, "want", variant->want ? &variant->want->entity : NULL);
    put_text(writer, "from_mode", mode_word(variant->from_mode));
    put_text(writer, "to_mode", mode_word(variant->to_mode));
    dlw_jsonl_open(json, "gates", '[');
    for (size_t i = 0; i < variant->n_gates; i++)
        dlw_jsonl_number(json, variant->gates[i]->entity.id);
    dlw_jsonl_close(json, ']');
    if (variant->timed)
        dlw_jsonl_true_field(json, "timed");
    put_text(writer, "journals", journals);
    if (variant->teller) {
        put_text(writer, "scope", variant->scope);
        put_id(writer, "scope_journal", &variant->teller->entity);
    }
    free(journals);
    end(writer);
}

static void put_edge(struct writer *writer, struct dlw_entity *entity)
{
    struct dlw_h_edge *edge = (struct dlw_h_edge *)entity;
    for (size_t i = 0; i < edge->n; i++)
        put_variant(writer, edge, &edge->variants[i]);
}

static json_t *hold_json(const struct dlw_h_hold *hold)
{
    json_t *json = json_object();
    refer(json, "lock", &hold->lock->entity);
    json_object_set_new(json, "mode", mode_json(hold->shared));
    refer(json, "stack", hold->stack ? &hold->stack->entity : NULL);
    if (hold->timed)
        json_object_set_new(json, "timed", json_true());
    return json;
}

/* Whose step it was: each program has its own names for its threads. */
static void put_thread(struct writer *writer, json_t *json, const struct dlw_h_part *part,
                       const struct dlw_h_journal *journal)
{
    refer(json, "thread", part->role ? &part->role->entity : NULL);
    if (part->journal)
        journal = part->journal;
    if (!journal)
        return;
    refer(json, "journal", &journal->entity);
    text(json, "name", dlw_h_name_of(writer->history, part->role, journal->program));
}

static json_t *step_json(struct writer *writer, const struct dlw_h_part *part,
                         const struct dlw_h_journal *journal)
{
    json_t *json = json_object();
    put_thread(writer, json, part, journal);
    text(json, "scope", part->scope);
    json_object_set_new(json, "holds", hold_json(&part->holds[0]));
    json_object_set_new(json, "wants", hold_json(&part->wants));
    return json;
}

static json_t *state_json(struct writer *writer, const struct dlw_h_part *part,
                          const struct dlw_h_journal *journal)
{
    json_t *json = json_object(), *holds = json_array();
    put_thread(writer, json, part, journal);
    text(json, "state", part->waits ? "blocked" : "running");
    text(json, "waits", part->waits);
    refer(json, "for", part->wants.lock ? &part->wants.lock->entity : NULL);
    json_object_set_new(json, "mode", mode_json(part->wants.shared));
    if (part->wants.timed)
        json_object_set_new(json, "timed", json_true());
    refer(json, "stack", part->stack ? &part->stack->entity : NULL);
    for (size_t i = 0; i < part->n_holds; i++)
        json_array_append_new(holds, hold_json(&part->holds[i]));
    json_object_set_new(json, "holds", holds);
    return json;
}

struct pair {
    uint32_t id;
    uint64_t count;
};

static int compare_pairs(const void *a, const void *b)
{
    return compare_numbers(&((const struct pair *)a)->id, &((const struct pair *)b)->id);
}

/* Each journal with its count; returns the sum. The first journal stands for the finding. */
static uint64_t put_counts(struct writer *writer, json_t *line, const struct dlw_h_finding *finding)
{
    struct pair *pairs = calloc(finding->n_counts + 1, sizeof(*pairs));
    json_t *counts = json_array();
    uint64_t sum = 0;
    for (size_t i = 0; pairs && i < finding->n_counts; i++)
        pairs[i] = (struct pair){writer->history->by_index[finding->counts[i].journal]->entity.id,
                                 finding->counts[i].count};
    if (pairs)
        qsort(pairs, finding->n_counts, sizeof(*pairs), compare_pairs);
    for (size_t i = 0; pairs && i < finding->n_counts; i++) {
        json_array_append_new(counts,
                              json_pack("[iI]", (int)pairs[i].id, (json_int_t)pairs[i].count));
        sum += pairs[i].count;
    }
    if (pairs && finding->n_counts)
        json_object_set_new(line, "journal", json_integer(pairs[0].id));
    json_object_set_new(line, "counts", counts);
    free(pairs);
    return sum;
}

/* The one that stands for the finding, as put_counts has it. */
static const struct dlw_h_journal *first_journal(const struct dlw_history *history,
                                                 const struct dlw_h_finding *finding)
{
    const struct dlw_h_journal *first = NULL;
    for (size_t i = 0; i < finding->n_counts; i++) {
        const struct dlw_h_journal *journal = history->by_index[finding->counts[i].journal];
        if (!first || journal->entity.id < first->entity.id)
            first = journal;
    }
    return first;
}

static void put_finding(struct writer *writer, struct dlw_entity *entity)
{
    struct dlw_h_finding *finding = (struct dlw_h_finding *)entity;
    json_t *line = line_of("finding", entity), *parts = json_array();
    text(line, "kind", finding->kind);
    text(line, "certainty", finding->certain ? "certain" : "possible");
    if (finding->time > 0)
        json_object_set_new(line, "time", json_real(finding->time));
    text(line, "reason", finding->reason);
    text(line, "harmless", finding->harmless);
    if (finding->doubt != DLW_NO_DOUBT)
        text(line, "doubt", dlw_doubt_word(finding->doubt));
    refer(line, "harmless_lock", finding->harmless_lock ? &finding->harmless_lock->entity : NULL);
    if (finding->across)
        json_object_set_new(line, "across", json_true());
    uint64_t sum = put_counts(writer, line, finding);
    json_object_set_new(line, "count", json_integer((json_int_t)(sum ? sum : 1)));
    const struct dlw_h_journal *journal = first_journal(writer->history, finding);
    for (size_t i = 0; i < finding->n_parts; i++)
        json_array_append_new(parts, (finding->is_cycle ? step_json : state_json)(
                                         writer, &finding->parts[i], journal));
    json_object_set_new(line, finding->is_cycle ? "cycle" : "threads", parts);
    put(writer, line);
}

void dlw_history_write(struct dlw_history *history, FILE *out)
{
    struct writer writer = {history, out, {.more = make_room}};
    const struct {
        struct dlw_entity *head;
        bool all;
        void (*put)(struct writer *, struct dlw_entity *);
    } sorts[] = {
        {(struct dlw_entity *)history->journals, true, put_journal},
        {(struct dlw_entity *)history->modules, false, put_module},
        {(struct dlw_entity *)history->stacks, false, put_stack},
        {(struct dlw_entity *)history->roles, false, put_role},
        {(struct dlw_entity *)history->names, true, put_name},
        {(struct dlw_entity *)history->locks, false, put_lock},
        {(struct dlw_entity *)history->edges, true, put_edge},
        {(struct dlw_entity *)history->findings, true, put_finding},
    };
    enum { SORTS = sizeof(sorts) / sizeof(sorts[0]) };
    struct dlw_entity **entities[SORTS];
    size_t n[SORTS];
    mark_all(history);
    for (size_t i = 0; i < SORTS; i++)
        n[i] = number(&history->region, sorts[i].head, sorts[i].all, &entities[i]);
    put(&writer, json_pack("{sssisssbsisss[]}", "type", "process", "version", 1, "dlwatch",
                           DLW_VERSION, "merged", 1, "pid", 0, "exe", "a merged history", "argv"));
    for (size_t i = 0; i < SORTS; i++)
        for (size_t j = 0; j < n[i]; j++)
            sorts[i].put(&writer, entities[i][j]);
    free(writer.json.text);
}
