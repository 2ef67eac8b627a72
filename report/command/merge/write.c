/* A history as a journal (report/JOURNAL.md): what is referred to comes first, each sort by key. */
#include "report/command/merge/write.h"

#include "report/command/base/command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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

void dlw_write_line(struct writer *writer, json_t *line)
{
    json_dumpf(line, writer->out, JSON_COMPACT | JSON_REAL_PRECISION(17));
    fputc('\n', writer->out);
    json_decref(line);
}

json_t *dlw_write_line_of(const char *type, const struct dlw_entity *entity)
{
    return json_pack("{sssi}", "type", type, "id", (int)entity->id);
}

static void put_journal(struct writer *writer, struct dlw_entity *entity)
{
    struct dlw_h_journal *journal = (struct dlw_h_journal *)entity;
    json_t *line = dlw_write_line_of("journal", entity),
           *fields = json_loads(journal->line, 0, NULL);
    json_object_set_new(line, "key",
                        json_sprintf("%016" PRIx64 "%016" PRIx64, entity->key.a, entity->key.b));
    json_object_set_new(line, "rank", json_integer(journal->rank));
    if (fields)
        json_object_update(line, fields);
    json_decref(fields);
    dlw_write_line(writer, line);
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

const char *dlw_write_mode(bool shared)
{
    return shared ? "shared" : "exclusive";
}

int dlw_write_compare_numbers(const void *a, const void *b)
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
    qsort(ids, n, sizeof(*ids), dlw_write_compare_numbers);
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
    put_text(writer, "from_mode", dlw_write_mode(variant->from_mode));
    put_text(writer, "to_mode", dlw_write_mode(variant->to_mode));
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
        {(struct dlw_entity *)history->findings, true, dlw_write_finding},
    };
    enum { SORTS = sizeof(sorts) / sizeof(sorts[0]) };
    struct dlw_entity **entities[SORTS];
    size_t n[SORTS];
    mark_all(history);
    for (size_t i = 0; i < SORTS; i++)
        n[i] = number(&history->region, sorts[i].head, sorts[i].all, &entities[i]);
    dlw_write_line(&writer, json_pack("{sssisssbsisss[]}", "type", "process", "version", 1,
                                      "dlwatch", DLW_VERSION, "merged", 1, "pid", 0, "exe",
                                      "a merged history", "argv"));
    for (size_t i = 0; i < SORTS; i++)
        for (size_t j = 0; j < n[i]; j++)
            sorts[i].put(&writer, entities[i][j]);
    free(writer.json.text);
}
