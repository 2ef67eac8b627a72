/* A library with locks of its own, a constructor that takes them, and a thread it makes there. */
#include "case.h"

void plugin_use(void);

static pthread_mutex_t mine = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;

void plugin_use(void)
{
    LOCK(mine);
    LOCK(other);
    UNLOCK(other);
    UNLOCK(mine);
}

static __attribute__((constructor)) void start(void)
{
    plugin_use();
    JOIN(spawn("plugin", plugin_use));
}

static __attribute__((destructor)) void stop(void)
{
    plugin_use();
}
