// Forks of C11.
#include "dining.h"
#include <threads.h>
static mtx_t fork_[SEATS];

static void dine(int seat)
{
    mtx_lock(&fork_[left(seat)]);
    meet();
    (mtx_lock)(&fork_[right(seat)]);
}

int main(void)
{
    for (int i = 0; i < SEATS; i++)
        mtx_init(&fork_[i], mtx_plain);
    dinner(dine);
    return 0;
}
