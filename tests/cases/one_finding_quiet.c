// A thousand objects and eight threads that agree.
#include "case.h"
static struct {
    pthread_mutex_t name, data;
} objects[1000];

static void forward(void)
{
    for (int i = 0; i < 1000; i++) {
        LOCK(objects[i].name);
        LOCK(objects[i].data);
        UNLOCK(objects[i].data);
        UNLOCK(objects[i].name);
    }
}

int main(void)
{
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        threads[i] = spawn("t", forward);
    for (int i = 0; i < 8; i++)
        JOIN(threads[i]);
    return 0;
}
