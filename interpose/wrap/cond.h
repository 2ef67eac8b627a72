/* What a condition wait leaves behind when it is left without a return (wait.h). */
#ifndef DLW_WRAP_COND_H
#define DLW_WRAP_COND_H

#include "interpose/threads/record.h"

/* Takes back what the wait changed; libc has taken the mutex back when the wait was cancelled. Does
 * nothing when the wait left was no condition wait. */
void dlw_cond_left(struct dlw_thread *self, uintptr_t mutex, struct dlw_call call);

#endif
