/* The end of the process, as it is told: what it cost, what was dropped, the totals. */
#include "interpose/base/state.h"
#include "interpose/tell/block.h"
#include "interpose/tell/costs.h"
#include "interpose/tell/lacks.h"
#include "interpose/tell/mistakes.h"
#include "interpose/tell/output.h"
#include "interpose/tell/reporter.h"
#include "interpose/threads/jump.h"
#include "interpose/threads/trail.h"
#include "report/emit/helper.h"
#include "report/emit/say.h"
#include "report/emit/text.h"

static bool add_calls(void *context, struct dlw_thread *thread)
{
    *(uint64_t *)context += dlw_trail_calls(thread);
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
    totals->errors = atomic_load_explicit(&dlw_output.n_errors, memory_order_relaxed);
    totals->edges = atomic_load_explicit(&dlw_output.n_edges, memory_order_relaxed);
    struct dlw_journal_bounds bounds = {0};
    if (dlw_lock_acquire_or_skip(&dlw_graph_lock)) {
        bounds = dlw_pending_bounds_locked();
        dlw_lock_release(&dlw_graph_lock);
    }
    if (totals->threads > 1 || dlw_options.verbosity > 0)
        dlw_lacks_look();
    dlw_output_tell_lacks();
    if (!dlw_lock_acquire_or_skip(&dlw_emit_lock))
        return;
    dlw_output_bounds_locked(&bounds, true);
    dlw_mistakes_end_locked(dlw_output.journal);
    dlw_journal_end(dlw_output.journal, totals);
    dlw_lock_release(&dlw_emit_lock);
}

static void write_cost(const struct dlw_profile_entry *entry)
{
    struct dlw_journal_profile profile = dlw_costs_resolve(entry);

    if (!dlw_lock_acquire_or_skip(&dlw_emit_lock))
        return;
    dlw_journal_profile(dlw_output.journal, &profile);
    dlw_lock_release(&dlw_emit_lock);
}

static void write_costs(void)
{
    dlw_profile_each(write_cost);
    uint64_t lost = dlw_profile_lost();
    if (!lost || !dlw_lock_acquire_or_skip(&dlw_emit_lock))
        return;
    dlw_journal_profile_lost(dlw_output.journal, lost);
    dlw_lock_release(&dlw_emit_lock);
}

void dlw_report_end(const char *ended, int status)
{
    static _Atomic bool done;
    struct dlw_journal_totals totals = {.ended = ended, .status = status};

    if (atomic_exchange_explicit(&done, true, memory_order_relaxed))
        return;
    if (dlw_options.profile && dlw_output.journal)
        write_costs();
    write_end(&totals);
    if (dlw_options.verbosity > 0)
        say_totals(&totals);
    dlw_guard_lets_signals();
    dlw_helper_wait(10000);
    dlw_block_say_rest();
}

void dlw_report_closes(const char *ended, int status)
{
    struct dlw_journal_totals totals = {.ended = ended, .status = status};

    if (!dlw_lock_acquire_or_skip(&dlw_emit_lock))
        return;
    dlw_journal_end(dlw_output.journal, &totals);
    dlw_lock_release(&dlw_emit_lock);
}

void dlw_report_may_end(const char *ended, int status)
{
    struct dlw_journal_totals totals = {.ended = ended, .status = status};

    write_end(&totals);
    dlw_guard_lets_signals();
    dlw_helper_wait(10000);
}
