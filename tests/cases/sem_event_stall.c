// options: stall_after=1
// A semaphore that its maker took at once and waits for is an event: that nobody is left to bring
// it is a stall. Nothing is taken twice.
#include "case.h"
#include <semaphore.h>
static sem_t event;

int main(void)
{
    name_main();
    sem_init(&event, 0, 1);
    (sem_trywait)(&event);
    sem_wait(&event);
    return 0;
}
