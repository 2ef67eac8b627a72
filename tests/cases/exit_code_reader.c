// options: exitcode=5
// The status of the option is set while a thread reads from stdin: its lock is not waited for.
#include "case.h"
#include <gnu/libc-version.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void reads(void)
{
    getchar();
}

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

int main(void)
{
    int ends[2];
    if (pipe(ends) || dup2(ends[0], 0) != 0)
        return 1;
    pthread_t r = spawn("reader", reads);
    while (ftrylockfile(stdin) == 0) { /* until the reader has it */
        funlockfile(stdin);
        sched_yield();
    }
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    printf("flushed at exit\n");
    /* From 2.41 on exit() itself waits for every stream. */
    if (strverscmp(gnu_get_libc_version(), "2.41") >= 0 && write(ends[1], "x", 1) == 1)
        JOIN(r);
    return 0;
}
