// The rest of the standard library's locks, used well.
#include "case.h"
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <thread>

static std::timed_mutex timed;
static std::recursive_mutex deep;
static std::shared_timed_mutex shared;
static std::mutex m;
static std::condition_variable cond;
static std::condition_variable_any any;
static bool ready;

static void worker()
{
    for (int i = 0; i < 200; i++) {
        std::unique_lock<std::timed_mutex> t(timed, std::chrono::seconds(60));
        std::lock_guard<std::recursive_mutex> d1(deep);
        std::lock_guard<std::recursive_mutex> d2(deep);
        std::shared_lock<std::shared_timed_mutex> s(shared, std::chrono::seconds(60));
    }
    std::unique_lock<std::mutex> lock(m);
    cond.wait(lock, [] { return ready; });
    any.wait_for(lock, std::chrono::milliseconds(1), [] { return false; });
}

int main()
{
    std::thread one(worker), two(worker);
    {
        std::lock_guard<std::mutex> lock(m);
        ready = true;
        cond.notify_all();
    }
    one.join();
    two.join();
}
