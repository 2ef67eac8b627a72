// options: stall_after=1
// Each thread has a small alternate stack for its signals, and a handler tells of stacks that have
// overflown, as in each program of Rust: neither hides that nothing will wake them.
#include "case.h"
#include <signal.h>
#include <sys/mman.h>
static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t booked = PTHREAD_COND_INITIALIZER;

static void tell(int number)
{
    (void)number;
    _exit(1);
}

static void take_alternate_stack(void)
{
    stack_t stack = {.ss_size = 8192};
    stack.ss_sp =
        mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaltstack(&stack, NULL);
}

static void clerk(void)
{
    take_alternate_stack();
    LOCK(ledger);
    pthread_cond_wait(&booked, &ledger);
}

int main(void)
{
    struct sigaction action = {.sa_handler = tell, .sa_flags = SA_ONSTACK};
    name_main();
    take_alternate_stack();
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    pthread_t c = spawn("clerk", clerk);
    JOIN(c);
    return 0;
}
