/* Forks while another thread meets new code places all the time: each child locks at a place that
 * is new to it, and must not wait for what the other thread was doing in the parent. */
// quiet
#include "tell.h"
#include <dlfcn.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { FORKS = 150 };

extern int places_met;
int places_met;
static int is_over;

/* After a dlclose all places of the library are new again. */
static void learn(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

    while (!__atomic_load_n(&is_over, __ATOMIC_SEQ_CST)) {
        void *library = dlopen("places.so", RTLD_NOW);
        ((void (*)(pthread_mutex_t *))dlsym(library, "places_use"))(&mutex);
        dlclose(library);
    }
}

static void use(void)
{
    static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
}

static void await_places(int more)
{
    int from = __atomic_load_n(&places_met, __ATOMIC_SEQ_CST);

    while (__atomic_load_n(&places_met, __ATOMIC_SEQ_CST) - from < more)
        sched_yield();
}

int main(void)
{
    pthread_t learner = spawn("learner", learn);
    int ended_well = 0;

    for (int i = 0; i < FORKS; i++) {
        int status;
        await_places(1 + i % 100);
        pid_t pid = fork();
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL); /* none that hangs is left behind */
            use();
            aside(use);
            _exit(7);
        }
        waitpid(pid, &status, 0);
        ended_well += WIFEXITED(status) && WEXITSTATUS(status) == 7;
    }
    __atomic_store_n(&is_over, 1, __ATOMIC_SEQ_CST);
    JOIN(learner);
    say("%d of %d children ended well", ended_well, FORKS);
    return 0;
}
