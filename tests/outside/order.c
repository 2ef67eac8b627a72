/*
 * Two threads take two locks in two orders; a third holds one of them, in a
 * helper that returns with it. Nothing hangs: "ready PID", then "done" when the input ends; with an
 * argument the program of that name takes over then; "eat" is all the memory there is.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void eat(void)
{
    enum { BITE = 1 << 20 };
    for (;;) {
        char *bite = malloc(BITE);
        if (bite)
            memset(bite, 1, BITE);
    }
}

int main(int argc, char **argv)
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
    if (argc > 1 && !strcmp(argv[1], "eat"))
        eat();
    if (argc > 1)
        execlp(argv[1], argv[1], (char *)NULL);
    puts("done");
    return 0;
}
