// C11 joins order, too: the second thread is ordered after the first, the third is not.
#include "case.h"
#include <threads.h>
static mtx_t a, b;

static int forward(void *name)
{
    pthread_setname_np(pthread_self(), name);
    mtx_lock(&a);
    mtx_lock(&b);
    mtx_unlock(&b);
    mtx_unlock(&a);
    step();
    return 0;
}

static int backward(void *name)
{
    pthread_setname_np(pthread_self(), name);
    await(1);
    mtx_lock(&b);
    mtx_lock(&a);
    mtx_unlock(&a);
    mtx_unlock(&b);
    return 0;
}

int main(void)
{
    thrd_t f, g, h;
    mtx_init(&a, mtx_plain);
    mtx_init(&b, mtx_plain);
    thrd_create(&h, backward, "beside");
    thrd_create(&f, forward, "first");
    thrd_join(f, NULL);
    thrd_join(h, NULL);
    thrd_create(&g, backward, "after");
    thrd_join(g, NULL);
    return 0;
}
