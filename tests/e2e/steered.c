/*
 * What a pause must not change: errno, signals that come meanwhile and whose handler locks, a
 * thread that is cancelled in it. Two orders that a flag keeps apart; ends with 4 where something
 * is wrong.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t of_handler = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool first_is_done, is_wrong;
static atomic_uint n_signals;

static void on_signal(int number)
{
    int kept = errno;

    (void)number;
    if (pthread_mutex_trylock(&of_handler) == 0)
        pthread_mutex_unlock(&of_handler);
    atomic_fetch_add(&n_signals, 1);
    errno = kept;
}

static void a_then_b(void)
{
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
}

static void *first(void *arg)
{
    errno = 77;
    a_then_b();
    if (errno != 77)
        is_wrong = true;
    first_is_done = true;
    return arg;
}

static void *second(void *arg)
{
    while (!first_is_done)
        usleep(1000);
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    return arg;
}

/* May end in the middle of a pause. Nobody needs what it holds then. */
static void *cancelled(void *arg)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    a_then_b();
    while (true)
        pause();
    return arg;
}

static void *play_cancelled(void)
{
    pthread_t thread;
    void *result;

    pthread_create(&thread, NULL, cancelled, NULL);
    usleep(30000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    return result;
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 2000}, {0, 2000}};
    pthread_t one, other;

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    pthread_create(&one, NULL, first, NULL);
    pthread_create(&other, NULL, second, NULL);
    pthread_join(one, NULL);
    pthread_join(other, NULL);
    if (play_cancelled() != PTHREAD_CANCELED)
        is_wrong = true;
    for (int i = 0; i < 1000 && n_signals == 0; i++)
        usleep(10000);
    puts(n_signals && !is_wrong ? "well" : "wrong");
    return n_signals && !is_wrong ? 0 : 4;
}
