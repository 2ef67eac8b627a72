/* Many inversions within a moment, each with names of its own and long stacks. */
#include "case.h"

#define FINDINGS 8
static pthread_mutex_t a[FINDINGS], b[FINDINGS];

#define TAKE(i)                                                                                    \
    __attribute__((noinline)) static void take##i(pthread_mutex_t *x, pthread_mutex_t *y)          \
    {                                                                                              \
        pthread_mutex_lock(x);                                                                     \
        pthread_mutex_lock(y);                                                                     \
        pthread_mutex_unlock(y);                                                                   \
        pthread_mutex_unlock(x);                                                                   \
    }
TAKE(0)
TAKE(1)
TAKE(2)
TAKE(3)
TAKE(4)
TAKE(5)
TAKE(6)
TAKE(7)

static void (*const take[FINDINGS])(pthread_mutex_t *, pthread_mutex_t *) = {
    take0, take1, take2, take3, take4, take5, take6, take7};

static void deep(int n, int i, int turn)
{
    if (n)
        deep(n - 1, i, turn);
    else if (turn)
        take[i](&b[i], &a[i]);
    else
        take[i](&a[i], &b[i]);
}

static void first(void)
{
    for (int i = 0; i < FINDINGS; i++)
        deep(24, i, 0);
    step();
}

static void second(void)
{
    await(1);
    for (int i = 0; i < FINDINGS; i++)
        deep(24, i, 1);
}

int main(void)
{
    for (int i = 0; i < FINDINGS; i++) {
        pthread_mutex_init(&a[i], NULL);
        pthread_mutex_init(&b[i], NULL);
    }
    pthread_t t = spawn("first", first), u = spawn("second", second);
    JOIN(t);
    JOIN(u);
    return 0;
}
