/* Takes two locks in both orders, one after the other; the second lock once called back by a
 * library. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

void go_through(void (*back)(void));

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool is_through;

static void called_back(void)
{
    pthread_mutex_lock(&b);
    pthread_mutex_unlock(&b);
}

static void descend(int n)
{
    if (n > 0)
        descend(n - 1);
    else
        go_through(called_back);
}

static void *through(void *unused)
{
    pthread_mutex_lock(&a);
    descend(3);
    pthread_mutex_unlock(&a);
    is_through = true;
    return unused;
}

static void *straight(void *unused)
{
    while (!is_through) /* a flag, which the library does not see */
        sched_yield();
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    return unused;
}

int main(void)
{
    pthread_t first, second;

    pthread_create(&first, NULL, through, NULL);
    pthread_create(&second, NULL, straight, NULL);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    return 0;
}
