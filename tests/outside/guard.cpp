// One thread initialises a static variable and waits for input meanwhile; another waits for it.
#include <cstdio>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

static sem_t inside;

static int initialise()
{
    char byte;
    sem_post(&inside);
    while (read(0, &byte, 1) > 0)
        continue;
    return 1;
}

static int &shared_value()
{
    static int value = initialise();
    return value;
}

static void *use(void *)
{
    shared_value();
    return nullptr;
}

int main()
{
    pthread_t first, second;
    sem_init(&inside, 0, 0);
    pthread_create(&first, nullptr, use, nullptr);
    sem_wait(&inside);
    pthread_create(&second, nullptr, use, nullptr);
    std::printf("ready %d\n", (int)getpid());
    std::fflush(stdout);
    pthread_join(first, nullptr);
    pthread_join(second, nullptr);
    std::puts("done");
}
