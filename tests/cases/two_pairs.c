// Two deadlocks side by side, the program goes on hanging: only a time limit ends it.
// options: on_deadlock=continue
// limit: 2
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER, d = PTHREAD_MUTEX_INITIALIZER;

static void ab(void)
{
    LOCK(a);
    step();
    await(4);
    LOCK(b);
}

static void ba(void)
{
    LOCK(b);
    step();
    await(4);
    LOCK(a);
}

static void cd(void)
{
    LOCK(c);
    step();
    await(4);
    LOCK(d);
}

static void dc(void)
{
    LOCK(d);
    step();
    await(4);
    LOCK(c);
}

int main(void)
{
    pthread_t threads[] = {spawn("ab", ab), spawn("ba", ba), spawn("cd", cd), spawn("dc", dc)};
    for (int i = 0; i < 4; i++)
        JOIN(threads[i]);
    return 0;
}
