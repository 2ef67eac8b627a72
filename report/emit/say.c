/*
 * Whoever speaks first opens the log file; the open descriptor is published as one word that
 * carries its number and a hash of (process, device, inode). A forked child, a program that closed
 * the descriptor, or one that put another file in its place finds that the word no longer fits and
 * opens the file again: no lock, no moment in which half of a state is seen.
 */
#include "report/emit/say.h"

#include "graph/base/sys.h"
#include "report/emit/fd.h"
#include "report/emit/line.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

enum { LINE_BYTES = 1024, MARK_BITS = 48, NAME_BYTES = 256 };

enum log_kind { LOG_STDERR, LOG_NONE, LOG_PATH };

/* Written by dlw_say_start before there is anybody else, only read afterwards. */
static struct {
    enum log_kind kind;
    bool lines_only; /* who reads our journal prints the blocks */
    struct dlw_fd_identity stderr_then;
    char pattern[PATH_MAX];
    char folder[PATH_MAX]; /* empty: the pattern is absolute */
    char name[NAME_BYTES]; /* of the program */
} log_to;

/* number << MARK_BITS | mark, or 0: not open. */
static _Atomic uint64_t open_log;
static _Atomic bool log_failed; /* warned about, and stderr takes its place */

static void copy_text(char *out, size_t size, const char *text)
{
    struct dlw_line line = {out, 0, size - 1};

    dlw_line_add(&line, text);
}

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void dlw_say_start(const struct dlw_options *options, const char *start_folder, const char *exe)
{
    const char *log = options->log;

    log_to.lines_only = log && strncmp(log, DLW_SAY_LINES, strlen(DLW_SAY_LINES)) == 0;
    if (log_to.lines_only)
        log += strlen(DLW_SAY_LINES);
    dlw_fd_identify(2, &log_to.stderr_then, NULL);
    atomic_store_explicit(&open_log, 0, memory_order_relaxed);
    atomic_store_explicit(&log_failed, false, memory_order_relaxed);
    if (!log || strcmp(log, "stderr") == 0)
        log_to.kind = LOG_STDERR;
    else if (strcmp(log, "none") == 0)
        log_to.kind = LOG_NONE;
    else
        log_to.kind = LOG_PATH;
    copy_text(log_to.pattern, sizeof log_to.pattern, log ? log : "");
    copy_text(log_to.folder, sizeof log_to.folder,
              log && log[0] != '/' && start_folder ? start_folder : "");
    copy_text(log_to.name, sizeof log_to.name, exe ? last_component(exe) : "");
}

/* ---- the log file ---- */

static uint32_t own_pid(void)
{
    return (uint32_t)dlw_syscall(SYS_getpid);
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    a = (a ^ b) * UINT64_C(0x9e3779b97f4a7c15);
    return a ^ a >> 32;
}

static uint64_t mark_of(int fd)
{
    struct dlw_fd_identity identity;

    if (!dlw_fd_identify(fd, &identity, NULL))
        return 0;
    uint64_t mark = mix(mix(mix(own_pid(), identity.device), identity.inode), identity.type);
    return (mark & ((UINT64_C(1) << MARK_BITS) - 1)) | 1;
}

/* Length of the path, 0: too long. */
static size_t log_path(char *out, size_t size)
{
    struct dlw_line line = {out, 0, size - 1};

    if (log_to.folder[0]) {
        dlw_line_add(&line, log_to.folder);
        dlw_line_add(&line, "/");
    }
    return dlw_options_path(out + line.used, size - line.used, log_to.pattern, own_pid(),
                            log_to.name, 0);
}

static int open_log_file(void)
{
    char path[PATH_MAX];

    if (!log_path(path, sizeof path))
        return -ENAMETOOLONG;
    /* Not to wait for the reader of a fifo; the flag goes again at once. */
    int fd = dlw_fd_open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0644);
    if (fd >= 0)
        dlw_syscall(SYS_fcntl, fd, F_SETFL, O_APPEND);
    return fd;
}

static int stderr_descriptor(void)
{
    return dlw_fd_is(2, &log_to.stderr_then) ? 2 : -1;
}

static void log_give_up(long error)
{
    char text[LINE_BYTES];
    char words[DLW_FD_ERROR_BYTES];
    struct dlw_line line = DLW_LINE(text);
    int fd = stderr_descriptor();

    if (atomic_exchange_explicit(&log_failed, true, memory_order_relaxed) || fd < 0)
        return;
    dlw_line_add(&line, "dlwatch[");
    dlw_line_add_number(&line, own_pid());
    dlw_line_add(&line, "]: can't open the log '");
    dlw_line_add_bytes(&line, log_to.pattern, strnlen(log_to.pattern, LINE_BYTES / 2));
    dlw_line_add(&line, "': ");
    dlw_line_add(&line, dlw_fd_error(words, error));
    dlw_line_add(&line, "; using stderr\n");
    dlw_fd_write(fd, text, line.used, NULL);
}

/* The open log file, or -1 when it can't be had. */
static int log_descriptor(void)
{
    uint64_t word = atomic_load_explicit(&open_log, memory_order_relaxed);
    int fd = (int)(word >> MARK_BITS);

    if (word && mark_of(fd) == (word & ((UINT64_C(1) << MARK_BITS) - 1)))
        return fd;
    fd = open_log_file();
    if (fd >= 1 << (64 - MARK_BITS)) { /* does not fit the word: as good as none left */
        dlw_fd_close(fd);
        fd = -EMFILE;
    }
    if (fd < 0) {
        log_give_up(fd);
        return -1;
    }
    uint64_t fresh = (uint64_t)(unsigned)fd << MARK_BITS | mark_of(fd);
    if (atomic_compare_exchange_strong_explicit(&open_log, &word, fresh, memory_order_relaxed,
                                                memory_order_relaxed))
        return fd;
    dlw_fd_close(fd); /* another thread was first */
    return (int)(word >> MARK_BITS);
}

int dlw_say_descriptor(void)
{
    if (log_to.kind == LOG_NONE)
        return -1;
    if (log_to.kind == LOG_PATH && !atomic_load_explicit(&log_failed, memory_order_relaxed)) {
        int fd = log_descriptor();
        if (fd >= 0)
            return fd;
    }
    return stderr_descriptor();
}

bool dlw_say_wants_blocks(void)
{
    return !log_to.lines_only && dlw_say_descriptor() >= 0;
}

/* ---- lines ---- */

void dlw_say_raw(const char *text, size_t size)
{
    int fd = dlw_say_descriptor();

    if (fd >= 0)
        dlw_fd_write(fd, text, size, NULL);
}

void dlw_say(const char *piece, ...)
{
    char text[LINE_BYTES];
    struct dlw_line line = {text, 0, LINE_BYTES - 2}; /* room for the newline */
    va_list rest;

    dlw_line_add(&line, "dlwatch[");
    dlw_line_add_number(&line, own_pid());
    dlw_line_add(&line, "]: ");
    va_start(rest, piece);
    for (; piece; piece = va_arg(rest, const char *))
        dlw_line_add(&line, piece);
    va_end(rest);
    text[line.used++] = '\n';
    dlw_say_raw(text, line.used);
}

void dlw_say_on_stderr(const char *piece)
{
    char text[LINE_BYTES];
    struct dlw_line line = {text, 0, LINE_BYTES - 2}; /* room for the newline */
    int fd = stderr_descriptor();

    if (fd < 0)
        return;
    dlw_line_add(&line, "dlwatch[");
    dlw_line_add_number(&line, own_pid());
    dlw_line_add(&line, "]: ");
    dlw_line_add(&line, piece);
    text[line.used++] = '\n';
    dlw_fd_write(fd, text, line.used, NULL);
}

char *dlw_say_number(char *buffer, uint64_t number)
{
    char digits[20];
    char *start = dlw_line_digits(digits + sizeof digits, number, 10);
    size_t size = (size_t)(digits + sizeof digits - start);

    memcpy(buffer, start, size);
    buffer[size] = '\0';
    return buffer;
}

char *dlw_say_hex(char *buffer, uint64_t number)
{
    char digits[20];
    char *start = dlw_line_digits(digits + sizeof digits, number, 16);
    size_t size = (size_t)(digits + sizeof digits - start);

    memcpy(buffer, "0x", 2);
    memcpy(buffer + 2, start, size);
    buffer[2 + size] = '\0';
    return buffer;
}
