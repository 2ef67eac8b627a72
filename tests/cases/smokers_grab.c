// options: stall_after=1
// Each smoker grabs the first thing that he lacks: two have one each, and the agent waits for ever.
#include "case.h"
#include <semaphore.h>
static sem_t tobacco, paper, matches, done;

static void agent(void)
{
    sem_post(&tobacco);
    sem_post(&paper);
    sem_wait(&done);
}

static void has_matches(void)
{
    await(1);
    sem_wait(&paper);
    sem_wait(&tobacco);
    sem_post(&done);
}

static void has_paper(void)
{
    sem_wait(&tobacco);
    step();
    sem_wait(&matches);
    sem_post(&done);
}

int main(void)
{
    name_main();
    sem_init(&tobacco, 0, 0);
    sem_init(&paper, 0, 0);
    sem_init(&matches, 0, 0);
    sem_init(&done, 0, 0);
    pthread_t a = spawn("agent", agent), m = spawn("has_matches", has_matches),
              p = spawn("has_paper", has_paper);
    JOIN(a);
    JOIN(m);
    JOIN(p);
    return 0;
}
