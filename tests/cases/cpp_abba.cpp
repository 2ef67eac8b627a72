// std::mutex has no init and no destroy; names are demangled.
#include "case.h"
#include <mutex>
namespace
{
std::mutex a, b;

struct Left {
    void run() const
    {
        std::lock_guard<std::mutex> first(a);
        step();
        await(2);
        std::lock_guard<std::mutex> second(b);
    }
};

void right()
{
    std::unique_lock<std::mutex> first(b);
    step();
    await(2);
    a.lock();
}
} // namespace

int main()
{
    pthread_t l = spawn("left", [] { Left().run(); }), r = spawn("right", right);
    JOIN(l);
    JOIN(r);
}
