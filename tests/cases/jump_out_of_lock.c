// A handler jumps out of the wait for y, and its thread goes on, without a call that the library
// sees, while the holder of y asks for x: the two orders can deadlock some other day, but nobody
// waits for anybody here.
#include "asleep.h"
#include "case.h"
#include <setjmp.h>
#include <signal.h>

static pthread_mutex_t x = PTHREAD_MUTEX_INITIALIZER, y = PTHREAD_MUTEX_INITIALIZER;
static sigjmp_buf back;
static pthread_t main_thread;
static _Atomic pid_t other_tid;
static _Atomic int is_at_y; /* the next call that sleeps is the one for y */

static void jump(int number)
{
    (void)number;
    siglongjmp(back, 1);
}

static void other(void)
{
    LOCK(y);
    other_tid = gettid();
    step();
    while (!is_at_y)
        sched_yield();
    await_asleep(getpid());
    pthread_kill(main_thread, SIGUSR1);
    await(2);
    LOCK(x);
    UNLOCK(x);
    UNLOCK(y);
}

int main(void)
{
    struct sigaction action = {.sa_handler = jump};

    sigaction(SIGUSR1, &action, NULL);
    main_thread = pthread_self();
    pthread_t thread = spawn("other", other);
    LOCK(x);
    await(1);
    if (sigsetjmp(back, 1) == 0) {
        is_at_y = 1;
        LOCK(y);
    }
    step();
    await_asleep(other_tid);
    UNLOCK(x);
    JOIN(thread);
    printf("done\n");
    return 0;
}
