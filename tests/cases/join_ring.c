// Three threads that wait for each other's end; glibc only notices two.
#include "case.h"
static pthread_t t[3];

static void one(void)
{
    await(1);
    JOIN(t[1]);
}

static void two(void)
{
    await(1);
    JOIN(t[2]);
}

static void three(void)
{
    await(1);
    JOIN(t[0]);
}

int main(void)
{
    t[0] = spawn("one", one);
    t[1] = spawn("two", two);
    t[2] = spawn("three", three);
    step();
    pthread_exit(NULL);
}
