// std::shared_mutex read under one writer, written under another.
#include "case.h"
#include <mutex>
#include <shared_mutex>
static std::shared_mutex a, b;

static void forward()
{
    std::shared_lock<std::shared_mutex> first(a);
    std::unique_lock<std::shared_mutex> second(b);
    step();
}

static void backward()
{
    await(1);
    std::shared_lock<std::shared_mutex> first(b);
    std::unique_lock<std::shared_mutex> second(a);
}

int main()
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
}
