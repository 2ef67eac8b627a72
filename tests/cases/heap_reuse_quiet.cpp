// A std::mutex in freed and reused memory is a new one: it has no init and no destroy.
#include "case.h"
#include <mutex>
#include <new>
static std::mutex b;
alignas(std::mutex) static char place[sizeof(std::mutex)];

static void take(std::mutex &first, std::mutex &second)
{
    std::lock_guard<std::mutex> one(first);
    std::lock_guard<std::mutex> two(second);
}

static void forward()
{
    for (int i = 0; i < 50; i++) {
        auto *heap = new std::mutex;
        take(*heap, b);
        delete heap;
    }
    take(*new (place) std::mutex, b);
    step();
}

static void backward()
{
    await(1);
    for (int i = 0; i < 50; i++) {
        auto *heap = new std::mutex;
        take(b, *heap);
        delete heap;
    }
    take(b, *new (place) std::mutex);
}

int main()
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
}
