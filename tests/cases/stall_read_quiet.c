// options: stall_after=1
// A thread that waits in a system call may hear from the world.
#include "case.h"
#include <poll.h>
#include <semaphore.h>
static sem_t s;
static int ends[2];

static void reader(void)
{
    char byte;
    if (read(ends[0], &byte, 1) == 1)
        sem_post(&s);
}

int main(void)
{
    sem_init(&s, 0, 0);
    if (pipe(ends))
        return 1;
    if (fork() == 0) {
        poll(NULL, 0, 3000);
        _exit(write(ends[1], "!", 1) != 1);
    }
    pthread_t t = spawn("reader", reader);
    sem_wait(&s);
    JOIN(t);
    return 0;
}
