// Statics initialised under contention, one of them by an exception and a second try;
// std::call_once.
#include "case.h"
#include <mutex>
static std::mutex m;
static std::once_flag flag;
static int attempts;

struct Config {
    Config()
    {
        std::lock_guard<std::mutex> lock(m);
        if (attempts++ == 0)
            throw 1;
    }
};

static void user()
{
    try {
        static Config instance;
    } catch (int) {
    }
    std::call_once(flag, [] { std::lock_guard<std::mutex> lock(m); });
}

int main()
{
    pthread_t t[4];
    for (auto &thread : t)
        thread = spawn("user", user);
    for (auto &thread : t)
        JOIN(thread);
}
