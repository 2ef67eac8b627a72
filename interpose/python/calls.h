/*
 * What the line of Python asks for that runs now. CPython tries for a lock first, and waits only
 * where that failed, so the calls below it don't tell a `with` from acquire(blocking=False): the
 * instruction does.
 */
#ifndef DLW_PYTHON_CALLS_H
#define DLW_PYTHON_CALLS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum dlw_python_asks {
    DLW_PYTHON_UNKNOWN, /* or with arguments: it may be a try, or have a limit */
    DLW_PYTHON_WITH,
    DLW_PYTHON_CALLS, /* a call without arguments: acquire(), __enter__() */
};

struct dlw_python_request {
    enum dlw_python_asks asks;
    uintptr_t code; /* whose line it is, for the questions below; 0: not known */
};

/* Of the calling thread, `self`, which holds this GIL. */
struct dlw_python_request dlw_python_request(uintptr_t gil, pthread_t self);

/* Each compares a name, so they are asked for where something depends on it. By the same thread,
 * before it goes back to the interpreter. */

/* Is the line one of the module threading's own? */
bool dlw_python_is_threading(const struct dlw_python_request *request);
/* Does it take the lock that CPython releases for it when the thread ends? */
bool dlw_python_makes_end(const struct dlw_python_request *request);
/* Is it one of those that import modules? */
bool dlw_python_is_importing(const struct dlw_python_request *request);

#endif
