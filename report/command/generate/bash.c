/* Completion for bash. */
#include "report/command/generate/generate.h"

#include "report/command/command.h"
#include "report/command/format.h"

#include <string.h>

static void run_keys(FILE *out)
{
    static const char *const keys[] = {
#define DLW_OPTION(key, type, preload, run, values, help) #key,
#include "report/emit/options.def"
#undef DLW_OPTION
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcmp(keys[i], "help") != 0)
            fprintf(out, "--%s= ", keys[i]);
}

/* Words of those options that have some. */
static void values(FILE *out)
{
    static const struct {
        const char *key, *values;
    } rows[] = {
#define DLW_OPTION(key, type, preload, run, values, help) {#key, values},
#include "report/emit/options.def"
#undef DLW_OPTION
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!strchr(rows[i].values, '|'))
            continue;
        fprintf(out, "        --%s) words=\"", rows[i].key);
        for (const char *at = rows[i].values; *at; at++)
            fputc(*at == '|' ? ' ' : *at, out);
        fputs("\" ;;\n", out);
    }
}

static void subcommands(FILE *out)
{
#define DLW_SUBCOMMAND(name, arguments, help)                                                      \
    if (dlw_##name##_main)                                                                         \
        fputs(#name " ", out);
#include "report/command/subcommand.def"
#undef DLW_SUBCOMMAND
}

void dlw_generate_bash(FILE *out)
{
    fputs("# bash completion for dlwatch\n_dlwatch()\n{\n"
          "    local current=${COMP_WORDS[COMP_CWORD]} subcommand=${COMP_WORDS[1]} words=\"\" option=\"\"\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        mapfile -t COMPREPLY < <(compgen -W \"",
          out);
    subcommands(out);
    fputs("--help --version\" -- \"$current\")\n        return\n    fi\n"
          "    # bash splits --option=value into three words\n"
          "    if [ \"$current\" = = ]; then\n"
          "        option=${COMP_WORDS[COMP_CWORD - 1]} current=\n"
          "    elif [ \"${COMP_WORDS[COMP_CWORD - 1]}\" = = ]; then\n"
          "        option=${COMP_WORDS[COMP_CWORD - 2]}\n    fi\n"
          "    if [ -n \"$option\" ]; then\n        case $option in\n        --format) words=\"",
          out);
    fputs(dlw_format_names(), out);
    fputs("\" ;;\n", out);
    values(out);
    fputs("        esac\n        if [ -n \"$words\" ]; then\n"
          "            mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
          "        else\n            mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
          "        fi\n        return\n    fi\n    case $subcommand in\n    run) words=\"",
          out);
    run_keys(out);
    fputs("--output= --timeout= --baseline= --help --version\" ;;\n"
          "    report) words=\"--format= --output= --baseline= --suppressions= --show= --color= "
          "--exitcode= --help --version\" ;;\n"
          "    merge) words=\"--output= --help --version\" ;;\n"
          "    attach) words=\"--format= --watch --help --version\" ;;\n"
          "    core) words=\"--format= --sysroot= --help --version\" ;;\n    esac\n"
          "    case $current in\n"
          "    -*) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
          "        case ${COMPREPLY[0]} in *=) compopt -o nospace ;; esac ;;\n"
          "    *) if [ \"$subcommand\" = run ]; then\n"
          "           mapfile -t COMPREPLY < <(compgen -c -f -- \"$current\")\n"
          "       else\n           mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n       fi "
          ";;\n"
          "    esac\n}\ncomplete -o filenames -F _dlwatch dlwatch\n",
          out);
}
