/*
 * Is everybody asleep? The proof behind a stall and behind cycles over semaphores: each thread of
 * the process has published a wait, the kernel says that it sleeps in it, and nobody moved between
 * two looks. The calling thread has published its own and is about to sleep.
 *
 * Called with the guard up and no internal lock held. False in doubt.
 */
#ifndef DLW_WATCH_QUIESCENCE_H
#define DLW_WATCH_QUIESCENCE_H

#include "interpose/threads/record.h"

#include <stdbool.h>

/* Does the thread sleep in the wait that it has published? One that has been woken no longer does.
 * Of another thread; with the threads lock held, or not. */
bool dlw_quiescence_sleeps(const struct dlw_thread *thread);
bool dlw_quiescence_is_proved(struct dlw_thread *self);
bool dlw_quiescence_comes_soon(struct dlw_thread *self);

#endif
