/*
 * A mistake of each kind that goes well, or with an argument a deadlock. 0.1.0 has seen this
 * program too: what it wrote lies in data/upgrade, and names its functions and this file: both
 * stay.
 */
#include "tests/case.h"

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER, kept = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER, doomed = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void forwards(void)
{
    LOCK(first);
    LOCK(second);
    UNLOCK(second);
    UNLOCK(first);
    step();
    await(2);
}

static void backwards(void)
{
    await(1);
    LOCK(second);
    LOCK(first);
    UNLOCK(first);
    UNLOCK(second);
    step();
}

static void visitor(void)
{
    LOCK(table);
    UNLOCK(table);
    step();
}

static void forgetful(void)
{
    LOCK(kept);
}

static void order(void)
{
    pthread_t one = spawn("forwards", forwards), two = spawn("backwards", backwards);
    JOIN(one);
    JOIN(two);
}

static void join_under_lock(void)
{
    pthread_t thread = spawn("visitor", visitor);
    await(3);
    LOCK(table);
    JOIN(thread);
    UNLOCK(table);
}

static void misuse(void)
{
    struct timespec past = {0, 0};

    JOIN(spawn("forgetful", forgetful));
    UNLOCK(other);
    pthread_cond_timedwait(&condition, &other, &past);
    LOCK(doomed);
    pthread_mutex_destroy(&doomed);
}

static void crosswise(pthread_mutex_t *mine, pthread_mutex_t *yours)
{
    pthread_mutex_lock(mine);
    step();
    await(2);
    pthread_mutex_lock(yours);
}

static void left(void)
{
    crosswise(&first, &second);
}

static void right(void)
{
    crosswise(&second, &first);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        pthread_t one = spawn("left", left), two = spawn("right", right);
        JOIN(one);
        JOIN(two);
    }
    order();
    join_under_lock();
    misuse();
    return 0;
}
