/*
 * What the subcommands share: messages, status, and the table. A message is one line
 * "dlwatch: lower case text" on stderr.
 */
#ifndef DLW_COMMAND_BASE_COMMAND_H
#define DLW_COMMAND_BASE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { DLW_STATUS_OK = 0, DLW_STATUS_FOUND = 66, DLW_STATUS_TROUBLE = 2 };

#define DLW_SUBCOMMAND(name, arguments, help)                                                      \
    int dlw_##name##_main(int argc, char **argv) __attribute__((weak));
#include "report/command/base/subcommand.def"
#undef DLW_SUBCOMMAND

/* What SIGPIPE did when the command was started: we ignore it, whoever we start must not. */
extern void (*dlw_inherited_sigpipe)(int);

/* One line on stderr. */
void dlw_message(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, then "Try 'dlwatch NAME --help'"; returns DLW_STATUS_TROUBLE. */
int dlw_usage_error(const char *subcommand, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Opens a file that an option names, for reading; NULL after a message. A pipe or a device is none
 * (opening it may wait for ever), but for one that was handed over open, as by <(...). */
FILE *dlw_open_file(const char *path);
/* What kind of ELF file it is (ET_EXEC, ET_DYN, ET_CORE); -1: none. */
int dlw_elf_type(int descriptor);
/* Parses a decimal within [low, high]; false: it is none. */
bool dlw_parse_number(const char *text, long low, long high, long *out);

#endif
