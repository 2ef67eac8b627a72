// Two threads take groups of locks in every rotation, under one gate: nor is one here.
#include "rotations.h"

static void rotate_second(void)
{
    await(1);
    rotate_all_gated();
}

static void rotate_first(void)
{
    rotate_all_gated();
    step();
}

int main(void)
{
    make_locks();
    pthread_t first = spawn("rotator", rotate_first), second = spawn("rotator", rotate_second);
    JOIN(first);
    JOIN(second);
    return 0;
}
