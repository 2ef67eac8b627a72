// One bathroom, never both sexes at once: a mutex and a condition.
#include "case.h"
enum { MAN, WOMAN };
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int inside[2], visits;

static void visit(int who)
{
    for (int i = 0; i < 10; i++) {
        LOCK(m);
        while (inside[1 - who] > 0 || inside[who] == 3)
            pthread_cond_wait(&changed, &m);
        inside[who]++;
        UNLOCK(m);
        sched_yield();
        LOCK(m);
        inside[who]--;
        visits++;
        pthread_cond_broadcast(&changed);
        UNLOCK(m);
    }
}

static void man(void)
{
    visit(MAN);
}

static void woman(void)
{
    visit(WOMAN);
}

int main(void)
{
    pthread_t threads[6];
    for (int i = 0; i < 6; i++)
        threads[i] = spawn(i % 2 ? "woman" : "man", i % 2 ? woman : man);
    for (int i = 0; i < 6; i++)
        JOIN(threads[i]);
    printf("%d\n", visits);
    return 0;
}
