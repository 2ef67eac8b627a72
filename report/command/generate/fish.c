/* Completion for fish. */
#include "report/command/generate/generate.h"

#include "report/command/generate/choices.h"

#include <string.h>

static void put_quoted(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('\'', out);
}

/* -x: a value of these words; -r: a value, files for want of anything better. */
static void put_values(FILE *out, const struct dlw_choice *choice)
{
    if (!choice->values[0])
        return;
    fputs(dlw_choice_has_files(choice) ? " -r -F" : " -x", out);
    if (!dlw_choice_has_words(choice))
        return;
    fputs(" -a '", out);
    dlw_choice_words(out, choice, strchr(choice->values, ':') ? ":" : "");
    fputc('\'', out);
}

static void put_option(FILE *out, const struct dlw_choice *choice)
{
    const char *name;
    int n = dlw_choice_name(choice, &name);

    fprintf(out, "complete -c dlwatch -n '__dlwatch_before_command %s' -l %.*s", choice->subcommand,
            n, name);
    put_values(out, choice);
    fputs(" -d ", out);
    put_quoted(out, choice->help);
    fputc('\n', out);
}

static const char head[] =
    "# fish completion for dlwatch\n"
    "\n"
    "# This subcommand, and of `run` not yet the command that it watches.\n"
    "function __dlwatch_before_command\n"
    "    set -l words (commandline -opc)\n"
    "    test (count $words) -ge 2; and test $words[2] = $argv[1]; or return 1\n"
    "    test $argv[1] = run; or return 0\n"
    "    for word in $words[3..-1]\n"
    "        string match -q -- '-?*' $word; and test $word != --; or return 1\n"
    "    end\n"
    "end\n"
    "\n"
    "# What stands after the options of `run` is completed as by itself.\n"
    "function __dlwatch_command\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    set -e words[1..2]\n"
    "    while string match -q -- '-*' $words[1]\n"
    "        set -q words[2]; or return\n"
    "        set -l word $words[1]\n"
    "        set -e words[1]\n"
    "        test $word = --; and break\n"
    "    end\n"
    "    complete -C (string join ' ' -- $words)\n"
    "end\n"
    "\n"
    "complete -c dlwatch -f\n"
    "complete -c dlwatch -n __fish_use_subcommand -l help -d 'how it is used'\n"
    "complete -c dlwatch -n __fish_use_subcommand -l version -d 'which release'\n";

static const char rest[] =
    "complete -c dlwatch -n '__fish_seen_subcommand_from run' -a '(__dlwatch_command)'\n"
    "complete -c dlwatch -n '__dlwatch_before_command attach' -a '(__fish_complete_pids)'\n"
    "complete -c dlwatch -n '__dlwatch_before_command report' -F\n"
    "complete -c dlwatch -n '__dlwatch_before_command merge' -F\n"
    "complete -c dlwatch -n '__dlwatch_before_command core' -F\n";

void dlw_generate_fish(FILE *out)
{
    const struct dlw_completed *subcommand;
    const struct dlw_choice *choice;

    fputs(head, out);
    for (size_t i = 0; (subcommand = dlw_completed_at(i)); i++) {
        fprintf(out, "complete -c dlwatch -n __fish_use_subcommand -a %s -d ", subcommand->name);
        put_quoted(out, subcommand->help);
        fputc('\n', out);
    }
    for (size_t i = 0; (choice = dlw_choice_at(i)); i++)
        put_option(out, choice);
    fputs(rest, out);
}
