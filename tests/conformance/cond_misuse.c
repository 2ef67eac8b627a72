/* What glibc answers to a wait without the mutex, and to one with somebody else's. */
#include "tell.h"

static pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;

static void others(void)
{
    TELL(pthread_cond_timedwait(&c, &checked, &past));
    TELL(pthread_mutex_unlock(&checked));
}

int main(void)
{
    TELL(pthread_cond_wait(&c, &checked));
    TELL(pthread_cond_timedwait(&c, &checked, &past));
    TELL(pthread_cond_clockwait(&c, &checked, CLOCK_REALTIME, &past));
    TELL(pthread_mutex_lock(&checked));
    aside(others);
    TELL(pthread_mutex_unlock(&checked));
    TELL(pthread_mutex_unlock(&checked));
    return 0;
}
