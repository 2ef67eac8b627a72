// A pair that joins each other: glibc refuses the second, and one's own end, too.
#include "case.h"
static pthread_t t[2];

static void joins_self(void)
{
    printf("%d\n", JOIN(pthread_self()) == EDEADLK);
}

int main(void)
{
    t[0] = spawn("self", joins_self);
    JOIN(t[0]);
    return 0;
}
