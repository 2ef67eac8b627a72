/* Stands in for a watched program: make-journal.sh records places of it. */
#include <pthread.h>

struct account {
    long balance;
    pthread_mutex_t lock;
};

struct account accounts[3];
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

__attribute__((noinline)) void deposit(void)
{
    pthread_mutex_lock(&accounts[0].lock);
    pthread_mutex_lock(&accounts[1].lock);
    pthread_mutex_unlock(&accounts[1].lock);
    pthread_mutex_unlock(&accounts[0].lock);
}

__attribute__((noinline)) void withdraw(void)
{
    pthread_mutex_lock(&accounts[1].lock);
    pthread_mutex_lock(&accounts[0].lock);
    pthread_mutex_unlock(&accounts[0].lock);
    pthread_mutex_unlock(&accounts[1].lock);
}

__attribute__((noinline)) void *work(void *unused)
{
    pthread_mutex_lock(&gate);
    deposit();
    withdraw();
    pthread_mutex_unlock(&gate);
    return unused;
}

int main(void)
{
    work(0);
    return 0;
}
