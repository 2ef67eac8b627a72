/* One try: a run of the command under the library that steers it. */
#include "report/command/confirm/confirm.h"

#include "report/command/base/command.h"
#include "report/command/journal/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

bool dlw_try_make_progress(const char *path)
{
    struct dlw_steering empty = {.magic = DLW_STEERING_MAGIC};
    FILE *out = fopen(path, "we");
    bool is_written = out && fwrite(&empty, sizeof(empty), 1, out) == 1;
    /* Programs that gave up root count as well. */
    if (out)
        is_written = fchmod(fileno(out), 0666) == 0 && fclose(out) == 0 && is_written;
    if (!is_written)
        dlw_message("%s: %s", path, strerror(errno));
    return is_written;
}

static void read_counts(const char *path, struct dlw_steering *out)
{
    FILE *in = fopen(path, "re");
    memset(out, 0, sizeof(*out));
    if (in && fread(out, sizeof(*out), 1, in) != 1)
        memset(out, 0, sizeof(*out));
    if (in)
        fclose(in);
}

/* ---- the run ---- */

/* What it reads from a file it reads again in each try; else there is nothing to read. */
static void set_input(void)
{
    if (lseek(STDIN_FILENO, 0, SEEK_SET) == 0)
        return;
    int none = open("/dev/null", O_RDONLY);
    if (none >= 0)
        dup2(none, STDIN_FILENO);
}

static void start(const struct dlw_confirm *confirm, char **argv, const char *output)
{
    int descriptor = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    set_input();
    if (descriptor >= 0) {
        dup2(descriptor, STDOUT_FILENO);
        dup2(descriptor, STDERR_FILENO);
    }
    signal(SIGPIPE, dlw_inherited_sigpipe);
    if (confirm->mask)
        sigprocmask(SIG_SETMASK, confirm->mask, NULL);
    execve("/proc/self/exe", argv, confirm->environment);
    _exit(126);
}

static char **arguments(struct dlw_region *region, const struct dlw_confirm *confirm,
                        const char *folder, const char *roles, double timeout)
{
    size_t n = 0, n_command = 0;
    while (confirm->command[n_command])
        n_command++;
    char **argv = dlw_region_alloc(region, (n_command + 10) * sizeof(*argv));
    argv[n++] = "dlwatch";
    argv[n++] = "run";
    argv[n++] = dlw_region_print(region, "--report=%s/%%e-%%p.json", folder);
    argv[n++] = dlw_region_print(region, "--steer=%s", roles);
    argv[n++] = dlw_region_print(region, "--timeout=%g", timeout);
    argv[n++] = "--log=none";
    argv[n++] = "--on_deadlock=exit";
    argv[n++] = "--exitcode=0";
    argv[n++] = "--";
    for (size_t i = 0; i < n_command; i++)
        argv[n++] = confirm->command[i];
    return argv;
}

static int wait_for(pid_t child, bool *interrupted)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    *interrupted = number == SIGINT || number == SIGTERM || number == SIGHUP;
    return number ? 128 + number : WEXITSTATUS(status);
}

/* ---- what it found ---- */

static bool is_same_place(const struct dlw_stack *a, const struct dlw_stack *b)
{
    size_t i = dlw_stack_place(a), k = dlw_stack_place(b);
    if (i == a->n || k == b->n) /* one of the two is not known */
        return true;
    const struct dlw_frame *x = &a->frames[i], *y = &b->frames[k];
    if (x->function && y->function)
        return strcmp(x->function, y->function) == 0 &&
               (x->line == y->line || !x->line || !y->line);
    return x->offset == y->offset;
}

/* Asked for by the interpreter, in one of its ways. */
static bool is_gil(const struct dlw_doc_lock *lock)
{
    return strcmp(lock->kind, "gil") == 0;
}

static bool is_same_step(const struct dlw_doc_step *a, const struct dlw_doc_step *b)
{
    return strcmp(a->holds.lock->kind, b->holds.lock->kind) == 0 &&
           strcmp(a->wants.lock->kind, b->wants.lock->kind) == 0 &&
           (is_gil(a->wants.lock) || is_same_place(&a->wants.stack, &b->wants.stack)) &&
           (dlw_confirm_has_no_first(a->holds.lock) ||
            is_same_place(&a->holds.stack, &b->holds.stack));
}

static bool is_deadlock_of(const struct dlw_doc_finding *seen,
                           const struct dlw_doc_finding *finding)
{
    if (seen->kind != DLW_DEADLOCK || !seen->certain || seen->n_cycle < 2)
        return false;
    if (!finding)
        return true;
    for (size_t turn = 0; turn < seen->n_cycle && seen->n_cycle == finding->n_cycle; turn++) {
        size_t same = 0;
        while (same < seen->n_cycle &&
               is_same_step(&finding->cycle[same], &seen->cycle[(turn + same) % seen->n_cycle]))
            same++;
        if (same == seen->n_cycle)
            return true;
    }
    return false;
}

static void read_findings(const struct dlw_confirm *confirm, const char *folder,
                          const struct dlw_doc_finding *finding, struct dlw_try *out)
{
    char *paths[] = {(char *)folder};
    out->doc = dlw_doc_new();
    struct dlw_reading reading = {.doc = out->doc, .symbols = confirm->symbols};
    dlw_read_paths(&reading, paths, 1);
    for (size_t i = 0; i < out->doc->n_processes; i++)
        out->doc->n_watched += !out->doc->processes[i]->is_left_alone;
    dlw_doc_finish(out->doc, NULL);
    for (size_t i = 0; i < out->doc->n_findings; i++) {
        struct dlw_doc_finding *seen = out->doc->findings[i];
        if (!out->deadlock && is_deadlock_of(seen, finding))
            out->deadlock = seen;
        else if (!out->other && seen->certain &&
                 (seen->kind == DLW_DEADLOCK || seen->kind == DLW_STALL))
            out->other = seen;
    }
}

static bool remove_one(void *context, const char *path, bool from_folder)
{
    (void)context;
    (void)from_folder;
    unlink(path);
    return true;
}

static void remove_journals(const char *folder)
{
    char *paths[] = {(char *)folder};
    dlw_each_path(paths, 1, remove_one, NULL);
    rmdir(folder);
}

/* What run said when it could not start the command: its one line. */
static const char *last_words(struct dlw_region *region, const char *output)
{
    char line[512] = "";
    FILE *in = fopen(output, "re");
    if (in && fgets(line, sizeof(line), in))
        line[strcspn(line, "\n")] = '\0';
    if (in)
        fclose(in);
    const char *text = strncmp(line, "dlwatch: ", 9) == 0 ? line + 9 : line;
    return dlw_region_copy(region, *text ? text : "the command can't be started");
}

bool dlw_try_run(struct dlw_confirm *confirm, long n, const char *roles, const char *progress,
                 const struct dlw_doc_finding *finding, struct dlw_try *out)
{
    struct dlw_region region = {0};
    const char *folder = dlw_region_print(&region, "%s/journals-%ld", confirm->folder, n);
    const char *output = dlw_region_print(&region, "%s/output", confirm->folder);
    memset(out, 0, sizeof(*out));
    char **argv = arguments(&region, confirm, folder, roles, confirm->timeout);
    double begun = now();
    mkdir(folder, 0777);
    if (geteuid() == 0) /* a program that gives up root writes there too */
        chmod(folder, 01733);
    fflush(stdout);
    fflush(stderr);
    pid_t child = fork();
    if (child == 0)
        start(confirm, argv, output);
    out->status = child < 0 ? 126 : wait_for(child, &out->interrupted);
    out->seconds = now() - begun;
    out->timed_out = out->seconds >= confirm->timeout;
    if (progress)
        read_counts(progress, &out->counts);
    read_findings(confirm, folder, finding, out);
    /* Nothing ran: it is said once, and not tried again. */
    if ((out->status == 126 || out->status == 127) && out->doc->n_processes == 0)
        confirm->trouble = last_words(&out->doc->region, output);
    remove_journals(folder);
    unlink(output);
    dlw_region_free(&region);
    return !confirm->trouble;
}
