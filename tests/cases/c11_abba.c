// C11's mutexes and threads.
#include "case.h"
#include <threads.h>
static mtx_t a, b;

static int left(void *arg)
{
    (void)arg;
    pthread_setname_np(pthread_self(), "left");
    mtx_lock(&a);
    step();
    await(2);
    return mtx_lock(&b);
}

static int right(void *arg)
{
    (void)arg;
    pthread_setname_np(pthread_self(), "right");
    mtx_lock(&b);
    step();
    await(2);
    return mtx_lock(&a);
}

int main(void)
{
    thrd_t l, r;
    mtx_init(&a, mtx_plain);
    mtx_init(&b, mtx_plain);
    thrd_create(&l, left, NULL);
    thrd_create(&r, right, NULL);
    thrd_join(l, NULL);
    thrd_join(r, NULL);
    return 0;
}
