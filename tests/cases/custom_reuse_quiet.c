// Locks that live one after the other at one address are different locks.
#include "case.h"
#include "custom.h"
static struct custom a, b;
static struct custom *first = &a, *second = &b;

static void nest(void)
{
    dlwatch_created(first);
    dlwatch_created(second);
    custom_lock(first, DLWATCH_EXCLUSIVE);
    custom_lock(second, DLWATCH_EXCLUSIVE);
    custom_unlock(second);
    custom_unlock(first);
    dlwatch_destroyed(second);
    dlwatch_destroyed(first);
    first = &b;
    second = &a;
    step();
}

static void nest_again(void)
{
    await(1);
    nest();
}

int main(void)
{
    pthread_t f = spawn("first", nest), s = spawn("second", nest_again);
    JOIN(f);
    JOIN(s);
    return 0;
}
