/* The options of a command line, and what somebody who mistyped a word may have meant. */
#ifndef DLW_COMMAND_BASE_OPTIONS_H
#define DLW_COMMAND_BASE_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

/* Every subcommand has them, short and long. */
#define DLW_HELP_OPTIONS                                                                           \
    {"help", no_argument, NULL, 'h'},                                                              \
    {                                                                                              \
        "version", no_argument, NULL, 'V'                                                          \
    }

/* What getopt_long returns, but that '?' comes after a message of ours, which names the nearest
 * long option. `shorts` without a colon in front; 'h' and 'V' are added. */
int dlw_option(const char *subcommand, int argc, char **argv, const char *shorts,
               const struct option *options);
/* What is left of them when a subcommand has taken its own: help, version, or one that was wrong
 * and is told. The status to end with, plus 1. */
int dlw_option_common(int option, void (*print_help)(void));
/* Of names, ending with NULL, that which `word` was meant to be; NULL: none is near. */
const char *dlw_nearest(const char *word, const char *const *names);
/* What `name` of PATH, or with a slash of the folder, would run; false: nothing. */
bool dlw_can_be_run(const char *name);

#endif
