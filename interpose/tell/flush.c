#include "interpose/tell/flush.h"

#include "graph/base/sys.h"
#include "report/emit/say.h"

#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <time.h>
#include <wchar.h>

/* Not a pipe without readers: its signal would end the process before the option does. */
static bool can_take_more(int descriptor)
{
    struct pollfd entry = {.fd = descriptor, .events = POLLOUT};
    struct timespec at_once = {0, 0};

    return dlw_syscall(SYS_ppoll, &entry, 1, &at_once, NULL, 8) == 1 && entry.revents == POLLOUT;
}

/* A pipe that can be written to takes PIPE_BUF bytes without waiting, so no more is written at a
 * time. Returns how much was left. */
static size_t write_pending(int descriptor, const char *at, size_t size)
{
    while (size && can_take_more(descriptor)) {
        long written =
            dlw_syscall(SYS_write, descriptor, at, size < PIPE_BUF ? size : (size_t)PIPE_BUF);
        if (written <= 0)
            break;
        at += written;
        size -= (size_t)written;
    }
    return size;
}

static void complain(size_t left, const char *why)
{
    char number[24];

    if (left)
        dlw_say("ended with ", dlw_say_number(number, left), " bytes of stdout unwritten: ", why,
                NULL);
}

/* Bytes, not wide characters, which are still to be converted; and going to a descriptor, not to a
 * function of the program. */
static bool is_plain(FILE *file)
{
    return fwide(file, 0) <= 0 && fileno(file) >= 0;
}

void dlw_flush_stdout(void)
{
    if (!stdout)
        return;
    if (ftrylockfile(stdout) != 0) {
        complain(__fpending(stdout), "a thread is in the middle of writing");
        return;
    }
    size_t left = __fpending(stdout);
    if (left && !is_plain(stdout))
        complain(left, "they go through code of the program");
    else if (left)
        complain(write_pending(fileno(stdout), stdout->_IO_write_base, left),
                 "who reads them doesn't take them now");
}
