// Spin locks given back and destroyed as they should be: also by a forked child that has one from
// its parent, by another process that shares one, and where the first call ever is an unlock: on
// x86-64 zeros are a lock that is taken, elsewhere a free one.
#include "case.h"
#include <sys/mman.h>
#include <sys/wait.h>
static pthread_spinlock_t plain, inherited, zeroed;

int main(void)
{
    pthread_spinlock_t *shared =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_spin_init(&plain, 0);
    pthread_spin_init(&inherited, 0);
    pthread_spin_init(shared, 1);
    pthread_spin_lock(&plain);
    pthread_spin_unlock(&plain);
    pthread_spin_destroy(&plain);
#if defined(__x86_64__)
    pthread_spin_unlock(&zeroed);
#endif
    pthread_spin_lock(&zeroed);
    pthread_spin_unlock(&zeroed);
    pthread_spin_lock(&inherited);
    pthread_spin_lock(shared);
    if (fork() == 0) {
        pthread_spin_unlock(&inherited);
        pthread_spin_unlock(shared);
        _exit(0);
    }
    wait(NULL);
    pthread_spin_unlock(&inherited);
    pthread_spin_destroy(&inherited);
    pthread_spin_destroy(shared);
    return 0;
}
