// Two tests of one program, each with a thread of its own, which only the joins between them keep
// apart: a warning that names both. A third test that agrees with the first is no other mistake.
#include "case.h"
#include "interpose/include/dlwatch.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void forward(void)
{
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
}

static void backward(void)
{
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

static void test(const char *name, void (*play)(void))
{
    dlwatch_scope(name);
    JOIN(spawn(name, play));
    dlwatch_scope(NULL);
}

int main(void)
{
    test("One", forward);
    test("Two", backward);
    test("Three", forward);
    return 0;
}
