#include "interpose/base/proc.h"

#include "graph/base/sys.h"
#include "interpose/base/hash.h"
#include "interpose/base/state.h"
#include "report/emit/say.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/uio.h>

enum dlw_proc_reading dlw_proc_try_read(uintptr_t from, void *to, size_t size)
{
    struct iovec local = {to, size};
    struct iovec remote = {(void *)from, size}; /* NOLINT(performance-no-int-to-ptr) */

    if (atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return DLW_PROC_UNKNOWN;
    long got = dlw_syscall(SYS_process_vm_readv, dlw_syscall(SYS_gettid), &local, 1, &remote, 1, 0);
    if (got == (long)size)
        return DLW_PROC_READ;
    return got >= 0 || got == -EFAULT ? DLW_PROC_GONE : DLW_PROC_UNKNOWN;
}

bool dlw_proc_read(uintptr_t from, void *to, size_t size)
{
    return dlw_proc_try_read(from, to, size) == DLW_PROC_READ;
}

static long add_nothing(uintptr_t word)
{
    uint32_t none = 0;

    return dlw_syscall(SYS_futex, &none, FUTEX_WAKE_OP_PRIVATE, 0, 0, word,
                       FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0));
}

bool dlw_proc_is_writable(uintptr_t word)
{
    return add_nothing(word) >= 0;
}

bool dlw_proc_lacks(const volatile void *object, size_t size)
{
    enum { WORD = 4, PAGE = 4096 }; /* the smallest pages that there are */
    uintptr_t first = (uintptr_t)object & -(uintptr_t)WORD;
    uintptr_t last = ((uintptr_t)object + size - 1) & -(uintptr_t)WORD;

    if (atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return false;
    return add_nothing(first) == -EFAULT ||
           (first / PAGE != last / PAGE && add_nothing(last) == -EFAULT);
}

bool dlw_proc_read_pieces(const uintptr_t *from, unsigned n, void *to, size_t size)
{
    struct iovec local = {to, n * size};
    struct iovec remote[DLW_PROC_PIECES];

    if (atomic_load_explicit(&dlw_confined, memory_order_relaxed) || n > DLW_PROC_PIECES)
        return false;
    for (unsigned i = 0; i < n; i++)
        remote[i] = (struct iovec){(void *)from[i], size}; /* NOLINT(performance-no-int-to-ptr) */
    return dlw_syscall(SYS_process_vm_readv, dlw_syscall(SYS_gettid), &local, 1, remote, n, 0) ==
           (long)(n * size);
}

/* Reads the beginning of a file as text; its length, negative when it can't. */
static long read_start(const char *path, char *text, size_t size)
{
    if (atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return -1;
    long fd = dlw_syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    size_t n = 0;
    long got;
    while (n < size - 1 && (got = dlw_syscall(SYS_read, fd, text + n, size - 1 - n)) > 0)
        n += (size_t)got;
    dlw_syscall(SYS_close, fd);
    text[n] = 0;
    return (long)n;
}

static uint64_t parse(const char *text, unsigned base)
{
    uint64_t value = 0;

    for (;; text++) {
        unsigned digit = *text >= '0' && *text <= '9'   ? (unsigned)(*text - '0')
                         : *text >= 'a' && *text <= 'f' ? (unsigned)(*text - 'a' + 10)
                                                        : 99;
        if (digit >= base)
            return value;
        value = value * base + digit;
    }
}

static const char *status_field(char *text, size_t size, const char *name)
{
    if (read_start("/proc/self/status", text, size) < 0)
        return NULL;
    const char *at = strstr(text, name);
    if (!at)
        return NULL;
    at += strlen(name);
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

long dlw_proc_tasks(void)
{
    char text[4096];
    const char *at = status_field(text, sizeof(text), "\nThreads:");

    if (!at)
        return -1;
    /* A main thread that has ended is counted until the process has. */
    return (long)parse(at, 10) - (strstr(text, "\nState:\tZ") != NULL);
}

/* Bit n-1 of the mask is signal n. All ones when it can't be known. */
static uint64_t caught_signals(void)
{
    char text[4096];
    const char *at = status_field(text, sizeof(text), "\nSigCgt:");

    return at ? parse(at, 16) : ~0ULL;
}

#define BIT(signal) (1ULL << ((signal)-1))

bool dlw_proc_catches_signals(void)
{
    const uint64_t internal = BIT(32) | BIT(33); /* cancellation and setxid */
    /* They say that the program has broken, and nobody waits to be woken by one: Rust, for one,
     * catches them in every program, to tell of stacks that have overflown. */
    const uint64_t breaks = BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGABRT) | BIT(SIGBUS) | BIT(SIGFPE) |
                            BIT(SIGSEGV) | BIT(SIGSYS);

    return (caught_signals() & ~(internal | breaks)) != 0;
}

static void task_path(char *path, uint32_t tid, const char *file)
{
    memcpy(path, "/proc/self/task/", 17);
    dlw_say_number(path + 16, tid);
    memcpy(path + strlen(path), file, strlen(file) + 1);
}

const char *dlw_proc_hides_sleepers(void)
{
    char path[64];
    char text[160];

    if (atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return NULL; /* which is told by itself */
    task_path(path, (uint32_t)dlw_syscall(SYS_gettid), "/syscall");
    long result = read_start(path, text, sizeof(text));
    if (result == -EACCES || result == -EPERM)
        return "the process gave up its rights, and the kernel does not show where its threads "
               "sleep";
    if (result != -ENOENT)
        return result == 0 ? "the kernel does not show where threads sleep" : NULL;
    return read_start("/proc/self/status", text, sizeof(text)) >= 0
               ? "its /proc is that of another pid namespace"
               : "it has no /proc";
}

struct futex_call {
    uintptr_t address;
    uint32_t expected;
};

/* The line of a task in a system call: its number, then its arguments (the futex, the operation,
 * the value that it expects there). */
static bool read_futex_call(uint32_t tid, struct futex_call *out)
{
    char path[64];
    char text[160];
    char number[24];

    task_path(path, tid, "/syscall");
    if (read_start(path, text, sizeof(text)) <= 0)
        return false;
    dlw_say_number(number, SYS_futex);
    size_t n = strlen(number);
    if (strncmp(text, number, n) != 0 || strncmp(text + n, " 0x", 3) != 0)
        return false;
    const char *at = text + n + 3;
    out->address = parse(at, 16);
    for (int argument = 1; argument <= 2; argument++) {
        at = strstr(at, " 0x");
        if (!at)
            return false;
        at += 3;
    }
    out->expected = (uint32_t)parse(at, 16);
    return true;
}

uintptr_t dlw_proc_futex(uint32_t tid)
{
    struct futex_call call;

    return read_futex_call(tid, &call) ? call.address : 0;
}

bool dlw_proc_sleeps_on(uint32_t tid, uintptr_t low, uintptr_t high)
{
    struct futex_call call;
    uint32_t value;

    return read_futex_call(tid, &call) && call.address >= low && call.address < high &&
           dlw_proc_read(call.address, &value, sizeof(value)) && value == call.expected;
}

/* A line of maps: "low-high rwxs …"; the fourth letter is s in shared memory. */
static bool parse_mapping(const char *line, struct dlw_mapping *out)
{
    out->low = parse(line, 16);
    const char *dash = strchr(line, '-');
    const char *space = strchr(line, ' ');
    if (!dash || !space || dash > space || strlen(space) < 5)
        return false;
    out->high = parse(dash + 1, 16);
    out->is_shared = space[4] == 's';
    return true;
}

/* Finds the line in what has been read; what is left over is moved to the front. */
static size_t scan_maps(char *text, size_t size, uintptr_t address, struct dlw_mapping *out,
                        bool *found)
{
    char *line = text;
    char *end;

    while (!*found && (end = memchr(line, '\n', size - (size_t)(line - text))) != NULL) {
        *end = 0;
        *found = parse_mapping(line, out) && address >= out->low && address < out->high;
        line = end + 1;
    }
    size_t left = size - (size_t)(line - text);
    memmove(text, line, left);
    return left;
}

bool dlw_proc_mapping(uintptr_t address, struct dlw_mapping *out)
{
    char text[1024];
    bool found = false;
    size_t kept = 0;
    long got;

    if (atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return false;
    long fd = dlw_syscall(SYS_openat, AT_FDCWD, "/proc/thread-self/maps", O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return false;
    while (!found && (got = dlw_syscall(SYS_read, fd, text + kept, sizeof(text) - kept)) > 0) {
        kept = scan_maps(text, kept + (size_t)got, address, out, &found);
        if (kept ==
            sizeof(text)) /* a path longer than the buffer: its rest is no line of its own */
            kept = 0;
    }
    dlw_syscall(SYS_close, fd);
    return found;
}

uintptr_t dlw_proc_stack_end_of(uintptr_t address)
{
    struct dlw_mapping mapping;

    return dlw_proc_mapping(address, &mapping) ? mapping.high : address + 4096;
}

bool dlw_proc_is_shared(uintptr_t address)
{
    struct dlw_mapping mapping;

    return !dlw_proc_mapping(address, &mapping) || mapping.is_shared;
}

bool dlw_proc_was_shared(uintptr_t address)
{
    enum { PLACES = 64, SHARED = 1 };
    static _Atomic uintptr_t seen[PLACES]; /* relaxed: an entry stands for itself */
    _Atomic uintptr_t *entry = &seen[address * DLW_GOLDEN >> 58];
    uintptr_t found = atomic_load_explicit(entry, memory_order_relaxed);

    if ((found & ~(uintptr_t)SHARED) != address) { /* objects of this kind have even addresses */
        found = address | dlw_proc_is_shared(address);
        atomic_store_explicit(entry, found, memory_order_relaxed);
    }
    return found & SHARED;
}
