/* From the lines of one journal (or of a history) into the sets. */
#include "report/command/merge/collect.h"

#include "report/command/journal/json_get.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_GATES = 64 };

/* ---- journals ---- */

static json_t *argv_json(const struct dlw_doc_process *process)
{
    json_t *argv = json_array();
    for (size_t i = 0; i < process->argc; i++)
        json_array_append_new(argv, json_string(process->argv[i]));
    return argv;
}

static unsigned rank_of(const struct dlw_doc_process *process)
{
    if (!process->ended || strcmp(process->ended, "running") == 0)
        return 1;
    return strcmp(process->ended, "killed") == 0 ? 2 : 3;
}

static char *process_line(const struct dlw_doc_process *process)
{
    json_t *json =
        json_pack("{sI sI so sf}", "pid", (json_int_t)process->pid, "ppid",
                  (json_int_t)process->ppid, "argv", argv_json(process), "start", process->start);
    if (process->exe)
        json_object_set_new(json, "exe", json_string(process->exe));
    if (process->folder)
        json_object_set_new(json, "cwd", json_string(process->folder));
    if (process->ended)
        json_object_set_new(json, "ended", json_string(process->ended));
    if (process->status >= 0)
        json_object_set_new(json, "status", json_integer(process->status));
    json_object_set_new(json, "edges", json_integer((json_int_t)process->edges));
    json_object_set_new(json, "locks", json_integer((json_int_t)process->locks));
    json_object_set_new(json, "threads", json_integer((json_int_t)process->threads));
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    json_decref(json);
    return text;
}

/* A process image: its pid, its beginning, what it ran and how it came to be. */
static struct dlw_key key_of_process(const struct dlw_doc_process *process)
{
    struct dlw_key key = dlw_key_of("journal", 7);
    char start[64];
    snprintf(start, sizeof(start), "%u %u %.6f %d", process->pid, process->ppid, process->start,
             process->forked);
    dlw_key_add_text(&key, start);
    dlw_key_add_text(&key, process->exe);
    dlw_key_add_text(&key, process->folder);
    for (size_t i = 0; i < process->argc; i++)
        dlw_key_add_text(&key, process->argv[i]);
    return key;
}

static void note_journal(struct dlw_collector *collector, const struct dlw_doc_process *process,
                         unsigned rank)
{
    char *line = process_line(process);
    if (line)
        collector->current =
            dlw_h_journal(collector->history, key_of_process(process), line, rank, process->exe);
    free(line);
}

static struct dlw_h_journal *current(struct dlw_collector *collector, struct dlw_reader *reader)
{
    if (!collector->current && !reader->is_merged)
        note_journal(collector, reader->process, 0);
    return collector->current;
}

static void take_journal(struct dlw_collector *collector, struct dlw_reader *reader,
                         const json_t *json)
{
    uint64_t id = dlw_json_number(json, "id");
    const char *text = dlw_json_text(json, "key");
    struct dlw_key key;
    struct own_journal *own;
    DLW_BY_ID_FIND(collector->journals, id, own);
    if (!id || own || !text || sscanf(text, "%16" SCNx64 "%16" SCNx64, &key.a, &key.b) != 2) {
        dlw_reader_complain(reader, "a journal of a history that is not one");
        return;
    }
    json_t *line = json_copy((json_t *)json);
    static const char *const besides[] = {"type", "id", "key", "rank"};
    for (size_t i = 0; i < sizeof(besides) / sizeof(besides[0]); i++)
        json_object_del(line, besides[i]);
    char *dumped = json_dumps(line, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    json_decref(line);
    own = dlw_region_alloc(&collector->region, sizeof(*own));
    own->id = id;
    own->journal =
        dlw_h_journal(collector->history, key, dumped ? dumped : "{}",
                      (unsigned)dlw_json_number(json, "rank"), dlw_json_text(json, "exe"));
    free(dumped);
    DLW_BY_ID_ADD(collector->journals, own);
}

static void take_name(struct dlw_collector *collector, struct dlw_reader *reader,
                      const json_t *json)
{
    dlw_h_name(collector->history,
               dlw_collect_role(collector, reader, dlw_json_number(json, "thread")),
               dlw_json_text(json, "program"), dlw_json_text(json, "name"));
}

static void take_trait(struct dlw_collector *collector, struct dlw_reader *reader,
                       const json_t *json)
{
    struct dlw_h_lock *known = dlw_collect_lock(collector, reader, dlw_json_number(json, "lock"));
    if (!known)
        return;
    known->is_signal |= dlw_json_flag(json, "signal");
    known->outlives |= dlw_json_flag(json, "outlives");
}

/* ---- edges ---- */

static uint8_t mode(const json_t *json, const char *key)
{
    const char *word = dlw_json_text(json, key);
    return word && strcmp(word, "shared") == 0;
}

/* "1-3,7" */
static void see_ranges(struct dlw_collector *collector, struct dlw_seen *seen, const char *ranges)
{
    struct own_journal *own;
    while (*ranges) {
        char *end;
        uint64_t from = strtoull(ranges, &end, 10), to = from;
        if (end == ranges)
            return;
        if (*end == '-')
            to = strtoull(end + 1, &end, 10);
        for (uint64_t id = from; id <= to && id <= HASH_COUNT(collector->journals); id++) {
            DLW_BY_ID_FIND(collector->journals, id, own);
            if (own)
                dlw_seen_add(seen, own->journal->index);
        }
        ranges = *end == ',' ? end + 1 : end;
        if (*end && *end != ',')
            return;
    }
}

static void see_variant(struct dlw_collector *collector, struct dlw_reader *reader,
                        struct dlw_h_variant *variant, const json_t *json)
{
    const char *ranges = dlw_json_text(json, "journals");
    struct dlw_h_journal *journal = current(collector, reader);
    if (journal)
        dlw_seen_add(&variant->journals, journal->index);
    else if (ranges)
        see_ranges(collector, &variant->journals, ranges);
}

/* Whose test the edge names. */
static const struct dlw_h_journal *teller_of(struct dlw_collector *collector,
                                             struct dlw_reader *reader, const json_t *json)
{
    uint64_t id = dlw_json_number(json, "scope_journal");
    struct own_journal *own;
    DLW_BY_ID_FIND(collector->journals, id, own);
    return own ? own->journal : current(collector, reader);
}

static void take_edge(struct dlw_collector *collector, struct dlw_reader *reader,
                      const json_t *json)
{
    struct dlw_h_lock *from = dlw_collect_lock(collector, reader, dlw_json_number(json, "from"));
    struct dlw_h_lock *to = dlw_collect_lock(collector, reader, dlw_json_number(json, "to"));
    if (!from || !to) {
        collector->history->nameless++;
        return;
    }
    /* The program means this order: no circle goes through it. */
    if (dlw_json_flag(json, "intended"))
        return;
    /* Two objects of one class, one after the other: the way of address or index order. */
    if (from == to)
        return;
    struct dlw_h_lock *gates[MAX_GATES];
    struct dlw_h_variant draft = {
        .role = dlw_collect_role(collector, reader, dlw_json_number(json, "thread")),
        .gates = gates,
        .from_mode = mode(json, "from_mode"),
        .to_mode = mode(json, "to_mode"),
        .timed = dlw_json_flag(json, "timed"),
        .hold = dlw_collect_stack(collector, reader, dlw_json_number(json, "hold")),
        .want = dlw_collect_stack(collector, reader, dlw_json_number(json, "want"))};
    const json_t *list = json_object_get(json, "gates");
    for (size_t i = 0; i < json_array_size(list) && draft.n_gates < MAX_GATES; i++) {
        json_int_t id = json_integer_value(json_array_get(list, i));
        struct dlw_h_lock *gate = id > 0 ? dlw_collect_lock(collector, reader, (uint64_t)id) : NULL;
        /* A class is no gate: it may be another object of it. */
        if (gate && gate != from && gate != to && dlw_h_is_sure(gate))
            gates[draft.n_gates++] = gate;
    }
    struct dlw_h_edge *edge = dlw_h_edge(collector->history, from, to);
    struct dlw_h_variant *variant = dlw_h_variant(collector->history, edge, &draft);
    if (!variant)
        return;
    see_variant(collector, reader, variant, json);
    dlw_h_scope(collector->history, variant, teller_of(collector, reader, json),
                dlw_json_text(json, "scope"));
}

/* ---- findings ---- */

static struct dlw_h_lock *finding_lock(struct dlw_collector *collector, struct dlw_reader *reader,
                                       uint64_t id)
{
    struct dlw_h_lock *known = dlw_collect_lock(collector, reader, id);
    struct dlw_raw_lock *raw;
    DLW_BY_ID_FIND(reader->locks, id, raw);
    if (known || !raw)
        return known;
    struct dlw_h_lock draft = {.kind = raw->lock.kind, .lasting = "unknown"};
    return dlw_h_lock(collector->history, &draft);
}

static struct dlw_h_hold hold(struct dlw_collector *collector, struct dlw_reader *reader,
                              const json_t *json)
{
    struct dlw_h_hold result = {
        .lock = finding_lock(collector, reader, dlw_json_number(json, "lock")),
        .stack = dlw_collect_stack(collector, reader, dlw_json_number(json, "stack")),
        .shared = mode(json, "mode"),
        .timed = dlw_json_flag(json, "timed")};
    return result;
}

static bool take_step(struct dlw_collector *collector, struct dlw_reader *reader,
                      const json_t *json, struct dlw_h_part *part)
{
    part->role = dlw_collect_role(collector, reader, dlw_json_number(json, "thread"));
    part->scope = dlw_region_copy(&collector->history->region, dlw_json_text(json, "scope"));
    part->wants = hold(collector, reader, json_object_get(json, "wants"));
    part->holds = dlw_region_alloc(&collector->history->region, sizeof(*part->holds));
    part->holds[0] = hold(collector, reader, json_object_get(json, "holds"));
    part->n_holds = 1;
    return part->holds[0].lock && part->wants.lock;
}

static bool take_state(struct dlw_collector *collector, struct dlw_reader *reader,
                       const json_t *json, struct dlw_h_part *part)
{
    const json_t *holds = json_object_get(json, "holds");
    size_t n = json_array_size(holds);
    const char *waits = dlw_json_text(json, "waits");
    part->role = dlw_collect_role(collector, reader, dlw_json_number(json, "thread"));
    part->wants.lock = finding_lock(collector, reader, dlw_json_number(json, "for"));
    part->wants.shared = mode(json, "mode");
    part->wants.timed = dlw_json_flag(json, "timed");
    part->waits = waits && dlw_wait_find(waits) >= 0
                      ? dlw_wait_word((enum dlw_wait_kind)dlw_wait_find(waits))
                      : NULL;
    part->stack = dlw_collect_stack(collector, reader, dlw_json_number(json, "stack"));
    part->holds = dlw_region_alloc(&collector->history->region, (n + 1) * sizeof(*part->holds));
    for (size_t i = 0; i < n; i++) {
        part->holds[part->n_holds] = hold(collector, reader, json_array_get(holds, i));
        part->n_holds += part->holds[part->n_holds].lock != NULL;
    }
    return true;
}

static bool take_parts(struct dlw_collector *collector, struct dlw_reader *reader,
                       const json_t *json, struct dlw_h_finding *draft)
{
    const json_t *list = json_object_get(json, "cycle");
    draft->is_cycle = json_array_size(list) > 0;
    if (!draft->is_cycle)
        list = json_object_get(json, "threads");
    size_t n = json_array_size(list);
    draft->parts = dlw_region_alloc(&collector->history->region, (n + 1) * sizeof(*draft->parts));
    for (; draft->n_parts < n; draft->n_parts++) {
        const json_t *entry = json_array_get(list, draft->n_parts);
        struct dlw_h_part *part = &draft->parts[draft->n_parts];
        if (!(draft->is_cycle ? take_step : take_state)(collector, reader, entry, part))
            return false;
    }
    return n > 0;
}

static void count_journals(struct dlw_collector *collector, struct dlw_reader *reader,
                           struct dlw_h_finding *finding, const json_t *json)
{
    struct dlw_h_journal *journal = current(collector, reader);
    const json_t *counts = json_object_get(json, "counts");
    if (journal)
        dlw_h_count(collector->history, finding, journal->index, 1);
    for (size_t i = 0; !journal && i < json_array_size(counts); i++) {
        const json_t *pair = json_array_get(counts, i);
        json_int_t id = json_integer_value(json_array_get(pair, 0));
        json_int_t count = json_integer_value(json_array_get(pair, 1));
        uint64_t number = id > 0 ? (uint64_t)id : 0;
        struct own_journal *own;
        DLW_BY_ID_FIND(collector->journals, number, own);
        if (own && count > 0)
            dlw_h_count(collector->history, finding, own->journal->index, (uint64_t)count);
    }
}

static enum dlw_doubt doubt(const json_t *json)
{
    const char *word = dlw_json_text(json, "doubt");
    int known = word ? dlw_doubt_find(word) : -1;
    return known < 0 ? DLW_NO_DOUBT : (enum dlw_doubt)known;
}

static void take_finding(struct dlw_collector *collector, struct dlw_reader *reader,
                         const json_t *json)
{
    const char *kind = dlw_json_text(json, "kind"), *certainty = dlw_json_text(json, "certainty");
    struct dlw_h_finding draft = {.kind = kind,
                                  .reason = dlw_json_text(json, "reason"),
                                  .harmless = dlw_json_text(json, "harmless"),
                                  .doubt = doubt(json),
                                  .certain = certainty && strcmp(certainty, "certain") == 0,
                                  .time = dlw_json_real(json, "time", 0)};
    uint64_t id = dlw_json_number(json, "id");
    struct own_finding *own;
    DLW_BY_ID_FIND(collector->findings, id, own);
    /* What shows across runs is found anew each time. */
    if (!kind || dlw_kind_find(kind) < 0 || !id || own || dlw_json_flag(json, "across"))
        return;
    draft.harmless_lock =
        dlw_collect_lock(collector, reader, dlw_json_number(json, "harmless_lock"));
    if (!take_parts(collector, reader, json, &draft)) {
        dlw_reader_complain(reader, "a finding that refers to what the journal does not hold");
        return;
    }
    own = dlw_region_alloc(&collector->region, sizeof(*own));
    own->id = id;
    own->finding = dlw_h_finding(collector->history, &draft);
    DLW_BY_ID_ADD(collector->findings, own);
    count_journals(collector, reader, own->finding, json);
}

static void take_again(struct dlw_collector *collector, struct dlw_reader *reader,
                       const json_t *json)
{
    uint64_t id = dlw_json_number(json, "finding");
    struct own_finding *own;
    struct dlw_h_journal *journal = current(collector, reader);
    DLW_BY_ID_FIND(collector->findings, id, own);
    if (own && journal)
        dlw_h_count(collector->history, own->finding, journal->index,
                    dlw_json_number(json, "count"));
}

/* ---- the sink ---- */

static void take_line(void *context, struct dlw_reader *reader, const char *type, const void *json)
{
    static const struct {
        const char *type;
        void (*take)(struct dlw_collector *, struct dlw_reader *, const json_t *);
    } types[] = {{"edge", take_edge},       {"name", take_name},   {"trait", take_trait},
                 {"finding", take_finding}, {"again", take_again}, {"journal", take_journal}};
    for (size_t i = 0; reader->process && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i].type, type) == 0)
            types[i].take(context, reader, json);
}

static void close_journal(void *context, struct dlw_reader *reader)
{
    struct dlw_collector *collector = context;
    if (!reader->is_merged)
        note_journal(collector, reader->process, rank_of(reader->process));
    HASH_CLEAR(hh, collector->findings);
    HASH_CLEAR(hh, collector->journals);
    HASH_CLEAR(hh, collector->roles);
    dlw_region_free(&collector->region);
    collector->current = NULL;
}

struct dlw_collector *dlw_collector_new(struct dlw_history *history)
{
    struct dlw_collector *collector = dlw_region_alloc(&history->region, sizeof(*collector));
    collector->history = history;
    collector->sink = (struct dlw_line_sink){collector, take_line, close_journal};
    return collector;
}

void dlw_collector_free(struct dlw_collector *collector)
{
    dlw_region_free(&collector->region);
}

const struct dlw_line_sink *dlw_collector_sink(const struct dlw_collector *collector)
{
    return &collector->sink;
}
