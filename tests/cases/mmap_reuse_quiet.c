// Memory unmapped and mapped again at the same address holds new mutexes.
#include "case.h"
#include <sys/mman.h>
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t *page;

static void map(void *at)
{
    page = mmap(at, 4096, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED_NOREPLACE : 0), -1, 0);
    if (page == MAP_FAILED)
        abort();
}

static void forward(void)
{
    LOCK(*page); // all zero: a valid mutex
    LOCK(b);
    UNLOCK(b);
    UNLOCK(*page);
    step();
}

static void backward(void)
{
    await(2);
    LOCK(b);
    LOCK(*page);
    UNLOCK(*page);
    UNLOCK(b);
}

int main(void)
{
    map(NULL);
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    await(1);
    munmap(page, 4096);
    map(page);
    step();
    JOIN(f);
    JOIN(g);
    return 0;
}
