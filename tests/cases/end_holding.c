// The last destructor of a thread takes a lock and keeps it.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t key;

static void take(void *value)
{
    (void)value;
    LOCK(a);
}

static void set(void)
{
    pthread_setspecific(key, &key);
}

int main(void)
{
    name_main();
    pthread_key_create(&key, take);
    JOIN(spawn("keeper", set));
    return 0;
}
