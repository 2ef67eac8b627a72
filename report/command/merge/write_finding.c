/* A finding of a history as a line: it nests too deep to be written as it comes. */
#include "report/command/merge/write.h"

#include <stdlib.h>

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

static json_t *mode_json(bool shared)
{
    return json_string(dlw_write_mode(shared));
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
    return dlw_write_compare_numbers(&((const struct pair *)a)->id, &((const struct pair *)b)->id);
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

void dlw_write_finding(struct writer *writer, struct dlw_entity *entity)
{
    struct dlw_h_finding *finding = (struct dlw_h_finding *)entity;
    json_t *line = dlw_write_line_of("finding", entity), *parts = json_array();
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
    dlw_write_line(writer, line);
}
