/*
 * Two threads take two locks in two orders; a third holds one of them, in a
 * helper that returns with it. Nothing hangs: "ready PID", then "done" when the input ends.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

pthread_mutex_t accounts = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER;
static sem_t holds, release, turn;

static void take_both(pthread_mutex_t *first, pthread_mutex_t *second)
{
    pthread_mutex_lock(first);
    pthread_mutex_lock(second);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
}

static void *deposit(void *unused)
{
    (void)unused;
    take_both(&accounts, &ledger);
    sem_post(&turn);
    return NULL;
}

static void *audit(void *unused)
{
    (void)unused;
    sem_wait(&turn);
    take_both(&ledger, &accounts);
    return NULL;
}

static void open_ledger(void)
{
    pthread_mutex_lock(&ledger);
}

static void *keep(void *unused)
{
    (void)unused;
    open_ledger();
    sem_post(&holds);
    sem_wait(&release);
    pthread_mutex_unlock(&ledger);
    return NULL;
}

int main(void)
{
    pthread_t depositor, auditor, keeper;
    char byte;
    sem_init(&holds, 0, 0);
    sem_init(&release, 0, 0);
    sem_init(&turn, 0, 0);
    pthread_create(&depositor, NULL, deposit, NULL);
    pthread_create(&auditor, NULL, audit, NULL);
    pthread_join(depositor, NULL);
    pthread_join(auditor, NULL);
    pthread_create(&keeper, NULL, keep, NULL);
    pthread_setname_np(keeper, "keeper");
    sem_wait(&holds);
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        continue;
    sem_post(&release);
    pthread_join(keeper, NULL);
    puts("done");
    return 0;
}
