/* The time line of a finding: what its threads did last. */
#include "report/command/journal/raw.h"

#include "report/command/journal/json_get.h"

/* More than any library writes. Whoever lays a time line out looks for each step among the others.
 */
enum { MOST_STEPS = 1024, MOST_SECONDS = 1000 * 1000 * 1000 };

static struct dlw_doc_lock *same(struct dlw_doc_lock *const *locks, size_t n, const char *kind,
                                 uint64_t address)
{
    for (size_t i = 0; i < n; i++)
        if (locks[i]->address == address && strcmp(locks[i]->kind, kind) == 0)
            return locks[i];
    return NULL;
}

/* One of the finding's, by its address, or one that only passes by. */
static struct dlw_doc_lock *lock_of(struct dlw_reader *reader, struct dlw_doc_finding *finding,
                                    const json_t *json)
{
    const char *kind = dlw_reader_kind(reader, dlw_json_text(json, "kind"));
    uint64_t address = dlw_json_address(json, "address");
    struct dlw_doc_lock *lock = same(finding->locks, finding->n_locks, kind, address);
    if (!lock)
        lock = same(finding->passing, finding->n_passing, kind, address);
    if (lock)
        return lock;
    struct dlw_raw_module *module;
    uint64_t id = dlw_json_number(json, "module");
    lock = dlw_region_alloc(reader->region, sizeof(*lock));
    lock->kind = kind;
    lock->address = address;
    lock->offset = dlw_json_address(json, "offset");
    lock->process = finding->process;
    DLW_BY_ID_FIND(reader->modules, id, module);
    dlw_reader_name_variable(reader, module, lock);
    finding->passing = dlw_region_grow(reader->region, finding->passing, finding->n_passing,
                                       sizeof(struct dlw_doc_lock *));
    finding->passing[finding->n_passing++] = lock;
    return lock;
}

/* How long before the finding; negative: not known. */
static double seconds(const json_t *json, const char *key)
{
    double value = dlw_json_real(json, key, -1);
    return value >= 0 && value <= MOST_SECONDS ? value : -1;
}

static bool build_event(struct dlw_reader *reader, const json_t *json,
                        struct dlw_doc_lock *const *locks, size_t n_locks,
                        struct dlw_doc_event *out)
{
    const char *word = dlw_json_text(json, "what"), *waits = dlw_json_text(json, "waits");
    const char *mode = dlw_json_text(json, "mode");
    int what = word ? dlw_trail_find(word) : -1, wait = waits ? dlw_wait_find(waits) : -1;
    uint64_t lock = dlw_json_number(json, "lock"), place = dlw_json_number(json, "place");
    if (what < 0 || lock >= n_locks)
        return false;
    out->what = (enum dlw_trail_what)what;
    out->lock = locks[lock];
    out->mode = mode && strcmp(mode, "shared") == 0 ? DLW_SHARED : DLW_EXCLUSIVE;
    out->waits = wait < 0 ? DLW_WAIT_LOCK : (enum dlw_wait_kind)wait;
    if (place)
        out->place = dlw_reader_stack(reader, place);
    out->ago = seconds(json, "ago");
    out->until = seconds(json, "until");
    /* Where nothing else is known of it: by the place that takes it. */
    if (!out->lock->first.n && what != DLW_TRAIL_GAVE)
        out->lock->first = out->place;
    return true;
}

static struct dlw_doc_thread *thread_of(const struct dlw_doc_finding *finding, uint64_t id)
{
    for (size_t i = 0; i < finding->n_cycle; i++)
        if (finding->cycle[i].thread->id == id)
            return finding->cycle[i].thread;
    for (size_t i = 0; i < finding->n_threads; i++)
        if (finding->threads[i].thread->id == id)
            return finding->threads[i].thread;
    return NULL;
}

static bool has_trail(const struct dlw_doc_finding *finding, const struct dlw_doc_thread *thread)
{
    for (size_t i = 0; i < finding->n_trails; i++)
        if (finding->trails[i].thread == thread)
            return true;
    return false;
}

void dlw_reader_build_trail(struct dlw_reader *reader, const json_t *line)
{
    struct dlw_raw_finding *raw;
    uint64_t id = dlw_json_number(line, "finding"), thread = dlw_json_number(line, "thread");
    const json_t *locks = json_object_get(line, "locks"), *events = json_object_get(line, "events");
    size_t n_locks = json_array_size(locks), n_events = json_array_size(events);
    DLW_BY_ID_FIND(reader->findings, id, raw);
    if (!raw || !thread)
        return;
    struct dlw_doc_finding *finding = raw->finding;
    struct dlw_doc_thread *whose = thread_of(finding, thread);
    if (!whose)
        whose = dlw_reader_thread(reader, thread);
    if (!n_events || n_events > MOST_STEPS || n_locks > MOST_STEPS || has_trail(finding, whose)) {
        dlw_reader_complain(reader, "a trail of no steps, of too many, or a second one");
        return;
    }
    struct dlw_doc_lock **table =
        dlw_region_alloc(reader->region, (n_locks + 1) * sizeof(struct dlw_doc_lock *));
    for (size_t i = 0; i < n_locks; i++)
        table[i] = lock_of(reader, finding, json_array_get(locks, i));
    finding->trails = dlw_region_grow(reader->region, finding->trails, finding->n_trails,
                                      sizeof(*finding->trails));
    struct dlw_doc_trail *trail = &finding->trails[finding->n_trails++];
    *trail = (struct dlw_doc_trail){.thread = whose,
                                    .is_cut = dlw_json_flag(line, "cut"),
                                    .is_running = dlw_json_flag(line, "running")};
    trail->events = dlw_region_alloc(reader->region, (n_events + 1) * sizeof(*trail->events));
    for (size_t i = 0; i < n_events; i++)
        trail->n += build_event(reader, json_array_get(events, i), table, n_locks,
                                &trail->events[trail->n]);
    if (trail->n < n_events)
        dlw_reader_complain(reader, "a trail with %zu steps of no known kind", n_events - trail->n);
}
