/* dlwatch attach: who waits for whom in a live process. */
#include "report/command/base/command.h"
#include "report/command/base/options.h"
#include "report/command/inspect/named.h"
#include "report/command/inspect/target/live.h"
#include "report/command/inspect/target/looks.h"
#include "report/command/inspect/view.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OPT_WATCH = DLW_VIEW_OWN, OPT_STOP_ALL };

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    is_interrupted = 1;
}

static void print_help(void)
{
    puts(
        "Usage: dlwatch attach [options] PID|NAME\n\n"
        "Says what every thread of a live process waits for, who holds it, and what that amounts "
        "to.\nThe process need not run under dlwatch, and goes on untouched: only threads that "
        "wait in a futex\n(on aarch64 for a file's lock too) or do nothing but run are stopped, "
        "each for "
        "a moment;\nthe report says for how long.\nOf a process that runs under libdlwatch.so it "
        "also tells who "
        "holds read locks and semaphores, where\neach lock was taken, and what was found so "
        "far.\nWhat it waits for may be held by another process: one that sleeps as well is looked "
        "at in the same\nway, so that a circle over both is told. Of locks of files (flock, fcntl) "
        "it tells who has them.\n\n"
        "  --watch[=S]     look again every S seconds (default 2) until it ends; says "
        "\"unchanged\" "
        "where\n                  every thread stands where it stood\n"
        "  --stop-all      stop every thread for exact stacks; a system call like epoll_wait may\n"
        "                  then return EINTR to the program\n" DLW_VIEW_HELP_TEXT
        "\nStatus: 0 nothing found, 66 a deadlock or stall, 2 no such process, not allowed, or "
        "only a partial answer.");
}

static int set_watch(struct dlw_view_options *options, const char *value)
{
    char *end;
    options->watch = value ? strtod(value, &end) : 2;
    if (!value || (end != value && !*end && options->watch >= 0.05 && options->watch <= 86400))
        return 0;
    return 1 + dlw_usage_error("attach", "bad value for --watch: '%s'", value);
}

static int take_option(struct dlw_view_options *options, int option)
{
    int end = 0;
    if (dlw_view_option(options, option, optarg, &end))
        return end;
    switch (option) {
    case OPT_WATCH:
        return set_watch(options, optarg);
    case OPT_STOP_ALL:
        options->all = true;
        return 0;
    default:
        return dlw_option_common(option, print_help);
    }
}

/* 0: go on; else the status to end with, plus 1. */
static int find_named(const char *name, long *pid)
{
    enum { MOST = 20 };
    struct dlw_region region = {0};
    struct dlw_named *found;
    size_t n = dlw_named_find(&region, name, &found);
    int end = 0;
    if (n == 1) {
        *pid = found[0].pid;
    } else if (n == 0) {
        end = 1 + dlw_usage_error("attach", "no process has the number or name '%s'", name);
    } else {
        dlw_message("%zu processes are called '%s': give the number of one", n, name);
        for (size_t i = 0; i < n && i < MOST; i++)
            fprintf(stderr, "%8u  %s\n", found[i].pid, found[i].command);
        if (n > MOST)
            fprintf(stderr, "and %zu more\n", n - MOST);
        end = 1 + DLW_STATUS_TROUBLE;
    }
    dlw_region_free(&region);
    return end;
}

static int parse(struct dlw_view_options *options, int argc, char **argv, long *pid)
{
    static const struct option table[] = {
        DLW_VIEW_OPTIONS,
        {"watch", optional_argument, NULL, OPT_WATCH},
        {"stop-all", no_argument, NULL, OPT_STOP_ALL},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = dlw_option("attach", argc, argv, "o:", table)) != -1) {
        int end = take_option(options, option);
        if (end)
            return end;
    }
    if (options->watch > 0 && optind + 2 == argc &&
        strspn(argv[optind], "0123456789.") == strlen(argv[optind]))
        return 1 + dlw_usage_error("attach",
                                   "more than one process is given: did you mean --watch=%s %s",
                                   argv[optind], argv[optind + 1]);
    if (optind + 1 != argc)
        return 1 + dlw_usage_error("attach", optind == argc ? "no process is given"
                                                            : "more than one process is given");
    if (!dlw_parse_number(argv[optind], 1, 1 << 22, pid))
        return find_named(argv[optind], pid);
    return 0;
}

/* A thread's number is as good as its process's. */
static uint32_t process_of(uint32_t number)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%u/status", number);
    FILE *file = fopen(path, "re");
    unsigned group = number;
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Tgid: %u", &group) == 1)
            break;
    if (file)
        fclose(file);
    return group;
}

static int look(const struct dlw_view_options *options, uint32_t pid, bool is_quiet)
{
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_target target = {
        .region = &doc->region,
        .memory = -1,
        .is_quiet = is_quiet,
        .notes_trouble = dlw_view_notes_trouble(options),
        .shows_native = options->native,
    };
    int status = DLW_STATUS_TROUBLE;
    if (dlw_live_open(&target, doc, pid)) {
        dlw_live_sample(&target, doc, options->all);
        status = dlw_view_show(&target, doc, options);
    }
    dlw_target_close(&target);
    dlw_doc_free(doc);
    return status;
}

static bool pause_for(double seconds)
{
    struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (!is_interrupted && nanosleep(&left, &left) && errno == EINTR)
        continue;
    return !is_interrupted;
}

/* People see by it that another look begins; machines get one document after the other. */
static void print_time(const struct dlw_view_options *options)
{
    time_t now = time(NULL);
    struct tm parts;
    char text[32];
    if (strcmp(options->format, "text") != 0 || options->output || !localtime_r(&now, &parts))
        return;
    strftime(text, sizeof text, "%H:%M:%S", &parts);
    printf("---- %s ----\n", text);
}

/* It may wait for its parent to take note, too. */
static bool is_over(uint32_t pid)
{
    struct dlw_region region = {0};
    struct dlw_target target = {.region = &region, .pid = pid};
    bool result = !dlw_live_is_there(&target);
    dlw_region_free(&region);
    return result;
}

static int watch(struct dlw_view_options *options, uint32_t pid)
{
    static uint64_t shown; /* the options outlive the call */
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
    int status = DLW_STATUS_OK;
    if (strcmp(options->format, "text") == 0 && !options->output)
        options->shown = &shown;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    for (bool is_first = true;; is_first = false) {
        if (!is_first && is_over(pid))
            return status;
        print_time(options);
        int result = look(options, pid, !is_first);
        bool has_ended = result == DLW_STATUS_TROUBLE && is_over(pid);
        fflush(stdout);
        /* One that ended while it was looked at tells nothing new. */
        if (is_first || !has_ended)
            status = result;
        if (has_ended || !pause_for(options->watch))
            return status;
    }
}

int dlw_attach_main(int argc, char **argv)
{
    struct dlw_view_options options = {
        .subcommand = "attach", .format = "text", .exitcode = DLW_STATUS_FOUND, .depth = 64};
    long number = 0;
    int end = parse(&options, argc, argv, &number);
    if (end)
        return end - 1;
    uint32_t pid = process_of((uint32_t)number);
    dlw_looks_are_lasting = true;
    return options.watch > 0 ? watch(&options, pid) : look(&options, pid, false);
}
