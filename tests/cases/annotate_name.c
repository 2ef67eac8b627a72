// Locks that have no variable of their own go by the names the program gave them.
#include "case.h"
#include "interpose/include/dlwatch.h"
static pthread_mutex_t *a, *b;

static void forward(void)
{
    LOCK(*a);
    LOCK(*b);
    UNLOCK(*b);
    UNLOCK(*a);
    step();
}

static void backward(void)
{
    await(1);
    LOCK(*b);
    LOCK(*a);
    UNLOCK(*a);
    UNLOCK(*b);
}

static pthread_mutex_t *make(const char *name)
{
    char copy[32];
    pthread_mutex_t *mutex = malloc(sizeof(*mutex));

    snprintf(copy, sizeof(copy), "the %s", name);
    pthread_mutex_init(mutex, NULL);
    dlwatch_name(mutex, copy);
    memset(copy, 'x', sizeof(copy) - 1);
    return mutex;
}

int main(void)
{
    pthread_mutex_t *old = make("old one");
    pthread_mutex_destroy(old);
    free(old);
    a = make("queue");
    b = make("cache");
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
