/*
 * What lower rooms ask of higher ones: one table, which start.c fills. Every other call between
 * rooms goes down (tests/layers.sh).
 */
#ifndef DLW_THREADS_HOOKS_H
#define DLW_THREADS_HOOKS_H

#include "interpose/base/platform.h"

#include <stdbool.h>
#include <stdint.h>

struct dlw_held_lock;
struct dlw_thread;

struct dlw_hooks {
    /* The guard opens after a release passed under it: entries that the locks deny go. */
    void (*purge)(struct dlw_thread *self);
    /* The library switched itself off, and no internal lock is held any more. */
    void (*switched_off)(const char *reason);
    /* A record becomes the calling thread's: it gets a segment, if it has none. */
    void (*thread_starts)(struct dlw_thread *record);
    /* A thread ends: what it counted of its locks' cost is added to the process's. */
    void (*thread_counted)(struct dlw_thread *record);
    /* The thread's end is to be told to the library: after the program's own destructors. */
    void (*watch_end)(struct dlw_thread *self);
    /* A condition wait was left without a return (cancelled, or jumped out of). */
    void (*condition_left)(struct dlw_thread *self, uintptr_t mutex, struct dlw_call call);
    /* A rule is learned for a return address: does a role begin or end there (steer/role.h)? With
     * the lock of the rules held. */
    bool (*place_has_role)(uintptr_t pc);
    /* A lock was taken at such a place, by this call. Its entry may have moved when it returns. */
    void (*role_taken)(struct dlw_thread *self, struct dlw_held_lock *held, struct dlw_call call);
    /* Around a copy of this process that is made without the fork handlers (fork.h). */
    void (*before_fork)(void);
    void (*after_fork_in_parent)(void);
    void (*after_fork_in_child)(void);
};

extern const struct dlw_hooks dlw_hooks; /* in start.c */

#endif
