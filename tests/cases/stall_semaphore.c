// options: stall_after=1
// A semaphore that nobody is left to post.
#include "case.h"
#include <semaphore.h>
static sem_t s;

int main(void)
{
    name_main();
    sem_init(&s, 0, 0);
    sem_wait(&s);
    return 0;
}
