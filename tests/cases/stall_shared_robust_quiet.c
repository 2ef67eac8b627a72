// A robust mutex in memory shared with another process, which lets go of it when a stall would have
// been told.
// options: stall_after=1
#include "case.h"
#include <sys/mman.h>
#include <sys/wait.h>
static struct shared {
    pthread_mutex_t mutex;
    int is_held;
} * shared;

static void other_process(void)
{
    pthread_mutex_lock(&shared->mutex);
    __atomic_store_n(&shared->is_held, 1, __ATOMIC_SEQ_CST);
    usleep(1500000);
    pthread_mutex_unlock(&shared->mutex);
    _exit(0);
}

int main(void)
{
    pthread_mutexattr_t attr;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&shared->mutex, &attr);
    pid_t child = fork();
    if (child == 0)
        other_process();
    while (!__atomic_load_n(&shared->is_held, __ATOMIC_SEQ_CST))
        usleep(1000);
    pthread_mutex_lock(&shared->mutex);
    pthread_mutex_unlock(&shared->mutex);
    return waitpid(child, NULL, 0) != child;
}
