/* The life of threads, for the modules that need to know of it. */
#ifndef DLW_WRAP_THREAD_H
#define DLW_WRAP_THREAD_H

#include "interpose/threads/record.h"

/* Once, in the constructor. */
void dlw_thread_end_start(void);
/* The calling thread was not begun by us: the main one, or made by libc itself. */
void dlw_thread_end_watch(struct dlw_thread *self);

#endif
