// options: stall_after=1
// Made taken, which is how CPython makes an event: whoever waits for it doesn't hold it, and here
// nobody is left to post it.
#include "case.h"
#include <semaphore.h>
static sem_t event;

static void waiter(void)
{
    sem_init(&event, 0, 1);
    sem_trywait(&event);
    sem_wait(&event);
}

int main(void)
{
    name_main();
    JOIN(spawn("waiter", waiter));
    return 0;
}
