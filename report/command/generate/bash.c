/* Completion for bash. */
#include "report/command/generate/generate.h"

#include "report/command/generate/choices.h"

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
    "        _dlwatch_words \"$(cd /proc && echo [0-9]* && cat [0-9]*/comm 2>/dev/null |\n"
    "            tr -cd 'A-Za-z0-9._+\\n-')\" \"$current\"\n"
    "    else\n"
    "        _dlwatch_files \"$current\"\n"
    "    fi\n"
    "}\n"
    "complete -F _dlwatch dlwatch\n";

/* One case a value that is known: words, and what else it may be. Files are what is left. */
static void values(FILE *out)
{
    const struct dlw_choice *choice;

    for (size_t i = 0; (choice = dlw_choice_at(i)); i++) {
        const char *name;
        int n = dlw_choice_name(choice, &name);
        if (!dlw_choice_has_words(choice) && !dlw_choice_is_free(choice))
            continue;
        fprintf(out, "    %s:--%.*s)", choice->subcommand, n, name);
        if (dlw_choice_has_words(choice)) {
            bool is_pair = strchr(choice->values, ':');
            fputs(" _dlwatch_words \"", out);
            dlw_choice_words(out, choice, is_pair ? ":" : "");
            fputs("\" \"$3\"", out);
            if (dlw_choice_has_files(choice) && !is_pair)
                fputs("; [ \"${#COMPREPLY[@]}\" -gt 0 ] || _dlwatch_files \"$3\"", out);
        }
        fputs(" ;;\n", out);
    }
}

static void options_of(FILE *out, const char *subcommand)
{
    const struct dlw_choice *choice;

    fprintf(out, "    %s) echo ", subcommand);
    for (size_t i = 0; (choice = dlw_choice_at(i)); i++)
        if (strcmp(choice->subcommand, subcommand) == 0)
            fprintf(out, "%s ", choice->option);
    fputs(";;\n", out);
}

static void subcommand_options(FILE *out)
{
    const struct dlw_completed *subcommand;

    fputs("_dlwatch_options()\n{\n    case $1 in\n    none) echo ", out);
    for (size_t i = 0; (subcommand = dlw_completed_at(i)); i++)
        fprintf(out, "%s ", subcommand->name);
    fputs(";;\n", out);
    for (size_t i = 0; (subcommand = dlw_completed_at(i)); i++)
        options_of(out, subcommand->name);
    fputs("    esac\n    echo --help --version\n}\n\n", out);
}

void dlw_generate_bash(FILE *out)
{
    fputs("# bash completion for dlwatch\n\n", out);
    subcommand_options(out);
    fputs(head, out);
    values(out);
    fputs(rest, out);
}
