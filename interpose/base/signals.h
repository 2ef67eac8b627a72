/*
 * No signal handler of the program runs while this library holds a lock of its own: a handler that
 * stops the thread (the collectors of Guile, D, SBCL) would keep everybody else from that lock, and
 * one that jumps away would keep it for ever. So once the program has installed a handler for an
 * asynchronous signal, signals are blocked while a thread is inside the library (record.h: its
 * guard is up). That is a pair of system calls each time, which programs without handlers don't
 * pay.
 *
 * SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP and SIGSYS stay open: they come of what the thread does,
 * and blocked they would end the process. Handlers that were installed by a system call instruction
 * of the program's own are not seen (by libc's syscall() they are); against those every wait for an
 * internal lock has a limit (graph/base/lock.h).
 */
#ifndef DLW_BASE_SIGNALS_H
#define DLW_BASE_SIGNALS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Less than what the kernel puts on the stack for a handler, in bytes. */
enum { DLW_SIGNAL_FRAME = 1024 };

/* Is an alternate signal stack in use? If `inside` is not NULL, and there is one in use: does that
 * stack hold *inside? False in a confined process, which must not ask. */
bool dlw_signals_alternate_stack(const uintptr_t *inside);

/* What a thread had blocked before, while it has all blocked. */
struct dlw_shield {
    uint64_t before;
    bool is_up;
};

/* Set before the first handler is installed, and never cleared: it may be the child of a vfork that
 * restores the default, and what a pair of calls costs is not worth telling that. Relaxed: a thread
 * that doesn't see it yet has seen no signal of it either, or waits with a limit. */
extern _Atomic bool dlw_signals_are_caught;

/* A handler is about to be installed. */
void dlw_signals_note(int number);
/* Looks at the handlers that are installed already. */
void dlw_signals_start(void);

/* Blocks the calling thread's signals, if any may be caught; restores them. errno is kept. */
void dlw_shield_raise(struct dlw_shield *shield);
void dlw_shield_lower(struct dlw_shield *shield);
/* It was raised by what has been jumped out of: restores what the jump has not. In a handler, too,
 * where its own signal stays blocked. */
void dlw_shield_abandon(struct dlw_shield *shield);

#endif
