/*
 * Waits inside a call of the C library: in code that it calls by itself, or for a lock of its own.
 * Prints "ready PID" when all threads exist; what is read from standard input lets it go on.
 *
 *   inside fork|exit     a fork handler, an exit handler waits for the gate
 *   inside tsd           the destructor of thread-specific data does
 *   inside tsd-only      the same where that destructor is pthread_mutex_lock itself
 *   inside child         a forked child waits for the gate, which a thread of its parent has
 *   inside malloc        a thread waits for malloc's lock
 */
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t is_held;
static pthread_key_t key;
static atomic_bool is_let_go, is_parked, parks;
static atomic_int taker_tid, n_asked, n_done;

static void say(const char *text, int number)
{
    char line[64];
    int n = snprintf(line, sizeof line, text, number);
    if (write(STDOUT_FILENO, line, (size_t)n) != n)
        _exit(2);
}

static void wait_until_let_go(void)
{
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
}

static void use_gate(void)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static void destroy(void *unused)
{
    (void)unused;
    use_gate();
}

static void *hold_gate(void *unused)
{
    pthread_mutex_lock(&gate);
    pthread_barrier_wait(&is_held);
    wait_until_let_go();
    pthread_mutex_unlock(&gate);
    return unused;
}

static void *set_key(void *value)
{
    pthread_setspecific(key, value);
    return NULL;
}

static void run_with_key(void (*destructor)(void *))
{
    pthread_t thread;
    pthread_key_create(&key, destructor);
    pthread_create(&thread, NULL, set_key, &gate);
    pthread_join(thread, NULL);
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Wherever the thread is: sooner or later with malloc's lock in hand. */
static void park(int number)
{
    (void)number;
    atomic_store(&is_parked, true);
    while (atomic_load(&parks))
        nap();
    atomic_store(&is_parked, false);
}

static void *use_malloc(void *unused)
{
    while (!atomic_load(&is_let_go)) {
        void *volatile piece = malloc(100000);
        free(piece);
    }
    return unused;
}

static void *take_malloc(void *unused)
{
    atomic_store(&taker_tid, (int)gettid());
    while (!atomic_load(&is_let_go)) {
        if (atomic_load(&n_asked) == atomic_load(&n_done)) {
            nap();
            continue;
        }
        void *volatile piece = malloc(100000);
        free(piece);
        atomic_fetch_add(&n_done, 1);
    }
    return unused;
}

static bool sleeps_in_futex(int tid)
{
    char path[64], call[16] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
    int file = open(path, O_RDONLY);
    bool is_read = file >= 0 && read(file, call, sizeof call - 1) > 0;
    close(file);
    return is_read && atol(call) == SYS_futex;
}

static void wait_for_malloc(void)
{
    pthread_t user, taker;
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 1 << 24);
    signal(SIGUSR1, park);
    pthread_create(&taker, NULL, take_malloc, NULL);
    pthread_create(&user, NULL, use_malloc, NULL);
    bool is_blocked = false;
    while (!is_blocked) {
        atomic_store(&parks, true);
        pthread_kill(user, SIGUSR1);
        while (!atomic_load(&is_parked))
            nap();
        atomic_fetch_add(&n_asked, 1);
        while (!is_blocked && atomic_load(&n_asked) != atomic_load(&n_done))
            is_blocked = sleeps_in_futex(atomic_load(&taker_tid));
        if (is_blocked)
            break;
        atomic_store(&parks, false);
        while (atomic_load(&is_parked))
            nap();
    }
    say("ready %d\n", (int)getpid());
    wait_until_let_go();
    atomic_store(&is_let_go, true);
    atomic_store(&parks, false);
    pthread_join(user, NULL);
    pthread_join(taker, NULL);
}

static void fork_child(void)
{
    pid_t child = fork();
    if (!child) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        say("ready %d\n", (int)getpid());
        use_gate();
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "";
    pthread_t holder;
    if (!strcmp(way, "malloc")) {
        wait_for_malloc();
        say("done\n", 0);
        return 0;
    }
    pthread_barrier_init(&is_held, NULL, 2);
    pthread_create(&holder, NULL, hold_gate, NULL);
    pthread_barrier_wait(&is_held);
    if (!strcmp(way, "child")) {
        fork_child();
        return 0;
    }
    say("ready %d\n", (int)getpid());
    if (!strcmp(way, "fork")) {
        pthread_atfork(use_gate, NULL, NULL);
        if (!fork())
            _exit(0);
        wait(NULL);
    } else if (!strcmp(way, "tsd")) {
        run_with_key(destroy);
    } else if (!strcmp(way, "tsd-only")) {
        run_with_key((void (*)(void *))(void (*)(void))pthread_mutex_lock);
    } else {
        atexit(use_gate);
    }
    say("done\n", 0);
    exit(0);
}
