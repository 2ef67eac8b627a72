/*
 * The order matters. First sample, a pause, second sample: a thread whose counters of context
 * switches are equal in both has not run in between, so its wait is the same wait. Then the copies
 * (each stop is a switch, so the counters begin anew). Memory is read and judged between a mark and
 * a confirmation that compare the counters again: what was read belongs to waits that stood all the
 * time.
 */
#include "report/command/inspect/target/live.h"

#include "report/command/base/rights.h"
#include "report/command/inspect/target/futex.h"
#include "report/command/inspect/target/looks.h"
#include "report/command/inspect/target/proc.h"
#include "report/command/inspect/target/registers.h"
#include "report/command/inspect/target/stop.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_NS = 60 * 1000 * 1000, SHORT_PAUSE_NS = 10 * 1000 * 1000 };
enum { NAP_NS = 1000 * 1000, NAPS = 200 };

static void say_not_permitted(struct dlw_target *target, struct dlw_doc *doc, uint32_t tid)
{
    struct stat owner;
    char path[64], scope[16] = "";
    const char *tracer = dlw_proc_status(target, tid, "TracerPid");
    if (tracer && atoi(tracer)) {
        dlw_target_trouble(target, doc,
                           "process %u is already traced by process %s: detach it first",
                           target->pid, tracer);
        return;
    }
    snprintf(path, sizeof path, "/proc/%u", target->pid);
    if (geteuid() != 0 && !stat(path, &owner) && owner.st_uid != geteuid()) {
        dlw_target_trouble(
            target, doc,
            "not allowed to look into process %u: it belongs to user %u; run as that "
            "user with CAP_SYS_PTRACE, or as root",
            target->pid, (unsigned)owner.st_uid);
        return;
    }
    FILE *file = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
    bool is_scoped = file && fgets(scope, sizeof scope, file) && atoi(scope) > 0;
    if (file)
        fclose(file);
    if (is_scoped)
        dlw_target_trouble(
            target, doc,
            "not allowed to look into process %u: kernel.yama.ptrace_scope is %d; run "
            "as root, or set it to 0",
            target->pid, atoi(scope));
    else
        dlw_target_trouble(target, doc,
                           "not allowed to look into process %u: CAP_SYS_PTRACE is needed (in a "
                           "container: --cap-add=SYS_PTRACE)",
                           target->pid);
}

/* Not there, or mounted so that others don't see it. */
static void say_hidden(struct dlw_target *target, struct dlw_doc *doc)
{
    bool is_there = !kill((pid_t)target->pid, 0) || errno == EPERM;
    if (is_there)
        dlw_target_trouble(target, doc,
                           "not allowed to look into process %u: /proc does not show it (mounted "
                           "with hidepid); run as its user, or as root",
                           target->pid);
    else
        dlw_target_trouble(target, doc, "no process %u", target->pid);
}

/* The main thread may have ended while others live on. */
static uint32_t living_thread(struct dlw_target *target)
{
    uint32_t *list;
    size_t n = dlw_proc_list(target, &list);
    for (size_t i = 0; i < n; i++) {
        const char *state = dlw_proc_status(target, list[i], "State");
        if (state && *state != 'Z' && *state != 'X')
            return list[i];
    }
    return 0;
}

static void read_machine(struct dlw_target *target, uint32_t tid)
{
    char path[64];
    unsigned char head[20] = {0};
    snprintf(path, sizeof path, "/proc/%u/task/%u/exe", target->pid, tid);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return;
    if (read(descriptor, head, sizeof head) == (ssize_t)sizeof head &&
        !memcmp(head, ELFMAG, SELFMAG)) {
        target->machine = head[18] | head[19] << 8;
        target->is_narrow = head[EI_CLASS] == ELFCLASS32;
    }
    close(descriptor);
}

static bool open_memory(struct dlw_target *target, uint32_t tid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/task/%u/mem", target->pid, tid);
    target->memory = open(path, O_RDONLY | O_CLOEXEC);
    return target->memory >= 0;
}

bool dlw_live_open(struct dlw_target *target, struct dlw_doc *doc, uint32_t pid)
{
    char path[64];
    target->pid = pid;
    target->memory = -1;
    snprintf(path, sizeof path, "/proc/%u/task", pid);
    if (access(path, R_OK)) {
        say_hidden(target, doc);
        return false;
    }
    uint32_t tid = target->living = living_thread(target);
    if (!tid) {
        dlw_target_trouble(target, doc, "process %u has ended (its parent has not yet taken note)",
                           pid);
        return false;
    }
    target->rights = dlw_rights_of_thread(target->region, pid, tid);
    target->source_rights = target->rights;
    dlw_proc_describe(target, tid);
    read_machine(target, tid);
    if (!target->exe && !target->argc) {
        dlw_target_trouble(target, doc, "process %u is a kernel thread: nothing to see", pid);
        return false;
    }
    if (!dlw_proc_mappings(target, tid) || !open_memory(target, tid)) {
        say_not_permitted(target, doc, tid);
        return false;
    }
    return true;
}

bool dlw_live_is_there(struct dlw_target *target)
{
    return living_thread(target) != 0;
}

static bool is_same_call(const struct dlw_call *a, const struct dlw_call *b)
{
    return a->is_known && b->is_known && a->number == b->number && a->sp == b->sp &&
           a->pc == b->pc && !memcmp(a->arguments, b->arguments, sizeof a->arguments);
}

/* Stopped as a whole, to begin its call again: on aarch64 /proc has forgotten the call then. */
static bool is_set_back(const struct dlw_seen_thread *thread)
{
    return thread->state == 'T' && !thread->call.is_known && thread->call.sp;
}

static bool stood_between(const struct dlw_seen_thread *a, const struct dlw_seen_thread *b)
{
    return a->tid == b->tid && a->switches == b->switches &&
           (is_same_call(&a->call, &b->call) ||
            (is_set_back(a) && is_set_back(b) && a->call.sp == b->call.sp &&
             a->call.pc == b->call.pc));
}

static size_t take_sample(struct dlw_target *target, struct dlw_seen_thread **out)
{
    uint32_t *list;
    size_t n = dlw_proc_list(target, &list), kept = 0;
    *out = dlw_region_alloc(target->region, (n + 1) * sizeof **out);
    for (size_t i = 0; i < n; i++)
        kept += dlw_proc_thread(target, list[i], &(*out)[kept]);
    for (size_t i = 0; i < kept; i++)
        (*out)[i].has_changed = dlw_futex_has_changed(target, &(*out)[i].call);
    return kept;
}

static const struct dlw_seen_thread *find_tid(const struct dlw_seen_thread *threads, size_t n,
                                              size_t guess, uint32_t tid)
{
    if (guess < n && threads[guess].tid == tid)
        return &threads[guess];
    for (size_t i = 0; i < n; i++)
        if (threads[i].tid == tid)
            return &threads[i];
    return NULL;
}

static bool is_futex_wait(const struct dlw_target *target, const struct dlw_call *call)
{
    return call->is_known && (dlw_syscall_is_futex(target->machine, call->number) ||
                              dlw_syscall_is_restart(target->machine, call->number));
}

/* Where the return address is in a register alone, only stopping tells who called. The kernel
 * begins a wait for a file's lock again as it does one for a futex (both end in ERESTARTSYS). */
static bool is_untold_file_wait(const struct dlw_target *target, const struct dlw_call *call)
{
    const struct dlw_register_numbers *numbers = dlw_register_numbers(target->machine);
    return numbers && numbers->has_return_register &&
           dlw_syscall_waits_for_file(target->machine, call);
}

/* Busy in its own code in both samples without having slept: interrupting it harms no call. */
static bool is_busy(const struct dlw_seen_thread *before, const struct dlw_seen_thread *now)
{
    return before && before->call.is_running && now->call.is_running && now->state == 'R' &&
           before->state == 'R';
}

static void copy_thread(struct dlw_target *target, struct dlw_seen_thread *thread)
{
    switch (dlw_stop_and_copy(target, thread)) {
    case 0:
        return;
    case EPERM:
    case EACCES:
        thread->trouble = "not permitted";
        break;
    case ESRCH:
        thread->trouble = "it has ended";
        break;
    case ETIMEDOUT:
        thread->trouble = "the kernel does not let it stop";
        break;
    default:
        thread->trouble = "its registers can't be read";
    }
    thread->registers = (struct dlw_registers){0};
}

/* What is blocked and may not be stopped still tells where its stack is. */
static void read_without_stopping(struct dlw_target *target, struct dlw_seen_thread *thread)
{
    if (thread->call.sp)
        dlw_registers_of_call(target->machine, &thread->call, &thread->registers);
    else if (!thread->trouble && thread->call.is_running)
        thread->trouble = "it runs: only stopping it would tell (--stop-all)";
}

static void copy_all(struct dlw_target *target, struct dlw_doc *doc,
                     const struct dlw_seen_thread *before, size_t n_before, bool all)
{
    bool is_refused = false;
    for (size_t i = 0; i < target->n_threads; i++) {
        struct dlw_seen_thread *thread = &target->threads[i];
        const struct dlw_seen_thread *first = find_tid(before, n_before, i, thread->tid);
        thread->stood_still = first && stood_between(first, thread);
        if (thread->is_ended)
            continue;
        bool was_set_back = is_set_back(thread);
        /* Who was stopped with all the others looks at the word again before he waits on. */
        thread->is_missed = thread->stood_still && first->has_changed && thread->has_changed &&
                            thread->state != 'T';
        /* To stop one that has missed its wake-up would wake it: the call begins anew. */
        if (!thread->has_changed &&
            (all || is_futex_wait(target, &thread->call) || was_set_back ||
             is_untold_file_wait(target, &thread->call) || is_busy(first, thread)))
            copy_thread(target, thread);
        thread->stood_still &= !was_set_back || thread->call.is_known;
        if (!thread->registers.known)
            read_without_stopping(target, thread);
        is_refused |= thread->trouble && !strcmp(thread->trouble, "not permitted");
    }
    if (is_refused && !target->is_partial)
        say_not_permitted(target, doc, target->pid);
}

void dlw_live_sample(struct dlw_target *target, struct dlw_doc *doc, bool all)
{
    const struct timespec pause = {0, target->is_brief ? SHORT_PAUSE_NS : PAUSE_NS};
    struct dlw_seen_thread *before;
    size_t n_before = take_sample(target, &before);
    nanosleep(&pause, NULL);
    target->n_threads = take_sample(target, &target->threads);
    for (size_t i = 0; i < target->n_threads; i++) {
        const struct dlw_seen_thread *now = &target->threads[i];
        const struct dlw_seen_thread *first = find_tid(before, n_before, i, now->tid);
        target->threads[i].stood_still = first && stood_between(first, now);
    }
    dlw_proc_since(target);
    dlw_looks_recall(target);
    copy_all(target, doc, before, n_before, all);
}

/* A timed wait that was interrupted goes on as another call (restart_syscall) at the same place.
 * Who was set back stands before his call as long as he is stopped. */
static bool is_still_there(const struct dlw_target *target, const struct dlw_seen_thread *thread)
{
    enum { INSTRUCTION = 4 };
    struct dlw_call call;
    if (!dlw_proc_call(target->pid, thread->tid, &call) || call.sp != thread->call.sp)
        return false;
    if (thread->state == 'T' && !call.is_known)
        return call.pc + INSTRUCTION == thread->call.pc;
    return call.is_known && call.pc == thread->call.pc &&
           call.arguments[0] == thread->call.arguments[0] &&
           call.arguments[1] == thread->call.arguments[1];
}

/* Those that were stopped are on their way back into their waits; a busy machine makes it long. */
static bool is_back(const struct dlw_target *target, const struct dlw_seen_thread *thread,
                    unsigned *patience)
{
    const struct timespec nap = {0, NAP_NS};
    while (!is_still_there(target, thread)) {
        if (!*patience)
            return false;
        --*patience;
        nanosleep(&nap, NULL);
    }
    return true;
}

void dlw_live_mark(struct dlw_target *target)
{
    unsigned patience = NAPS;
    for (size_t i = 0; i < target->n_threads; i++) {
        struct dlw_seen_thread *thread = &target->threads[i];
        if (!thread->stood_still)
            continue;
        thread->stood_still = is_back(target, thread, &patience);
        thread->switches = dlw_proc_switches(target, thread->tid);
    }
}

/* What a thread waited for when it was read is not what it waits for now. */
void dlw_live_settle(struct dlw_target *target)
{
    for (size_t i = 0; i < target->n_threads; i++) {
        struct dlw_seen_thread *thread = &target->threads[i];
        const struct dlw_seen_wait *wait = &thread->wait;
        if (thread->stood_still || wait->kind == DLW_WAIT_NONE || wait->kind == DLW_WAIT_SPIN ||
            (wait->kind == DLW_WAIT_SYSCALL && !wait->word))
            continue;
        thread->has_moved = true;
        thread->wait = (struct dlw_seen_wait){0};
    }
    dlw_looks_keep(target);
}

size_t dlw_live_confirm(struct dlw_target *target, bool final)
{
    size_t moved = 0;
    for (size_t i = 0; i < target->n_threads; i++) {
        struct dlw_seen_thread *thread = &target->threads[i];
        if (!thread->stood_still || (thread->switches == dlw_proc_switches(target, thread->tid) &&
                                     is_still_there(target, thread)))
            continue;
        moved++;
        if (final)
            thread->stood_still = false;
    }
    return moved;
}
