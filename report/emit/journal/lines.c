/* The lines of report/JOURNAL.md, each with what it refers to before it. */
#include "graph/kinds.h"
#include "report/emit/journal/parts.h"

/* ---- the process ---- */

void dlw_journal_process_line(struct dlw_journal *journal,
                              const struct dlw_journal_process *process)
{
    struct dlw_jsonl *json = &journal->json;

    dlw_jsonl_line_begin(json, "process");
    dlw_jsonl_number_field(json, "version", 1);
    dlw_jsonl_text_field(json, "dlwatch", DLW_VERSION);
    dlw_jsonl_number_field(json, "pid", process->pid);
    dlw_jsonl_number_field(json, "ppid", process->ppid);
    dlw_jsonl_text_field(json, "exe", process->exe ? process->exe : "");
    dlw_jsonl_open(json, "argv", '[');
    for (const char *const *argument = process->argv; argument && *argument; argument++)
        dlw_jsonl_text(json, *argument);
    dlw_jsonl_close(json, ']');
    if (process->cwd)
        dlw_jsonl_text_field(json, "cwd", process->cwd);
    dlw_jsonl_real_field(json, "start", process->start);
    if (process->run)
        dlw_jsonl_text_field(json, "run", process->run);
    dlw_jsonl_text_field(json, "by", process->forked ? "fork" : "exec");
    journal->spare = json->used;
    dlw_jsonl_spare(json, DLW_JOURNAL_SPARE);
    dlw_jsonl_line_end(json);
}

/* The last words: only in a journal that has said something. */
static bool has_to_close(const struct dlw_journal *journal)
{
    return !dlw_journal_is_mute(journal) && journal->has_spoken;
}

void dlw_journal_end(struct dlw_journal *journal, const struct dlw_journal_totals *totals)
{
    if (!has_to_close(journal))
        return;
    struct dlw_jsonl *json = &journal->json;
    dlw_journal_last_names(journal);
    dlw_journal_last_counts(journal);
    dlw_journal_line_begin(journal, "end");
    dlw_jsonl_text_field(json, "ended", totals->ended ? totals->ended : "exit");
    if (totals->status >= 0)
        dlw_jsonl_number_field(json, "status", (uint64_t)totals->status);
    dlw_jsonl_number_field(json, "edges", totals->edges);
    dlw_jsonl_number_field(json, "locks", totals->locks);
    dlw_jsonl_number_field(json, "threads", totals->threads);
    dlw_jsonl_number_field(json, "calls", totals->calls);
    dlw_jsonl_number_field(json, "errors", totals->errors);
    dlw_journal_line_end(journal);
    dlw_journal_flush(journal);
}

void dlw_journal_exec(struct dlw_journal *journal)
{
    if (!has_to_close(journal))
        return;
    dlw_journal_line_begin(journal, "exec");
    dlw_journal_line_end(journal);
    dlw_journal_flush(journal);
}

void dlw_journal_lacks(struct dlw_journal *journal, const char *what, const char *why,
                       const char *effect, bool reduces)
{
    if (reduces ? dlw_journal_is_mute(journal) : !has_to_close(journal))
        return;
    dlw_journal_line_begin(journal, "lacks");
    dlw_jsonl_text_field(&journal->json, "what", what);
    dlw_jsonl_text_field(&journal->json, "why", why);
    dlw_jsonl_text_field(&journal->json, "effect", effect);
    if (reduces)
        dlw_jsonl_true_field(&journal->json, "reduces");
    dlw_journal_line_end(journal);
    if (reduces)
        dlw_journal_flush(journal);
}

void dlw_journal_profile(struct dlw_journal *journal, const struct dlw_journal_profile *profile)
{
    struct dlw_jsonl *json = &journal->json;
    uint64_t base;

    if (dlw_journal_is_mute(journal))
        return;
    dlw_journal_need_stack(journal, profile->place);
    dlw_journal_need_stack(journal, profile->holder);
    bool has_module = dlw_journal_need_module(journal, profile->module, &base);
    dlw_journal_line_begin(journal, "profile");
    dlw_jsonl_text_field(json, "kind", profile->kind);
    dlw_jsonl_hex_field(json, "address", profile->address);
    if (has_module) {
        dlw_jsonl_number_field(json, "module", profile->module);
        dlw_jsonl_hex_field(json, "offset", profile->address - base);
    }
    dlw_journal_refer(journal, "place", &journal->stacks, profile->place);
    dlw_journal_refer(journal, "holder", &journal->stacks, profile->holder);
    if (*profile->holder_name)
        dlw_jsonl_text_field(json, "holder_name", profile->holder_name);
    const struct {
        const char *key;
        uint64_t number;
    } fields[] = {{"takings", profile->takings},
                  {"contended", profile->contended},
                  {"wait", profile->wait},
                  {"wait_longest", profile->wait_longest},
                  {"holds", profile->holds},
                  {"hold", profile->hold},
                  {"hold_longest", profile->hold_longest},
                  {"blocked", profile->blocked},
                  {"blocked_time", profile->blocked_time}};
    for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (fields[i].number)
            dlw_jsonl_number_field(json, fields[i].key, fields[i].number);
    dlw_journal_line_end(journal);
}

void dlw_journal_profile_lost(struct dlw_journal *journal, uint64_t takings)
{
    if (dlw_journal_is_mute(journal))
        return;
    dlw_journal_line_begin(journal, "profile");
    dlw_jsonl_number_field(&journal->json, "lost", takings);
    dlw_journal_line_end(journal);
}

/* Said at once: mostly the process itself becomes that program. And once: a server may start one
 * for each request. */
void dlw_journal_unwatched(struct dlw_journal *journal, const char *exe, const char *why)
{
    if (dlw_journal_is_mute(journal))
        return;
    uint64_t key = dlw_journal_mix_text(dlw_journal_mix_text(DLW_KEY_UNWATCHED, exe), why);
    if (!dlw_keyset_add(&journal->told, journal->arena, key))
        return;
    dlw_journal_line_begin(journal, "unwatched");
    dlw_jsonl_text_field(&journal->json, "exe", exe);
    dlw_jsonl_text_field(&journal->json, "why", why);
    dlw_journal_line_end(journal);
    dlw_journal_flush(journal);
}

void dlw_journal_off(struct dlw_journal *journal, const char *reason)
{
    if (dlw_journal_is_mute(journal))
        return;
    dlw_journal_line_begin(journal, "off");
    dlw_jsonl_text_field(&journal->json, "reason", reason ? reason : "");
    dlw_journal_line_end(journal);
    dlw_journal_flush(journal);
}

/* ---- findings ---- */

static void need_for_held(struct dlw_journal *journal, const struct dlw_held *held)
{
    dlw_journal_need_stack(journal, held->stack);
    dlw_journal_need_lock(journal, held->lock);
}

static void need_for_cycle(struct dlw_journal *journal, const struct dlw_cycle_entry *cycle,
                           uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        dlw_journal_need_thread(journal, cycle[i].thread);
        need_for_held(journal, &cycle[i].holds);
        need_for_held(journal, &cycle[i].wants);
    }
}

static void need_for_threads(struct dlw_journal *journal, const struct dlw_thread_state *threads,
                             uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        dlw_journal_need_stack(journal, threads[i].stack);
        dlw_journal_need_thread(journal, threads[i].thread);
        dlw_journal_need_stack(journal, threads[i].signal.stack);
        dlw_journal_need_lock(journal, threads[i].on);
        for (uint32_t j = 0; j < threads[i].n_holds; j++)
            need_for_held(journal, &threads[i].holds[j]);
    }
}

static void put_held(struct dlw_journal *journal, const char *key, const struct dlw_held *held,
                     bool timed)
{
    struct dlw_jsonl *json = &journal->json;

    dlw_jsonl_open(json, key, '{');
    dlw_journal_refer(journal, "lock", &journal->locks, held->lock);
    dlw_jsonl_text_field(json, "mode", dlw_mode_word(held->mode));
    dlw_journal_refer(journal, "stack", &journal->stacks, held->stack);
    if (timed)
        dlw_jsonl_true_field(json, "timed");
    dlw_jsonl_close(json, '}');
}

static void put_cycle(struct dlw_journal *journal, const struct dlw_cycle_entry *cycle, uint32_t n)
{
    struct dlw_jsonl *json = &journal->json;

    dlw_jsonl_open(json, "cycle", '[');
    for (uint32_t i = 0; i < n; i++) {
        dlw_jsonl_open(json, NULL, '{');
        dlw_journal_refer(journal, "thread", &journal->threads, cycle[i].thread);
        if (cycle[i].scope)
            dlw_jsonl_text_field(json, "scope", cycle[i].scope);
        put_held(journal, "holds", &cycle[i].holds, false);
        put_held(journal, "wants", &cycle[i].wants, cycle[i].timed);
        dlw_jsonl_close(json, '}');
    }
    dlw_jsonl_close(json, ']');
}

static void put_signal(struct dlw_journal *journal, const struct dlw_last_signal *signal)
{
    struct dlw_jsonl *json = &journal->json;

    dlw_jsonl_open(json, "signalled", '{');
    dlw_jsonl_number_field(json, "count", signal->count);
    if (signal->count) {
        dlw_journal_refer(journal, "thread", &journal->threads, signal->thread);
        dlw_journal_refer(journal, "stack", &journal->stacks, signal->stack);
        if (signal->is_before)
            dlw_jsonl_true_field(json, "before");
    }
    dlw_jsonl_close(json, '}');
}

static void put_wait(struct dlw_journal *journal, const struct dlw_thread_state *state)
{
    struct dlw_jsonl *json = &journal->json;
    const char *waits = dlw_wait_word(state->waits);

    dlw_jsonl_text_field(json, "state", *waits ? "blocked" : "running");
    if (*waits)
        dlw_jsonl_text_field(json, "waits", waits);
    dlw_journal_refer(journal, "for", &journal->locks, state->on);
    if (*waits && state->on)
        dlw_jsonl_text_field(json, "mode", dlw_mode_word(state->mode));
    if (state->since_ns)
        dlw_jsonl_real_field(json, "since", (double)state->since_ns / 1e9);
    if (state->timed)
        dlw_jsonl_true_field(json, "timed");
    if (state->parties) {
        dlw_jsonl_number_field(json, "arrived", state->arrived);
        dlw_jsonl_number_field(json, "of", state->parties);
    }
    if (state->signal.is_known)
        put_signal(journal, &state->signal);
    dlw_journal_refer(journal, "stack", &journal->stacks, state->stack);
}

static void put_threads(struct dlw_journal *journal, const struct dlw_thread_state *threads,
                        uint32_t n)
{
    struct dlw_jsonl *json = &journal->json;

    dlw_jsonl_open(json, "threads", '[');
    for (uint32_t i = 0; i < n; i++) {
        dlw_jsonl_open(json, NULL, '{');
        dlw_journal_refer(journal, "thread", &journal->threads, threads[i].thread);
        put_wait(journal, &threads[i]);
        dlw_jsonl_open(json, "holds", '[');
        for (uint32_t j = 0; j < threads[i].n_holds; j++)
            put_held(journal, NULL, &threads[i].holds[j], false);
        dlw_jsonl_close(json, ']');
        dlw_jsonl_close(json, '}');
    }
    dlw_jsonl_close(json, ']');
}

static void put_verdict(struct dlw_journal *journal, const struct dlw_finding *finding)
{
    struct dlw_jsonl *json = &journal->json;
    const char *harmless = dlw_harmless_word(finding->harmless);
    const char *doubt = dlw_doubt_word(finding->doubt);

    dlw_jsonl_text_field(json, "kind", dlw_kind_word(finding->kind));
    dlw_jsonl_text_field(json, "certainty", finding->certain ? "certain" : "possible");
    if (finding->reason)
        dlw_jsonl_text_field(json, "reason", finding->reason);
    if (*harmless)
        dlw_jsonl_text_field(json, "harmless", harmless);
    if (*doubt)
        dlw_jsonl_text_field(json, "doubt", doubt);
    if (finding->harmless == DLW_GUARDED)
        dlw_journal_refer(journal, "harmless_lock", &journal->locks, finding->gate);
}

static void put_finding(struct dlw_journal *journal, const char *type, uint32_t id, double time,
                        const struct dlw_finding *finding)
{
    if (dlw_journal_is_mute(journal))
        return;
    struct dlw_jsonl *json = &journal->json;
    need_for_cycle(journal, finding->cycle, finding->n_cycle);
    need_for_threads(journal, finding->threads, finding->n_threads);
    dlw_journal_need_lock(journal, finding->gate);
    dlw_journal_line_begin(journal, type);
    dlw_jsonl_number_field(json, "id", id);
    dlw_jsonl_real_field(json, "time", time);
    put_verdict(journal, finding);
    if (finding->n_cycle)
        put_cycle(journal, finding->cycle, finding->n_cycle);
    if (finding->n_threads)
        put_threads(journal, finding->threads, finding->n_threads);
    dlw_journal_line_end(journal);
    dlw_journal_flush(journal);
}

void dlw_journal_finding(struct dlw_journal *journal, uint32_t id, double time,
                         const struct dlw_finding *finding)
{
    put_finding(journal, "finding", id, time, finding);
}

void dlw_journal_withheld(struct dlw_journal *journal, uint32_t id, double time,
                          const struct dlw_finding *finding)
{
    put_finding(journal, "withheld", id, time, finding);
}

void dlw_journal_void(struct dlw_journal *journal, uint32_t finding)
{
    if (dlw_journal_is_mute(journal))
        return;
    dlw_journal_line_begin(journal, "void");
    dlw_jsonl_number_field(&journal->json, "finding", finding);
    dlw_journal_line_end(journal);
    dlw_journal_flush(journal);
}

void dlw_journal_again(struct dlw_journal *journal, uint32_t finding, uint64_t count)
{
    if (dlw_journal_is_mute(journal))
        return;
    dlw_journal_line_begin(journal, "again");
    dlw_jsonl_number_field(&journal->json, "finding", finding);
    dlw_jsonl_number_field(&journal->json, "count", count);
    dlw_journal_line_end(journal);
}

void dlw_journal_bounds(struct dlw_journal *journal, const struct dlw_journal_bounds *bounds)
{
    if (!has_to_close(journal))
        return;
    struct dlw_jsonl *json = &journal->json;
    dlw_journal_line_begin(journal, "bounds");
    dlw_jsonl_number_field(json, "dropped", bounds->dropped);
    dlw_jsonl_number_field(json, "given_up", bounds->given_up);
    dlw_jsonl_number_field(json, "untold", bounds->untold);
    dlw_journal_line_end(journal);
}

void dlw_journal_note(struct dlw_journal *journal, const char *text)
{
    if (dlw_journal_is_mute(journal))
        return;
    dlw_journal_line_begin(journal, "note");
    dlw_jsonl_text_field(&journal->json, "text", text);
    dlw_journal_line_end(journal);
    dlw_journal_flush(journal);
}

void dlw_journal_avoided(struct dlw_journal *journal, const struct dlw_journal_avoided *avoided)
{
    if (dlw_journal_is_mute(journal))
        return;
    struct dlw_jsonl *json = &journal->json;
    dlw_journal_line_begin(journal, "avoided");
    dlw_jsonl_text_field(json, "deadlock", avoided->name);
    dlw_jsonl_number_field(json, "count", avoided->count);
    dlw_jsonl_number_field(json, "exhausted", avoided->exhausted);
    dlw_jsonl_number_field(json, "let_go", avoided->let_go);
    if (avoided->is_off)
        dlw_jsonl_true_field(json, "off");
    dlw_journal_line_end(journal);
    dlw_journal_flush(journal);
}

void dlw_journal_waits(struct dlw_journal *journal, double time,
                       const struct dlw_thread_state *threads, uint32_t n)
{
    if (dlw_journal_is_mute(journal))
        return;
    need_for_threads(journal, threads, n);
    dlw_journal_line_begin(journal, "waits");
    dlw_jsonl_real_field(&journal->json, "time", time);
    put_threads(journal, threads, n);
    dlw_journal_line_end(journal);
    dlw_journal_flush(journal);
}
