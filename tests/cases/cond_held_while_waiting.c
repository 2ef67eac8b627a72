// A signalled waiter must take its mutex back from the signaller, who wants what the waiter kept: a
// deadlock through a condition wait.
#include "case.h"
#include <sys/syscall.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int ready, waiter_tid;

/* Until the kernel says that the waiter sleeps on the mutex. */
static void await_sleep_on(const void *mutex)
{
    char path[64], text[100];
    unsigned long number, futex;
    snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", waiter_tid);
    for (;;) {
        FILE *file = fopen(path, "r");
        if (file && fgets(text, sizeof(text), file) &&
            sscanf(text, "%lu %lx", &number, &futex) == 2 && futex == (unsigned long)mutex) {
            fclose(file);
            return;
        }
        if (file)
            fclose(file);
        sched_yield();
    }
}

static void waiter(void)
{
    waiter_tid = (int)syscall(SYS_gettid);
    LOCK(other);
    LOCK(m);
    step();
    while (!ready)
        pthread_cond_wait(&cond, &m);
    UNLOCK(m);
    UNLOCK(other);
}

static void signaller(void)
{
    await(1);
    LOCK(m); // only when the waiter waits
    ready = 1;
    pthread_cond_signal(&cond);
    await_sleep_on(&m);
    LOCK(other);
    UNLOCK(other);
    UNLOCK(m);
}

int main(void)
{
    name_main();
    pthread_t w = spawn("waiter", waiter), s = spawn("signaller", signaller);
    JOIN(w);
    JOIN(s);
    return 0;
}
