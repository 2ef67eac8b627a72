/* Locks taken by guards, in two orders, and never given back: each waits for the other. */
#include <pthread.h>
static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t met;
struct Guard {
    pthread_mutex_t *m;
    explicit Guard(pthread_mutex_t *mutex) : m(mutex)
    {
        my_lock();
    }
    __attribute__((noinline)) void my_lock()
    {
        pthread_mutex_lock(m);
    }
    ~Guard()
    {
        pthread_mutex_unlock(m);
    }
};
__attribute__((noinline)) static void deposit()
{
    Guard guard(&first);
    pthread_barrier_wait(&met);
    Guard other(&second);
    asm volatile("");
}
__attribute__((noinline)) static void withdraw()
{
    Guard guard(&second);
    pthread_barrier_wait(&met);
    Guard other(&first);
    asm volatile("");
}
static void *a(void *)
{
    pthread_setname_np(pthread_self(), "a");
    deposit();
    asm volatile("");
    return nullptr;
}
static void *b(void *)
{
    pthread_setname_np(pthread_self(), "b");
    withdraw();
    asm volatile("");
    return nullptr;
}
int main()
{
    pthread_t x, y;
    pthread_barrier_init(&met, nullptr, 2);
    pthread_create(&x, nullptr, a, nullptr);
    pthread_create(&y, nullptr, b, nullptr);
    pthread_join(x, nullptr);
    pthread_join(y, nullptr);
}
