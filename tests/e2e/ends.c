/* ends WAY: makes a lock-order inversion, then ends in that way (tests/e2e/report_ends.sh). */
#include "case.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void forward(void)
{
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    step();
}

static void backward(void)
{
    await(1);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

static void invert(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
}

/* Three orders in a row, and a fork: then only a signal. */
static void learn_and_fork(void)
{
    static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER, d = PTHREAD_MUTEX_INITIALIZER;

    LOCK(b);
    LOCK(c);
    LOCK(d);
    UNLOCK(d);
    UNLOCK(c);
    UNLOCK(b);
    if (fork() == 0)
        _exit(0);
    raise(SIGKILL);
}

static void exit_here(void)
{
    exit(3);
}

static void on_signal(int number)
{
    (void)number;
    exit(3);
}

static void goes_on(int number)
{
    (void)number;
    _exit(3);
}

/* ---- ends by the option on_deadlock ---- */

static void hold_b(void)
{
    LOCK(b);
    step();
    await(2);
    LOCK(a);
}

static void deadlock(void)
{
    spawn("other", hold_b);
    LOCK(a);
    step();
    await(2);
    LOCK(b);
}

static void hold_stdout(void)
{
    flockfile(stdout);
    step();
    for (;;)
        pause();
}

/* A pipe that nobody reads, as full as it gets. */
static void fill_stdout(void)
{
    static char zeros[4096];
    int ends[2];

    if (pipe2(ends, O_NONBLOCK))
        _exit(99);
    while (write(ends[1], zeros, sizeof zeros) > 0)
        ;
    while (write(ends[1], zeros, 1) > 0)
        ;
    fcntl(ends[1], F_SETFL, 0);
    dup2(ends[1], 1);
}

static void break_stdout(void)
{
    int ends[2];

    if (pipe(ends))
        _exit(99);
    close(ends[0]);
    dup2(ends[1], 1);
}

static void leave_in_buffer(const char *how)
{
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    if (strcmp(how, "full") == 0)
        fill_stdout();
    if (strcmp(how, "broken") == 0)
        break_stdout();
    printf("left in the buffer\n");
    if (strcmp(how, "large") == 0)
        for (int i = 0; i < 1000; i++)
            printf("line %d of a thousand\n", i);
    if (strcmp(how, "locked") == 0) {
        spawn("writer", hold_stdout);
        await(1);
        steps = 0;
    }
    deadlock();
}

/* ---- ends of its own ---- */

static void end(const char *way)
{
    if (strcmp(way, "exit") == 0)
        exit(3);
    if (strcmp(way, "quick_exit") == 0)
        quick_exit(3);
    if (strcmp(way, "_exit") == 0)
        _exit(3);
    if (strcmp(way, "_Exit") == 0)
        _Exit(3);
    if (strcmp(way, "exit_group") == 0)
        syscall(SYS_exit_group, 3);
    if (strcmp(way, "in a thread") == 0) {
        pthread_t t = spawn("ends", exit_here);
        JOIN(t);
    }
    if (strcmp(way, "in a handler") == 0) {
        signal(SIGUSR1, on_signal);
        raise(SIGUSR1);
    }
    if (strcmp(way, "abort, caught") == 0) {
        signal(SIGABRT, goes_on);
        abort();
    }
    if (strcmp(way, "abort") == 0)
        abort();
    if (strcmp(way, "vfork") == 0 && vfork() == 0)
        _exit(9);
    if (strcmp(way, "exec fails") == 0)
        execl("/nonexistent", "nonexistent", (char *)NULL);
    if (strcmp(way, "daemon") == 0 && daemon(1, 1) != 0)
        _exit(98);
    if (strcmp(way, "forks, killed") == 0)
        learn_and_fork();
    if (strcmp(way, "killed") == 0)
        raise(SIGKILL);
    if (strcmp(way, "terminated") == 0)
        raise(SIGTERM);
}

int main(int argc, char **argv)
{
    if (argc > 2)
        leave_in_buffer(argv[2]);
    invert();
    printf("flushed at exit");
    end(argv[1]);
    return 3;
}
