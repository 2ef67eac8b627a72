/*
 * Waits on a futex of its own, as std::atomic, Rust or Go do: no owner stands anywhere. Ends when
 * its input ends.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic uint32_t word = 1;

static void *wait_for_zero(void *unused)
{
    (void)unused;
    while (atomic_load(&word))
        syscall(SYS_futex, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, NULL);
    return NULL;
}

int main(void)
{
    pthread_t thread;
    char byte;
    pthread_create(&thread, NULL, wait_for_zero, NULL);
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        continue;
    atomic_store(&word, 0);
    syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
    pthread_join(thread, NULL);
    puts("done");
    return 0;
}
