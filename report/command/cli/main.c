/* The dlwatch command: picks the subcommand. */
#include "report/command/base/command.h"
#include "report/command/base/options.h"

#include "report/command/format/format.h"
#include "report/command/generate/generate.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct subcommand {
    const char *name, *arguments, *help;
    int (*main)(int argc, char **argv);
};

static const struct subcommand subcommands[] = {
#define DLW_SUBCOMMAND(name, arguments, help) {#name, arguments, help, dlw_##name##_main},
#include "report/command/base/subcommand.def"
#undef DLW_SUBCOMMAND
};

enum { N_SUBCOMMANDS = sizeof(subcommands) / sizeof(subcommands[0]) };

static void print_help(void)
{
    puts("dlwatch finds deadlocks of pthread programs while they run, and lock orders that can "
         "become one.\n\nUsage:");
    for (size_t i = 0; i < N_SUBCOMMANDS; i++)
        if (subcommands[i].main)
            printf("  dlwatch %s %s\n        %s\n", subcommands[i].name, subcommands[i].arguments,
                   subcommands[i].help);
    printf("\nFormats: %s.\n\n", dlw_format_names());
    puts("Begin with:  dlwatch run -- ./your-program its arguments\n\n"
         "'dlwatch help NAME' tells about one of them. A program can also be watched without "
         "this command:\n  LD_PRELOAD=libdlwatch.so DLWATCH_OPTIONS=help=1 ./your-program\n\n"
         "Status: 0 nothing found, 66 errors found, 2 wrong usage or unreadable input; 'run' else "
         "gives the\ncommand's own status, 127 or 126 when it can't be started, 128+N when signal "
         "N ended it.");
}

static const struct subcommand *find_subcommand(const char *name)
{
    for (size_t i = 0; i < N_SUBCOMMANDS; i++)
        if (subcommands[i].main && strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    return NULL;
}

/* A full disk must not look like an empty report. */
static int close_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (errno != EPIPE)
        dlw_message("cannot write to standard output: %s", strerror(errno));
    return DLW_STATUS_TROUBLE;
}

static bool is_one_of(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

/* The words, each after a space, as they can be typed. */
static void join(char *out, size_t room, char **words)
{
    size_t n = 0;
    *out = '\0';
    for (; *words && n + 4 < room; words++) {
        bool is_plain = **words && !(*words)[strcspn(*words, " \t\n\"'\\$&|;<>()*?[#~`!{}")];
        n += (size_t)snprintf(out + n, room - n, is_plain ? " %s" : " '%s'", *words);
    }
    if (n >= room - 1)
        snprintf(out, room, " ...");
}

/* Of words that begin with no subcommand; the first may be a program, a mistyped subcommand, or an
 * option of run. */
static int tell_unknown(char **words)
{
    const char *names[N_SUBCOMMANDS + 1] = {NULL}, *word = words[0];
    char command[512];
    size_t n = 0;
    for (size_t i = 0; i < N_SUBCOMMANDS; i++)
        if (subcommands[i].main)
            names[n++] = subcommands[i].name;
    const char *nearest = dlw_nearest(word, names);
    join(command, sizeof(command), words);
    if (*word == '-')
        return dlw_usage_error(NULL,
                               "unknown option '%s': an option stands behind its subcommand, did "
                               "you mean dlwatch run%s",
                               word, command);
    if (strchr(word, '/') && !dlw_can_be_run(word))
        return dlw_usage_error(NULL, "'%s' is neither a subcommand nor a program that can be run",
                               word);
    if (!nearest && dlw_can_be_run(word))
        return dlw_usage_error(NULL, "'%s' is no subcommand: did you mean dlwatch run --%s", word,
                               command);
    if (nearest)
        return dlw_usage_error(NULL, "unknown subcommand '%s': did you mean dlwatch %s", word,
                               nearest);
    return dlw_usage_error(NULL, "unknown subcommand '%s'", word);
}

/* "help run" is "run --help". */
static int help(char **words)
{
    static char option[] = "--help";
    if (words[0] && *words[0] != '-') {
        const struct subcommand *subcommand = find_subcommand(words[0]);
        char *arguments[] = {"dlwatch", option, NULL};
        return subcommand ? subcommand->main(2, arguments) : tell_unknown(words);
    }
    print_help();
    return DLW_STATUS_OK;
}

int main(int argc, char **argv)
{
    dlw_inherited_sigpipe = signal(SIGPIPE, SIG_IGN);
    if (argc < 2)
        return dlw_usage_error(
            NULL, "a subcommand is missing; begin with: dlwatch run -- ./your-program");
    if (is_one_of(argv[1], "--help", "-h") || strcmp(argv[1], "help") == 0)
        return close_output(help(argv + 2));
    if (is_one_of(argv[1], "--version", "-V") || strcmp(argv[1], "version") == 0) {
        puts("dlwatch " DLW_VERSION);
        return close_output(DLW_STATUS_OK);
    }
    if (argc == 3 && strcmp(argv[1], "--generate") == 0)
        return close_output(dlw_generate(argv[2], stdout));
    const struct subcommand *subcommand = find_subcommand(argv[1]);
    if (!subcommand)
        return tell_unknown(argv + 1);
    argv[1] = argv[0] = "dlwatch"; /* what getopt's messages begin with */
    return close_output(subcommand->main(argc - 1, argv + 1));
}
