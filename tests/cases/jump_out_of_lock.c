// A handler jumps out of the wait for y, and its thread goes on, without a call that the library
// sees, while the holder of y asks for x: the two orders can deadlock some other day, but nobody
// waits for anybody here.
#include "asleep.h"
#include "case.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

static pthread_mutex_t x = PTHREAD_MUTEX_INITIALIZER, y = PTHREAD_MUTEX_INITIALIZER;
static sigjmp_buf back;
static _Atomic pid_t other_tid;

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
    await(2);
    LOCK(x);
    UNLOCK(x);
    UNLOCK(y);
}

int main(void)
{
    struct sigaction action = {.sa_handler = jump};
    struct itimerval often = {{0, 10000}, {0, 10000}}, never = {{0, 0}, {0, 0}};

    sigset_t alarm;

    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm, NULL); /* the other thread inherits that */
    pthread_t thread = spawn("other", other);
    pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
    LOCK(x);
    await(1);
    if (sigsetjmp(back, 1) == 0) {
        setitimer(ITIMER_REAL, &often, NULL);
        LOCK(y);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    step();
    await_asleep(other_tid);
    UNLOCK(x);
    JOIN(thread);
    printf("done\n");
    return 0;
}
