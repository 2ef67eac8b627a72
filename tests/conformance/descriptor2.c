/* A daemon whose descriptor 2 becomes a data file: whatever is found, only data goes there. */
#include "tell.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER, d = PTHREAD_MUTEX_INITIALIZER;

static void invert(pthread_mutex_t *first, pthread_mutex_t *second)
{
    LOCK(*first);
    LOCK(*second);
    UNLOCK(*second);
    UNLOCK(*first);
}

static void ab(void)
{
    invert(&a, &b);
    invert(&c, &d);
    step();
}

static void ba(void)
{
    await(1);
    invert(&b, &a);
}

static void dc(void)
{
    LOCK(d);
    LOCK(c);
    UNLOCK(c);
    UNLOCK(d);
}

/* Whoever reads our output to its end must not wait for a daemon that has closed it. */
static void daemon_lets_go(void)
{
    int ends[2], status;
    char byte;
    if (pipe(ends))
        abort();
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        for (int fd = 3; fd < 256; fd++)
            close(fd);
        invert(&a, &b);
        for (int fd = 0; fd < 256; fd++)
            close(fd);
        invert(&c, &d);
        pause();
        _exit(0);
    }
    close(ends[1]);
    while (read(ends[0], &byte, 1) == 1)
        ;
    say("the daemon let go");
    kill(pid, 9);
    waitpid(pid, &status, 0);
    close(ends[0]);
}

int main(void)
{
    pthread_t t = spawn("ab", ab), u = spawn("ba", ba);
    JOIN(t);
    JOIN(u);
    int file = memfd_create("data", 0);
    dup2(file, 2);
    if (write(2, "data", 4) != 4)
        abort();
    __atomic_store_n(&steps, 0, __ATOMIC_SEQ_CST);
    t = spawn("ab", ab);
    u = spawn("dc", dc);
    JOIN(t);
    JOIN(u);
    say("size of the data: %ld", (long)lseek(2, 0, SEEK_END));
    daemon_lets_go();
    return 0;
}
