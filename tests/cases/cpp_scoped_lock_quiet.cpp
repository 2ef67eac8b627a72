// std::scoped_lock and std::lock take several locks in any order by trying: never an inversion.
#include "case.h"
#include <mutex>
static std::mutex a, b, c;

static void forward()
{
    for (int i = 0; i < 2000; i++)
        std::scoped_lock all(a, b, c);
}

static void backward()
{
    for (int i = 0; i < 2000; i++)
        std::scoped_lock all(c, b, a);
}

int main()
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
}
