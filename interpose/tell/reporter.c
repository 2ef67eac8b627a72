#include "interpose/tell/reporter.h"

#include "graph/base/sys.h"
#include "graph/kinds.h"
#include "interpose/base/state.h"
#include "interpose/tell/avoid_file.h"
#include "interpose/tell/block.h"
#include "interpose/tell/flush.h"
#include "interpose/tell/mistakes.h"
#include "interpose/tell/output.h"
#include "interpose/tell/source.h"
#include "interpose/tell/thread_names.h"
#include "interpose/tell/trails.h"

/* ---- threads ---- */

static bool keep(void *context, struct dlw_thread *thread)
{
    if (!dlw_lock_acquire_or_skip(&dlw_emit_lock)) {
        *(bool *)context = false;
        return false;
    }
    dlw_thread_names_keep_locked(thread->id);
    dlw_lock_release(&dlw_emit_lock);
    return true;
}

/* Walks all evidence of the order graph, so it runs only when the table has doubled. */
static void sweep(void)
{
    bool are_kept = true;

    dlw_threads_each(keep, &are_kept);
    if (!are_kept || !dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return;
    if (dlw_lock_acquire_or_skip(&dlw_emit_lock)) {
        dlw_thread_names_sweep_locked();
        dlw_lock_release(&dlw_emit_lock);
    }
    dlw_lock_release(&dlw_graph_lock);
}

void dlw_report_know_ended(const struct dlw_ended *ended)
{
    if (!dlw_lock_acquire_or_skip(&dlw_emit_lock))
        return;
    if (dlw_thread_names_note_locked(ended))
        dlw_journal_thread_renamed(dlw_output.journal, ended->id);
    bool is_due = dlw_thread_names_is_due_locked();
    dlw_lock_release(&dlw_emit_lock);
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

    if (!dlw_lock_acquire_or_skip(&dlw_emit_lock))
        return;
    bool is_known = dlw_thread_names_find_locked(thread->id, &known);
    dlw_lock_release(&dlw_emit_lock);
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

/* ---- dlw_output.findings ---- */

static void keep_locked(uint32_t id, double time, const struct dlw_finding *finding)
{
    if (dlw_block_is_shown(finding))
        dlw_journal_finding(dlw_output_in_memory_locked(), id, time, finding);
}

/* Its number, where it is a new one; else 0. */
static uint32_t finding_locked(const struct dlw_finding *finding)
{
    double time = dlw_wall_time();
    uint32_t id = dlw_mistake_note_locked(dlw_output.journal, finding);

    if (id == 0)
        return 0;
    if (is_error(finding))
        atomic_fetch_add_explicit(&dlw_output.n_errors, 1, memory_order_relaxed);
    dlw_journal_finding(dlw_output.journal, id, time, finding);
    keep_locked(id, time, finding);
    dlw_block_print_locked(&dlw_output.arena, &dlw_output.process, id, finding, time);
    return id;
}

bool dlw_report_counts_edge(void)
{
    atomic_fetch_add_explicit(&dlw_output.n_edges, 1, memory_order_relaxed);
    return dlw_output.journal != NULL;
}

uint32_t dlw_report_new_id(void)
{
    return dlw_output.journal ? dlw_mistake_new_id() : 0;
}

void dlw_report_void(uint32_t id)
{
    if (!dlw_lock_acquire(&dlw_emit_lock))
        return;
    dlw_journal_void(dlw_output.journal, id);
    dlw_lock_release(&dlw_emit_lock);
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

    if (dlw_output.is_silent)
        return false;
    dlw_source_begin_locked(pending, resolved);
    for (struct dlw_pending_item *item = pending->first; item; item = item->next) {
        dlw_pending_to_serials(item);
        if (item->is_edge) {
            dlw_journal_edge(dlw_output.journal, &item->edge);
        } else if (item->is_trait) {
            dlw_journal_trait(dlw_output.journal, item->edge.from, item->trait);
        } else if (item->is_snapshot) {
            dlw_journal_waits(dlw_output.journal, dlw_wall_time(), item->finding.threads,
                              item->finding.n_threads);
        } else if (item->withheld) {
            dlw_journal_withheld(dlw_output.journal, item->withheld, dlw_wall_time(),
                                 &item->finding);
        } else {
            item->told = finding_locked(&item->finding);
            end |= ends_process(&item->finding);
        }
    }
    dlw_source_end_locked();
    dlw_output_bounds_locked(&pending->bounds, false);
    return end;
}

static void write_trail(const struct dlw_journal_trail *trail)
{
    if (!dlw_lock_acquire_or_skip(&dlw_emit_lock))
        return;
    if (!dlw_output.is_silent) {
        dlw_journal_trail(dlw_output.journal, trail);
        dlw_journal_trail(dlw_output.findings, trail);
    }
    dlw_lock_release(&dlw_emit_lock);
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
    if (!has_any || !dlw_lock_acquire_or_skip(&dlw_emit_lock))
        return;
    if (!dlw_output.is_silent) {
        dlw_journal_flush(dlw_output.journal);
        dlw_journal_flush(dlw_output.findings);
    }
    dlw_lock_release(&dlw_emit_lock);
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
    if (dlw_lock_acquire(&dlw_emit_lock)) {
        end = write_locked(pending, resolved);
        dlw_lock_release(&dlw_emit_lock);
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

void dlw_report_trait(struct dlw_thread *self, const struct dlw_lock_ref *ref,
                      enum dlw_journal_trait trait)
{
    struct dlw_pending pending = DLW_PENDING_INIT(pending);

    if (!dlw_output.journal || !dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return;
    dlw_node node = dlw_lock_known_locked(ref);
    if (node) /* else it is in no order */
        dlw_pending_trait_locked(&pending, dlw_lock_tag_locked(node), trait);
    dlw_lock_release(&dlw_graph_lock);
    if (pending.first)
        dlw_report_pending(self, &pending);
}

bool dlw_report_found_errors(void)
{
    return atomic_load_explicit(&dlw_output.n_errors, memory_order_relaxed) != 0;
}
