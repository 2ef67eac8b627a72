// A condition wait under nothing else, and its mutex really given up meanwhile.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, emptied = PTHREAD_COND_INITIALIZER;
static int items;

static void produce(void)
{
    for (int i = 0; i < 500; i++) {
        LOCK(m);
        while (items)
            pthread_cond_wait(&emptied, &m);
        items = 1;
        pthread_cond_signal(&filled);
        UNLOCK(m);
    }
}

static void consume(void)
{
    for (int i = 0; i < 500; i++) {
        LOCK(m);
        while (!items)
            pthread_cond_wait(&filled, &m);
        items = 0;
        pthread_cond_signal(&emptied);
        UNLOCK(m);
    }
}

int main(void)
{
    pthread_t p = spawn("producer", produce), c = spawn("consumer", consume);
    JOIN(p);
    JOIN(c);
    return 0;
}
