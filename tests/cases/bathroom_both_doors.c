// Two cleaners who close both doors, each the nearer one first.
#include "case.h"
static pthread_mutex_t men = PTHREAD_MUTEX_INITIALIZER, women = PTHREAD_MUTEX_INITIALIZER;

static void early(void)
{
    LOCK(men);
    LOCK(women);
    UNLOCK(women);
    UNLOCK(men);
    step();
}

static void late(void)
{
    await(1);
    LOCK(women);
    LOCK(men);
    UNLOCK(men);
    UNLOCK(women);
}

int main(void)
{
    pthread_t e = spawn("early", early), l = spawn("late", late);
    JOIN(e);
    JOIN(l);
    return 0;
}
