/* The life of threads, for the modules that need to know of it. */
#ifndef DLW_WRAP_THREAD_H
#define DLW_WRAP_THREAD_H

#include "interpose/threads/record.h"

/* Once, in the constructor. */
void dlw_create_start(void);
/* Has the calling thread's end told to us: after the program's own destructors. */
void dlw_create_watch_end(struct dlw_thread *self);
/* A thread that may still be joined: its id, and its tid (0 once it has ended). */
bool dlw_create_of_handle(pthread_t handle, uint32_t *id, uint32_t *tid);
void dlw_create_before_fork(void);
void dlw_create_after_fork(bool child);

#endif
