/* Two processes lock two parts of a file with fcntl(), in two orders ("circle"; "lockf": with that
 * call), or in one: the kernel refuses the wait that would close the circle, whichever comes last,
 * and all end well. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int file, by_lockf;

static int lock(short type, off_t at)
{
    if (by_lockf)
        return lseek(file, at, SEEK_SET) == at ? lockf(file, type == F_UNLCK ? F_ULOCK : F_LOCK, 1)
                                               : -1;
    struct flock part = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
    return fcntl(file, F_SETLKW, &part);
}

/* 1: it was refused. What it held is let go, so that the other gets it. */
static int second(off_t first, off_t at)
{
    int is_refused = lock(F_WRLCK, at) < 0 && errno == EDEADLK;
    lock(F_UNLCK, at);
    lock(F_UNLCK, first);
    return is_refused;
}

int main(int argc, char **argv)
{
    by_lockf = argc > 2 && strcmp(argv[2], "lockf") == 0;
    int is_circle = by_lockf || (argc > 2 && strcmp(argv[2], "circle") == 0);
    int there[2], here[2], status;
    char byte = 0;
    file = open(argv[1], O_RDWR | O_CREAT, 0600);
    if (file < 0 || pipe(there) != 0 || pipe(here) != 0)
        return 2;
    pid_t child = fork();
    if (child == 0) {
        file = open(argv[1], O_RDWR); /* with an offset of its own */
        if (is_circle && lock(F_WRLCK, 1) != 0)
            return 2;
        if (write(there[1], &byte, 1) != 1 || read(here[0], &byte, 1) != 1)
            return 2;
        if (!is_circle && lock(F_WRLCK, 0) != 0)
            return 2;
        return is_circle ? second(1, 0) : second(0, 1);
    }
    if (lock(F_WRLCK, 0) != 0 || read(there[0], &byte, 1) != 1 || write(here[1], &byte, 1) != 1)
        return 2;
    int n = second(0, 1);
    waitpid(child, &status, 0);
    if (!WIFEXITED(status))
        return 2;
    printf("refused %d\n", n + WEXITSTATUS(status));
    return n + WEXITSTATUS(status) == is_circle ? 0 : 2;
}
