/* Condition waits in every outcome: signalled, broadcast, run out, refused. */
// quiet
#include "tell.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t deep = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int state;

static void set_state(int to)
{
    LOCK(m);
    state = to;
    TELL(pthread_cond_signal(&c));
    TELL(pthread_cond_broadcast(&c));
    UNLOCK(m);
}

static void signaller(void)
{
    await(1);
    set_state(1);
    await(2);
    set_state(2);
    await(3);
    set_state(3);
}

static void woken(void)
{
    int result = 0;
    LOCK(m);
    step();
    while (state < 1)
        result |= pthread_cond_wait(&c, &m);
    UNLOCK(m);
    say("waited: %d", result);
    step();
    LOCK(m);
    while (state < 2)
        result |= pthread_cond_timedwait(&c, &m, from_now(CLOCK_REALTIME, 60000));
    UNLOCK(m);
    say("timed: %d", result);
    step();
    LOCK(m);
    while (state < 3)
        result |= pthread_cond_clockwait(&c, &m, CLOCK_MONOTONIC, from_now(CLOCK_MONOTONIC, 60000));
    UNLOCK(m);
    say("clocked: %d", result);
}

int main(void)
{
    pthread_t s = spawn("signaller", signaller);
    pthread_t w = spawn("waiter", woken);
    JOIN(w);
    JOIN(s);
    TELL(pthread_mutex_lock(&m));
    TELL(pthread_cond_timedwait(&c, &m, &past));
    TELL(pthread_cond_timedwait(&c, &m, &crooked));
    TELL(pthread_cond_clockwait(&c, &m, CLOCK_MONOTONIC, &past));
    TELL(pthread_cond_clockwait(&c, &m, CLOCK_PROCESS_CPUTIME_ID, &past));
    TELL(pthread_mutex_trylock(&m)); /* still held */
    TELL(pthread_mutex_unlock(&m));
    TELL(pthread_mutex_lock(&deep));
    TELL(pthread_cond_timedwait(&c, &deep, &past));
    TELL(pthread_mutex_unlock(&deep));
    TELL(pthread_cond_destroy(&c));
    TELL(pthread_cond_init(&c, NULL));
    TELL(pthread_cond_destroy(&c));
    return 0;
}
