/*
 * Guards that lock and unlock by scope are no help against two orders: render() takes the
 * scene, then the log; flush() the log, then the scene, for reading. Each thread holds
 * its first before it asks for the second, so they meet for certain.
 */
#include <atomic>
#include <cstdio>
#include <mutex>
#include <pthread.h>
#include <shared_mutex>
#include <thread>

namespace
{
std::shared_mutex scene;
std::mutex log_lock;
std::atomic<int> ready{0};

void meet()
{
    ++ready;
    while (ready < 2)
        std::this_thread::yield();
}

struct Renderer {
    void render()
    {
        std::unique_lock<std::shared_mutex> drawing(scene);
        meet();
        std::lock_guard<std::mutex> logging(log_lock);
        std::puts("rendered");
    }
};

void flush()
{
    std::lock_guard<std::mutex> logging(log_lock);
    meet();
    std::shared_lock<std::shared_mutex> looking(scene);
    std::puts("flushed");
}
} // namespace

int main()
{
    std::thread render([] {
        pthread_setname_np(pthread_self(), "render");
        Renderer().render();
    });
    std::thread logger([] {
        pthread_setname_np(pthread_self(), "logger");
        flush();
    });
    render.join();
    logger.join();
}
