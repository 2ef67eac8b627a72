// The twin of reuse: the same objects, still alive, in both orders.
#include "case.h"
#include <mutex>
static std::mutex b;
static std::mutex *kept = new std::mutex;

static void forward()
{
    std::lock_guard<std::mutex> one(*kept);
    std::lock_guard<std::mutex> two(b);
    step();
}

static void backward()
{
    await(1);
    std::lock_guard<std::mutex> one(b);
    std::lock_guard<std::mutex> two(*kept);
}

int main()
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
}
