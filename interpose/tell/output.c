/* The journal of this process: its beginning, lines that are no findings, and fork. */
#include "interpose/tell/output.h"

#include "graph/base/sys.h"
#include "interpose/base/state.h"
#include "interpose/tell/block.h"
#include "interpose/tell/lacks.h"
#include "interpose/tell/mistakes.h"
#include "interpose/tell/reporter.h"
#include "interpose/tell/source.h"
#include "report/emit/line.h"
#include "report/emit/records.h"
#include "report/emit/say.h"
#include "report/emit/tally.h"

#include <stdarg.h>
#include <string.h>

struct dlw_lock dlw_emit_lock = DLW_LOCK_INIT(DLW_RANK_EMIT);
struct dlw_output dlw_output;
static struct dlw_kept kept;
const struct dlw_records_findings dlw_records_findings = {.lines = &kept.first};
static char run_copy[256]; /* the program may change its environment */
static char exe_copy[1024], folder_copy[1024];
static _Atomic uint64_t flushed_at;

struct dlw_journal *dlw_output_in_memory_locked(void)
{
    if (!dlw_output.findings) {
        dlw_output.findings =
            dlw_journal_new(&dlw_output.arena, &dlw_source, &dlw_output.process, NULL);
        dlw_journal_to_memory(dlw_output.findings, &kept);
    }
    return dlw_output.findings;
}

static bool has_doubled(uint64_t said, uint64_t now)
{
    return now > said && now / 2 >= said;
}

void dlw_output_bounds_locked(const struct dlw_journal_bounds *now, bool is_end)
{
    bool has_more = now->dropped > dlw_output.bounds.dropped ||
                    now->given_up > dlw_output.bounds.given_up ||
                    now->untold > dlw_output.bounds.untold;

    if (!has_doubled(dlw_output.bounds.dropped, now->dropped) &&
        !has_doubled(dlw_output.bounds.given_up, now->given_up) &&
        !has_doubled(dlw_output.bounds.untold, now->untold) && !(is_end && has_more))
        return;
    dlw_output.bounds = *now;
    dlw_journal_bounds(dlw_output.journal, now);
}

void dlw_report_avoided(const struct dlw_journal_avoided *avoided)
{
    if (!dlw_lock_acquire_or_skip(&dlw_emit_lock))
        return;
    if (!dlw_output.is_silent) {
        dlw_journal_avoided(dlw_output.journal, avoided);
        dlw_journal_avoided(dlw_output_in_memory_locked(), avoided);
    }
    dlw_lock_release(&dlw_emit_lock);
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
    if (!dlw_lock_acquire_or_skip(&dlw_emit_lock))
        return;
    if (!dlw_output.is_silent)
        dlw_journal_note(dlw_output.journal, text);
    dlw_lock_release(&dlw_emit_lock);
}

void dlw_output_tell_lacks(void)
{
    if (!dlw_lacks_is_news() || !dlw_lock_acquire_or_skip(&dlw_emit_lock))
        return;
    if (!dlw_output.is_silent)
        dlw_lacks_tell_locked(dlw_output.journal,
                              !dlw_output.process.run && dlw_options.verbosity == 0);
    dlw_lock_release(&dlw_emit_lock);
}

void dlw_report_flush(bool now)
{
    enum { SECOND = 1000000000 };

    dlw_output_tell_lacks();
    if (!dlw_output.journal || !dlw_journal_has_pending(dlw_output.journal))
        return;
    uint64_t time = dlw_now();
    if (!now && time - atomic_load_explicit(&flushed_at, memory_order_relaxed) < SECOND)
        return;
    atomic_store_explicit(&flushed_at, time, memory_order_relaxed);
    if (!dlw_lock_acquire_or_skip(&dlw_emit_lock))
        return;
    if (!dlw_output.is_silent)
        dlw_journal_flush(dlw_output.journal);
    dlw_lock_release(&dlw_emit_lock);
}

void dlw_report_off(const char *reason)
{
    dlw_say("switched off: ", reason, "; the program goes on unwatched", NULL);
    if (!dlw_lock_acquire_or_skip(&dlw_emit_lock))
        return;
    dlw_journal_off(dlw_output.journal, reason);
    dlw_lock_release(&dlw_emit_lock);
}

void dlw_report_confine(const char *reason)
{
    dlw_report_off(reason);
    if (!dlw_lock_acquire(&dlw_emit_lock))
        return;
    dlw_output.is_silent = true;
    dlw_lock_release(&dlw_emit_lock);
}

void dlw_report_exec(void)
{
    if (!dlw_lock_acquire_or_skip(&dlw_emit_lock))
        return;
    dlw_journal_exec(dlw_output.journal);
    dlw_lock_release(&dlw_emit_lock);
}

void dlw_report_changes_root(void)
{
    if (!dlw_lock_acquire_or_skip(&dlw_emit_lock))
        return;
    dlw_journal_begin(dlw_output.journal);
    dlw_lock_release(&dlw_emit_lock);
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
    if (!dlw_lock_acquire_or_skip(&dlw_emit_lock))
        return;
    dlw_journal_unwatched(dlw_output.journal, exe, why);
    dlw_lock_release(&dlw_emit_lock);
}

/* Its journal ends early, or could not begin: in the latter case only the tally can tell. */
static void journal_fails(const char *line)
{
    dlw_report_warn(line);
    if (!dlw_journal_path(dlw_output.journal) && dlw_output.process.run &&
        !dlw_tally_lost(dlw_output.process.pid))
        dlw_say_on_stderr(line); /* a run that can't be reached takes silence for all is well */
}

void dlw_report_start(const char *exe, const char *folder, const char *const *argv, const char *run)
{
    strncpy(exe_copy, exe, sizeof(exe_copy) - 1);
    strncpy(folder_copy, folder, sizeof(folder_copy) - 1);
    if (run)
        strncpy(run_copy, run, sizeof(run_copy) - 1);
    dlw_output.process = (struct dlw_journal_process){
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
    dlw_output.journal =
        dlw_journal_new(&dlw_output.arena, &dlw_source, &dlw_output.process, journal_fails);
    dlw_journal_to_path(dlw_output.journal, dlw_options.report, folder_copy);
}

void dlw_report_warn(const char *line)
{
    dlw_say(line, NULL);
}

bool dlw_report_before_fork(void)
{
    return dlw_lock_acquire(&dlw_emit_lock);
}

void dlw_report_after_fork(bool child)
{
    if (!child) {
        dlw_lock_release(&dlw_emit_lock);
        return;
    }
    dlw_lock_reset(&dlw_emit_lock);
    dlw_output.process.pid = (uint32_t)dlw_syscall(SYS_getpid);
    dlw_output.process.ppid = (uint32_t)dlw_syscall(SYS_getppid);
    dlw_output.process.start = dlw_wall_time();
    dlw_output.process.forked = true;
    dlw_mistakes_after_fork();
    dlw_lacks_after_fork();
    dlw_block_forget();
    dlw_output.bounds = (struct dlw_journal_bounds){0};
    atomic_store_explicit(&dlw_output.n_errors, 0, memory_order_relaxed);
    dlw_journal_after_fork(dlw_output.journal, &dlw_output.process);
    dlw_journal_after_fork(dlw_output.findings, &dlw_output.process);
}
