/*
 * Looks for processes of the tree that have stalled and can't say so: statically linked ones,
 * others without the library, or waits that the library does not see. First only /proc is read: a
 * process is a candidate when every thread of it sleeps in a futex without limit, and none has run
 * for `stall_after` seconds. Only then the outside view is asked, once for each such standstill,
 * and only what it is certain of is reported.
 */
#include "report/command/run/state.h"

#include "report/command/base/command.h"
#include "report/command/inspect/view.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct dlw_run_process {
    pid_t pid;
    uint64_t standstill; /* a mix of where all its threads sleep; 0: not all do */
    double since;
    bool is_looked_at, is_ended;
    UT_hash_handle hh;
};

static uint64_t mix(uint64_t sum, const char *text)
{
    for (; *text; text++)
        sum = (sum ^ (unsigned char)*text) * 0x100000001b3; /* FNV-1a */
    return sum;
}

static bool read_text(const char *folder, const char *task, const char *file, char *buffer,
                      size_t size)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s/%s", folder, task, file);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    ssize_t n = read(descriptor, buffer, size - 1);
    close(descriptor);
    buffer[n > 0 ? n : 0] = '\0';
    return n > 0;
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
        is_still =
            read_text(folder, item->d_name, "syscall", text, sizeof(text)) && is_endless_wait(text);
        sum = mix(mix(sum, item->d_name), text);
        if (is_still && read_text(folder, item->d_name, "schedstat", text, sizeof(text)))
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

static bool has_certain_finding(const struct dlw_doc *doc)
{
    for (size_t i = 0; i < doc->n_findings; i++)
        if (doc->findings[i]->certain)
            return true;
    return false;
}

/* In a document of its own first: mostly there is nothing to keep. */
static bool is_stuck(pid_t pid)
{
    struct dlw_doc *doc = dlw_doc_new();
    bool found = dlw_outside_add_process(doc, (uint32_t)pid) && has_certain_finding(doc);
    dlw_doc_free(doc);
    return found;
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

/* It can't go on: what on_deadlock asks for is done from here. */
static void end_process(struct dlw_run *run, struct dlw_run_process *process)
{
    long wish = run->request.options.on_deadlock;
    if (wish == DLW_THEN_CONTINUE)
        return;
    process->is_ended = true;
    kill(process->pid, wish == DLW_THEN_ABORT ? SIGABRT : SIGTERM);
    dlw_doc_note(run->doc, "process %d can't go on and was ended by dlwatch (on_deadlock)",
                 (int)process->pid);
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
    if (is_stuck(pid) && add_findings(run, pid))
        end_process(run, process);
    /* Being stopped for a moment, its threads have run. */
    process->standstill = standstill_of(pid);
}

void dlw_run_look_outside(struct dlw_run *run, double time)
{
    struct dlw_region region = {0};
    pid_t *pids;
    if (time < run->next_look)
        return;
    size_t n = dlw_tree_list(&region, &pids);
    for (size_t i = 0; i < n; i++)
        look_at(run, pids[i], time);
    dlw_region_free(&region);
    run->next_look = time + (double)run->request.options.stall_after;
}

void dlw_run_forget_processes(struct dlw_run *run)
{
    HASH_CLEAR(hh, run->processes);
}
