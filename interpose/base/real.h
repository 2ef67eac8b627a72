/*
 * The functions behind the wrappers. Looked up once, by dlsym(RTLD_NEXT), at the first call or in
 * the constructor, whichever comes first; from then on one load.
 */
#ifndef DLW_BASE_REAL_H
#define DLW_BASE_REAL_H

#include "interpose/base/platform.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <threads.h>
#include <time.h>

struct dlw_real {
#define WRAP(type, name, parameters) type(*name) parameters;
#define THREADS_WRAP WRAP
#include "interpose/base/wrapped.def"
#undef WRAP
#undef THREADS_WRAP
};

extern struct dlw_real real;

/* The exported functions that are defined below, by their own names. */
#define EXPORTED(type, name, parameters) DLW_EXPORTED_NAME(name)
#define WRAP EXPORTED
#define THREADS_WRAP EXPORTED
#define OPTIONAL_WRAP EXPORTED
#define OWN_EXPORT EXPORTED
#define VARIADIC_WRAP(type, name, parameters)
#include "interpose/base/wrapped.def"
#undef WRAP
#undef THREADS_WRAP
#undef EXPORTED

/* Fills the table if it is empty. Any thread, any time; idempotent. */
void dlw_real_resolve(void);

/* The program came with the functions of threads: always from glibc 2.34 on. On an older one where
 * it, or a library that it is linked with, is linked with libpthread. Where that is not so libc's
 * own locks do nothing, and there is nothing to watch. Any time. */
bool dlw_libc_has_threads(void);

/*
 * Functions that the library calls itself, of libc and not of a program that has its own under the
 * same name (faketime's clock, Firefox's fork handlers). Looked up in the constructor, NULL before.
 */
struct dlw_libc {
    int (*clock_gettime)(clockid_t, struct timespec *);
    int (*register_atfork)(void (*)(void), void (*)(void), void (*)(void), void *);
    void (*exit)(int);
};
extern struct dlw_libc dlw_libc;
void dlw_libc_start(void);

#define DLW_EXPORT __attribute__((visibility("default")))
#define DLW_COLD __attribute__((noinline, cold))
/* Out of the way of the shortest path, but often enough taken to be compiled for speed. */
#define DLW_NOINLINE __attribute__((noinline))

#endif
