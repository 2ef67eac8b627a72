/* Its constructor waits, inside dlopen, for a lock that another thread of the program holds. */
#include <pthread.h>

extern pthread_mutex_t wanted_by_loader;
extern void loader_is_inside(void);

static __attribute__((constructor)) void start(void)
{
    loader_is_inside();
    pthread_mutex_lock(&wanted_by_loader);
    pthread_mutex_unlock(&wanted_by_loader);
}
