// Two readers of one lock that both want to write: each waits for the other to leave.
#include "case.h"
#include "custom.h"
static struct custom lock;

static void upgrade(void)
{
    int alone = 1;
    dlwatch_wants(&lock, DLWATCH_EXCLUSIVE);
    while (!__atomic_compare_exchange_n(&lock.word, &alone, -1, 0, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) {
        syscall(SYS_futex, &lock.word, FUTEX_WAIT_PRIVATE, alone, NULL, NULL, 0);
        alone = 1;
    }
    dlwatch_acquired(&lock, DLWATCH_EXCLUSIVE);
}

static void read_then_write(void)
{
    SHARE(lock);
    step();
    await(2);
    upgrade();
}

int main(void)
{
    pthread_t l = spawn("left", read_then_write), r = spawn("right", read_then_write);
    JOIN(l);
    JOIN(r);
    return 0;
}
