/* A library with a lock in it. */
#include <pthread.h>

extern pthread_mutex_t lock_inside;
pthread_mutex_t lock_inside = PTHREAD_MUTEX_INITIALIZER;
