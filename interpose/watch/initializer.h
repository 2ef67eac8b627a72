/*
 * Code that one thread runs while others wait for it to be done: once-routines and the
 * initialisation of function-local statics. A lock without an owner word, known by address.
 */
#ifndef DLW_WATCH_INITIALIZER_H
#define DLW_WATCH_INITIALIZER_H

#include "interpose/base/platform.h"
#include "interpose/threads/record.h"

void dlw_initializer_enter(struct dlw_thread *self, void *object, unsigned kind,
                           struct dlw_call call);
void dlw_initializer_leave(struct dlw_thread *self, const void *object);
/* Another call for the same object is running: publishes the wait (the caller ends it with
 * dlw_wait_end). */
void dlw_initializer_wait(struct dlw_thread *self, void *object, unsigned kind, unsigned wait_kind,
                          struct dlw_call call);

#endif
