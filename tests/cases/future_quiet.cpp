// options: stall_after=1
// main waits for a future before it takes the lock that the one who keeps the promise asks for;
// std::future sleeps on a futex of its own, by a system call.
#include "case.h"
#include <future>
#include <mutex>
static std::mutex ledger;
static std::promise<int> answer;

static void auditor(void)
{
    await(1);
    std::lock_guard<std::mutex> hold(ledger);
    answer.set_value(42);
}

int main(void)
{
    name_main();
    pthread_t a = spawn("auditor", auditor);
    step();
    answer.get_future().get();
    {
        std::lock_guard<std::mutex> hold(ledger);
    }
    JOIN(a);
    return 0;
}
