#include "report/command/base/temporary.h"

#include "report/command/base/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char goal[PATH_MAX], name[PATH_MAX + 8];
static volatile sig_atomic_t is_there; /* set after `name`, and taken back before that changes */

void dlw_temporary_drop(void)
{
    if (is_there)
        unlink(name);
}

static void end_by_signal(int number)
{
    dlw_temporary_drop();
    signal(number, SIG_DFL);
    raise(number);
}

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* Those that would end the command, and that nobody else hears. */
static void hear_signals(void)
{
    static bool is_done;
    if (is_done)
        return;
    is_done = true;
    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
        struct sigaction now;
        if (sigaction(ending[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
            signal(ending[i], end_by_signal);
    }
}

static bool is_replaceable(const char *path)
{
    struct stat state;
    return lstat(path, &state) != 0 ? errno == ENOENT : S_ISREG(state.st_mode);
}

/* No signal comes between the file and the word that it is there. */
static int make_file(void)
{
    sigset_t set, before;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
        sigaddset(&set, ending[i]);
    sigprocmask(SIG_BLOCK, &set, &before);
    int descriptor = mkostemp(name, O_CLOEXEC);
    is_there = descriptor >= 0;
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return descriptor;
}

static FILE *open_beside(void)
{
    snprintf(name, sizeof(name), "%s.XXXXXX", goal);
    hear_signals();
    int descriptor = make_file();
    if (descriptor < 0)
        return NULL;
    mode_t mask = umask(0);
    umask(mask);
    fchmod(descriptor, 0666 & ~mask);
    return fdopen(descriptor, "w");
}

FILE *dlw_temporary_open(const char *path)
{
    FILE *out = NULL;
    is_there = false;
    if (strlen(path) >= sizeof(goal)) {
        errno = ENAMETOOLONG;
    } else {
        strcpy(goal, path);
        out = is_replaceable(path) ? open_beside() : fopen(path, "we");
    }
    if (out)
        return out;
    dlw_message("%s: %s", path, strerror(errno));
    dlw_temporary_drop();
    is_there = false;
    return NULL;
}

bool dlw_temporary_is_possible(const char *path)
{
    if (!is_replaceable(path)) {
        struct stat state;
        bool is_folder = stat(path, &state) == 0 && S_ISDIR(state.st_mode);
        errno = is_folder ? EISDIR : errno;
        if (!is_folder && access(path, W_OK) == 0)
            return true;
        dlw_message("%s: %s", path, strerror(errno));
        return false;
    }
    FILE *out = dlw_temporary_open(path);
    if (!out)
        return false;
    dlw_temporary_close(out, false);
    return true;
}

bool dlw_temporary_close(FILE *out, bool is_made)
{
    bool is_written = fflush(out) == 0 && !ferror(out);
    is_written &= fclose(out) == 0;
    if (!is_written || (is_made && is_there && rename(name, goal) != 0)) {
        dlw_message("%s: %s", goal, strerror(errno));
        is_made = false;
    }
    if (!is_made)
        dlw_temporary_drop();
    is_there = false;
    return is_made;
}
