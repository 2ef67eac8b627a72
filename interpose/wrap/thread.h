/* The life of threads, for the modules that need to know of it. */
#ifndef DLW_WRAP_THREAD_H
#define DLW_WRAP_THREAD_H

#include "interpose/threads/record.h"

/* Once, in the constructor. */
void dlw_create_start(void);
/* Has the calling thread's end told to us: after the program's own destructors. */
void dlw_create_watch_end(struct dlw_thread *self);

#endif
