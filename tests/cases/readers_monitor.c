// Readers and writers with a monitor: one mutex, one condition a side. Nothing is nested.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t may_read = PTHREAD_COND_INITIALIZER, may_write = PTHREAD_COND_INITIALIZER;
static int readers, waiting_writers, is_written, value;

static void reader(void)
{
    for (int i = 0; i < 20; i++) {
        LOCK(m);
        while (is_written || waiting_writers)
            pthread_cond_wait(&may_read, &m);
        readers++;
        UNLOCK(m);
        sched_yield();
        LOCK(m);
        if (--readers == 0)
            pthread_cond_signal(&may_write);
        UNLOCK(m);
    }
}

static void writer(void)
{
    for (int i = 0; i < 20; i++) {
        LOCK(m);
        waiting_writers++;
        while (is_written || readers)
            pthread_cond_wait(&may_write, &m);
        waiting_writers--;
        is_written = 1;
        UNLOCK(m);
        value++;
        LOCK(m);
        is_written = 0;
        pthread_cond_signal(&may_write);
        pthread_cond_broadcast(&may_read);
        UNLOCK(m);
    }
}

int main(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        threads[i] = spawn(i < 2 ? "reader" : "writer", i < 2 ? reader : writer);
    for (int i = 0; i < 4; i++)
        JOIN(threads[i]);
    printf("%d\n", value);
    return 0;
}
