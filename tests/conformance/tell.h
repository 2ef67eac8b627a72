/*
 * The conformance programs print everything that a program can observe of each call:
 * what it returned and whether errno changed. tests/conformance/run.sh compares
 * what they print natively with what they print under the library, byte by byte.
 * "// quiet" in a program says that it does nothing wrong: no finding may come of it.
 */
#ifndef DLW_TESTS_TELL_H
#define DLW_TESTS_TELL_H

#include "case.h"
#include <stdarg.h>
#include <time.h>

#define UNTOUCHED 77

static inline void tell(const char *what, long result, int error)
{
    if (result > 0)
        printf("%s = %ld (%s)", what, result, strerror((int)result));
    else
        printf("%s = %ld", what, result);
    if (error != UNTOUCHED)
        printf(" (errno %s)", strerror(error));
    printf("\n");
    fflush(stdout);
}

/* Runs the call, then prints it, its result and what it did to errno. */
#define TELL(call)                                                                                 \
    do {                                                                                           \
        errno = UNTOUCHED;                                                                         \
        long result_ = (long)(call);                                                               \
        tell(#call, result_, errno);                                                               \
    } while (0)

static inline void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
}

static const struct timespec past = {1, 0}, crooked = {1, 1000000000};

static inline const struct timespec *from_now(clockid_t clock, long ms)
{
    static __thread struct timespec t;
    clock_gettime(clock, &t);
    t.tv_sec += ms / 1000 + (t.tv_nsec + ms % 1000 * 1000000) / 1000000000;
    t.tv_nsec = (t.tv_nsec + ms % 1000 * 1000000) % 1000000000;
    return &t;
}

/* Runs `play` in another thread to its end. */
static inline void aside(void (*play)(void))
{
    JOIN(spawn("aside", play));
}

#endif
