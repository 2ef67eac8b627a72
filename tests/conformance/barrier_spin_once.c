/* Barriers, spin locks, once-routines. */
#include "tell.h"

static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int serial;

static void meet(void)
{
    for (int i = 0; i < 50; i++)
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            __atomic_fetch_add(&serial, 1, __ATOMIC_SEQ_CST);
}

static void spin_elsewhere(void)
{
    TELL(pthread_spin_trylock(&spin));
}

static void routine(void)
{
    say("the routine");
    step();
    for (int i = 0; i < 100; i++)
        sched_yield();
    say("the routine ends");
}

static void initialise(void)
{
    int result = pthread_once(&once, routine);
    if (result)
        say("once: %d", result);
}

int main(void)
{
    pthread_t t[3];
    TELL(pthread_barrier_init(&barrier, NULL, 0));
    TELL(pthread_barrier_init(&barrier, NULL, 3));
    for (int i = 0; i < 3; i++)
        t[i] = spawn("meet", meet);
    for (int i = 0; i < 3; i++)
        JOIN(t[i]);
    say("serial threads: %d", serial);
    TELL(pthread_barrier_destroy(&barrier));

    TELL(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE));
    TELL(pthread_spin_lock(&spin));
    TELL(pthread_spin_trylock(&spin));
    aside(spin_elsewhere);
    TELL(pthread_spin_unlock(&spin));
    TELL(pthread_spin_trylock(&spin));
    TELL(pthread_spin_unlock(&spin));
    TELL(pthread_spin_destroy(&spin));

    for (int i = 0; i < 3; i++)
        t[i] = spawn("once", initialise);
    for (int i = 0; i < 3; i++)
        JOIN(t[i]);
    TELL(pthread_once(&once, routine));
    return 0;
}
