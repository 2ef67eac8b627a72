// meets_cxx APART [MS]: the same with guards of the C++ library, as they come out of an optimising
// compiler, and a shared_mutex. Ends well by itself.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <thread>

static std::mutex a, b;
static std::shared_mutex table;
static std::atomic<bool> is_done;

struct guarded {
    std::mutex lock;
    int value = 0;

    void add_to(guarded &other)
    {
        std::lock_guard<std::mutex> mine(lock);
        std::unique_lock<std::mutex> its(other.lock);
        other.value += value;
    }
};

static guarded left, right;

static void first_guards()
{
    std::lock_guard<std::mutex> outer(a);
    std::lock_guard<std::mutex> inner(b);
}

static void second_guards()
{
    std::lock_guard<std::mutex> outer(b);
    std::lock_guard<std::mutex> inner(a);
}

static void first_table()
{
    std::shared_lock<std::shared_mutex> outer(table);
    std::lock_guard<std::mutex> inner(a);
}

static void second_table()
{
    std::lock_guard<std::mutex> outer(a);
    std::unique_lock<std::shared_mutex> inner(table);
}

int main(int argc, char **argv)
{
    bool is_flag = argc > 2 && std::strcmp(argv[2], "flag") == 0;
    auto gap = std::chrono::milliseconds(argc > 3 ? std::atol(argv[3]) : 100);
    const char *which = argc > 1 ? argv[1] : "guards";

    auto play = [which](auto guards, auto member, auto shared) {
        if (std::strcmp(which, "guards") == 0)
            guards();
        else if (std::strcmp(which, "member") == 0)
            member();
        else
            shared();
    };
    std::thread first([&] {
        play(
            first_guards, [] { left.add_to(right); }, first_table);
        is_done = true;
    });
    std::thread second([&] {
        if (is_flag)
            while (!is_done)
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
        else
            std::this_thread::sleep_for(gap);
        play(
            second_guards, [] { right.add_to(left); }, second_table);
    });
    first.join();
    second.join();
    return 0;
}
