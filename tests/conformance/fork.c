/* fork in a program with threads, with and without atfork handlers; vfork, exec, children of
 * children. */
// quiet
#include "tell.h"
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, n = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
static int child_signals;

static void on_child(int number)
{
    (void)number;
    __atomic_fetch_add(&child_signals, 1, __ATOMIC_SEQ_CST);
}

static void reap(pid_t pid)
{
    int status = 0;
    pid_t got;
    do
        got = waitpid(-1, &status, 0);
    while (got < 0 && errno == EINTR);
    say("reaped the child: %d, status %x", got == pid, status);
    say("no other child: %d", waitpid(-1, &status, 0) == -1 && errno == ECHILD);
}

static void use_locks(void)
{
    TELL(pthread_mutex_lock(&m));
    TELL(pthread_mutex_lock(&n));
    TELL(pthread_rwlock_wrlock(&l));
    TELL(pthread_rwlock_unlock(&l));
    TELL(pthread_mutex_unlock(&n));
    TELL(pthread_mutex_unlock(&m));
}

/* The child may give back what its parent's thread held. */
static void fork_holding(void)
{
    TELL(pthread_mutex_lock(&m));
    TELL(pthread_rwlock_rdlock(&l));
    pid_t pid = fork();
    if (pid == 0) {
        TELL(pthread_mutex_trylock(&m));
        TELL(pthread_mutex_unlock(&m));
        TELL(pthread_rwlock_unlock(&l));
        use_locks();
        aside(use_locks);
        pid_t grandchild = fork();
        if (grandchild == 0) {
            use_locks();
            exit(4);
        }
        reap(grandchild);
        _exit(3);
    }
    reap(pid);
    TELL(pthread_rwlock_unlock(&l));
    TELL(pthread_mutex_unlock(&m));
}

static void busy(void)
{
    while (__atomic_load_n(&steps, __ATOMIC_SEQ_CST) == 0) {
        LOCK(n);
        UNLOCK(n);
    }
}

static void prepare(void)
{
    LOCK(m);
    LOCK(n);
}

static void release(void)
{
    UNLOCK(n);
    UNLOCK(m);
}

static void init_again(void)
{
    pthread_mutex_init(&n, NULL);
    pthread_mutex_init(&m, NULL);
}

/* Another thread takes n all the time; the handlers take all locks around the fork. */
static void fork_beside_a_thread(void)
{
    pthread_t t = spawn("busy", busy);
    for (int i = 0; i < 5; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            use_locks();
            exit(i);
        }
        reap(pid);
    }
    step();
    JOIN(t);
}

static void exec_children(char *self)
{
    pid_t pid = vfork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "echo from a vfork child", NULL);
        _exit(127);
    }
    reap(pid);
    use_locks();
    pid = vfork();
    if (pid == 0)
        _exit(9);
    reap(pid);
    char *argv[] = {self, (char *)"again", NULL};
    extern char **environ;
    int spawned = posix_spawn(&pid, self, NULL, NULL, argv, environ);
    reap(pid); /* it prints too */
    say("posix_spawn %d", spawned);
    say("system: %d", system("exit 6"));
    FILE *pipe = popen("echo from popen", "r");
    char line[64] = "";
    say("%s", fgets(line, sizeof line, pipe));
    say("pclose %d", pclose(pipe));
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc > 1) {
        say("spawned");
        use_locks();
        return 8;
    }
    signal(SIGCHLD, on_child);
    fork_holding();
    pthread_atfork(prepare, release, release);
    fork_beside_a_thread();
    pthread_atfork(NULL, NULL, init_again);
    __atomic_store_n(&steps, 0, __ATOMIC_SEQ_CST);
    fork_beside_a_thread();
    exec_children(argv[0]);
    say("SIGCHLD came: %d times", child_signals);
    execl(argv[0], argv[0], "again", NULL);
    return 1;
}
