/*
 * Where the lines go. The descriptor may be closed under us and its number used for something
 * else, so it is compared with what was opened before every write; what we lost is opened again by
 * its path and believed only if it is the same file. A file that became shorter was cut by someone
 * else: lines that refer to what is gone would be noise, so the journal ends.
 */
#include "report/emit/journal/parts.h"

#include "graph/base/sys.h"
#include "report/emit/line.h"
#include "report/emit/options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_NAMES = 100000 };

/* The file's path under this number; false: too long. */
static bool name_file(struct dlw_journal *journal, unsigned attempt)
{
    struct dlw_line line = {journal->path, 0, sizeof journal->path - 1};

    if (journal->folder[0]) {
        dlw_line_add(&line, journal->folder);
        dlw_line_add(&line, "/");
    }
    return dlw_options_path(journal->path + line.used, sizeof journal->path - line.used,
                            journal->pattern, journal->pid, journal->name, attempt);
}

static bool fail(struct dlw_journal *journal, long error)
{
    char words[DLW_FD_ERROR_BYTES];

    dlw_journal_end_early(journal, dlw_fd_error(words, error));
    return false;
}

static bool make_file(struct dlw_journal *journal)
{
    int fd = -EEXIST;

    for (unsigned attempt = 0; fd == -EEXIST && attempt < MOST_NAMES; attempt++) {
        if (!name_file(journal, attempt)) {
            fd = -ENAMETOOLONG;
            break;
        }
        /* It holds the command line, and secrets stand there. */
        fd = dlw_fd_open(journal->path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL, 0600);
    }
    if (fd < 0) {
        journal->path[0] = '\0';
        return fail(journal, fd);
    }
    journal->fd = fd;
    dlw_fd_identify(fd, &journal->identity, NULL);
    return true;
}

/* The number is somebody else's now and must not be closed. */
static bool open_again(struct dlw_journal *journal)
{
    struct dlw_fd_identity now;

    journal->fd = -1;
    if (journal->target == DLW_TO_DESCRIPTOR)
        return fail(journal, -EBADF);
    int fd = dlw_fd_open(journal->path, O_WRONLY | O_APPEND | O_NONBLOCK, 0);
    if (fd < 0)
        return fail(journal, fd);
    dlw_fd_identify(fd, &now, NULL);
    if (now.device != journal->identity.device || now.inode != journal->identity.inode) {
        dlw_fd_close(fd);
        dlw_journal_end_early(journal, "another file has taken its place");
        return false;
    }
    journal->fd = fd;
    return true;
}

static bool is_cut(const struct dlw_journal *journal)
{
    struct dlw_fd_identity now;
    uint64_t size = 0;

    dlw_fd_identify(journal->fd, &now, &size);
    return now.type == S_IFREG && size < journal->written;
}

/* A full disk took only a part: gives back the line that was cut, if nobody has written since. */
static void drop_cut_line(struct dlw_journal *journal, const char *lines, size_t out)
{
    struct dlw_fd_identity now;
    uint64_t size = 0;
    size_t whole = out;

    while (whole && lines[whole - 1] != '\n')
        whole--;
    if (whole != out && dlw_fd_identify(journal->fd, &now, &size) && now.type == S_IFREG &&
        size == journal->written + out)
        dlw_syscall(SYS_ftruncate, journal->fd, size - (out - whole));
}

/* Not a line found room: the empty file can't say so but by its mode. One that was left empty by a
 * process that was killed as it began can still be written. */
static void mark_without_room(const struct dlw_journal *journal)
{
    struct dlw_fd_identity now;
    uint64_t size = 0;

    if (dlw_fd_identify(journal->fd, &now, &size) && now.type == S_IFREG && size == 0)
        dlw_syscall(SYS_fchmod, journal->fd, 0444);
}

bool dlw_journal_put_out(struct dlw_journal *journal, const char *lines, size_t size)
{
    size_t out = 0;

    if (journal->target == DLW_TO_MEMORY)
        return dlw_keep(journal->kept, journal->arena, lines, size) || fail(journal, -ENOMEM);
    if (journal->target == DLW_TO_PATH && !journal->path[0]) {
        if (!make_file(journal))
            return false;
    } else if (!dlw_fd_is(journal->fd, &journal->identity) && !open_again(journal)) {
        return false;
    }
    if (is_cut(journal)) {
        dlw_journal_end_early(journal, "somebody cut the file");
        return false;
    }
    long error = dlw_fd_write(journal->fd, lines, size, &out);
    if (error) {
        drop_cut_line(journal, lines, out);
        mark_without_room(journal);
        return fail(journal, error);
    }
    journal->written += out;
    return true;
}

/*
 * Over the spaces that the process line keeps for it, since a full disk has room for nothing else.
 * The journal's own descriptor would append, wherever it is told to write.
 */
void dlw_journal_mark_cut(const struct dlw_journal *journal, const char *why)
{
    struct dlw_fd_identity now;
    uint64_t size = 0;
    char text[DLW_JOURNAL_SPARE + 1];
    struct dlw_line line = DLW_LINE(text);

    if (journal->target != DLW_TO_PATH || !journal->path[0])
        return;
    dlw_line_add(&line, ",\"cut\":\"");
    dlw_line_add_bytes(&line, why, strnlen(why, DLW_JOURNAL_SPARE - 16));
    dlw_line_add(&line, "\"");
    int fd = dlw_fd_open(journal->path, O_WRONLY | O_NONBLOCK, 0);
    if (fd < 0)
        return;
    if (dlw_fd_identify(fd, &now, &size) && now.device == journal->identity.device &&
        now.inode == journal->identity.inode && size > journal->spare + DLW_JOURNAL_SPARE)
        dlw_syscall(SYS_pwrite64, fd, text, line.used, journal->spare);
    dlw_fd_close(fd);
}

void dlw_journal_close_file(struct dlw_journal *journal)
{
    if (journal->target == DLW_TO_PATH && dlw_fd_is(journal->fd, &journal->identity))
        dlw_fd_close(journal->fd);
    journal->fd = -1;
    memset(&journal->identity, 0, sizeof journal->identity);
}
