/* Fork handlers that are registered before any constructor runs, as an allocator's are that is
 * first called by the loader: they run while the forking thread is inside those of libraries that
 * came later, and wait for a thread that just then meets new orders. The child, made while nobody
 * does anything, goes on like its parent; one that is made while something is done gets the signals
 * that its parent gets. */
// finds
#include "tell.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { FORKS = 10, ORDERS = 20 };

static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int is_held, is_wanted;

static void before(void)
{
    free(malloc(100));
    is_wanted = 1;
    LOCK(own);
}

static void after(void)
{
    UNLOCK(own);
    is_wanted = 0;
    free(malloc(100));
}

static void first_of_all(void)
{
    pthread_atfork(before, after, after);
}
__attribute__((section(".preinit_array"), used)) static void (*const begins)(void) = first_of_all;

/* Taken in that order for the first time. */
static void meet_new_order(void)
{
    pthread_mutex_t *pair = malloc(2 * sizeof *pair);

    pthread_mutex_init(&pair[0], NULL);
    pthread_mutex_init(&pair[1], NULL);
    LOCK(pair[0]);
    LOCK(pair[1]);
    UNLOCK(pair[1]);
    UNLOCK(pair[0]); /* never freed: the next pair is another */
}

/* What is met new comes while the handler waits for us, and ends before that goes on. */
static void learn(void)
{
    for (int i = 0; i < FORKS; i++) {
        LOCK(own);
        is_held = 1;
        while (!is_wanted)
            sched_yield();
        for (int k = 0; k < ORDERS; k++)
            meet_new_order();
        is_held = 0;
        UNLOCK(own);
        while (is_wanted)
            sched_yield();
    }
}

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void ab(void)
{
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    step();
}

/* Behind it in time, but by nothing that orders the two. */
static void ba(void)
{
    await(1);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

static void reap(const char *how, pid_t pid)
{
    int status = 0;

    waitpid(pid, &status, 0);
    say("%s: %s %d", how, WIFEXITED(status) ? "exit" : "signal",
        WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static void fork_once(const char *how, int has_orders)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* none that hangs is left behind */
        if (has_orders) {
            pthread_t t = spawn("first", ab), u = spawn("second", ba);
            JOIN(t);
            JOIN(u);
        } else {
            ab();
        }
        exit(7);
    }
    reap(how, pid);
}

/* Orders that are new each time, without an end. */
static _Atomic int is_over;

static void learn_on(void)
{
    while (!is_over) {
        pthread_mutex_t few[4];
        for (int i = 0; i < 4; i++) {
            pthread_mutex_init(&few[i], NULL);
            LOCK(few[i]);
        }
        for (int i = 4; i-- > 0;) {
            UNLOCK(few[i]);
            pthread_mutex_destroy(&few[i]);
        }
    }
}

static void handle(int number)
{
    (void)number;
}

static void fork_in_the_middle(void)
{
    pthread_t learner = spawn("learner", learn_on);
    int n_blocked = 0;

    signal(SIGUSR1, handle);
    for (int i = 0; i < FORKS; i++) {
        int status = 0;
        pid_t pid = fork();
        if (pid == 0) {
            sigset_t blocked;
            pthread_sigmask(SIG_BLOCK, NULL, &blocked);
            _exit(sigismember(&blocked, SIGTERM));
        }
        waitpid(pid, &status, 0);
        n_blocked += status != 0;
    }
    is_over = 1;
    JOIN(learner);
    say("in the middle: %d have their signals blocked", n_blocked);
}

int main(void)
{
    pthread_t learner = spawn("learner", learn);

    for (int i = 0; i < FORKS; i++) {
        while (!is_held)
            sched_yield();
        fork_once("while another learns", 0);
    }
    JOIN(learner);
    /* The handlers wait for nobody now. What the child takes crosswise only the child can find. */
    fork_once("alone", 1);
    fork_in_the_middle();
    return 0;
}
