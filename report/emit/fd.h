/*
 * Descriptors inside a stranger's process: it may close all of them and reuse the numbers, replace
 * them, or have set limits that make a write deadly. So a descriptor is recognised by what it
 * stands for, kept out of the way, and written to with the signals held back that a write can
 * raise.
 *
 * Raw system calls, no errno, safe from any thread and in a signal handler.
 */
#ifndef DLW_EMIT_FD_H
#define DLW_EMIT_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a descriptor stands for. All zero: nothing. */
struct dlw_fd_identity {
    uint64_t device, inode;
    uint32_t type; /* S_IFMT bits, 0: not known */
};

/* False (and all zero) when the descriptor is closed. `size` may be NULL. */
bool dlw_fd_identify(int fd, struct dlw_fd_identity *out, uint64_t *size);
bool dlw_fd_is(int fd, const struct dlw_fd_identity *identity);

/* Opens close-on-exec, out of the way (see dlw_fd_raise). Returns it, or -errno. */
int dlw_fd_open(const char *path, int flags, int mode);
/* Moves `fd` to a number that programs do not use (512 and up, where the limit allows). Returns
 * the new one; -errno, and `fd` is closed, when only 0, 1 or 2 was to be had. */
int dlw_fd_raise(int fd);
void dlw_fd_close(int fd);
/* Reads a small file, as those of /proc, as text of at most `size` - 1 bytes; its length, 0 when it
 * can't be read. Never waits: a pipe or a device is not read. */
size_t dlw_fd_read_text(const char *path, char *out, size_t size);

/* Writes all of it, whatever interrupts. 0 or -errno; *written, if given, is what went out. Into a
 * regular file it goes in one piece, elsewhere in pieces of whole lines. A pipe that is full is
 * waited for at most a second, blocking or not: -EAGAIN. SIGPIPE, SIGXFSZ and SIGTTOU never reach
 * the program through this. */
long dlw_fd_write(int fd, const char *text, size_t size, size_t *written);

enum { DLW_FD_ERROR_BYTES = 48 };
/* Words for -errno; uses `buffer` where there are none. */
const char *dlw_fd_error(char buffer[DLW_FD_ERROR_BYTES], long error);

#endif
