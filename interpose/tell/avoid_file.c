#include "interpose/tell/avoid_file.h"

#include "graph/base/sys.h"
#include "graph/kinds.h"
#include "interpose/base/state.h"
#include "interpose/stacks/intern.h"
#include "interpose/tell/reporter.h"
#include "report/emit/fd.h"
#include "report/emit/say.h"
#include "report/emit/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_BYTES = 1 << 20 };

static char absolute[4096];
static const char *path; /* NULL: none is in use */
/* Kept open for a program that gives up the right to open it, or changes its root. */
static int kept = -1;
static struct dlw_fd_identity kept_identity;
const char *(*dlw_avoid_why_met)(uint64_t number);

const char *dlw_avoid_file_path(void)
{
    return path;
}

/* ---- opening ---- */

static const char *refusal(int fd, size_t *size)
{
    struct stat status;

    if (dlw_syscall(SYS_fstat, fd, &status) != 0)
        return "it can't be looked at";
    *size = (size_t)status.st_size;
    if (!S_ISREG(status.st_mode))
        return "it is no regular file";
    if (status.st_uid != 0 && status.st_uid != (uid_t)dlw_syscall(SYS_geteuid))
        return "it belongs to another user";
    if (status.st_mode & (S_IWGRP | S_IWOTH))
        return "others than its owner can write it";
    return status.st_size > MOST_BYTES ? "it is larger than 1 MiB" : NULL;
}

/* Without following a link, and without waiting for whoever reads a pipe. Negative: -errno. */
static int open_it(int flags)
{
    return dlw_fd_open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
}

static const char *words_for(char buffer[DLW_FD_ERROR_BYTES], int error)
{
    return error == -ELOOP ? "it is a symbolic link" : dlw_fd_error(buffer, error);
}

/* What stands in the folder is on the disk only once the folder is. */
static void sync_folder(void)
{
    char folder[sizeof(absolute)];
    size_t n = (size_t)(strrchr(path, '/') - path);

    memcpy(folder, path, n);
    folder[n] = 0;
    int fd = dlw_fd_open(n ? folder : "/", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return;
    dlw_syscall(SYS_fsync, fd);
    dlw_fd_close(fd);
}

static const char heading[] =
    "# Deadlocks that dlwatch keeps programs clear of (avoid=). A line is one deadlock of one "
    "build;\n# delete it, and it is not avoided any more.\n";

static int make_it(void)
{
    int fd = open_it(O_RDWR | O_APPEND | O_CREAT | O_EXCL);

    if (fd < 0)
        return fd == -EEXIST ? open_it(O_RDWR | O_APPEND) : fd;
    long error = dlw_fd_write(fd, heading, sizeof(heading) - 1, NULL);
    if (error == 0)
        sync_folder();
    return fd;
}

/* For appending where that is allowed, else for reading. Negative: -errno. */
static int open_or_make(void)
{
    int fd = open_it(O_RDWR | O_APPEND);

    if (fd == -ENOENT)
        fd = make_it();
    return fd == -EACCES || fd == -EROFS || fd == -EPERM ? open_it(O_RDONLY) : fd;
}

/* ---- reading ---- */

/* Mapped, terminated. Zeros, of which a damaged file may be full, would end it. */
static char *read_all(int fd, size_t size)
{
    char *text = dlw_pages_map(size + 1);
    long got, n = 0;

    while (text && (size_t)n < size &&
           (got = dlw_syscall(SYS_pread64, fd, text + n, size - (size_t)n, n)) > 0)
        n += got;
    for (size_t i = 0; text && i < size; i++)
        if (text[i] == 0)
            text[i] = '?';
    return text;
}

static bool make_absolute(const char *option, const char *folder)
{
    size_t before = option[0] == '/' ? 0 : strlen(folder), length = strlen(option);

    if (before + length + 2 > sizeof(absolute))
        return false;
    memcpy(absolute, folder, before);
    absolute[before] = '/';
    memcpy(absolute + before + (option[0] != '/'), option, length + 1);
    return true;
}

static char *refuse(const char *why)
{
    dlw_report_note("avoid: '", dlw_options.avoid, "' is refused: ", why,
                    "; no deadlock is avoided and none is kept", NULL);
    path = NULL;
    return NULL;
}

char *dlw_avoid_file_start(const char *folder)
{
    char buffer[DLW_FD_ERROR_BYTES];
    size_t size = 0;

    if (!dlw_options.avoid || !dlw_options.avoid[0])
        return NULL;
    if (!make_absolute(dlw_options.avoid, folder))
        return refuse("the name is too long");
    path = absolute;
    int fd = open_or_make();
    if (fd < 0)
        return refuse(words_for(buffer, fd));
    const char *why = refusal(fd, &size);
    char *text = why ? NULL : read_all(fd, size);
    if (!text) {
        dlw_fd_close(fd);
        return refuse(why ? why : "out of memory");
    }
    kept = fd;
    dlw_fd_identify(fd, &kept_identity, NULL);
    return text;
}

/* ---- what is kept of a deadlock ---- */

enum { FRAMES = 256 };

struct stack {
    struct dlw_journal_frame frames[FRAMES];
    uint32_t n;
};

struct made {
    struct dlw_signature signature;
    struct dlw_signature_module modules[2 * DLW_SIGNATURE_STEPS];
    uint32_t ids[2 * DLW_SIGNATURE_STEPS]; /* of the modules, as intern.h numbers them */
    struct dlw_signature_step steps[DLW_SIGNATURE_STEPS];
    struct stack hold, want;           /* of the step that is being made */
    char line[1 + DLW_SIGNATURE_LINE]; /* an end of line first, for a file whose last one was cut */
};

static void read_stack(uint32_t id, struct stack *out)
{
    bool cut;

    out->n = id ? dlw_stack_get(id, out->frames, FRAMES, &cut) : 0;
    for (uint32_t i = 0; i < out->n; i++)
        if (out->frames[i].unknown || out->frames[i].module == 0)
            out->n = i;
}

/* From `i` of one and `k` of the other on both are the same calls, as far as both are known. */
static bool goes_on_alike(const struct stack *a, uint32_t i, const struct stack *b, uint32_t k)
{
    while (i < a->n && k < b->n)
        if (a->frames[i++].pc != b->frames[k++].pc)
            return false;
    return true;
}

/*
 * How many frames of the two stacks of one thread make the place: down to the function in which
 * both calls stand, the first that is no helper, since it is in both stacks (with one line of it
 * there, and another here). Where both are one stack it is the two innermost.
 */
static void find_places(const struct stack *hold, const struct stack *want, uint32_t *n_hold,
                        uint32_t *n_want)
{
    uint32_t least = UINT32_MAX;

    *n_hold = hold->n < 2 ? hold->n : 2;
    *n_want = want->n < 2 ? want->n : 2;
    for (uint32_t i = 0; i < hold->n; i++)
        for (uint32_t k = 0; k < want->n && i + k < least; k++)
            if (i + k > 0 && goes_on_alike(hold, i, want, k)) {
                least = i + k;
                *n_hold = i ? i : 1;
                *n_want = k ? k : 1;
            }
}

static bool add_module(struct made *made, uint32_t id, uint32_t *out)
{
    struct dlw_signature *s = &made->signature;
    struct dlw_journal_module module;

    for (uint32_t i = 0; i < s->n_modules; i++)
        if (made->ids[i] == id) {
            *out = i;
            return true;
        }
    if (s->n_modules == 2 * DLW_SIGNATURE_STEPS || !dlw_module_get(id, &module) ||
        module.build_id_size == 0 || module.build_id_size > DLW_SIGNATURE_BUILD_ID)
        return false;
    *out = s->n_modules;
    made->ids[s->n_modules] = id;
    struct dlw_signature_module *to = &made->modules[s->n_modules++];
    to->path = module.path;
    to->build_id_size = module.build_id_size;
    memcpy(to->build_id, module.build_id, module.build_id_size);
    return true;
}

static bool fill_place(struct made *made, const struct stack *stack, uint32_t n, uint8_t mode,
                       struct dlw_signature_place *out)
{
    struct dlw_journal_module module;

    out->mode = mode;
    out->n = n < DLW_SIGNATURE_FRAMES ? n : DLW_SIGNATURE_FRAMES;
    for (uint32_t i = 0; i < out->n; i++) {
        const struct dlw_journal_frame *frame = &stack->frames[i];
        if (!add_module(made, frame->module, &out->frames[i].module) ||
            !dlw_module_get(frame->module, &module))
            return false;
        out->frames[i].offset = frame->pc - module.base;
    }
    return true;
}

static const struct dlw_lock_facts *facts_of(const struct dlw_pending *pending, uint64_t serial)
{
    for (uint32_t i = 0; i < pending->n_facts; i++)
        if (dlw_lock_serial(pending->facts[i].lock) == serial)
            return &pending->facts[i];
    return NULL;
}

/* Kinds that can be given back and taken again before the call returns. */
static bool can_be_avoided(uint8_t kind)
{
    return kind == DLW_LOCK_MUTEX || kind == DLW_LOCK_RWLOCK || kind == DLW_LOCK_SPIN ||
           kind == DLW_LOCK_SEMAPHORE;
}

static uint32_t lock_number(const struct dlw_finding *finding, uint32_t i)
{
    uint32_t first = 0;

    while (finding->cycle[first].holds.lock != finding->cycle[i].holds.lock)
        first++;
    return first;
}

/* NULL: it is made; else why it can't be. */
static const char *make_step(struct made *made, const struct dlw_finding *finding, uint32_t i,
                             const struct dlw_pending *pending)
{
    const struct dlw_cycle_entry *entry = &finding->cycle[i];
    const struct dlw_lock_facts *facts = facts_of(pending, entry->holds.lock);
    struct dlw_signature_step *step = &made->steps[i];
    uint32_t n_hold, n_want;

    if (!facts || !can_be_avoided(facts->kind))
        return "a step of it is not taken as a lock is";
    read_stack(entry->holds.stack, &made->hold);
    read_stack(entry->wants.stack, &made->want);
    if (made->hold.n == 0 || made->want.n == 0)
        return "the place of a step is not known";
    find_places(&made->hold, &made->want, &n_hold, &n_want);
    step->kind = facts->kind;
    step->lock = lock_number(finding, i);
    if (!fill_place(made, &made->hold, n_hold, entry->holds.mode, &step->hold) ||
        !fill_place(made, &made->want, n_want, entry->wants.mode, &step->want))
        return "a module that it runs through has no build id";
    made->signature.n_steps++;
    return NULL;
}

/* An interpreter takes all locks of what it runs at one place of its own, so that each thread with
 * a lock would stand in all roles. CPython's are tried first, too, and a try never gives way. */
static bool is_interpreter(const char *module)
{
    const char *slash = strrchr(module, '/'), *name = slash ? slash + 1 : module;

    return strncmp(name, "python", 6) == 0 || strncmp(name, "libpython", 9) == 0;
}

static bool is_of_interpreter(const struct dlw_signature *s)
{
    for (uint32_t i = 0; i < s->n_steps; i++)
        if (is_interpreter(s->modules[s->steps[i].hold.frames[0].module].path))
            return true;
    return false;
}

static const char *make_signature(struct made *made, const struct dlw_finding *finding,
                                  const struct dlw_pending *pending)
{
    const char *why = NULL;

    if (finding->n_cycle < 2)
        return "one thread waits for itself, or for one that has ended";
    if (finding->n_cycle > DLW_SIGNATURE_STEPS)
        return "it has more than 64 steps";
    made->signature.modules = made->modules;
    made->signature.steps = made->steps;
    for (uint32_t i = 0; i < finding->n_cycle && !why; i++)
        why = make_step(made, finding, i, pending);
    if (!why && is_of_interpreter(&made->signature))
        why = "an interpreter takes all of its program's locks at one place";
    made->signature.number = dlw_signature_number(&made->signature);
    return why;
}

/* ---- appending ---- */

static bool is_in(const char *text, const char *line)
{
    enum { HEAD = sizeof("avoid 1 ") - 1 + 16 };
    char head[HEAD + 1];

    memcpy(head, line, HEAD);
    head[HEAD] = 0;
    for (const char *at = text; (at = strstr(at, head)); at += HEAD)
        if (at == text || at[-1] == '\n')
            return true;
    return false;
}

/* Of this file, as it is now: it may have been replaced. Else the one that was opened at start. */
static int open_for_adding(size_t *size, bool *is_kept, const char **why)
{
    int fd = open_it(O_RDWR | O_APPEND);

    *why = NULL;
    *is_kept = fd < 0 && kept >= 0 && dlw_fd_is(kept, &kept_identity);
    if (*is_kept)
        fd = kept;
    if (fd < 0) {
        *why = "it can't be written";
        return fd;
    }
    *why = refusal(fd, size);
    return fd;
}

/* In one write, behind an end of line where the last line was cut. */
static const char *append(int fd, size_t size, const char *line, size_t length, bool *is_known)
{
    char *text = read_all(fd, size);

    if (!text)
        return "out of memory";
    *is_known = is_in(text, line + 1);
    bool is_cut = size && text[size - 1] != '\n';
    dlw_pages_unmap(text, size + 1);
    long error = *is_known ? 0 : dlw_fd_write(fd, line + !is_cut, length + is_cut, NULL);
    /* Also what another thread or process has just written. */
    return error != 0 ? "it can't be written" : (dlw_syscall(SYS_fsync, fd), NULL);
}

static const char *keep(struct made *made, bool *is_known)
{
    struct dlw_line line = {made->line + 1, 0, DLW_SIGNATURE_LINE - 1};
    size_t size = 0;
    bool is_kept;
    const char *why;

    made->line[0] = '\n';
    if (!dlw_signature_write(&made->signature, &line))
        return "its line is too long";
    dlw_line_add(&line, "\n");
    int fd = open_for_adding(&size, &is_kept, &why);
    if (!why)
        why = append(fd, size, made->line, line.used, is_known);
    if (fd >= 0 && !is_kept)
        dlw_fd_close(fd);
    return why;
}

static void say_outcome(const struct made *made, bool is_known, const char *why)
{
    char digits[24];
    const char *reason =
        is_known && dlw_avoid_why_met ? dlw_avoid_why_met(made->signature.number) : NULL;

    dlw_say_hex(digits, made->signature.number);
    if (why)
        dlw_report_note("avoid: this deadlock can't be kept for the next start: ", why, NULL);
    else if (is_known)
        dlw_report_note("avoid: this deadlock (", digits + 2, ") is known and was not avoided",
                        reason ? ": " : "", reason ? reason : "", NULL);
    else
        dlw_report_note("avoid: this deadlock (", digits + 2, ") is in ", path,
                        ": the next start stays clear of it", NULL);
}

void dlw_avoid_file_add(const struct dlw_finding *finding, const struct dlw_pending *pending)
{
    bool is_known = false;

    if (!path || finding->kind != DLW_DEADLOCK || !finding->certain ||
        atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return;
    struct made *made = dlw_pages_map(sizeof(*made));
    if (!made)
        return;
    const char *why = make_signature(made, finding, pending);
    if (!why)
        why = keep(made, &is_known);
    say_outcome(made, is_known, why);
    dlw_pages_unmap(made, sizeof(*made));
}
