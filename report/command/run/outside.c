/*
 * Looks for processes of the tree that have stalled and can't say so: statically linked ones,
 * others without the library, or waits that the library does not see. First only /proc is read: a
 * process is a candidate when every thread of it sleeps in a futex without limit, and none has run
 * for `stall_after` seconds. Only then the outside view is asked, once for each such standstill,
 * and only what it is certain of is reported.
 *
 * Circles over several processes, or over files, are looked for more often: they need not make any
 * process stand still as a whole (inspect/across/suspect.h).
 */
#include "report/command/run/state.h"

#include "report/command/base/command.h"
#include "report/command/base/proc_text.h"
#include "report/command/inspect/across/suspect.h"
#include "report/command/inspect/view.h"

#include <dirent.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct dlw_run_process {
    pid_t pid;
    uint64_t standstill; /* a mix of where all its threads sleep; 0: not all do */
    double since;
    bool is_looked_at, is_ended;
    uint64_t suspicion; /* of the last time; 0: none */
    bool is_fresh;      /* there was none the time before */
    uint64_t cleared;   /* the one that a look has settled */
    bool is_to_clear;
    UT_hash_handle hh;
};

static uint64_t mix(uint64_t sum, const char *text)
{
    for (; *text; text++)
        sum = (sum ^ (unsigned char)*text) * 0x100000001b3; /* FNV-1a */
    return sum;
}

/* "202 0xADDRESS 0xOPERATION 0xVALUE 0xTIMEOUT …", as the kernel shows a system call. */
static bool is_endless_wait(const char *call)
{
    unsigned long arguments[4];
    long number;
    if (sscanf(call, "%ld %lx %lx %lx %lx", &number, &arguments[0], &arguments[1], &arguments[2],
               &arguments[3]) != 5 ||
        number != SYS_futex)
        return false;
    int command = (int)(arguments[1] & FUTEX_CMD_MASK);
    return (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET || command == FUTEX_LOCK_PI) &&
           arguments[3] == 0;
}

/* 0 when a thread does anything else. What it has run is part of it: one that woke for a moment and
 * sleeps again has moved. */
static uint64_t standstill_of(pid_t pid)
{
    char folder[64], text[512];
    uint64_t sum = 0xcbf29ce484222325;
    bool is_still = true, has_thread = false;
    snprintf(folder, sizeof(folder), "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(folder);
    struct dirent *item;
    while (tasks && is_still && (item = readdir(tasks))) {
        if (item->d_name[0] == '.')
            continue;
        has_thread = true;
        is_still = dlw_proc_text(text, sizeof(text), "%s/%s/syscall", folder, item->d_name) > 0 &&
                   is_endless_wait(text);
        sum = mix(mix(sum, item->d_name), text);
        if (is_still &&
            dlw_proc_text(text, sizeof(text), "%s/%s/schedstat", folder, item->d_name) > 0)
            sum = mix(sum, text);
    }
    if (tasks)
        closedir(tasks);
    return is_still && has_thread ? sum | 1 : 0;
}

bool dlw_run_watches(const struct dlw_run *run, pid_t pid)
{
    char link[64], exe[4096];
    if (!run->request.options.exe)
        return true;
    snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
    ssize_t n = readlink(link, exe, sizeof(exe) - 1);
    exe[n > 0 ? n : 0] = '\0';
    return dlw_options_watches(run->request.options.exe, exe);
}

/* Returns whether there is a finding that nobody has told yet. */
static bool add_findings(struct dlw_run *run, pid_t pid)
{
    struct dlw_doc *doc = run->doc;
    dlw_journals_update(run->journals, true);
    size_t n_findings = doc->n_findings, kept = n_findings;
    size_t n_threads = doc->n_threads, n_answers = doc->n_answers, n_notes = doc->n_notes;
    dlw_outside_add_process(doc, (uint32_t)pid);
    /* The findings hold all that is to be said. */
    doc->n_threads = n_threads;
    doc->n_answers = n_answers;
    doc->n_notes = n_notes;
    for (size_t i = n_findings; i < doc->n_findings; i++)
        if (doc->findings[i]->certain)
            doc->findings[kept++] = doc->findings[i];
    doc->n_findings = kept;
    return kept > n_findings;
}

static struct dlw_run_process *find_or_add(struct dlw_run *run, pid_t pid)
{
    struct dlw_run_process *process;
    HASH_FIND(hh, run->processes, &pid, sizeof(pid), process);
    if (process)
        return process;
    process = dlw_region_alloc(&run->request.region, sizeof(*process));
    process->pid = pid;
    HASH_ADD(hh, run->processes, pid, sizeof(process->pid), process);
    return process;
}

/* It can't go on: what on_deadlock asks for is done from here. */
static void end_process(struct dlw_run *run, struct dlw_run_process *process)
{
    long wish = run->request.options.on_deadlock;
    if (wish == DLW_THEN_CONTINUE)
        return;
    if (process->is_ended)
        return;
    process->is_ended = true;
    kill(process->pid, wish == DLW_THEN_ABORT ? SIGABRT : SIGTERM);
    dlw_doc_note(run->doc, "process %d can't go on and was ended by dlwatch (on_deadlock)",
                 (int)process->pid);
}

/* Of a circle of processes all are ended, but none that is not of the tree. */
static void end_those_in(struct dlw_run *run, const struct dlw_doc_finding *finding,
                         const pid_t *pids, size_t n)
{
    for (size_t i = 0; i < finding->n_cycle; i++)
        for (size_t k = 0; k < n; k++)
            if (finding->cycle[i].thread->process->pid == (uint32_t)pids[k])
                end_process(run, find_or_add(run, pids[k]));
}

static void look_at(struct dlw_run *run, pid_t pid, double time)
{
    struct dlw_run_process *process = find_or_add(run, pid);
    uint64_t standstill = standstill_of(pid);
    if (process->is_ended) {
        kill(pid, SIGKILL); /* it did not hear the first one */
        return;
    }
    if (!standstill || standstill != process->standstill) {
        process->standstill = standstill;
        process->since = time;
        process->is_looked_at = false;
        return;
    }
    if (process->is_looked_at || time - process->since < (double)run->request.options.stall_after ||
        !dlw_run_watches(run, pid))
        return;
    process->is_looked_at = true;
    if (dlw_outside_is_stuck((uint32_t)pid) && add_findings(run, pid))
        end_process(run, process);
    /* Being stopped for a moment, its threads have run. */
    process->standstill = standstill_of(pid);
}

/* The same suspicion twice, and nobody has run in between. */
static bool is_suspect(struct dlw_run *run, pid_t pid)
{
    struct dlw_region region = {0};
    struct dlw_run_process *process = find_or_add(run, pid);
    uint64_t before = process->suspicion;
    process->suspicion = process->is_ended ? 0 : dlw_suspect(&region, (uint32_t)pid);
    process->is_fresh = process->suspicion && !before;
    dlw_region_free(&region);
    return process->suspicion && process->suspicion == before &&
           process->suspicion != process->cleared && dlw_run_watches(run, pid);
}

static void look_at_suspect(struct dlw_run *run, pid_t pid, const pid_t *pids, size_t n)
{
    size_t n_findings = run->doc->n_findings;
    find_or_add(run, pid)->is_to_clear = true;
    if (!dlw_outside_is_stuck((uint32_t)pid) || !add_findings(run, pid))
        return;
    for (size_t i = n_findings; i < run->doc->n_findings; i++)
        end_those_in(run, run->doc->findings[i], pids, n);
}

/* Being stopped for a moment, threads have run: of the process, and of others that were looked at
 * with it. */
static void clear_suspects(struct dlw_run *run)
{
    for (struct dlw_run_process *process = run->processes; process; process = process->hh.next) {
        struct dlw_region region = {0};
        if (process->is_to_clear)
            process->suspicion = process->cleared = dlw_suspect(&region, (uint32_t)process->pid);
        process->is_to_clear = process->is_fresh = false;
        dlw_region_free(&region);
    }
}

static void look_for_circles(struct dlw_run *run, const pid_t *pids, size_t n)
{
    bool was_looked = false;
    for (size_t i = 0; i < n; i++) {
        if (!is_suspect(run, pids[i]))
            continue;
        look_at_suspect(run, pids[i], pids, n);
        was_looked = true;
    }
    if (was_looked)
        clear_suspects(run);
}

/* Seconds of processor that this process has used. */
static double used(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Who never stands still between two looks is suspected each time, and not looked at more often. */
static bool has_fresh_suspicion(const struct dlw_run *run)
{
    for (struct dlw_run_process *process = run->processes; process; process = process->hh.next)
        if (process->is_fresh)
            return true;
    return false;
}

void dlw_run_look_outside(struct dlw_run *run, double time)
{
    /* Three times a second, but no more than a fiftieth of a processor; to see whether a suspicion
     * stands is worth more. */
    const double often = 0.3, soon = 0.1, share = 50;
    double before = used();
    struct dlw_region region = {0};
    pid_t *pids;
    if (time < run->next_look)
        return;
    size_t n = dlw_tree_list(&region, &pids);
    look_for_circles(run, pids, n);
    if (time >= run->next_stall_look) {
        for (size_t i = 0; i < n; i++)
            look_at(run, pids[i], time);
        run->next_stall_look = time + (double)run->request.options.stall_after;
    }
    dlw_region_free(&region);
    double pause = (used() - before) * share;
    run->next_look = time + (has_fresh_suspicion(run) ? soon : pause < often ? often : pause);
    if (run->next_look > run->next_stall_look)
        run->next_look = run->next_stall_look;
}

bool dlw_run_is_ending_some(struct dlw_run *run, bool is_late)
{
    struct dlw_region region = {0};
    struct dlw_run_process *process;
    pid_t *pids;
    size_t n_left = 0, n = run->processes ? dlw_tree_list(&region, &pids) : 0;
    for (size_t i = 0; i < n; i++) {
        HASH_FIND(hh, run->processes, &pids[i], sizeof(pids[i]), process);
        if (!process || !process->is_ended)
            continue;
        n_left++;
        if (is_late)
            kill(pids[i], SIGKILL);
    }
    dlw_region_free(&region);
    return n_left > 0;
}

void dlw_run_forget_processes(struct dlw_run *run)
{
    HASH_CLEAR(hh, run->processes);
}
