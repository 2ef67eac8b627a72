#include "report/command/base/options.h"

#include "report/command/base/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST = 40 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* How many letters were left out, put in, changed, or changed places (Damerau's distance, each
 * letter touched once). '-' and '_' are the same. */
static unsigned distance(const char *a, const char *b, size_t n_a, size_t n_b)
{
    unsigned rows[3][LONGEST + 1];
    for (unsigned j = 0; j <= n_b; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= n_a; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *top = rows[(i + 1) % 3];
        row[0] = i;
        for (unsigned j = 1; j <= n_b; j++) {
            char x = a[i - 1] == '_' ? '-' : a[i - 1], y = b[j - 1] == '_' ? '-' : b[j - 1];
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], top[j - 2] + 1);
        }
    }
    return rows[n_a % 3][n_b];
}

const char *dlw_nearest(const char *word, const char *const *names)
{
    size_t length = strlen(word);
    unsigned best = (unsigned)(length + 5) / 4; /* more letters that differ are another word */
    const char *nearest = NULL;
    for (; length <= LONGEST && *names; names++) {
        size_t n = strlen(*names);
        unsigned far = n > LONGEST ? LONGEST : distance(word, *names, length, n);
        if (far < best || (far == best && !nearest && far < length && far < n)) {
            best = far;
            nearest = *names;
        }
    }
    return nearest;
}

static void say_unknown(const char *subcommand, const char *word, const struct option *options)
{
    enum { MOST = 128 };
    const char *names[MOST + 1] = {NULL};
    char name[LONGEST + 1];
    size_t n = strcspn(word + 2, "=");
    for (size_t i = 0; i < MOST && options[i].name; i++)
        names[i] = options[i].name;
    snprintf(name, sizeof(name), "%.*s", (int)n, word + 2);
    const char *nearest = n <= LONGEST ? dlw_nearest(name, names) : NULL;
    if (nearest)
        dlw_usage_error(subcommand, "unknown option '%.*s': did you mean '--%s'?", (int)n + 2, word,
                        nearest);
    else
        dlw_usage_error(subcommand, "unknown option '%.*s'", (int)n + 2, word);
}

/* "--he" may be the beginning of several. */
static bool is_ambiguous(const char *word, const struct option *options)
{
    size_t n = strcspn(word + 2, "="), found = 0;
    for (; options->name; options++)
        found += strncmp(options->name, word + 2, n) == 0;
    return found > 1;
}

static const char *long_name(const struct option *options, int value)
{
    for (; options->name; options++)
        if (options->val == value)
            return options->name;
    return "?";
}

int dlw_option(const char *subcommand, int argc, char **argv, const char *shorts,
               const struct option *options)
{
    char all[32];
    /* Where the shorts begin with '+', that stays in front. */
    bool stops = *shorts == '+';
    snprintf(all, sizeof(all), "%s:%shV", stops ? "+" : "", shorts + stops);
    opterr = 0;
    int option = getopt_long(argc, argv, all, options, NULL);
    if (option != '?' && option != ':')
        return option;
    const char *word = optind > 0 && argv[optind - 1] ? argv[optind - 1] : "?";
    bool is_long = strncmp(word, "--", 2) == 0;
    if (option == ':' && is_long)
        dlw_usage_error(subcommand, "option '%s' wants a value", word);
    else if (option == ':')
        dlw_usage_error(subcommand, "option '-%c' wants a value", optopt);
    else if (is_long && optopt)
        dlw_usage_error(subcommand, "option '--%s' takes no value", long_name(options, optopt));
    else if (is_long && is_ambiguous(word, options))
        dlw_usage_error(subcommand, "option '%s' may mean more than one", word);
    else if (is_long)
        say_unknown(subcommand, word, options);
    else
        dlw_usage_error(subcommand, "unknown option '-%c'", optopt);
    return '?';
}

static bool is_program(const char *path)
{
    struct stat state;
    return stat(path, &state) == 0 && S_ISREG(state.st_mode) && access(path, X_OK) == 0;
}

bool dlw_can_be_run(const char *name)
{
    const char *path = getenv("PATH");
    char file[4096];
    if (strchr(name, '/'))
        return is_program(name);
    while (path && *path && *name) {
        size_t n = strcspn(path, ":");
        int length = snprintf(file, sizeof(file), "%.*s/%s", (int)n, path, name);
        if (length > 0 && (size_t)length < sizeof(file) && is_program(file))
            return true;
        path += n + (path[n] == ':');
    }
    return false;
}

int dlw_option_common(int option, void (*print_help)(void))
{
    if (option == 'h')
        print_help();
    else if (option == 'V')
        puts("dlwatch " DLW_VERSION);
    else
        return 1 + DLW_STATUS_TROUBLE;
    return 1;
}
