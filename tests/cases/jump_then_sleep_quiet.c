// options: stall_after=1
// Handlers jump out of waits in which a look around was due a second later. It does not come: a
// call that would say so is not interrupted. Out of a handler that goes on after a jump of its own
// the wait does not go on differently either.
#include "case.h"
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/time.h>

static sem_t never_posted, posted;
static sigjmp_buf back;
static jmp_buf inside;

static void jump(int number)
{
    (void)number;
    siglongjmp(back, 1);
}

static void jump_inside(int number)
{
    (void)number;
    if (_setjmp(inside) == 0)
        longjmp(inside, 1);
    sem_post(&posted);
}

static void after(long us, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct itimerval once = {{0, 0}, {0, us}};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &once, NULL);
}

int main(void)
{
    struct epoll_event event;
    int poll = epoll_create1(0);

    sem_init(&never_posted, 0, 0);
    sem_init(&posted, 0, 0);
    if (sigsetjmp(back, 1) == 0) {
        after(300000, jump);
        sem_wait(&never_posted);
    }
    if (epoll_wait(poll, &event, 1, 1500) != 0)
        printf("interrupted\n");
    after(300000, jump_inside);
    if (sem_wait(&posted) != 0)
        printf("not posted\n");
    printf("done\n");
    return 0;
}
