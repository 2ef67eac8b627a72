// A spin lock in memory that another process shares: that one lets go of it.
#include "case.h"
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

int main(void)
{
    pthread_spinlock_t *lock =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_spin_init(lock, PTHREAD_PROCESS_SHARED);
    pthread_spin_lock(lock);
    if (fork() == 0) {
        struct timespec while_it_spins = {0, 100000000};
        nanosleep(&while_it_spins, NULL);
        (pthread_spin_unlock)(lock);
        _exit(0);
    }
    pthread_spin_lock(lock);
    pthread_spin_unlock(lock);
    wait(NULL);
    return 0;
}
