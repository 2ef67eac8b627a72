// An interpreter is linked into the program, whose own code lies around it (here it is but the
// names by which one is known, as of 3.11): a semaphore of the program's is no lock of Python's,
// and a signal handler may post it.
#include "case.h"
#include <semaphore.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>
char _PyRuntime[1 << 16];
const unsigned long Py_Version = 0x030b00f0;
static sem_t event;

static void post(int number)
{
    (void)number;
    sem_post(&event);
}

int main(void)
{
    const struct itimerval soon = {{0, 0}, {0, 50000}};

    sem_init(&event, 0, 1);
    signal(SIGALRM, post);
    for (int i = 0; i < 3; i++) {
        setitimer(ITIMER_REAL, &soon, NULL);
        if (i == 1) /* the second comes before the wait, so that this thread takes and posts it */
            pause();
        while (sem_wait(&event) != 0)
            continue;
    }
    return 0;
}
