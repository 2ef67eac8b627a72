/* What can be completed: the same rows for each shell. */
#ifndef DLW_COMMAND_GENERATE_CHOICES_H
#define DLW_COMMAND_GENERATE_CHOICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct dlw_choice {
    const char *subcommand;
    const char *option; /* "--format=", "--watch": with = where a value follows */
    const char *values; /* as in choices.def */
    const char *help;
};

/* The rows of choices.def and, as run's, of options.def, one subcommand after the other. NULL: no
 * more. */
const struct dlw_choice *dlw_choice_at(size_t i);

/* What the values are. */
bool dlw_choice_has_words(const struct dlw_choice *choice);
bool dlw_choice_has_files(const struct dlw_choice *choice);
/* Numbers and names of programs: nothing can be offered. */
bool dlw_choice_is_free(const struct dlw_choice *choice);
/* The words among them, with `after` behind each and a blank between. */
void dlw_choice_words(FILE *out, const struct dlw_choice *choice, const char *after);
/* The length of the option's name without what leads and follows: "format". */
int dlw_choice_name(const struct dlw_choice *choice, const char **name);

struct dlw_completed {
    const char *name, *help;
};
/* The subcommands that are linked in. NULL: no more. */
const struct dlw_completed *dlw_completed_at(size_t i);

#endif
