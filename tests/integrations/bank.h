/* Two accounts that each side locks its own way, in the order that the test gives. */
#include <mutex>
#include <thread>

namespace
{
std::mutex mine, yours;

inline void transfer(std::mutex &from, std::mutex &to)
{
    std::thread([&] {
        std::lock_guard<std::mutex> first(from);
        std::lock_guard<std::mutex> second(to);
    }).join();
}
} // namespace
