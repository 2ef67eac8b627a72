/*
 * A program with its own allocator, which takes a mutex, and counts what is asked of it.
 * While locks are taken and orders learned nothing may be asked in the program's name.
 */
// quiet
#include "tell.h"
#include <stdint.h>

static pthread_mutex_t heap_lock = PTHREAD_MUTEX_INITIALIZER;
static char heap[1 << 26] __attribute__((aligned(4096)));
static size_t heap_used;
static long calls;

static void *take(size_t size, size_t align)
{
    LOCK(heap_lock);
    calls++;
    size_t *at = (size_t *)(((uintptr_t)heap + heap_used + 16 + align - 1) / align * align);
    heap_used = (size_t)((char *)at - heap) + size;
    at[-1] = size;
    UNLOCK(heap_lock);
    return heap_used < sizeof heap ? at : NULL;
}

void *malloc(size_t size)
{
    return take(size, 16);
}

void free(void *at)
{
    (void)at;
    LOCK(heap_lock);
    calls++;
    UNLOCK(heap_lock);
}

void *calloc(size_t n, size_t size)
{
    return take(n * size, 16); /* never reused, so still zero */
}

void *realloc(void *at, size_t size)
{
    void *more = take(size, 16);
    if (at && more)
        memcpy(more, at, ((size_t *)at)[-1] < size ? ((size_t *)at)[-1] : size);
    return more;
}

void *memalign(size_t align, size_t size);
void *memalign(size_t align, size_t size)
{
    return take(size, align < 16 ? 16 : align);
}

void *aligned_alloc(size_t align, size_t size)
{
    return memalign(align, size);
}

int posix_memalign(void **at, size_t align, size_t size)
{
    *at = memalign(align, size);
    return 0;
}

static pthread_mutex_t locks[200];

static void take_many(void)
{
    for (int i = 0; i + 1 < 200; i++) {
        LOCK(locks[i]);
        LOCK(locks[i + 1]);
        UNLOCK(locks[i + 1]);
        UNLOCK(locks[i]);
    }
}

static void under_the_heap_lock(void)
{
    LOCK(heap_lock);
    LOCK(locks[0]);
    UNLOCK(locks[0]);
    UNLOCK(heap_lock);
}

static void counted(void)
{
    long before = calls;
    take_many();
    under_the_heap_lock();
    say("allocator calls meanwhile: %ld", calls - before);
}

int main(void)
{
    for (int i = 0; i < 200; i++)
        pthread_mutex_init(&locks[i], NULL);
    say("ready");
    counted();
    aside(counted);
    return 0;
}
