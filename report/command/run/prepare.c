/* What has to stand before the command starts. */
#include "report/command/run/state.h"

#include "report/command/base/command.h"
#include "report/command/base/temporary.h"
#include "report/command/format/format.h"
#include "report/command/journal/baseline.h"
#include "report/emit/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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

enum { FOLDER_OF_ALL = 01733 }; /* whoever knows a name finds it; nobody can list or remove */

static const char *make_folder(struct dlw_region *region)
{
    const char *base = getenv("TMPDIR");
    char *folder = dlw_region_print(region, "%s/dlwatch-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(folder)) {
        dlw_message("cannot make a folder for the journals, %s: %s", folder, strerror(errno));
        return NULL;
    }
    if (geteuid() == 0) /* a program that gives up root makes its journal, or its child's, there */
        chmod(folder, FOLDER_OF_ALL);
    char *real = realpath(folder, NULL);
    const char *result = real ? dlw_region_copy(region, real) : folder;
    free(real);
    return result;
}

/* What stands before the first mark, as it will be called; NULL: nothing that is a folder. */
static char *fixed_folder(struct dlw_region *region, const char *pattern)
{
    char *folder = dlw_region_copy(region, pattern), *to = folder;
    for (const char *at = pattern; *at; at++) {
        if (*at == '%' && *++at != '%')
            break;
        *to++ = *at;
    }
    *to = '\0';
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return NULL;
    *slash = '\0';
    return folder;
}

/* A watched program would write nothing where there is no folder, and whoever collects what tests
 * say on standard error would never see the warning. */
static bool make_parents(struct dlw_run *run)
{
    struct dlw_region *region = &run->request.region;
    char *folder = fixed_folder(region, run->pattern);
    if (!folder)
        return true;
    for (char *at = strchr(folder + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(folder, 0777);
        *at = '/';
    }
    if (mkdir(folder, 0777) == 0 ||
        access(dlw_region_print(region, "%s/.", folder), W_OK | X_OK) == 0)
        return true;
    dlw_message("no journals can be written in %s: %s", folder, strerror(errno));
    return false;
}

static bool choose_journals(struct dlw_run *run)
{
    struct dlw_region *region = &run->request.region;
    const char *wish = run->request.options.report;
    char folder[4096];
    if (wish && *wish == '/') {
        run->pattern = wish;
        return make_parents(run);
    }
    if (wish) {
        if (!getcwd(folder, sizeof(folder)))
            return false;
        run->pattern = dlw_region_print(region, "%s/%s", escape_marks(region, folder), wish);
        return make_parents(run);
    }
    run->folder = make_folder(region);
    if (run->folder)
        run->pattern =
            dlw_region_print(region, "%s/%%e-%%p.json", escape_marks(region, run->folder));
    return run->folder != NULL;
}

static bool open_log(struct dlw_run *run)
{
    const char *log = run->request.options.log;
    /* Inside another run, which prints what is found, this one prints nothing. */
    if (log &&
        (strcmp(log, "none") == 0 || strncmp(log, DLW_SAY_LINES, strlen(DLW_SAY_LINES)) == 0))
        return true;
    if (!log || strcmp(log, "stderr") == 0) {
        run->log = stderr;
        return true;
    }
    char path[4096];
    /* Not to wait for the reader of a fifo; the flag goes again at once. */
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int descriptor =
        dlw_options_path(path, sizeof(path), log, (long)getpid(), run->request.command[0], 0)
            ? open(path, flags, 0666)
            : -1;
    if (descriptor >= 0)
        fcntl(descriptor, F_SETFL, O_APPEND);
    if (descriptor < 0 || !(run->log = fdopen(descriptor, "a"))) {
        dlw_message("cannot write the log %s: %s", log, strerror(errno));
        run->log = stderr;
    }
    return true;
}

static bool read_rules(struct dlw_run *run)
{
    const struct dlw_options *options = &run->request.options;
    bool sound = true;
    run->symbols = dlw_symbols_new(NULL, NULL);
    run->doc = dlw_doc_new();
    run->rules.show = (enum dlw_show)options->show;
    if (options->suppressions) {
        FILE *in = dlw_open_file(options->suppressions);
        run->rules.suppressions = dlw_suppressions_new();
        /* A line that is none suppresses nothing, and is said; a file that isn't there is a name
         * misspelt. */
        if (in)
            dlw_suppressions_parse(run->rules.suppressions, in, options->suppressions);
        else
            sound = false;
        if (in)
            fclose(in);
    }
    if (run->request.baseline) {
        run->rules.baseline = dlw_baseline_read(run->request.baseline, run->symbols);
        sound &= run->rules.baseline != NULL;
    }
    return sound;
}

static bool wants_edges(const struct dlw_run_request *request)
{
    for (size_t i = 0; i < request->n_outputs; i++)
        if (dlw_format_draws_edges(request->outputs[i].format))
            return true;
    return false;
}

/* The loader splits LD_PRELOAD at spaces and colons: a path with either gets a plain name. */
static const char *plain_library(struct dlw_run *run, const char *library)
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

/* Two runs may write their journals to one folder: each reads its own. */
static void set_id(struct dlw_run *run)
{
    const char *outer = getenv("DLWATCH_RUN");
    uint64_t id;
    if (getrandom(&id, sizeof(id), GRND_NONBLOCK) != (ssize_t)sizeof(id))
        id = (uint64_t)getpid() << 32 ^ (uint64_t)time(NULL);
    run->id = dlw_region_print(&run->request.region, "%s%s%016llx", outer ? outer : "",
                               outer ? "." : "", (unsigned long long)id);
    setenv("DLWATCH_RUN", run->id, 1);
}

static bool set_environment(struct dlw_run *run)
{
    struct dlw_region *region = &run->request.region;
    set_id(run);
    const char *library = dlw_program_library(region);
    if (!library) {
        dlw_message("libdlwatch.so is neither beside this command nor in ../lib");
        return false;
    }
    run->tally = dlw_tally_open(region, run->folder);
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

/* An hour of tests is not to end with a report that has no place to go. */
static bool try_outputs(const struct dlw_run_request *request)
{
    bool sound = true;
    for (size_t i = 0; i < request->n_outputs; i++)
        sound &= strcmp(request->outputs[i].path, "-") == 0 ||
                 dlw_temporary_is_possible(request->outputs[i].path);
    return sound;
}

bool dlw_run_prepare(struct dlw_run *run)
{
    run->wants_edges = wants_edges(&run->request);
    return try_outputs(&run->request) && read_rules(run) && open_log(run) && choose_journals(run) &&
           set_environment(run);
}
