/*
 * Joins of Python's threads. Until 3.12 `Thread.join` is no pthread_join: a thread of the module
 * threading takes a lock at its start (`_tstate_lock`), CPython releases it when the thread's state
 * goes, and who gets it has joined the thread. What the thread did until then came before what the
 * joiner does from then on (graph/life.h). From 3.13 on CPython calls pthread_join.
 *
 * That lock is known by the line of Python that takes it (python/calls.h), and orders nothing else:
 * once released it is a signal, whose mark says ENDED.
 */
#ifndef DLW_ORDER_PYTHON_JOIN_H
#define DLW_ORDER_PYTHON_JOIN_H

#include "interpose/threads/held.h"

#include <semaphore.h>

/* The thread is about to post its `python_end`, the entry `index` of its held stack. */
void dlw_python_ends(struct dlw_thread *self, uint32_t index);
/* It has got a semaphore whose mark says ENDED. errno is as it was. Returns 0. */
int dlw_python_joined(struct dlw_thread *self, const sem_t *semaphore);

/* The semaphore is initialised or destroyed. What was published at it goes with its annotation. */
static inline void dlw_python_end_goes(struct dlw_thread *self, const sem_t *semaphore)
{
    if (self->python_end == (uintptr_t)semaphore)
        self->python_end = 0;
}

#endif
