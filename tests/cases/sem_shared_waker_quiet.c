// Everybody sleeps, one of them on what another process will post: it then wakes the other.
#include "asleep.h"
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/wait.h>
static sem_t again, *shared;
static pid_t waiter;

/* Takes it and asks again, as a condition made of locks does: the other thread posts. */
static void waits(void)
{
    waiter = (pid_t)syscall(SYS_gettid);
    sem_wait(&again);
    step();
    sem_wait(&again);
}

int main(void)
{
    int go[2];
    char byte = 0;
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sem_init(shared, 1, 0);
    sem_init(&again, 0, 1);
    if (pipe(go))
        return 1;
    pid_t main_thread = getpid(), pid = fork();
    if (pid == 0) {
        if (read(go[0], &byte, 1) != 1)
            _exit(1);
        /* until the main thread sleeps; it looks around before it does */
        char path[64], text[64];
        long number = 0;
        snprintf(path, sizeof path, "/proc/%d/syscall", (int)main_thread);
        while (number != SYS_futex) {
            FILE *file = fopen(path, "r");
            if (!file || !fgets(text, sizeof text, file) || sscanf(text, "%ld", &number) != 1)
                number = 0;
            if (file)
                fclose(file);
        }
        sem_post(shared);
        _exit(0);
    }
    pthread_t t = spawn("waits", waits);
    await(1);
    await_asleep(waiter);
    if (write(go[1], "x", 1) != 1)
        return 1;
    sem_wait(shared);
    sem_post(&again);
    JOIN(t);
    waitpid(pid, NULL, 0);
    return 0;
}
