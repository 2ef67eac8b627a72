/* Memory shared by fork with mutexes that nobody declared shared: it works, so it must go on
 * working. */
// quiet
#include "tell.h"
#include <sys/mman.h>
#include <sys/wait.h>

struct shared {
    pthread_mutex_t m, n;
    pthread_rwlock_t l;
    long count;
    int turn;
};

static void work(struct shared *s)
{
    for (int i = 0; i < 5000; i++) {
        LOCK(s->m);
        LOCK(s->n);
        WRLOCK(s->l);
        s->count++;
        RWUNLOCK(s->l);
        UNLOCK(s->n);
        UNLOCK(s->m);
    }
}

/* Hand-over-hand through a plain word, so that both are there and nobody needs to be woken
 * (a private futex would not be). */
static void alternate(struct shared *s, int me)
{
    for (int i = 0; i < 50; i++) {
        while (__atomic_load_n(&s->turn, __ATOMIC_SEQ_CST) != me)
            sched_yield();
        LOCK(s->m);
        LOCK(s->n);
        s->count++;
        UNLOCK(s->n);
        UNLOCK(s->m);
        __atomic_store_n(&s->turn, !me, __ATOMIC_SEQ_CST);
    }
}

int main(void)
{
    int status;
    struct shared *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutex_init(&s->m, NULL);
    pthread_mutex_init(&s->n, NULL);
    pthread_rwlock_init(&s->l, NULL);
    work(s);
    pid_t pid = fork();
    if (pid == 0) {
        alternate(s, 1);
        _exit(0);
    }
    alternate(s, 0);
    waitpid(pid, &status, 0);
    work(s);
    say("count %ld, status %d", s->count, status);
    TELL(pthread_mutex_destroy(&s->m));
    TELL(pthread_mutex_destroy(&s->n));
    TELL(pthread_rwlock_destroy(&s->l));
    return 0;
}
