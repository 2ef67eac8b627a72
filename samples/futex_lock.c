/*
 * A lock of the program's own, on a futex: pthread never hears of it, and neither would dlwatch.
 * Four lines from dlwatch.h tell it, and the deadlock between two shops that order from each other
 * is found like any other. Without dlwatch these lines do nothing.
 */
#include <dlwatch.h>

#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

struct futex_lock {
    int state; /* 0 free, 1 held, 2 held and waited for */
};

static void futex_lock(struct futex_lock *lock)
{
    int seen = 0;

    if (!__atomic_compare_exchange_n(&lock->state, &seen, 1, 0, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED)) {
        dlwatch_wants(lock, DLWATCH_EXCLUSIVE);
        while (__atomic_exchange_n(&lock->state, 2, __ATOMIC_ACQUIRE) != 0)
            syscall(SYS_futex, &lock->state, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
    }
    dlwatch_acquired(lock, DLWATCH_EXCLUSIVE);
}

static void futex_unlock(struct futex_lock *lock)
{
    dlwatch_released(lock);
    if (__atomic_exchange_n(&lock->state, 0, __ATOMIC_RELEASE) == 2)
        syscall(SYS_futex, &lock->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

struct shop {
    struct futex_lock lock;
    const char *name;
    int goods;
    struct shop *partner;
};

static struct shop bakery = {.name = "bakery", .goods = 10};
static struct shop dairy = {.name = "dairy", .goods = 10};
static int both_open;

static void *order(void *argument)
{
    struct shop *here = argument;

    pthread_setname_np(pthread_self(), here->name);
    futex_lock(&here->lock);
    /* Each is in its own shop before either goes to the other's. */
    __atomic_add_fetch(&both_open, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&both_open, __ATOMIC_SEQ_CST) < 2)
        ;
    futex_lock(&here->partner->lock);
    here->partner->goods--;
    here->goods++;
    futex_unlock(&here->partner->lock);
    futex_unlock(&here->lock);
    return NULL;
}

int main(void)
{
    pthread_t threads[2];

    bakery.partner = &dairy;
    dairy.partner = &bakery;
    dlwatch_name(&bakery.lock, "door of the bakery");
    dlwatch_name(&dairy.lock, "door of the dairy");
    pthread_create(&threads[0], NULL, order, &bakery);
    pthread_create(&threads[1], NULL, order, &dairy);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    printf("bakery %d, dairy %d\n", bakery.goods, dairy.goods);
    return 0;
}
