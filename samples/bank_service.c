/*
 * A bank that is open all day: four tellers move money between four accounts, and write each
 * transfer into the ledger between the two locks. Most days end in a deadlock. With `avoid=FILE`
 * and a supervisor it hangs once: see the README.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ACCOUNTS = 4, TELLERS = 4, TRANSFERS = 250 };

struct account {
    pthread_mutex_t lock;
    long balance;
};

static struct account accounts[ACCOUNTS];

static void write_ledger(void)
{
    usleep(100);
}

static void transfer(struct account *from, struct account *to, long amount)
{
    pthread_mutex_lock(&from->lock);
    write_ledger();
    pthread_mutex_lock(&to->lock);
    from->balance -= amount;
    to->balance += amount;
    pthread_mutex_unlock(&to->lock);
    pthread_mutex_unlock(&from->lock);
}

static void *teller(void *arg)
{
    unsigned seed = (unsigned)(long)arg;

    pthread_setname_np(pthread_self(), "teller");
    for (int i = 0; i < TRANSFERS; i++) {
        int from = (int)(rand_r(&seed) % ACCOUNTS);
        int to = (from + 1 + (int)(rand_r(&seed) % (ACCOUNTS - 1))) % ACCOUNTS;
        transfer(&accounts[from], &accounts[to], 1);
    }
    return NULL;
}

int main(void)
{
    pthread_t tellers[TELLERS];
    long sum = 0;

    for (int i = 0; i < ACCOUNTS; i++) {
        pthread_mutex_init(&accounts[i].lock, NULL);
        accounts[i].balance = 100;
    }
    for (int i = 0; i < TELLERS; i++)
        pthread_create(&tellers[i], NULL, teller, (void *)(long)i);
    for (int i = 0; i < TELLERS; i++)
        pthread_join(tellers[i], NULL);
    for (int i = 0; i < ACCOUNTS; i++)
        sum += accounts[i].balance;
    printf("the bank is closed: %ld in %d accounts after %d transfers\n", sum, ACCOUNTS,
           TELLERS * TRANSFERS);
    return 0;
}
