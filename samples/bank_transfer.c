/*
 * Two tellers move money between the same two accounts, in opposite directions.
 * Each locks the account it takes from, then the one it gives to. The second teller
 * comes to work later, when the first has gone, so this run ends well; nothing but the
 * time of day keeps them apart, and with both at the counter at once it hangs. dlwatch tells from
 * this run already, and `dlwatch confirm` makes it hang.
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

struct account {
    pthread_mutex_t lock;
    long balance;
};

static struct account accounts[2] = {{PTHREAD_MUTEX_INITIALIZER, 100},
                                     {PTHREAD_MUTEX_INITIALIZER, 100}};

static void transfer(struct account *from, struct account *to, long amount)
{
    pthread_mutex_lock(&from->lock);
    pthread_mutex_lock(&to->lock);
    from->balance -= amount;
    to->balance += amount;
    pthread_mutex_unlock(&to->lock);
    pthread_mutex_unlock(&from->lock);
}

static void *morning_teller(void *arg)
{
    pthread_setname_np(pthread_self(), "morning");
    transfer(&accounts[0], &accounts[1], 10);
    return arg;
}

static void *evening_teller(void *arg)
{
    pthread_setname_np(pthread_self(), "evening");
    usleep(200000);
    transfer(&accounts[1], &accounts[0], 25);
    return arg;
}

int main(void)
{
    pthread_t morning, evening;
    pthread_create(&morning, NULL, morning_teller, NULL);
    pthread_create(&evening, NULL, evening_teller, NULL);
    pthread_join(morning, NULL);
    pthread_join(evening, NULL);
    printf("balances: %ld and %ld\n", accounts[0].balance, accounts[1].balance);
    return 0;
}
