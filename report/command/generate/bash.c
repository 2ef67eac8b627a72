/* Completion for bash. */
#include "report/command/generate/generate.h"

#include "report/command/base/command.h"
#include "report/command/format/format.h"

#include <ctype.h>
#include <string.h>

static const char head[] =
    "_dlwatch_words()\n"
    "{\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$2\")\n"
    "    case ${COMPREPLY[*]} in *[=:]) compopt -o nospace 2>/dev/null ;; esac\n"
    "}\n"
    "\n"
    "_dlwatch_files()\n"
    "{\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    mapfile -t COMPREPLY < <(compgen -f -- \"$1\")\n"
    "}\n"
    "\n"
    "# The command that run watches is completed as by itself, where bash-completion is there.\n"
    "_dlwatch_command()\n"
    "{\n"
    "    if declare -F _command_offset >/dev/null; then\n"
    "        _command_offset \"$1\"\n"
    "    elif [ \"$1\" -eq \"$COMP_CWORD\" ]; then\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        mapfile -t COMPREPLY < <(compgen -c -f -- \"$2\")\n"
    "    else\n"
    "        _dlwatch_files \"$2\"\n"
    "    fi\n"
    "}\n"
    "\n"
    "# Where the first word stands that is no option; bash makes three of --option=value.\n"
    "_dlwatch_first()\n"
    "{\n"
    "    local i=2\n"
    "    while [ \"$i\" -lt \"$COMP_CWORD\" ]; do\n"
    "        case ${COMP_WORDS[i]} in\n"
    "        --) echo $((i + 1)) && return ;;\n"
    "        -* | = | :) ;;\n"
    "        *) case ${COMP_WORDS[i - 1]} in = | : | -o) ;; *) break ;; esac ;;\n"
    "        esac\n"
    "        i=$((i + 1))\n"
    "    done\n"
    "    echo \"$i\"\n"
    "}\n"
    "\n"
    "_dlwatch_value()\n"
    "{\n"
    "    case $1:$2 in\n";

static const char rest[] =
    "    *) _dlwatch_files \"$3\" ;;\n"
    "    esac\n"
    "}\n"
    "\n"
    "_dlwatch()\n"
    "{\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local subcommand=${COMP_WORDS[1]} first\n"
    "    COMPREPLY=()\n"
    "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "        _dlwatch_words \"$(_dlwatch_options none)\" \"$current\"\n"
    "        return\n"
    "    fi\n"
    "    first=$(_dlwatch_first)\n"
    "    if [ \"$subcommand\" = run ] && [ \"$first\" -lt \"$COMP_CWORD\" ]; then\n"
    "        _dlwatch_command \"$first\" \"$current\"\n"
    "    elif [ \"$current\" = = ]; then\n"
    "        _dlwatch_value \"$subcommand\" \"$before\" \"\"\n"
    "    elif [ \"$before\" = = ]; then\n"
    "        _dlwatch_value \"$subcommand\" \"${COMP_WORDS[COMP_CWORD - 2]}\" \"$current\"\n"
    "    elif [ \"$current\" = : ]; then\n"
    "        _dlwatch_files \"\"\n"
    "    elif [ \"$before\" = : ] || [ \"$before\" = -o ]; then\n"
    "        _dlwatch_files \"$current\"\n"
    "    elif [ \"${current:0:1}\" = - ]; then\n"
    "        _dlwatch_words \"$(_dlwatch_options \"$subcommand\")\" \"$current\"\n"
    "    elif [ \"$subcommand\" = run ]; then\n"
    "        _dlwatch_command \"$first\" \"$current\"\n"
    "    elif [ \"$subcommand\" = attach ]; then\n"
    "        _dlwatch_words \"$(cd /proc && echo [0-9]*)\" \"$current\"\n"
    "    else\n"
    "        _dlwatch_files \"$current\"\n"
    "    fi\n"
    "}\n"
    "complete -F _dlwatch dlwatch\n";

static const struct {
    const char *key, *values;
} options[] = {
#define DLW_OPTION(key, type, preload, run, values, help) {#key, values},
#include "report/emit/options.def"
#undef DLW_OPTION
};

/* Words that stand for themselves; capitals stand for something else. */
static void value_words(FILE *out, const char *values)
{
    const char *separator = "";

    while (*values) {
        size_t n = strcspn(values, "|");
        if (!isupper((unsigned char)*values)) {
            fprintf(out, "%s%.*s", separator, (int)n, values);
            separator = " ";
        }
        values += n + (values[n] == '|');
    }
}

static void words_of(FILE *out, const char *pattern, const char *words)
{
    fprintf(out, "    %s) _dlwatch_words \"%s\" \"$3\" ;;\n", pattern, words);
}

static void values(FILE *out)
{
    words_of(out, "report:--show", "feasible all strict unused-suppressions");
    words_of(out, "attach:--format | core:--format", "text json dot svg html");
    words_of(out, "*:--format", dlw_format_names());
    fputs("    run:--output) _dlwatch_words \"", out);
#define DLW_FORMAT(name, help) fputs(#name ": ", out);
#include "report/command/format/format.def"
#undef DLW_FORMAT
    fputs("\" \"$3\" ;;\n", out);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (!strchr(options[i].values, '|'))
            continue;
        fprintf(out, "    *:--%s) _dlwatch_words \"", options[i].key);
        value_words(out, options[i].values);
        fputs("\" \"$3\"", out);
        if (strstr(options[i].values, "PATH"))
            fputs("; [ \"${#COMPREPLY[@]}\" -gt 0 ] || _dlwatch_files \"$3\"", out);
        fputs(" ;;\n", out);
    }
}

/* Numbers and names of programs: nothing is offered, least of all files. */
static void without_words(FILE *out)
{
    fputs("    *:--timeout", out);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (isdigit((unsigned char)options[i].values[0]) || !strcmp(options[i].values, "NAMES"))
            fprintf(out, " | *:--%s", options[i].key);
    fputs(") ;;\n", out);
}

static void subcommand_options(FILE *out)
{
    fputs("_dlwatch_options()\n{\n    case $1 in\n    none) echo ", out);
#define DLW_SUBCOMMAND(name, arguments, help)                                                      \
    if (dlw_##name##_main)                                                                         \
        fputs(#name " ", out);
#include "report/command/base/subcommand.def"
#undef DLW_SUBCOMMAND
    fputs(";;\n    run) echo ", out);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (strcmp(options[i].key, "help") != 0)
            fprintf(out, "--%s= ", options[i].key);
    fputs("--output= --timeout= --baseline= ;;\n"
          "    report) echo --format= --output= --baseline= --suppressions= --show= --color= "
          "--exitcode= ;;\n"
          "    merge) echo --output= ;;\n"
          "    attach) echo --format= --watch --stop-all --stack_depth= --color= --exitcode= ;;\n"
          "    core) echo --format= --sysroot= --stack_depth= --color= --exitcode= ;;\n    esac\n"
          "    echo --help --version\n}\n\n",
          out);
}

void dlw_generate_bash(FILE *out)
{
    fputs("# bash completion for dlwatch\n\n", out);
    subcommand_options(out);
    fputs(head, out);
    values(out);
    without_words(out);
    fputs(rest, out);
}
