// As a test framework runs them, from C++: the tests' own threads and one in the main thread.
#include "case.h"
#include "interpose/include/dlwatch.h"
#include <mutex>
#include <string>
#include <thread>
static std::mutex a, b;

static void both(std::mutex &first, std::mutex &second)
{
    std::lock_guard<std::mutex> x(first), y(second);
}

struct listener {
    void start(const char *suite, const char *test)
    {
        dlwatch_scope((std::string(suite) + "." + test).c_str());
    }
    void end()
    {
        dlwatch_scope(nullptr);
    }
};

int main()
{
    listener on;
    name_main();
    on.start("Bank", "Forward");
    std::thread([] { both(a, b); }).join();
    on.end();
    on.start("Bank", "Backward");
    both(b, a);
    on.end();
    return 0;
}
