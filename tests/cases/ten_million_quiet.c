// Ten million locks, all alive, each taken; every twentieth under another.
// limit: 240
#include "case.h"
#include <sys/mman.h>
enum { N = 10 * 1000 * 1000 };
static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;

int main(void)
{
    pthread_mutex_t *locks = mmap(NULL, (size_t)N * sizeof *locks, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (long i = 0; i < N; i++) {
        if (i % 20 == 0)
            LOCK(outer);
        LOCK(locks[i]);
        UNLOCK(locks[i]);
        if (i % 20 == 0)
            UNLOCK(outer);
    }
    return 0;
}
