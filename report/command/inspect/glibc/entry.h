/*
 * Which of the C library's functions a thread went into. Three sources, since a stripped library
 * names only what it exports: the names of the frames, the name of what the program's call
 * instruction leads to (functions that end in a jump leave no frame), and nothing.
 */
#ifndef DLW_COMMAND_INSPECT_GLIBC_ENTRY_H
#define DLW_COMMAND_INSPECT_GLIBC_ENTRY_H

#include "report/command/inspect/target/target.h"

enum dlw_entry {
    DLW_ENTRY_UNKNOWN, /* in the library, no name known */
    DLW_ENTRY_MUTEX,
    DLW_ENTRY_CONDITION,
    DLW_ENTRY_READ,
    DLW_ENTRY_WRITE,
    DLW_ENTRY_SEMAPHORE,
    DLW_ENTRY_BARRIER,
    DLW_ENTRY_ONCE,
    DLW_ENTRY_JOIN,
    DLW_ENTRY_SPIN,
    DLW_ENTRY_GUARD,
    DLW_ENTRY_DESTROY_CONDITION,
    DLW_ENTRY_DESTROY_BARRIER,
    DLW_ENTRY_OTHER, /* in the program's own code: `syscall`, or none of the library's */
};

enum dlw_entry dlw_entry_find(struct dlw_target *target, const struct dlw_seen_thread *thread);
/* By a function's name, with the underscores and suffixes that glibc gives them. */
enum dlw_entry dlw_entry_of_name(const char *function);
/* The name of the function at a place; NULL: not known. */
const char *dlw_entry_function(const struct dlw_target *target, const struct dlw_place *place);

#endif
