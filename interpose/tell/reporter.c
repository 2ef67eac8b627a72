#include "interpose/tell/reporter.h"

#include "graph/base/arena.h"
#include "graph/base/sys.h"
#include "graph/kinds.h"
#include "interpose/base/state.h"
#include "interpose/tell/avoid_file.h"
#include "interpose/tell/block.h"
#include "interpose/tell/costs.h"
#include "interpose/tell/flush.h"
#include "interpose/tell/lacks.h"
#include "interpose/tell/mistakes.h"
#include "interpose/tell/source.h"
#include "interpose/tell/thread_names.h"
#include "interpose/tell/trails.h"
#include "interpose/threads/jump.h"
#include "report/emit/helper.h"
#include "report/emit/journal/journal.h"
#include "report/emit/line.h"
#include "report/emit/records.h"
#include "report/emit/say.h"
#include "report/emit/tally.h"
#include "report/emit/text.h"

#include <stdarg.h>
#include <string.h>

/* RANK_EMIT: protects all below; held while a line is built and written, nests nothing. */
static struct dlw_lock emit_lock = DLW_LOCK_INIT(DLW_RANK_EMIT);
static struct dlw_arena arena;
static struct dlw_journal *journal; /* NULL without report= */
/* The process has confined itself. Threads that were in the middle of learning have something to
 * say still, and to write it takes system calls that the program doesn't make. */
static bool is_silent;
/* Findings kept in memory for attach and core (records.h); created at the first finding. */
static struct dlw_journal *findings;
static struct dlw_kept kept;
const struct dlw_records_findings dlw_records_findings = {.lines = &kept.first};
static struct dlw_journal_process process;
static char run_copy[256]; /* the program may change its environment */
static char exe_copy[1024], folder_copy[1024];
static _Atomic uint32_t n_errors;
static _Atomic uint64_t n_edges;
static _Atomic uint64_t flushed_at;

/* ---- threads ---- */

static bool keep(void *context, struct dlw_thread *thread)
{
    if (!dlw_lock_acquire_or_skip(&emit_lock)) {
        *(bool *)context = false;
        return false;
    }
    dlw_thread_names_keep_locked(thread->id);
    dlw_lock_release(&emit_lock);
    return true;
}

/* Walks all evidence of the order graph, so it runs only when the table has doubled. */
static void sweep(void)
{
    bool are_kept = true;

    dlw_threads_each(keep, &are_kept);
    if (!are_kept || !dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return;
    if (dlw_lock_acquire_or_skip(&emit_lock)) {
        dlw_thread_names_sweep_locked();
        dlw_lock_release(&emit_lock);
    }
    dlw_lock_release(&dlw_graph_lock);
}

void dlw_report_know_ended(const struct dlw_ended *ended)
{
    if (!dlw_lock_acquire_or_skip(&emit_lock))
        return;
    if (dlw_thread_names_note_locked(ended))
        dlw_journal_thread_renamed(journal, ended->id);
    bool is_due = dlw_thread_names_is_due_locked();
    dlw_lock_release(&emit_lock);
    if (is_due)
        sweep();
}

void dlw_report_know_thread(const struct dlw_thread *thread)
{
    struct dlw_ended facts;

    dlw_thread_names_read(thread, &facts);
    dlw_report_know_ended(&facts);
}

void dlw_report_introduce(struct dlw_thread *self)
{
    if (self->is_known)
        return;
    dlw_report_know_thread(self);
    self->is_known = true;
}

void dlw_report_renamed(const struct dlw_thread *thread)
{
    struct dlw_journal_thread known;

    if (!dlw_lock_acquire_or_skip(&emit_lock))
        return;
    bool is_known = dlw_thread_names_find_locked(thread->id, &known);
    dlw_lock_release(&emit_lock);
    if (is_known)
        dlw_report_know_thread(thread);
}

static bool is_error(const struct dlw_finding *finding)
{
    bool is_strict = dlw_options.show == DLW_SHOW_STRICT;

    if (dlw_kind_severity(finding->kind) != DLW_ERROR ||
        (finding->doubt && !(finding->doubt == DLW_DOUBT_SCOPE && is_strict)))
        return false;
    return !finding->harmless || (finding->harmless != DLW_INTENDED && is_strict);
}

/* ---- news ---- */

static struct dlw_journal *kept_in_memory_locked(void)
{
    if (!findings) {
        findings = dlw_journal_new(&arena, &dlw_source, &process, NULL);
        dlw_journal_to_memory(findings, &kept);
    }
    return findings;
}

static void keep_locked(uint32_t id, double time, const struct dlw_finding *finding)
{
    if (dlw_block_is_shown(finding))
        dlw_journal_finding(kept_in_memory_locked(), id, time, finding);
}

/* Its number, where it is a new one; else 0. */
static uint32_t finding_locked(const struct dlw_finding *finding)
{
    double time = dlw_wall_time();
    uint32_t id = dlw_mistake_note_locked(journal, finding);

    if (id == 0)
        return 0;
    if (is_error(finding))
        atomic_fetch_add_explicit(&n_errors, 1, memory_order_relaxed);
    dlw_journal_finding(journal, id, time, finding);
    keep_locked(id, time, finding);
    dlw_block_print_locked(&arena, &process, id, finding, time);
    return id;
}

/* The journal's word for it, guarded by the emit lock. */
static struct dlw_journal_bounds bounds_told;

static bool has_doubled(uint64_t said, uint64_t now)
{
    return now > said && now / 2 >= said;
}

/* Now and then, for who is killed; the end of the process tells the rest. */
static void bounds_locked(const struct dlw_journal_bounds *now, bool is_end)
{
    bool has_more = now->dropped > bounds_told.dropped || now->given_up > bounds_told.given_up ||
                    now->untold > bounds_told.untold;

    if (!has_doubled(bounds_told.dropped, now->dropped) &&
        !has_doubled(bounds_told.given_up, now->given_up) &&
        !has_doubled(bounds_told.untold, now->untold) && !(is_end && has_more))
        return;
    bounds_told = *now;
    dlw_journal_bounds(journal, now);
}

bool dlw_report_counts_edge(void)
{
    atomic_fetch_add_explicit(&n_edges, 1, memory_order_relaxed);
    return journal != NULL;
}

uint32_t dlw_report_new_id(void)
{
    return journal ? dlw_mistake_new_id() : 0;
}

void dlw_report_void(uint32_t id)
{
    if (!dlw_lock_acquire(&emit_lock))
        return;
    dlw_journal_void(journal, id);
    dlw_lock_release(&emit_lock);
}

static bool ends_process(const struct dlw_finding *finding)
{
    return (finding->kind == DLW_DEADLOCK || finding->kind == DLW_STALL) && finding->certain &&
           dlw_options.on_deadlock != DLW_THEN_CONTINUE;
}

/*
 * Both threads of a deadlock may see it. The one that comes first ends the process, when its report
 * is out; any other is blocked for good and waits for that here.
 */
static void end_process(void)
{
    static _Atomic bool is_ending;
    struct timespec while_it_lasts = {3600, 0};
    int status = dlw_options.exitcode ? (int)dlw_options.exitcode : 66;

    while (atomic_exchange_explicit(&is_ending, true, memory_order_relaxed))
        dlw_syscall(SYS_nanosleep, &while_it_lasts, NULL);
    if (dlw_options.on_deadlock == DLW_THEN_ABORT) {
        dlw_report_end("abort", -1);
        dlw_abort();
    }
    dlw_report_end("deadlock", status);
    dlw_flush_stdout();
    dlw_syscall(SYS_exit_group, status);
}

static bool has_findings(const struct dlw_pending *pending)
{
    const struct dlw_pending_item *item = pending->first;

    while (item && (item->is_edge || item->is_trait))
        item = item->next;
    return item != NULL;
}

/* True when a finding ends the process. */
static bool write_locked(const struct dlw_pending *pending, const struct dlw_resolved *resolved)
{
    bool end = false;

    if (is_silent)
        return false;
    dlw_source_begin_locked(pending, resolved);
    for (struct dlw_pending_item *item = pending->first; item; item = item->next) {
        dlw_pending_to_serials(item);
        if (item->is_edge) {
            dlw_journal_edge(journal, &item->edge);
        } else if (item->is_trait) {
            dlw_journal_trait(journal, item->edge.from, item->trait);
        } else if (item->is_snapshot) {
            dlw_journal_waits(journal, dlw_wall_time(), item->finding.threads,
                              item->finding.n_threads);
        } else if (item->withheld) {
            dlw_journal_withheld(journal, item->withheld, dlw_wall_time(), &item->finding);
        } else {
            item->told = finding_locked(&item->finding);
            end |= ends_process(&item->finding);
        }
    }
    dlw_source_end_locked();
    bounds_locked(&pending->bounds, false);
    return end;
}

static void write_trail(const struct dlw_journal_trail *trail)
{
    if (!dlw_lock_acquire_or_skip(&emit_lock))
        return;
    if (!is_silent) {
        dlw_journal_trail(journal, trail);
        dlw_journal_trail(findings, trail);
    }
    dlw_lock_release(&emit_lock);
}

/* Behind the findings: their threads' last steps. */
static void write_trails(const struct dlw_pending *pending)
{
    bool has_any = false;

    for (const struct dlw_pending_item *item = pending->first; item; item = item->next)
        if (item->told && dlw_block_is_shown(&item->finding)) {
            dlw_trails_tell(item->told, &item->finding, write_trail);
            has_any = true;
        }
    if (!has_any || !dlw_lock_acquire_or_skip(&emit_lock))
        return;
    if (!is_silent) {
        dlw_journal_flush(journal);
        dlw_journal_flush(findings);
    }
    dlw_lock_release(&emit_lock);
}

/* For the next start; before the process ends by them. */
static void keep_deadlocks(const struct dlw_pending *pending)
{
    for (const struct dlw_pending_item *item = pending->first; item; item = item->next)
        if (!item->is_edge && !item->is_trait && !item->is_snapshot && !item->withheld)
            dlw_avoid_file_add(&item->finding, pending);
}

void dlw_report_pending(struct dlw_thread *self, struct dlw_pending *pending)
{
    enum { FEW = 8 };
    struct dlw_resolved few[FEW];
    size_t bytes = pending->n_facts > FEW ? pending->n_facts * sizeof(*few) : 0;
    struct dlw_resolved *resolved = bytes ? dlw_pages_map(bytes) : few;

    if (has_findings(pending)) /* it is told by its name of now */
        self->is_known = false;
    dlw_report_introduce(self);
    dlw_source_resolve(pending, resolved);
    bool end = false;
    if (dlw_lock_acquire(&emit_lock)) {
        end = write_locked(pending, resolved);
        dlw_lock_release(&emit_lock);
    }
    if (bytes && resolved)
        dlw_pages_unmap(resolved, bytes);
    write_trails(pending);
    keep_deadlocks(pending);
    dlw_pending_free(pending);
    if (end)
        end_process();
    dlw_report_flush(false);
}

void dlw_report_avoided(const struct dlw_journal_avoided *avoided)
{
    if (!dlw_lock_acquire_or_skip(&emit_lock))
        return;
    if (!is_silent) {
        dlw_journal_avoided(journal, avoided);
        dlw_journal_avoided(kept_in_memory_locked(), avoided);
    }
    dlw_lock_release(&emit_lock);
}

void dlw_report_note(const char *piece, ...)
{
    char text[1024];
    struct dlw_line line = DLW_LINE(text);
    va_list rest;

    va_start(rest, piece);
    for (; piece; piece = va_arg(rest, const char *))
        dlw_line_add(&line, piece);
    va_end(rest);
    dlw_say(text, NULL);
    if (!dlw_lock_acquire_or_skip(&emit_lock))
        return;
    if (!is_silent)
        dlw_journal_note(journal, text);
    dlw_lock_release(&emit_lock);
}

void dlw_report_trait(struct dlw_thread *self, const struct dlw_lock_ref *ref,
                      enum dlw_journal_trait trait)
{
    struct dlw_pending pending = DLW_PENDING_INIT(pending);

    if (!journal || !dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return;
    dlw_node node = dlw_lock_known_locked(ref);
    if (node) /* else it is in no order */
        dlw_pending_trait_locked(&pending, dlw_lock_tag_locked(node), trait);
    dlw_lock_release(&dlw_graph_lock);
    if (pending.first)
        dlw_report_pending(self, &pending);
}

static void tell_lacks(void)
{
    if (!dlw_lacks_is_news() || !dlw_lock_acquire_or_skip(&emit_lock))
        return;
    if (!is_silent)
        dlw_lacks_tell_locked(journal, !process.run && dlw_options.verbosity == 0);
    dlw_lock_release(&emit_lock);
}

void dlw_report_flush(bool now)
{
    enum { SECOND = 1000000000 };

    tell_lacks();
    if (!journal || !dlw_journal_has_pending(journal))
        return;
    uint64_t time = dlw_now();
    if (!now && time - atomic_load_explicit(&flushed_at, memory_order_relaxed) < SECOND)
        return;
    atomic_store_explicit(&flushed_at, time, memory_order_relaxed);
    if (!dlw_lock_acquire_or_skip(&emit_lock))
        return;
    if (!is_silent)
        dlw_journal_flush(journal);
    dlw_lock_release(&emit_lock);
}

/* ---- life ---- */

void dlw_report_off(const char *reason)
{
    dlw_say("switched off: ", reason, "; the program goes on unwatched", NULL);
    if (!dlw_lock_acquire_or_skip(&emit_lock))
        return;
    dlw_journal_off(journal, reason);
    dlw_lock_release(&emit_lock);
}

void dlw_report_confine(const char *reason)
{
    dlw_report_off(reason);
    if (!dlw_lock_acquire(&emit_lock))
        return;
    is_silent = true;
    dlw_lock_release(&emit_lock);
}

void dlw_report_exec(void)
{
    if (!dlw_lock_acquire_or_skip(&emit_lock))
        return;
    dlw_journal_exec(journal);
    dlw_lock_release(&emit_lock);
}

void dlw_report_changes_root(void)
{
    if (!dlw_lock_acquire_or_skip(&emit_lock))
        return;
    dlw_journal_begin(journal);
    dlw_lock_release(&emit_lock);
}

/* Why this process is left alone, as long as nobody was told. */
static const char *_Atomic left_alone;

void dlw_report_leaves_alone(const char *why)
{
    atomic_store_explicit(&left_alone, why, memory_order_relaxed);
}

void dlw_report_makes_thread(void)
{
    const char *why = atomic_load_explicit(&left_alone, memory_order_relaxed);

    if (why)
        why = atomic_exchange_explicit(&left_alone, NULL, memory_order_relaxed);
    if (why)
        dlw_report_unwatched(exe_copy, why);
}

void dlw_report_unwatched(const char *exe, const char *why)
{
    if (!dlw_lock_acquire_or_skip(&emit_lock))
        return;
    dlw_journal_unwatched(journal, exe, why);
    dlw_lock_release(&emit_lock);
}

bool dlw_report_found_errors(void)
{
    return atomic_load_explicit(&n_errors, memory_order_relaxed) != 0;
}

static bool add_calls(void *context, struct dlw_thread *thread)
{
    *(uint64_t *)context += thread->calls;
    return true;
}

static void say_count(const char *what, uint64_t count)
{
    char number[24];

    if (count)
        dlw_say(what, dlw_say_number(number, count), NULL);
}

static void say_totals(const struct dlw_journal_totals *totals)
{
    dlw_text_totals(totals);
    say_count("waits for a lock of its own that were given up: ", dlw_locks_given_up());
    say_count("sections of its own that were jumped out of, and mended: ", dlw_jumps_healed());
    say_count("threads unwatched since they jumped out of it: ", dlw_jumps_lost());
    dlw_lacks_say_all();
}

void (*dlw_report_before_end)(void);

static void write_end(struct dlw_journal_totals *totals)
{
    if (dlw_report_before_end)
        dlw_report_before_end();
    totals->calls = dlw_threads_calls_of_ended();
    dlw_threads_each(add_calls, &totals->calls);
    totals->locks = dlw_locks_ever();
    totals->threads = dlw_threads_ever();
    totals->errors = atomic_load_explicit(&n_errors, memory_order_relaxed);
    totals->edges = atomic_load_explicit(&n_edges, memory_order_relaxed);
    struct dlw_journal_bounds bounds = {0};
    if (dlw_lock_acquire_or_skip(&dlw_graph_lock)) {
        bounds = dlw_pending_bounds_locked();
        dlw_lock_release(&dlw_graph_lock);
    }
    if (totals->threads > 1 || dlw_options.verbosity > 0)
        dlw_lacks_look();
    tell_lacks();
    if (!dlw_lock_acquire_or_skip(&emit_lock))
        return;
    bounds_locked(&bounds, true);
    dlw_mistakes_end_locked(journal);
    dlw_journal_end(journal, totals);
    dlw_lock_release(&emit_lock);
}

static void write_cost(const struct dlw_profile_entry *entry)
{
    struct dlw_journal_profile profile = dlw_costs_resolve(entry);

    if (!dlw_lock_acquire_or_skip(&emit_lock))
        return;
    dlw_journal_profile(journal, &profile);
    dlw_lock_release(&emit_lock);
}

static void write_costs(void)
{
    dlw_profile_each(write_cost);
    uint64_t lost = dlw_profile_lost();
    if (!lost || !dlw_lock_acquire_or_skip(&emit_lock))
        return;
    dlw_journal_profile_lost(journal, lost);
    dlw_lock_release(&emit_lock);
}

void dlw_report_end(const char *ended, int status)
{
    static _Atomic bool done;
    struct dlw_journal_totals totals = {.ended = ended, .status = status};

    if (atomic_exchange_explicit(&done, true, memory_order_relaxed))
        return;
    if (dlw_options.profile && journal)
        write_costs();
    write_end(&totals);
    if (dlw_options.verbosity > 0)
        say_totals(&totals);
    dlw_guard_lets_signals();
    dlw_helper_wait(10000);
}

void dlw_report_closes(const char *ended, int status)
{
    struct dlw_journal_totals totals = {.ended = ended, .status = status};

    if (!dlw_lock_acquire_or_skip(&emit_lock))
        return;
    dlw_journal_end(journal, &totals);
    dlw_lock_release(&emit_lock);
}

void dlw_report_may_end(const char *ended, int status)
{
    struct dlw_journal_totals totals = {.ended = ended, .status = status};

    write_end(&totals);
    dlw_guard_lets_signals();
    dlw_helper_wait(10000);
}

/* Its journal ends early, or could not begin: in the latter case only the tally can tell. */
static void journal_fails(const char *line)
{
    dlw_report_warn(line);
    if (!dlw_journal_path(journal) && process.run && !dlw_tally_lost(process.pid))
        dlw_say_on_stderr(line); /* a run that can't be reached takes silence for all is well */
}

void dlw_report_start(const char *exe, const char *folder, const char *const *argv, const char *run)
{
    strncpy(exe_copy, exe, sizeof(exe_copy) - 1);
    strncpy(folder_copy, folder, sizeof(folder_copy) - 1);
    if (run)
        strncpy(run_copy, run, sizeof(run_copy) - 1);
    process = (struct dlw_journal_process){
        .pid = (uint32_t)dlw_syscall(SYS_getpid),
        .ppid = (uint32_t)dlw_syscall(SYS_getppid),
        .exe = exe_copy,
        .cwd = folder_copy,
        .argv = dlw_options.argv ? argv : NULL,
        .start = dlw_wall_time(),
        .run = run ? run_copy : NULL,
    };
    if (!dlw_options.report || !dlw_options.report[0])
        return;
    journal = dlw_journal_new(&arena, &dlw_source, &process, journal_fails);
    dlw_journal_to_path(journal, dlw_options.report, folder_copy);
}

void dlw_report_warn(const char *line)
{
    dlw_say(line, NULL);
}

bool dlw_report_before_fork(void)
{
    return dlw_lock_acquire(&emit_lock);
}

void dlw_report_after_fork(bool child)
{
    if (!child) {
        dlw_lock_release(&emit_lock);
        return;
    }
    dlw_lock_reset(&emit_lock);
    process.pid = (uint32_t)dlw_syscall(SYS_getpid);
    process.ppid = (uint32_t)dlw_syscall(SYS_getppid);
    process.start = dlw_wall_time();
    process.forked = true;
    dlw_mistakes_after_fork();
    dlw_lacks_after_fork();
    bounds_told = (struct dlw_journal_bounds){0};
    atomic_store_explicit(&n_errors, 0, memory_order_relaxed);
    dlw_journal_after_fork(journal, &process);
    dlw_journal_after_fork(findings, &process);
}
