#include "report/emit/tally.h"

#include "graph/base/sys.h"
#include "report/emit/fd.h"
#include "report/emit/line.h"

#include <fcntl.h>
#include <sys/stat.h>

/* Written at start. */
static int tally = -1;
static struct dlw_fd_identity identity;

static bool add(uint32_t pid, const char *words)
{
    char text[40];
    struct dlw_line line = DLW_LINE(text);

    if (tally < 0 || !dlw_fd_is(tally, &identity))
        return false;
    dlw_line_add_number(&line, pid);
    dlw_line_add(&line, words);
    return dlw_fd_write(tally, text, line.used, NULL) == 0;
}

void dlw_tally_sign_in(const char *path, uint32_t pid)
{
    struct stat status;

    if (!path || dlw_syscall(SYS_newfstatat, AT_FDCWD, path, &status, 0) != 0 ||
        !S_ISREG(status.st_mode))
        return;
    tally = dlw_fd_open(path, O_WRONLY | O_APPEND, 0);
    dlw_fd_identify(tally, &identity, NULL);
    add(pid, "\n");
}

bool dlw_tally_lost(uint32_t pid)
{
    return add(pid, " lost\n");
}
