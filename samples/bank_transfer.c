/*
 * Two tellers move money between the same two accounts, in opposite directions.
 * Each locks the account it takes from, then the one it gives to. The second teller
 * happens to come after the first has gone, so this run ends well; with
 * both at the counter at once it would hang. dlwatch tells from this run already.
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
static int counter_free[2]; /* a pipe: the first teller tells the second to come */

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
    if (write(counter_free[1], "!", 1) != 1)
        perror("write");
    return arg;
}

static void *evening_teller(void *arg)
{
    char turn;
    pthread_setname_np(pthread_self(), "evening");
    if (read(counter_free[0], &turn, 1) != 1)
        perror("read");
    transfer(&accounts[1], &accounts[0], 25);
    return arg;
}

int main(void)
{
    pthread_t morning, evening;
    if (pipe(counter_free))
        return 1;
    pthread_create(&morning, NULL, morning_teller, NULL);
    pthread_create(&evening, NULL, evening_teller, NULL);
    pthread_join(morning, NULL);
    pthread_join(evening, NULL);
    printf("balances: %ld and %ld\n", accounts[0].balance, accounts[1].balance);
    return 0;
}
