/*
 * Where glibc keeps what we look at, by version and processor: one table. It is believed only
 * where the process agrees (each thread's own number must stand where the layout says).
 */
#ifndef DLW_COMMAND_INSPECT_GLIBC_LAYOUTS_H
#define DLW_COMMAND_INSPECT_GLIBC_LAYOUTS_H

#include <stdbool.h>
#include <stdint.h>

struct dlw_layout {
    int from, to; /* versions, 2036 for 2.36, inclusive */
    int machine;  /* EM_… */
    /* pthread_mutex_t */
    uint16_t mutex_owner, mutex_users, mutex_kind;
    /* pthread_rwlock_t: the words waited on, and the writer's tid */
    uint16_t rwlock_phase, rwlock_writers, rwlock_writer, rwlock_kind;
    /* pthread_cond_t: the two words waited on stand side by side, behind the one that counts */
    uint16_t cond_signals;
    uint16_t barrier_round, barrier_count;
    uint16_t file_owner; /* in the lock that a FILE points to */
    /* struct pthread, at the address that is the thread's handle: its tid */
    int32_t thread_tid;
    int32_t thread_join; /* the word that its joiners sleep on, from its tid; 0: the tid itself */
    /* From it to the thread pointer: none on x86-64, all of it on aarch64. */
    uint32_t thread_size;
    bool is_certain; /* from the table; false: the nearest row, for an unknown version */
};

/* The layout for a version (0: not known) and machine; false where there is none. */
bool dlw_layout_find(int version, int machine, struct dlw_layout *out);

/* "2.36" → 2036, 0 where there is none. */
int dlw_layout_version(const char *text);

#endif
