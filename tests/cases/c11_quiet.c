// C11 used well: mutex kinds, trylock, timedlock, conditions.
#include "case.h"
#include <threads.h>
#include <time.h>
static mtx_t m, deep;
static cnd_t cond;
static int turn;

static int player(void *arg)
{
    int me = *(int *)arg;
    for (int i = 0; i < 200; i++) {
        mtx_lock(&m);
        while (turn != me)
            cnd_wait(&cond, &m);
        mtx_lock(&deep);
        if (mtx_trylock(&deep) == thrd_success)
            mtx_unlock(&deep);
        mtx_unlock(&deep);
        turn = !me;
        cnd_broadcast(&cond);
        mtx_unlock(&m);
    }
    return me;
}

int main(void)
{
    thrd_t threads[2];
    int ids[2] = {0, 1}, result, sum = 0;
    struct timespec past = {1, 0};
    mtx_init(&m, mtx_timed);
    mtx_init(&deep, mtx_plain | mtx_recursive);
    cnd_init(&cond);
    for (int i = 0; i < 2; i++)
        thrd_create(&threads[i], player, &ids[i]);
    for (int i = 0; i < 2; i++, sum += result)
        thrd_join(threads[i], &result);
    mtx_lock(&m);
    printf("%d %d\n", sum, cnd_timedwait(&cond, &m, &past) == thrd_timedout);
    mtx_unlock(&m);
    cnd_destroy(&cond);
    mtx_destroy(&m);
    mtx_destroy(&deep);
    return 0;
}
