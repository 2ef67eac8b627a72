/*
 * What an exec is about to start, and whether this library can be loaded into it. It is asked in
 * children made by vfork too: nothing here allocates, takes a lock or writes to memory that lasts.
 */
#ifndef DLW_PROCESS_TARGET_H
#define DLW_PROCESS_TARGET_H

#include <stdbool.h>
#include <stddef.h>

enum dlw_target {
    DLW_TARGET_LOADS,         /* glibc's loader starts it; or nothing is known */
    DLW_TARGET_STATIC,        /* nothing can be preloaded; its children get what it hands on */
    DLW_TARGET_PRIVILEGED,    /* setuid, setgid, capabilities: the loader drops what is preloaded */
    DLW_TARGET_OTHER_LIBC,    /* would not even start with a library made for glibc */
    DLW_TARGET_OTHER_MACHINE, /* its loader would complain of our library */
};

enum { DLW_TARGET_PATH = 1024 };

/* The file that exec, or (searched) execvp, would start, into `out`; false: none, or its path is
 * too long. */
bool dlw_target_find(const char *file, bool is_searched, char out[DLW_TARGET_PATH]);
/* Scripts are followed to their interpreters. Never waits: only regular files are opened. */
enum dlw_target dlw_target_of(const char *path);
/* In the words of the summary; NULL for DLW_TARGET_LOADS. */
const char *dlw_target_words(enum dlw_target target);

#endif
