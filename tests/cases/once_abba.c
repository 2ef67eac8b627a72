// The routine of a once wants what the one who waits for the once holds.
#include "case.h"
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void routine(void)
{
    step();
    await(2);
    LOCK(m);
}

static void initialiser(void)
{
    pthread_once(&once, routine);
}

static void user(void)
{
    LOCK(m);
    step();
    await(2);
    pthread_once(&once, routine);
}

int main(void)
{
    pthread_t x = spawn("initialiser", initialiser), y = spawn("user", user);
    JOIN(x);
    JOIN(y);
    return 0;
}
