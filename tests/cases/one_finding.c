// One mistake, 1,000 pairs of objects, 8 threads: one finding with the exact count.
// Each pair is taken forward by one thread, later backward by another.
#include "case.h"
struct object {
    pthread_mutex_t name, data;
};
static struct object objects[1000];
static int next_forward, next_backward;

static void forward(struct object *o)
{
    LOCK(o->name);
    LOCK(o->data);
    UNLOCK(o->data);
    UNLOCK(o->name);
}

static void backward(struct object *o)
{
    LOCK(o->data);
    LOCK(o->name);
    UNLOCK(o->name);
    UNLOCK(o->data);
}

static void even(void)
{
    int i;
    while ((i = __atomic_fetch_add(&next_forward, 1, __ATOMIC_SEQ_CST)) < 1000)
        forward(&objects[i]);
    step();
}

static void odd(void)
{
    int i;
    await(4);
    while ((i = __atomic_fetch_add(&next_backward, 1, __ATOMIC_SEQ_CST)) < 1000) {
        if (i) // the finding names the first pair's locks
            await(5);
        backward(&objects[i]);
        if (!i)
            step();
    }
}

int main(void)
{
    pthread_t threads[8];
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_init(&objects[i].name, NULL);
        pthread_mutex_init(&objects[i].data, NULL);
    }
    for (int i = 0; i < 8; i++)
        threads[i] = spawn("t", i & 1 ? odd : even);
    for (int i = 0; i < 8; i++)
        JOIN(threads[i]);
    return 0;
}
