/* Completion for zsh. */
#include "report/command/generate/generate.h"

#include "report/command/generate/choices.h"

#include <string.h>

static const char head[] = "#compdef dlwatch\n"
                           "\n"
                           "_dlwatch_output()\n"
                           "{\n"
                           "    if compset -P '*:'; then _files; else compadd -S : -- \"$@\"; fi\n"
                           "}\n"
                           "\n"
                           "_dlwatch()\n"
                           "{\n"
                           "    local -a subcommands\n"
                           "    subcommands=(\n";

static const char dispatch[] = "    )\n"
                               "    if (( CURRENT == 2 )); then\n"
                               "        _describe -t commands subcommand subcommands\n"
                               "        _arguments '--help[how it is used]' '--version[which "
                               "release]'\n"
                               "        return\n"
                               "    fi\n"
                               "    local subcommand=$words[2]\n"
                               "    shift words\n"
                               "    (( CURRENT-- ))\n"
                               "    case $subcommand in\n";

static const char rest[] = "    esac\n"
                           "}\n"
                           "\n"
                           "_dlwatch \"$@\"\n";

/* In single quotes, inside the brackets of _arguments. */
static void put_help(FILE *out, const char *help)
{
    for (; *help; help++) {
        if (*help == '\'')
            fputs("'\\''", out);
        else {
            if (strchr("[]:\\", *help))
                fputc('\\', out);
            fputc(*help, out);
        }
    }
}

static void put_values(FILE *out, const struct dlw_choice *choice)
{
    bool is_pair = strchr(choice->values, ':');

    if (!choice->values[0])
        return;
    fputs(":value:", out);
    if (dlw_choice_has_words(choice)) {
        fputs(is_pair                        ? "{ _dlwatch_output "
              : dlw_choice_has_files(choice) ? "{ compadd -- "
                                             : "(",
              out);
        dlw_choice_words(out, choice, "");
        fputs(is_pair ? " }" : dlw_choice_has_files(choice) ? "; _files }" : ")", out);
    } else if (dlw_choice_has_files(choice)) {
        fputs("_files", out);
    } else {
        fputc(' ', out);
    }
}

static void options_of(FILE *out, const char *subcommand)
{
    const struct dlw_choice *choice;

    fprintf(out, "    %s)\n        _arguments -S \\\n", subcommand);
    for (size_t i = 0; (choice = dlw_choice_at(i)); i++) {
        if (strcmp(choice->subcommand, subcommand) != 0)
            continue;
        bool again = strchr(choice->values, ':');
        fprintf(out, "            '%s%s[", again ? "*" : "", choice->option);
        put_help(out, choice->help);
        fputc(']', out);
        put_values(out, choice);
        fputs("' \\\n", out);
    }
    fputs("            '(- *)--help[how it is used]' '(- *)--version[which release]' \\\n", out);
    if (strcmp(subcommand, "run") == 0)
        fputs("            '(-)1:command:_command_names -e' '*::arguments:_normal' ;;\n", out);
    else if (strcmp(subcommand, "attach") == 0)
        fputs("            '1:process:_pids' ;;\n", out);
    else
        fputs("            '*:file:_files' ;;\n", out);
}

void dlw_generate_zsh(FILE *out)
{
    const struct dlw_completed *subcommand;

    fputs(head, out);
    for (size_t i = 0; (subcommand = dlw_completed_at(i)); i++) {
        fprintf(out, "        '%s:", subcommand->name);
        put_help(out, subcommand->help);
        fputs("'\n", out);
    }
    fputs(dispatch, out);
    for (size_t i = 0; (subcommand = dlw_completed_at(i)); i++)
        options_of(out, subcommand->name);
    fputs(rest, out);
}
