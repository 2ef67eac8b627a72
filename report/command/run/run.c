/*
 * dlwatch run: starts the command with the library in front, reads the journals of the whole tree
 * as they grow, prints each finding once, and judges at the end.
 *
 * The child stays in our process group with the terminal as it was. Signals that we get from a
 * process are passed on; those of the terminal reach the child by themselves. We are a subreaper,
 * so that grandchildren whose parents have ended stay within reach of --timeout.
 */
#include "report/command/run/state.h"

#include "report/command/base/command.h"
#include "report/command/base/temporary.h"
#include "report/command/confirm/confirm.h"
#include "report/command/format/format.h"
#include "report/command/format/output.h"
#include "report/command/journal/baseline.h"
#include "report/command/journal/names.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

double dlw_run_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- while it runs ---- */

static void open_signals(struct dlw_run *run)
{
    static const int passed_on[] = {SIGINT,  SIGTERM, SIGHUP,   SIGQUIT,
                                    SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD};
    sigset_t mask;
    sigemptyset(&mask);
    for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
        sigaddset(&mask, passed_on[i]);
    sigprocmask(SIG_BLOCK, &mask, &run->old_mask);
    run->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool start(struct dlw_run *run)
{
    int result[2];
    if (pipe2(result, O_CLOEXEC) != 0) {
        dlw_message("cannot start: %s", strerror(errno));
        return false;
    }
    run->child = fork();
    if (run->child == 0) {
        signal(SIGPIPE, dlw_inherited_sigpipe);
        sigprocmask(SIG_SETMASK, &run->old_mask, NULL);
        execvp(run->program.path, run->request.command);
        int error = errno;
        if (write(result[1], &error, sizeof(error)) < 0)
            _exit(126);
        _exit(126);
    }
    int error = run->child < 0 ? errno : 0;
    close(result[1]);
    if (run->child > 0 && read(result[0], &error, sizeof(error)) == (ssize_t)sizeof(error))
        waitpid(run->child, NULL, 0);
    close(result[0]);
    if (error)
        dlw_message("%s: %s", run->request.command[0], strerror(error));
    return error == 0;
}

/* What a signal says that ends us after the command. */
static char parting[4352];
static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static void part(int number)
{
    sigset_t mask;
    dlw_temporary_drop();
    if (write(STDERR_FILENO, parting, strlen(parting)) < 0)
        _exit(128 + number);
    signal(number, SIG_DFL);
    sigemptyset(&mask);
    sigaddset(&mask, number);
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
    raise(number);
}

/* The command has ended: there is nobody left to pass a signal on to, and what is still read and
 * written may take a while. Those that came before were the command's. */
static void hear_signals_at_once(const struct dlw_run *run)
{
    const struct timespec no_time = {0, 0};
    sigset_t mask;
    if (run->folder)
        snprintf(parting, sizeof(parting),
                 "dlwatch: ended by a signal before all was read; the journals are kept in %s "
                 "(dlwatch report reads them)\n",
                 run->folder);
    sigemptyset(&mask);
    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
        sigaddset(&mask, ending[i]);
    while (sigtimedwait(&mask, NULL, &no_time) > 0)
        continue;
    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
        if (signal(ending[i], part) == SIG_IGN)
            signal(ending[i], SIG_IGN);
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
}

static void reap(struct dlw_run *run)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        dlw_run_note_end(run, pid, status);
        if (pid == run->child) {
            run->status = status;
            run->has_ended = true;
            hear_signals_at_once(run);
        }
    }
}

static void take_signals(struct dlw_run *run)
{
    struct signalfd_siginfo info;
    while (read(run->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            reap(run);
        else if (info.ssi_code != SI_KERNEL && !run->has_ended)
            kill(run->child, (int)info.ssi_signo);
    }
}

static void read_journals(struct dlw_run *run, bool all)
{
    run->busy_since = dlw_run_now();
    run->is_reading = true;
    dlw_journals_update(run->journals, all);
    run->is_reading = false;
    run->busy_since = 0;
}

static void end_tree(struct dlw_run *run)
{
    struct dlw_region region = {0};
    pid_t *pids;
    size_t n = dlw_tree_list(&region, &pids);
    run->timed_out = true;
    dlw_doc_note(run->doc,
                 "after %g second%s (--timeout) %zu process%s still ran and %s ended by dlwatch; "
                 "above stands what each thread waited for",
                 run->request.timeout, run->request.timeout == 1 ? "" : "s", n, n == 1 ? "" : "es",
                 n == 1 ? "was" : "were");
    if (!run->is_reading)
        read_journals(run, true);
    for (size_t i = 0; i < n; i++) {
        size_t n_findings = run->doc->n_findings;
        dlw_tree_describe(run->doc, pids[i]);
        /* Where it stood is told of all, what is wrong with it of those that are watched. */
        if (!dlw_run_watches(run, pids[i]))
            run->doc->n_findings = n_findings;
    }
    dlw_region_free(&region);
    dlw_tree_end(run->child, &run->status);
    dlw_run_note_end(run, run->child, run->status);
    run->has_ended = true;
    hear_signals_at_once(run);
}

/* Between two lines of a journal. */
static void attend(void *context)
{
    enum { EVERY_MS = 20 };
    struct dlw_run *run = context;
    double time = dlw_run_now();
    if (time * 1000 < run->attended_at * 1000 + EVERY_MS)
        return;
    run->attended_at = time;
    take_signals(run);
    dlw_run_print_progress(run);
    if (!run->has_ended && !run->timed_out && run->deadline && time >= run->deadline)
        end_tree(run);
}

static int milliseconds_left(const struct dlw_run *run)
{
    enum { LOOK_EVERY = 200 };
    double next = run->deadline && run->deadline < run->next_look ? run->deadline : run->next_look;
    double left = (next - dlw_run_now()) * 1000;
    int limit = left < 0 ? 0 : left > 1e6 ? 1000000 : (int)left + 1;
    return dlw_journals_descriptor(run->journals) < 0 && limit > LOOK_EVERY ? LOOK_EVERY : limit;
}

static void watch(struct dlw_run *run)
{
    struct pollfd wait[2] = {{.fd = run->signals, .events = POLLIN},
                             {.fd = dlw_journals_descriptor(run->journals), .events = POLLIN}};
    while (!run->has_ended) {
        poll(wait, 2, milliseconds_left(run));
        take_signals(run);
        read_journals(run, wait[1].fd < 0);
        if (!run->has_ended)
            dlw_run_look_outside(run, dlw_run_now());
        dlw_run_print_new(run);
        dlw_run_print_progress(run);
        if (!run->has_ended && run->deadline && dlw_run_now() >= run->deadline)
            end_tree(run);
    }
}

/* ---- after it has ended ---- */

/* Some of the processes that were ended here may be on their way out still: what is said of them
 * shall be how they ended. One that does not hear its signal within a second is killed. */
static void wait_for_ended(struct dlw_run *run)
{
    enum { LATE = 100, MOST = 1000 };
    const struct timespec slice = {0, 10000000};
    for (int i = 0; i < MOST && dlw_run_is_ending_some(run, i > LATE); i++) {
        nanosleep(&slice, NULL);
        reap(run);
    }
    reap(run);
}

static int own_status(const struct dlw_run *run)
{
    return WIFSIGNALED(run->status) ? 128 + WTERMSIG(run->status) : WEXITSTATUS(run->status);
}

static void note_signal(struct dlw_run *run)
{
    if (WIFSIGNALED(run->status) && !run->timed_out)
        dlw_doc_note(run->doc, "the command was ended by signal %d (%s)", WTERMSIG(run->status),
                     strsignal(WTERMSIG(run->status)));
}

static bool write_outputs(struct dlw_run *run)
{
    bool written = true;
    for (size_t i = 0; i < run->request.n_outputs; i++)
        written &= dlw_output_write(run->doc, run->request.outputs[i].format,
                                    run->request.outputs[i].path, DLW_COLOR_NEVER, false);
    return written;
}

/* Journals that end early, or could not even begin. */
static bool lacks_some(const struct dlw_run *run)
{
    for (size_t i = 0; i < run->doc->n_processes; i++)
        if (run->doc->processes[i]->cut)
            return true;
    return run->n_empty > 0 || run->n_lost > 0;
}

static bool is_worth_keeping(const struct dlw_run *run)
{
    for (size_t i = 0; i < run->doc->n_processes; i++)
        if (run->doc->processes[i]->off || (run->doc->processes[i]->ended &&
                                            strcmp(run->doc->processes[i]->ended, "running") == 0))
            return true;
    return run->doc->n_findings > 0 || run->doc->n_costs > 0 || lacks_some(run);
}

static bool remove_file(void *context, const char *path, bool from_folder)
{
    (void)context;
    (void)from_folder;
    unlink(path);
    return true;
}

static void remove_folder(struct dlw_run *run)
{
    char *paths[] = {(char *)run->folder};
    unlink(dlw_region_print(&run->request.region, "%s/.libdlwatch.so", run->folder));
    dlw_each_path(paths, 1, remove_file, NULL);
    rmdir(run->folder);
}

static void settle_folder(struct dlw_run *run)
{
    if (!run->folder)
        return;
    if (!is_worth_keeping(run))
        remove_folder(run);
    else
        dlw_message(
            "the journals are kept in %s (dlwatch report reads them; --advice tells more ways "
            "out, and why they work)",
            run->folder);
}

/* A static program without threads is none that anybody misses. */
static void note_unwatched(struct dlw_run *run)
{
    struct dlw_doc *doc = run->doc;
    size_t n = 0;
    if (run->program.why)
        dlw_doc_add_unwatched(doc, run->program.path, run->program.why);
    for (size_t i = 0; i < doc->n_unwatched; i++)
        if (strcmp(doc->unwatched[i].why, "static") != 0 ||
            dlw_program_may_have_threads(doc->unwatched[i].exe))
            doc->unwatched[n++] = doc->unwatched[i];
    doc->n_unwatched = n;
    doc->n_watched = dlw_tally_close(run->tally, doc, &run->n_lost);
    if (run->n_lost)
        dlw_doc_note(
            doc,
            "the journal%s of %zu process%s could not be written: what was found there is not "
            "known",
            run->n_lost == 1 ? "" : "s", run->n_lost, run->n_lost == 1 ? "" : "es");
}

static bool has_failed(const struct dlw_run *run)
{
    const struct dlw_doc *doc = run->doc;
    bool warnings_fail = run->request.options.fail_on != 0;
    return doc->summary.errors || (warnings_fail && (doc->summary.warnings || doc->n_watched == 0));
}

/* What the run found possible, it may prove: the rest is told from what it was. */
static void confirm(struct dlw_run *run)
{
    struct dlw_confirm confirm = {
        .tries = run->request.tries,
        .lowers = run->request.lowers,
        .timeout = run->request.timeout,
        .command = run->request.command,
        .environment = run->environment,
        .mask = &run->old_mask,
        .symbols = run->symbols,
    };
    if (!confirm.tries || run->timed_out)
        return;
    dlw_confirm_findings(run->doc, &confirm, NULL);
    for (size_t i = 0; i < run->doc->n_findings; i++) {
        struct dlw_doc_finding *finding = run->doc->findings[i];
        const struct dlw_doc_confirmed *confirmed = finding->confirmed;
        if (confirmed && confirmed->reached)
            dlw_run_print_again(run, finding);
        else if (confirmed)
            dlw_doc_note(run->doc, "%s was not reached in %u tr%s: %s", finding->fingerprint,
                         confirmed->of, confirmed->of == 1 ? "y" : "ies", confirmed->why);
    }
}

/* It is changed here, and what is run once more shall have it as it was. */
static void keep_environment(struct dlw_run *run)
{
    size_t n = 0;
    while (environ[n])
        n++;
    run->environment = dlw_region_alloc(&run->request.region, (n + 1) * sizeof(*run->environment));
    for (size_t i = 0; i < n; i++)
        run->environment[i] = dlw_region_copy(&run->request.region, environ[i]);
}

static int finish(struct dlw_run *run)
{
    run->busy_since = dlw_run_now();
    run->n_empty = dlw_journals_close(run->journals);
    dlw_run_print_new(run);
    note_signal(run);
    note_unwatched(run);
    dlw_run_settle_ends(run);
    dlw_doc_finish(run->doc, &run->rules);
    dlw_names_keep(run->doc);
    confirm(run);
    dlw_run_print_summary(run);
    bool written = write_outputs(run);
    settle_folder(run);
    int exitcode = (int)run->request.options.exitcode;
    if (has_failed(run) && exitcode)
        return exitcode;
    /* What was lost may have been an error: that is no green. */
    bool is_doubtful = exitcode && lacks_some(run) && own_status(run) == 0;
    return written && !is_doubtful ? own_status(run) : DLW_STATUS_TROUBLE;
}

static void release(struct dlw_run *run)
{
    HASH_CLEAR(hh, run->printed);
    dlw_run_forget_processes(run);
    dlw_run_forget_ends(run);
    dlw_suppressions_free(run->rules.suppressions);
    dlw_baseline_free((struct dlw_baseline *)run->rules.baseline);
    dlw_doc_free(run->doc);
    dlw_symbols_free(run->symbols);
    if (run->log && run->log != stderr)
        fclose(run->log);
    dlw_region_free(&run->request.region);
}

/* Returns whether the command can be started at all. */
static bool look_at_program(struct dlw_run *run)
{
    const char *command = run->request.command[0];
    run->program = dlw_program_inspect(&run->request.region, command);
    if (run->program.status)
        dlw_message("%s: %s", command, run->program.trouble);
    else if (run->program.trouble)
        dlw_message("%s %s; it runs unwatched", command, run->program.trouble);
    return run->program.status == 0;
}

static int run_it(struct dlw_run *run)
{
    if (!look_at_program(run))
        return run->program.status;
    keep_environment(run);
    if (!dlw_run_prepare(run))
        return DLW_STATUS_TROUBLE;
    run->reading = (struct dlw_reading){
        .doc = run->doc,
        .symbols = run->symbols,
        .edges = run->wants_edges,
        .run = run->id,
        .growing = true,
        .attend = attend,
        .attend_context = run,
    };
    run->journals = dlw_journals_new(&run->reading, run->pattern);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    open_signals(run);
    if (!start(run))
        return 126;
    if (run->request.timeout > 0)
        run->deadline = dlw_run_now() + run->request.timeout;
    run->next_look = dlw_run_now();
    run->next_stall_look = run->next_look + (double)run->request.options.stall_after;
    watch(run);
    wait_for_ended(run);
    return finish(run);
}

int dlw_run_main(int argc, char **argv)
{
    struct dlw_run run = {0};
    int end = dlw_run_parse(&run.request, argc, argv);
    int status = end ? end - 1 : run_it(&run);
    release(&run);
    return status;
}
