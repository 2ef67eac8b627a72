/*
 * The loader's lock on its list of modules. dl_iterate_phdr() takes it, and calls the program with
 * it in hand: a callback may wait there for a thread that comes to one of our wrappers, or a
 * collector of garbage that has stopped that thread may look through the modules. So the library
 * never waits for it, but tries; and who has it has signals blocked.
 */
#ifndef DLW_BASE_LOADER_H
#define DLW_BASE_LOADER_H

#include <stdbool.h>

/* In the constructor: finds out where it lies. */
void dlw_loader_start(void);

/* True: the caller has it, and may call dl_iterate_phdr(), until dlw_loader_leave(). False: it is
 * another thread's, or it is not known where it lies and there are other threads. */
bool dlw_loader_try(void);
void dlw_loader_leave(void);
bool dlw_loader_is_known(void);

#endif
