// The destructor of a thread-local object takes locks after the thread's function was left.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void nested(pthread_mutex_t &outer, pthread_mutex_t &inner)
{
    LOCK(outer);
    LOCK(inner);
    UNLOCK(inner);
    UNLOCK(outer);
}

struct object {
    int used = 0;
    ~object()
    {
        nested(a, b);
    }
};
static thread_local object mine;

static void in_destructor()
{
    mine.used++;
    pthread_exit(nullptr);
}

static void as_ever()
{
    nested(b, a);
}

int main()
{
    name_main();
    pthread_t t = spawn("destructor", in_destructor), u = spawn("as ever", as_ever);
    JOIN(t);
    JOIN(u);
    return 0;
}
