/* The document for programs, in the contract's shape. */
#include "report/command/format/format.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Fields without a value are left out. */
static void put_text(json_t *object, const char *key, const char *text)
{
    if (text)
        json_object_set_new(object, key, json_string(text));
}

static void put_address(json_t *object, const char *key, uint64_t address)
{
    if (address)
        json_object_set_new(object, key, json_sprintf("0x%llx", (unsigned long long)address));
}

static void put_number(json_t *object, const char *key, uint64_t number)
{
    if (number)
        json_object_set_new(object, key, json_integer((json_int_t)number));
}

static json_t *frame_json(const struct dlw_frame *frame)
{
    json_t *json = json_object();
    put_address(json, "pc", frame->pc);
    put_text(json, "module", frame->module);
    if (frame->module)
        put_address(json, "offset", frame->offset);
    put_text(json, "function", frame->function);
    put_text(json, "file", frame->file);
    put_number(json, "line", frame->line);
    put_text(json, "folder", frame->folder);
    if (frame->inlined)
        json_object_set_new(json, "inlined", json_true());
    put_text(json, "language", frame->language);
    put_text(json, "unknown", frame->unknown);
    return json;
}

static void put_stack(json_t *object, const char *key, const struct dlw_stack *stack)
{
    if (!stack->n)
        return;
    json_t *frames = json_array();
    for (size_t i = 0; i < stack->n; i++)
        json_array_append_new(frames, frame_json(&stack->frames[i]));
    if (stack->cut)
        json_array_append_new(frames, json_pack("{ss}", "unknown", "deeper frames were not kept"));
    json_object_set_new(object, key, frames);
}

static json_t *process_json(const struct dlw_doc_process *process)
{
    json_t *json = json_object();
    json_object_set_new(json, "pid", json_integer(process->pid));
    put_text(json, "exe", process->exe);
    return json;
}

static json_t *thread_json(const struct dlw_doc_thread *thread)
{
    json_t *json = json_object();
    json_object_set_new(json, "id", json_integer(thread->id));
    put_number(json, "tid", thread->tid);
    put_text(json, "name", thread->name);
    put_text(json, "start", thread->start);
    put_stack(json, "created", &thread->created);
    return json;
}

static json_t *hold_json(const struct dlw_doc_hold *hold)
{
    json_t *json = json_object();
    put_text(json, "lock", hold->lock->id);
    put_text(json, "mode", dlw_mode_word(hold->mode));
    if (hold->timed)
        json_object_set_new(json, "timed", json_true());
    put_stack(json, "stack", &hold->stack);
    return json;
}

static json_t *signal_json(const struct dlw_doc_signal *signal)
{
    json_t *json = json_object();
    json_object_set_new(json, "count", json_integer((json_int_t)signal->count));
    if (!signal->count)
        return json;
    if (signal->thread)
        json_object_set_new(json, "thread", thread_json(signal->thread));
    json_object_set_new(json, "before", json_boolean(signal->is_before));
    put_stack(json, "stack", &signal->stack);
    return json;
}

static json_t *state_json(const struct dlw_doc_state *state, const struct dlw_doc_process *usual)
{
    json_t *json = json_object();
    json_object_set_new(json, "thread", thread_json(state->thread));
    if (state->thread->process && state->thread->process != usual)
        json_object_set_new(json, "process", process_json(state->thread->process));
    bool blocked = state->waits != DLW_WAIT_NONE;
    put_text(json, "state", blocked ? "blocked" : "running");
    if (blocked) {
        put_text(json, "waits", dlw_wait_word(state->waits));
        if (state->waits == DLW_WAIT_LOCK)
            put_text(json, "mode", dlw_mode_word(state->mode));
    }
    put_text(json, "for", state->on ? state->on->id : NULL);
    if (state->since >= 0)
        json_object_set_new(json, "since", json_real(state->since));
    if (state->timed)
        json_object_set_new(json, "timed", json_true());
    put_text(json, "syscall", state->syscall);
    if (state->parties) {
        json_object_set_new(json, "arrived", json_integer(state->arrived));
        json_object_set_new(json, "of", json_integer(state->parties));
    }
    if (state->signal.is_known)
        json_object_set_new(json, "signalled", signal_json(&state->signal));
    put_text(json, "note", state->note);
    put_stack(json, "stack", &state->stack);
    json_t *holds = json_array();
    for (size_t i = 0; i < state->n_holds; i++)
        json_array_append_new(holds, hold_json(&state->holds[i]));
    json_object_set_new(json, "holds", holds);
    return json;
}

static json_t *states_json(const struct dlw_doc_state *states, size_t n,
                           const struct dlw_doc_process *usual)
{
    json_t *json = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(json, state_json(&states[i], usual));
    return json;
}

static json_t *lock_json(const struct dlw_doc_lock *lock)
{
    json_t *json = json_object();
    put_text(json, "kind", lock->kind);
    put_address(json, "address", lock->address);
    put_text(json, "name", lock->name);
    put_text(json, "expression", lock->expression);
    put_text(json, "attributes", lock->attributes);
    put_text(json, "class", lock->class_name);
    put_stack(json, "created", &lock->created);
    put_stack(json, "first", &lock->first);
    if (lock->thread)
        json_object_set_new(json, "thread", thread_json(lock->thread));
    return json;
}

static json_t *locks_json(struct dlw_doc_lock *const *locks, size_t n)
{
    json_t *json = json_object();
    for (size_t i = 0; i < n; i++)
        json_object_set_new(json, locks[i]->id, lock_json(locks[i]));
    return json;
}

static json_t *cycle_json(const struct dlw_doc_finding *finding)
{
    json_t *json = json_array();
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        json_t *entry = json_object();
        json_object_set_new(entry, "thread", thread_json(step->thread));
        if (step->thread->process && step->thread->process != finding->process)
            json_object_set_new(entry, "process", process_json(step->thread->process));
        put_text(entry, "scope", step->scope);
        json_t *holds = hold_json(&step->holds);
        if (step->holder)
            json_object_set_new(holds, "thread", thread_json(step->holder));
        json_object_set_new(entry, "holds", holds);
        json_object_set_new(entry, "wants", hold_json(&step->wants));
        json_array_append_new(json, entry);
    }
    return json;
}

/* Where to look in the source, as `line` and the annotations have it. */
static void put_place(struct dlw_region *region, json_t *object,
                      const struct dlw_doc_finding *finding)
{
    const struct dlw_frame *frame = dlw_finding_frame(finding);
    if (!frame || !frame->file)
        return;
    json_t *place = json_object();
    put_text(place, "file", dlw_frame_path(region, frame, NULL));
    put_number(place, "line", frame->line);
    json_object_set_new(object, "place", place);
}

static json_t *confirmed_json(const struct dlw_doc_confirmed *confirmed)
{
    json_t *json =
        json_pack("{si si ss}", "reached", (int)confirmed->reached, "of", (int)confirmed->of,
                  "result", confirmed->reached ? "deadlock" : "not reached");
    put_text(json, "why", confirmed->why);
    put_text(json, "replay", confirmed->replay);
    return json;
}

static json_t *event_json(const struct dlw_doc_event *event)
{
    json_t *json = json_object();
    put_text(json, "what", dlw_trail_word(event->what));
    put_text(json, "lock", event->lock->id);
    put_text(json, "mode", dlw_mode_word(event->mode));
    if (event->what == DLW_TRAIL_ASKED)
        put_text(json, "waits", dlw_wait_word(event->waits));
    if (event->ago >= 0)
        json_object_set_new(json, "ago", json_real(event->ago));
    if (event->until >= 0)
        json_object_set_new(json, "until", json_real(event->until));
    put_stack(json, "stack", &event->place);
    return json;
}

static json_t *timeline_json(const struct dlw_doc_finding *finding)
{
    json_t *json = json_array();
    for (size_t i = 0; i < finding->n_trails; i++) {
        const struct dlw_doc_trail *trail = &finding->trails[i];
        json_t *lane = json_object(), *events = json_array(), *thread = json_object();
        json_object_set_new(thread, "id", json_integer(trail->thread->id));
        put_number(thread, "tid", trail->thread->tid);
        put_text(thread, "name", trail->thread->name);
        json_object_set_new(lane, "thread", thread);
        if (trail->is_cut)
            json_object_set_new(lane, "cut", json_true());
        if (trail->is_running)
            json_object_set_new(lane, "running", json_true());
        for (size_t k = 0; k < trail->n; k++)
            json_array_append_new(events, event_json(&trail->events[k]));
        json_object_set_new(lane, "events", events);
        json_array_append_new(json, lane);
    }
    return json;
}

static json_t *finding_json(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    json_t *json = json_object();
    put_text(json, "kind", dlw_kind_word(finding->kind));
    put_text(json, "severity", dlw_severity_word(finding->severity));
    put_text(json, "certainty", finding->certain ? "certain" : "possible");
    put_text(json, "reason", finding->reason);
    if (finding->harmless != DLW_FEASIBLE)
        put_text(json, "harmless", dlw_harmless_word(finding->harmless));
    put_text(json, "harmless_lock", finding->gate ? finding->gate->id : NULL);
    put_text(json, "fingerprint", finding->fingerprint);
    put_number(json, "count", finding->count);
    if (finding->confirmed)
        json_object_set_new(json, "confirmed", confirmed_json(finding->confirmed));
    put_text(json, "message", finding->message);
    put_place(region, json, finding);
    if (finding->time > 0)
        json_object_set_new(json, "time", json_real(finding->time));
    if (finding->process)
        json_object_set_new(json, "process", process_json(finding->process));
    if (finding->n_cycle)
        json_object_set_new(json, "cycle", cycle_json(finding));
    if (finding->n_threads)
        json_object_set_new(json, "threads",
                            states_json(finding->threads, finding->n_threads, finding->process));
    json_object_set_new(json, "locks", locks_json(finding->locks, finding->n_locks));
    if (finding->n_trails)
        json_object_set_new(json, "timeline", timeline_json(finding));
    if (finding->n_passing)
        json_object_set_new(json, "timeline_locks",
                            locks_json(finding->passing, finding->n_passing));
    return json;
}

static json_t *lacks_json(const struct dlw_doc_process *process)
{
    json_t *array = json_array();
    for (size_t i = 0; i < process->n_lacks; i++) {
        json_t *json = json_object();
        put_text(json, "what", process->lacks[i].what);
        put_text(json, "why", process->lacks[i].why);
        put_text(json, "effect", process->lacks[i].effect);
        if (process->lacks[i].reduces)
            json_object_set_new(json, "reduces", json_true());
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *avoided_json(const struct dlw_doc_process *process)
{
    json_t *array = json_array();
    for (size_t i = 0; i < process->n_avoided; i++) {
        const struct dlw_doc_avoided *avoided = &process->avoided[i];
        json_t *json = json_object();
        put_text(json, "deadlock", avoided->deadlock);
        put_number(json, "count", avoided->count);
        put_number(json, "exhausted", avoided->exhausted);
        put_number(json, "let_go", avoided->let_go);
        if (avoided->is_off)
            json_object_set_new(json, "off", json_true());
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *full_process_json(const struct dlw_doc_process *process)
{
    json_t *json = process_json(process);
    json_t *argv = json_array();
    for (size_t i = 0; i < process->argc; i++)
        json_array_append_new(argv, json_string(process->argv[i]));
    json_object_set_new(json, "argv", argv);
    put_text(json, "ended", process->ended);
    if (process->status >= 0)
        json_object_set_new(json, "status", json_integer(process->status));
    json_object_set_new(json, "edges", json_integer((json_int_t)process->edges));
    json_object_set_new(json, "locks", json_integer((json_int_t)process->locks));
    json_object_set_new(json, "threads", json_integer((json_int_t)process->threads));
    put_number(json, "dropped", process->dropped);
    put_number(json, "given_up", process->given_up);
    put_number(json, "untold", process->untold);
    if (process->n_lacks)
        json_object_set_new(json, "lacks", lacks_json(process));
    if (process->n_avoided)
        json_object_set_new(json, "avoided", avoided_json(process));
    put_text(json, "off", process->off);
    put_text(json, "cut", process->cut);
    put_text(json, "journal", process->journal);
    return json;
}

static json_t *summary_json(const struct dlw_doc_summary *summary)
{
    json_t *json =
        json_pack("{sI sI sI sI sI}", "errors", (json_int_t)summary->errors, "warnings",
                  (json_int_t)summary->warnings, "notes", (json_int_t)summary->notes, "suppressed",
                  (json_int_t)summary->suppressed, "hidden", (json_int_t)summary->hidden);
    put_number(json, "known", summary->known);
    return json;
}

static json_t *unwatched_json(const struct dlw_doc *doc)
{
    json_t *list = json_array();
    for (size_t i = 0; i < doc->n_unwatched; i++)
        json_array_append_new(
            list, json_pack("{ss,ss}", "exe", doc->unwatched[i].exe, "why", doc->unwatched[i].why));
    return list;
}

/* Times in nanoseconds. */
static json_t *cost_json(const struct dlw_doc_cost *cost)
{
    json_t *json = json_object();
    json_object_set_new(json, "lock", lock_json(cost->lock));
    if (cost->process)
        json_object_set_new(json, "process", process_json(cost->process));
    put_stack(json, "stack", &cost->place);
    json_object_set_new(json, "takings", json_integer((json_int_t)cost->takings));
    json_object_set_new(json, "contended", json_integer((json_int_t)cost->contended));
    if (cost->contended) {
        json_t *waits = json_pack("{sI,sI}", "total", (json_int_t)cost->wait, "longest",
                                  (json_int_t)cost->wait_longest);
        put_stack(waits, "holder", &cost->holder);
        put_text(waits, "thread", cost->holder_name);
        json_object_set_new(json, "waits", waits);
    }
    if (cost->holds)
        json_object_set_new(json, "holds",
                            json_pack("{sI,sI,sI}", "timed", (json_int_t)cost->holds, "total",
                                      (json_int_t)cost->hold, "longest",
                                      (json_int_t)cost->hold_longest));
    if (cost->blocked)
        json_object_set_new(json, "blocked",
                            json_pack("{sI,sI}", "count", (json_int_t)cost->blocked, "total",
                                      (json_int_t)cost->blocked_time));
    return json;
}

static json_t *costs_json(const struct dlw_doc *doc)
{
    json_t *json = json_array();
    for (size_t i = 0; i < doc->n_costs; i++)
        json_array_append_new(json, cost_json(doc->costs[i]));
    return json;
}

static json_t *document_json(struct dlw_doc *doc)
{
    json_t *json = json_object();
    json_object_set_new(json, "version", json_integer(1));
    json_t *processes = json_array(), *findings = json_array();
    for (size_t i = 0; i < doc->n_processes; i++)
        json_array_append_new(processes, full_process_json(doc->processes[i]));
    json_object_set_new(json, "processes", processes);
    for (size_t i = 0; i < doc->n_findings; i++)
        if (dlw_doc_is_listed(doc->findings[i]))
            json_array_append_new(findings, finding_json(&doc->region, doc->findings[i]));
    json_object_set_new(json, "findings", findings);
    if (doc->n_threads) {
        const struct dlw_doc_process *usual = doc->n_processes ? doc->processes[0] : NULL;
        json_object_set_new(json, "threads", states_json(doc->threads, doc->n_threads, usual));
        json_object_set_new(json, "locks", locks_json(doc->locks, doc->n_locks));
    }
    if (doc->verdict) {
        json_t *notes = json_array();
        for (size_t i = 0; i < doc->n_answers; i++)
            json_array_append_new(notes, json_string(doc->answers[i]));
        for (size_t i = 0; i < doc->n_notes; i++)
            json_array_append_new(notes, json_string(doc->notes[i]));
        json_object_set_new(json, "verdict", json_string(doc->verdict));
        json_object_set_new(json, "notes", notes);
    }
    if (doc->n_costs)
        json_object_set_new(json, "profile", costs_json(doc));
    if (doc->n_unwatched)
        json_object_set_new(json, "unwatched", unwatched_json(doc));
    json_object_set_new(json, "summary", summary_json(&doc->summary));
    return json;
}

int dlw_format_json(FILE *out, struct dlw_doc *doc, const struct dlw_format_options *options)
{
    (void)options;
    json_t *json = document_json(doc);
    json_dumpf(json, out, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
    fputc('\n', out);
    json_decref(json);
    return 0;
}
