/* The library of a toy project, whose tests are three programs. */
#include <pthread.h>

extern pthread_mutex_t accounts_lock, audit_lock;
void *pay(void *unused);
void *check(void *unused);
void run_in_thread(void *(*routine)(void *));
