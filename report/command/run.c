/*
 * dlwatch run: starts the command with the library in front, reads the journals of the whole tree
 * as they grow, prints each finding once, and judges at the end.
 *
 * The child stays in our process group with the terminal as it was. Signals that we get from a
 * process are passed on; those of the terminal reach the child by themselves. We are a subreaper,
 * so that grandchildren whose parents have ended stay within reach of --timeout.
 */
#include "report/command/run/run.h"

#include "report/command/baseline.h"
#include "report/command/command.h"
#include "report/command/format.h"
#include "report/command/output.h"

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

struct printed {
    char fingerprint[17];
    UT_hash_handle hh;
};

struct run {
    struct dlw_run_request request;
    struct dlw_program program;
    const char *folder;  /* temporary, or NULL: the user chose where journals go */
    const char *pattern; /* of the journals */
    struct dlw_symbols *symbols;
    struct dlw_doc *doc;
    struct dlw_doc_rules rules;
    struct dlw_reading reading;
    struct dlw_journals *journals;
    FILE *log; /* NULL: none */
    size_t n_looked_at;
    struct printed *printed;
    uint64_t n_printed;
    sigset_t old_mask;
    int signals;
    pid_t child;
    int status;
    bool has_ended, timed_out;
    double deadline; /* 0: none */
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- before the start ---- */

static const char *escape_marks(struct dlw_region *region, const char *path)
{
    char *escaped = dlw_region_alloc(region, 2 * strlen(path) + 1), *at = escaped;
    for (; *path; path++) {
        if (*path == '%')
            *at++ = '%';
        *at++ = *path;
    }
    return escaped;
}

static const char *make_folder(struct dlw_region *region)
{
    const char *base = getenv("TMPDIR");
    char *folder = dlw_region_print(region, "%s/dlwatch-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(folder)) {
        dlw_message("cannot make a folder for the journals, %s: %s", folder, strerror(errno));
        return NULL;
    }
    char *real = realpath(folder, NULL);
    const char *result = real ? dlw_region_copy(region, real) : folder;
    free(real);
    return result;
}

static bool choose_journals(struct run *run)
{
    struct dlw_region *region = &run->request.region;
    const char *wish = run->request.options.report;
    char folder[4096];
    if (wish && *wish == '/') {
        run->pattern = wish;
        return true;
    }
    if (wish) {
        if (!getcwd(folder, sizeof(folder)))
            return false;
        run->pattern = dlw_region_print(region, "%s/%s", escape_marks(region, folder), wish);
        return true;
    }
    run->folder = make_folder(region);
    if (run->folder)
        run->pattern =
            dlw_region_print(region, "%s/%%e-%%p.json", escape_marks(region, run->folder));
    return run->folder != NULL;
}

static bool open_log(struct run *run)
{
    const char *log = run->request.options.log;
    if (log && strcmp(log, "none") == 0)
        return true;
    if (!log || strcmp(log, "stderr") == 0) {
        run->log = stderr;
        return true;
    }
    char path[4096];
    if (!dlw_options_path(path, sizeof(path), log, (long)getpid(), run->request.command[0], 0) ||
        !(run->log = fopen(path, "ae"))) {
        dlw_message("cannot write the log %s: %s", log, strerror(errno));
        run->log = stderr;
    }
    return true;
}

static bool read_rules(struct run *run)
{
    const struct dlw_options *options = &run->request.options;
    bool sound = true;
    run->symbols = dlw_symbols_new(NULL, NULL);
    run->doc = dlw_doc_new();
    run->rules.show = (enum dlw_show)options->show;
    if (options->suppressions) {
        run->rules.suppressions = dlw_suppressions_new();
        dlw_suppressions_read(run->rules.suppressions, options->suppressions);
    }
    if (run->request.baseline) {
        run->rules.baseline = dlw_baseline_read(run->request.baseline, run->symbols);
        sound = run->rules.baseline != NULL;
    }
    return sound;
}

static bool wants_edges(const struct dlw_run_request *request)
{
    for (size_t i = 0; i < request->n_outputs; i++)
        if (strcmp(request->outputs[i].format, "dot") == 0 ||
            strcmp(request->outputs[i].format, "svg") == 0 ||
            strcmp(request->outputs[i].format, "html") == 0)
            return true;
    return false;
}

/* The loader splits LD_PRELOAD at spaces and colons: a path with either gets a plain name. */
static const char *plain_library(struct run *run, const char *library)
{
    if (!strpbrk(library, " :") || !run->folder)
        return library;
    const char *link = dlw_region_print(&run->request.region, "%s/.libdlwatch.so", run->folder);
    return symlink(library, link) == 0 ? link : library;
}

static const char *append(struct dlw_region *region, const char *list, const char *item)
{
    return item && *item ? dlw_region_print(region, "%s%s%s", list, *list ? ":" : "", item) : list;
}

static bool set_environment(struct run *run)
{
    struct dlw_region *region = &run->request.region;
    const char *library = dlw_program_library(region);
    if (!library) {
        dlw_message("libdlwatch.so is neither beside this command nor in ../lib");
        return false;
    }
    setenv("DLWATCH_OPTIONS", dlw_run_child_options(&run->request, run->pattern), 1);
    if (!run->program.keeps_preload)
        return true;
    const char *preload = append(region, "", run->program.runtime);
    preload = append(region, preload, plain_library(run, library));
    setenv("LD_PRELOAD", append(region, preload, getenv("LD_PRELOAD")), 1);
    /* Children built with a sanitizer refuse to start where its runtime isn't first. */
    const char *asan = getenv("ASAN_OPTIONS");
    setenv(
        "ASAN_OPTIONS",
        dlw_region_print(region, "verify_asan_link_order=0%s%s", asan ? ":" : "", asan ? asan : ""),
        1);
    return true;
}

/* ---- while it runs ---- */

static void open_signals(struct run *run)
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

static bool start(struct run *run)
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

static bool is_printed_before(struct run *run, const struct dlw_doc_finding *finding)
{
    struct printed *printed;
    HASH_FIND_STR(run->printed, finding->fingerprint, printed);
    if (printed)
        return true;
    printed = dlw_region_alloc(&run->request.region, sizeof(*printed));
    memcpy(printed->fingerprint, finding->fingerprint, sizeof(printed->fingerprint));
    HASH_ADD_STR(run->printed, fingerprint, printed);
    return false;
}

/* The formats print documents: this one holds the finding alone, for as long as it takes. */
static void print_block(struct run *run, struct dlw_doc_finding *finding)
{
    struct dlw_doc *doc = run->doc;
    struct dlw_doc_finding **findings = doc->findings, *alone[] = {finding};
    struct dlw_doc_process **processes = doc->processes;
    struct dlw_doc_process *process[] = {(struct dlw_doc_process *)finding->process};
    size_t n_findings = doc->n_findings, n_processes = doc->n_processes;
    struct dlw_format_options options = {
        .color =
            dlw_format_wants_color((enum dlw_color)run->request.options.color, fileno(run->log)),
        .width = dlw_format_width(fileno(run->log)),
        .live = true,
    };
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return;
    doc->findings = alone;
    doc->processes = process;
    doc->n_findings = doc->n_processes = 1;
    dlw_format_text(memory, doc, &options);
    doc->findings = findings;
    doc->processes = processes;
    doc->n_findings = n_findings;
    doc->n_processes = n_processes;
    fclose(memory);
    /* At once, so that blocks of parallel runs stay whole. */
    fflush(run->log);
    fwrite(text, 1, size, run->log);
    fflush(run->log);
    free(text);
}

static void print_new_findings(struct run *run)
{
    for (; run->n_looked_at < run->doc->n_findings; run->n_looked_at++) {
        struct dlw_doc_finding *finding = run->doc->findings[run->n_looked_at];
        dlw_doc_judge(run->doc, finding, &run->rules);
        if (!run->log || !dlw_doc_is_listed(finding) || is_printed_before(run, finding))
            continue;
        if (run->n_printed++ < (uint64_t)run->request.options.max_reports)
            print_block(run, finding);
    }
}

static void reap(struct run *run)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == run->child) {
            run->status = status;
            run->has_ended = true;
        }
}

static void take_signals(struct run *run)
{
    struct signalfd_siginfo info;
    while (read(run->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            reap(run);
        else if (info.ssi_code != SI_KERNEL && !run->has_ended)
            kill(run->child, (int)info.ssi_signo);
    }
}

static void end_tree(struct run *run)
{
    struct dlw_region region = {0};
    pid_t *pids;
    size_t n = dlw_tree_list(&region, &pids);
    run->timed_out = true;
    dlw_doc_note(run->doc,
                 "after %g seconds (--timeout) %zu process%s still ran and %s ended by dlwatch; "
                 "above stands what each thread waited for",
                 run->request.timeout, n, n == 1 ? "" : "es", n == 1 ? "was" : "were");
    dlw_journals_update(run->journals, true);
    for (size_t i = 0; i < n; i++)
        dlw_tree_describe(run->doc, pids[i]);
    dlw_region_free(&region);
    dlw_tree_end(run->child, &run->status);
    run->has_ended = true;
}

static int milliseconds_left(const struct run *run)
{
    enum { LOOK_EVERY = 200 };
    int wait = dlw_journals_descriptor(run->journals) < 0 ? LOOK_EVERY : -1;
    if (!run->deadline)
        return wait;
    double left = (run->deadline - now()) * 1000;
    int limit = left < 0 ? 0 : left > 1e6 ? 1000000 : (int)left + 1;
    return wait < 0 || limit < wait ? limit : wait;
}

static void watch(struct run *run)
{
    struct pollfd wait[2] = {{.fd = run->signals, .events = POLLIN},
                             {.fd = dlw_journals_descriptor(run->journals), .events = POLLIN}};
    while (!run->has_ended) {
        poll(wait, 2, milliseconds_left(run));
        take_signals(run);
        dlw_journals_update(run->journals, wait[1].fd < 0);
        print_new_findings(run);
        if (!run->has_ended && run->deadline && now() >= run->deadline)
            end_tree(run);
    }
}

/* ---- after it has ended ---- */

static int own_status(const struct run *run)
{
    return WIFSIGNALED(run->status) ? 128 + WTERMSIG(run->status) : WEXITSTATUS(run->status);
}

/* What the library could not write any more, the parent has seen. */
static void note_end(struct run *run)
{
    for (size_t i = 0; run->timed_out && i < run->doc->n_processes; i++)
        if (run->doc->processes[i]->ended && strcmp(run->doc->processes[i]->ended, "running") == 0)
            run->doc->processes[i]->ended = "killed";
    if (!WIFSIGNALED(run->status))
        return;
    int number = WTERMSIG(run->status);
    if (!run->timed_out)
        dlw_doc_note(run->doc, "the command was ended by signal %d (%s)", number,
                     strsignal(number));
    for (size_t i = run->doc->n_processes; i-- > 0;) {
        struct dlw_doc_process *process = run->doc->processes[i];
        if (process->pid != (uint32_t)run->child || !process->ended ||
            (strcmp(process->ended, "killed") != 0 && strcmp(process->ended, "running") != 0))
            continue;
        process->ended = number == SIGKILL ? "killed" : number == SIGABRT ? "abort" : "signal";
        process->status = number;
        return;
    }
}

static bool write_outputs(struct run *run)
{
    bool written = true;
    for (size_t i = 0; i < run->request.n_outputs; i++)
        written &= dlw_output_write(run->doc, run->request.outputs[i].format,
                                    run->request.outputs[i].path, DLW_COLOR_NEVER, false);
    return written;
}

static void print_summary(struct run *run)
{
    if (!run->log)
        return;
    struct dlw_format_options options = {
        .color =
            dlw_format_wants_color((enum dlw_color)run->request.options.color, fileno(run->log)),
        .width = dlw_format_width(fileno(run->log)),
        .summary_only = true,
        .prefix = "dlwatch: ",
    };
    dlw_format_text(run->log, run->doc, &options);
    uint64_t limit = (uint64_t)run->request.options.max_reports;
    if (run->n_printed > limit)
        fprintf(run->log, "dlwatch: %llu more findings were not printed (max_reports)\n",
                (unsigned long long)(run->n_printed - limit));
    fflush(run->log);
}

static bool is_worth_keeping(const struct run *run)
{
    for (size_t i = 0; i < run->doc->n_processes; i++)
        if (run->doc->processes[i]->off || (run->doc->processes[i]->ended &&
                                            strcmp(run->doc->processes[i]->ended, "running") == 0))
            return true;
    return run->doc->n_findings > 0;
}

static bool remove_file(void *context, const char *path, bool from_folder)
{
    (void)context;
    (void)from_folder;
    unlink(path);
    return true;
}

static void remove_folder(struct run *run)
{
    char *paths[] = {(char *)run->folder};
    unlink(dlw_region_print(&run->request.region, "%s/.libdlwatch.so", run->folder));
    dlw_each_path(paths, 1, remove_file, NULL);
    rmdir(run->folder);
}

static void settle_folder(struct run *run)
{
    if (!run->folder)
        return;
    if (!is_worth_keeping(run))
        remove_folder(run);
    else
        dlw_message("the journals are kept in %s (dlwatch report reads them)", run->folder);
}

static int finish(struct run *run)
{
    dlw_journals_close(run->journals);
    print_new_findings(run);
    note_end(run);
    dlw_doc_finish(run->doc, &run->rules);
    print_summary(run);
    bool written = write_outputs(run);
    settle_folder(run);
    int exitcode = (int)run->request.options.exitcode;
    if (run->doc->summary.errors && exitcode)
        return exitcode;
    return written ? own_status(run) : DLW_STATUS_TROUBLE;
}

static void release(struct run *run)
{
    HASH_CLEAR(hh, run->printed);
    dlw_suppressions_free(run->rules.suppressions);
    dlw_baseline_free((struct dlw_baseline *)run->rules.baseline);
    dlw_doc_free(run->doc);
    dlw_symbols_free(run->symbols);
    if (run->log && run->log != stderr)
        fclose(run->log);
    dlw_region_free(&run->request.region);
}

/* Returns whether the command can be started at all. */
static bool look_at_program(struct run *run)
{
    const char *command = run->request.command[0];
    run->program = dlw_program_inspect(&run->request.region, command);
    if (run->program.status)
        dlw_message("%s: %s", command, run->program.trouble);
    else if (run->program.trouble)
        dlw_message("%s %s; it runs unwatched", command, run->program.trouble);
    return run->program.status == 0;
}

static int run_it(struct run *run)
{
    if (!look_at_program(run))
        return run->program.status;
    if (!read_rules(run) || !open_log(run) || !choose_journals(run) || !set_environment(run))
        return DLW_STATUS_TROUBLE;
    run->reading = (struct dlw_reading){.doc = run->doc,
                                        .symbols = run->symbols,
                                        .edges = wants_edges(&run->request),
                                        .growing = true};
    run->journals = dlw_journals_new(&run->reading, run->pattern);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    open_signals(run);
    if (!start(run))
        return 126;
    if (run->request.timeout > 0)
        run->deadline = now() + run->request.timeout;
    watch(run);
    return finish(run);
}

int dlw_run_main(int argc, char **argv)
{
    struct run run = {0};
    int end = dlw_run_parse(&run.request, argc, argv);
    int status = end ? end - 1 : run_it(&run);
    release(&run);
    return status;
}
