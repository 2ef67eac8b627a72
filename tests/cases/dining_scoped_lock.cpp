// std::lock takes both forks in whatever order, tries the second, and starts again.
#include "dining.h"
#include <mutex>
static std::mutex fork_[SEATS];

static void dine(int seat)
{
    for (int i = 0; i < ROUNDS; i++)
        std::scoped_lock both(fork_[left(seat)], fork_[right(seat)]);
}

int main()
{
    dinner(dine);
    return 0;
}
