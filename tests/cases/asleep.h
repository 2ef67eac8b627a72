/* Until the kernel says that a thread sleeps on a futex: it can't be told from inside. */
#ifndef DLW_TESTS_ASLEEP_H
#define DLW_TESTS_ASLEEP_H

#include "case.h"
#include <sys/syscall.h>

static inline void await_asleep(pid_t tid)
{
    char path[64], text[64];
    long number;

    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", (int)tid);
    for (;; sched_yield()) {
        FILE *file = fopen(path, "r");
        if (!file)
            exit(98);
        char *got = fgets(text, sizeof text, file);
        fclose(file);
        if (got && sscanf(text, "%ld", &number) == 1 && number == SYS_futex)
            return;
    }
}

#endif
