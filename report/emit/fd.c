#include "report/emit/fd.h"

#include "graph/base/sys.h"
#include "report/emit/line.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

enum { KERNEL_SIGSET_BYTES = 8, HIGH_FD = 512, FULL_PIPE_MS = 1000 };

static uint64_t signal_bit(int signal_number)
{
    return UINT64_C(1) << (signal_number - 1);
}

/* struct stat is the kernel's own on the 64-bit architectures. */
bool dlw_fd_identify(int fd, struct dlw_fd_identity *out, uint64_t *size)
{
    struct stat status;

    memset(out, 0, sizeof *out);
    if (dlw_syscall(SYS_fstat, fd, &status) < 0)
        return false;
    out->device = status.st_dev;
    out->inode = status.st_ino;
    out->type = status.st_mode & S_IFMT;
    if (size)
        *size = (uint64_t)status.st_size;
    return true;
}

bool dlw_fd_is(int fd, const struct dlw_fd_identity *identity)
{
    struct dlw_fd_identity now;

    return identity->type && dlw_fd_identify(fd, &now, NULL) && now.device == identity->device &&
           now.inode == identity->inode && now.type == identity->type;
}

void dlw_fd_close(int fd)
{
    dlw_syscall(SYS_close, fd);
}

/* The lowest number to move to: out of select()'s usual reach for small programs, yet allowed. */
static long high_number(void)
{
    struct rlimit limit = {0, 0};

    dlw_syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
    if (limit.rlim_cur > HIGH_FD)
        return HIGH_FD;
    return limit.rlim_cur > 24 ? (long)limit.rlim_cur - 16 : 3;
}

int dlw_fd_raise(int fd)
{
    long high = dlw_syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, high_number());

    if (high < 0)
        high = dlw_syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3);
    if (high < 0 && fd > 2 && high != -EBADF)
        return fd;
    dlw_fd_close(fd);
    return (int)high;
}

int dlw_fd_open(const char *path, int flags, int mode)
{
    long fd;

    do
        fd = dlw_syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC | O_NOCTTY, mode);
    while (fd == -EINTR);
    return fd < 0 ? (int)fd : dlw_fd_raise((int)fd);
}

static bool is_regular(int fd)
{
    struct dlw_fd_identity identity;

    return dlw_fd_identify(fd, &identity, NULL) && identity.type == S_IFREG;
}

size_t dlw_fd_read_text(const char *path, char *out, size_t size)
{
    int fd = dlw_fd_open(path, O_RDONLY | O_NONBLOCK, 0);
    size_t used = 0;
    long got = fd >= 0 && is_regular(fd) ? 1 : 0;

    while (got > 0 || got == -EINTR) {
        got = dlw_syscall(SYS_read, fd, out + used, size - 1 - used);
        used += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0)
        dlw_fd_close(fd);
    out[used] = '\0';
    return used;
}

/* ---- writing ---- */

struct quiet {
    uint64_t old_mask, was_pending;
};

static void quiet_begin(struct quiet *quiet)
{
    uint64_t held_back = signal_bit(SIGPIPE) | signal_bit(SIGXFSZ) | signal_bit(SIGTTOU);

    quiet->old_mask = 0;
    quiet->was_pending = 0;
    dlw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, &held_back, &quiet->old_mask, KERNEL_SIGSET_BYTES);
    dlw_syscall(SYS_rt_sigpending, &quiet->was_pending, KERNEL_SIGSET_BYTES);
}

/* Takes back the signal that our own write raised; one that was pending before is the program's. */
static void quiet_end(const struct quiet *quiet, long error)
{
    uint64_t raised = error == -EPIPE   ? signal_bit(SIGPIPE)
                      : error == -EFBIG ? signal_bit(SIGXFSZ)
                                        : 0;
    struct timespec at_once = {0, 0};

    if (raised & ~quiet->was_pending)
        dlw_syscall(SYS_rt_sigtimedwait, &raised, NULL, &at_once, KERNEL_SIGSET_BYTES);
    dlw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &quiet->old_mask, NULL, KERNEL_SIGSET_BYTES);
}

static bool wait_until_writable(int fd)
{
    struct pollfd entry = {fd, POLLOUT, 0};
    struct timespec limit = {FULL_PIPE_MS / 1000, 0};

    return dlw_syscall(SYS_ppoll, &entry, 1, &limit, NULL, KERNEL_SIGSET_BYTES) > 0;
}

/* As much as a pipe takes in one piece (and without waiting, once it is writable), cut where a line
 * ends: what others write at the same time then stands between two lines. */
static size_t piece_of(const char *text, size_t size)
{
    size_t whole = size < PIPE_BUF ? size : PIPE_BUF;

    for (size_t n = size > PIPE_BUF ? whole : 0; n; n--)
        if (text[n - 1] == '\n')
            return n;
    return whole;
}

static long write_quietly(int fd, const char *text, size_t size, size_t *written)
{
    bool in_one = is_regular(fd);

    while (*written < size) {
        size_t left = size - *written;
        if (!in_one && !wait_until_writable(fd))
            return -EAGAIN;
        long got = dlw_syscall(SYS_write, fd, text + *written,
                               in_one ? left : piece_of(text + *written, left));
        if (got >= 0)
            *written += (size_t)got;
        else if (got != -EAGAIN && got != -EINTR)
            return got;
    }
    return 0;
}

long dlw_fd_write(int fd, const char *text, size_t size, size_t *written)
{
    struct quiet quiet;
    size_t out = 0;

    quiet_begin(&quiet);
    long error = write_quietly(fd, text, size, &out);
    quiet_end(&quiet, error);
    if (written)
        *written = out;
    return error;
}

/* ---- words ---- */

static const struct {
    int error;
    const char *words;
} error_words[] = {
    {EACCES, "permission denied"},
    {EBADF, "the descriptor was closed"},
    {EDQUOT, "disk quota exceeded"},
    {EEXIST, "every name is taken"},
    {EFBIG, "file size limit reached"},
    {EIO, "input/output error"},
    {EISDIR, "it is a folder"},
    {ELOOP, "too many symbolic links"},
    {EMFILE, "too many open files"},
    {ENAMETOOLONG, "the name is too long"},
    {ENFILE, "too many open files in the system"},
    {ENOENT, "no such file or folder"},
    {ENOMEM, "out of memory"},
    {ENOSPC, "no space left on the device"},
    {ENOTDIR, "a part of the path is not a folder"},
    {ENXIO, "nobody reads from it"},
    {EPERM, "not permitted"},
    {EPIPE, "nobody reads from it any more"},
    {EROFS, "the file system is read-only"},
};

const char *dlw_fd_error(char buffer[DLW_FD_ERROR_BYTES], long error)
{
    struct dlw_line line = {buffer, 0, DLW_FD_ERROR_BYTES - 1};

    for (size_t i = 0; i < sizeof error_words / sizeof error_words[0]; i++)
        if (error_words[i].error == -error)
            return error_words[i].words;
    dlw_line_add(&line, "error ");
    dlw_line_add_number(&line, (uint64_t)-error);
    return buffer;
}
