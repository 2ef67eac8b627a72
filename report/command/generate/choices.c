#include "report/command/generate/choices.h"

#include "report/command/base/command.h"

#include <ctype.h>
#include <string.h>

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct dlw_choice choices[] = {
#define DLW_OPTION(key, type, preload, run, values, help) {"run", "--" #key "=", values, help},
#include "report/emit/options.def"
#undef DLW_OPTION
#define DLW_CHOICE(subcommand, option, values, help) {#subcommand, option, values, help},
#include "report/command/generate/choices.def"
#undef DLW_CHOICE
};

static const struct {
    struct dlw_completed named;
    int (*main)(int, char **);
} subcommands[] = {
#define DLW_SUBCOMMAND(name, arguments, help) {{#name, help}, dlw_##name##_main},
#include "report/command/base/subcommand.def"
#undef DLW_SUBCOMMAND
};

/* The table of a preload begins help=1; to run that is --help, which each subcommand has. */
static bool is_help(const struct dlw_choice *choice)
{
    return strcmp(choice->option, "--help=") == 0;
}

const struct dlw_choice *dlw_choice_at(size_t i)
{
    for (size_t at = 0; at < N(choices); at++)
        if (!is_help(&choices[at]) && i-- == 0)
            return &choices[at];
    return NULL;
}

const struct dlw_completed *dlw_completed_at(size_t i)
{
    for (size_t at = 0; at < N(subcommands); at++)
        if (subcommands[at].main && i-- == 0)
            return &subcommands[at].named;
    return NULL;
}

static bool is_one_of(const char *word, size_t n, const char *const *words)
{
    for (; *words; words++)
        if (strlen(*words) == n && strncmp(*words, word, n) == 0)
            return true;
    return false;
}

bool dlw_choice_has_files(const struct dlw_choice *choice)
{
    static const char *const files[] = {"FILE", "PATH", "FOLDER", "FORMAT:FILE", NULL};
    const char *last = strrchr(choice->values, '|');
    last = last ? last + 1 : choice->values;
    return is_one_of(last, strlen(last), files);
}

static bool is_format(const struct dlw_choice *choice)
{
    return strncmp(choice->values, "FORMAT", 6) == 0;
}

bool dlw_choice_has_words(const struct dlw_choice *choice)
{
    return is_format(choice) || islower((unsigned char)choice->values[0]);
}

bool dlw_choice_is_free(const struct dlw_choice *choice)
{
    return choice->values[0] && !dlw_choice_has_words(choice) && !dlw_choice_has_files(choice);
}

void dlw_choice_words(FILE *out, const struct dlw_choice *choice, const char *after)
{
    const char *separator = "";

    if (is_format(choice)) {
#define DLW_FORMAT(name, edges, help)                                                              \
    fprintf(out, "%s%s%s", separator, #name, after);                                               \
    separator = " ";
#include "report/command/format/format.def"
#undef DLW_FORMAT
        return;
    }
    for (const char *at = choice->values; *at;) {
        size_t n = strcspn(at, "|");
        if (islower((unsigned char)*at)) {
            fprintf(out, "%s%.*s%s", separator, (int)n, at, after);
            separator = " ";
        }
        at += n + (at[n] == '|');
    }
}

int dlw_choice_name(const struct dlw_choice *choice, const char **name)
{
    *name = choice->option + 2;
    return (int)strcspn(*name, "=");
}
