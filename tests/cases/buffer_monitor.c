// A bounded buffer with a monitor, and its statistics under a second mutex, taken inside always.
#include "case.h"
enum { SLOTS = 2, EACH = 30 };
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, statistics = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER, not_empty = PTHREAD_COND_INITIALIZER;
static int n, moved;

static void count(void)
{
    LOCK(statistics);
    moved++;
    UNLOCK(statistics);
}

static void producer(void)
{
    for (int i = 0; i < EACH; i++) {
        LOCK(m);
        while (n == SLOTS)
            pthread_cond_wait(&not_full, &m);
        n++;
        count();
        pthread_cond_signal(&not_empty);
        UNLOCK(m);
    }
}

static void consumer(void)
{
    for (int i = 0; i < EACH; i++) {
        LOCK(m);
        while (n == 0)
            pthread_cond_wait(&not_empty, &m);
        n--;
        count();
        pthread_cond_signal(&not_full);
        UNLOCK(m);
    }
}

int main(void)
{
    pthread_t p = spawn("producer", producer), c = spawn("consumer", consumer);
    JOIN(p);
    JOIN(c);
    printf("%d\n", moved);
    return 0;
}
