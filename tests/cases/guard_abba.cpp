// A function's static wants a mutex in its constructor; whoever holds that waits for the static.
#include "case.h"
#include <mutex>
static std::mutex m;

struct Config {
    Config()
    {
        step();
        await(2);
        m.lock();
    }
};

static Config &config()
{
    static Config instance;
    return instance;
}

static void loader()
{
    config();
}

static void user()
{
    m.lock();
    step();
    await(2);
    config();
}

int main()
{
    pthread_t x = spawn("loader", loader), y = spawn("user", user);
    JOIN(x);
    JOIN(y);
}
