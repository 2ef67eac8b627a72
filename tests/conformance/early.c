/* Every wrapped function before any constructor of ours has run: from the pre-initialisers on. */
// quiet
#include "tell.h"
#include <dlfcn.h>
#include <semaphore.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, n = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t kept = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;

static void use(const char *when)
{
    TELL(pthread_mutex_lock(&m));
    TELL(pthread_mutex_lock(&n));
    TELL(pthread_rwlock_rdlock(&l));
    say("%s", when);
    TELL(pthread_rwlock_unlock(&l));
    TELL(pthread_mutex_unlock(&n));
    TELL(pthread_mutex_unlock(&m));
}

static void in_thread(void)
{
    use("a thread before main");
}

static void waits(void)
{
    static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    static pthread_spinlock_t spin;
    static pthread_barrier_t barrier;
    static sem_t semaphore;

    LOCK(m);
    TELL(pthread_cond_timedwait(&condition, &m, &past));
    UNLOCK(m);
    TELL(pthread_spin_init(&spin, 0));
    TELL(pthread_spin_lock(&spin));
    TELL(pthread_spin_unlock(&spin));
    TELL(pthread_spin_destroy(&spin));
    TELL(pthread_barrier_init(&barrier, NULL, 1));
    TELL(pthread_barrier_wait(&barrier));
    TELL(pthread_barrier_destroy(&barrier));
    TELL(sem_init(&semaphore, 0, 1));
    TELL(sem_wait(&semaphore));
    TELL(sem_trywait(&semaphore));
    TELL(sem_post(&semaphore));
    TELL(sem_destroy(&semaphore));
}

static void nothing(void)
{
}

static void c11(void)
{
    static mtx_t mutex;
    static once_flag flag = ONCE_FLAG_INIT;
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    TELL(mtx_init(&mutex, mtx_plain));
    TELL(mtx_lock(&mutex));
    TELL(mtx_unlock(&mutex));
    mtx_destroy(&mutex);
    call_once(&flag, nothing);
    TELL(pthread_once(&once, nothing));
}

static int leave(int way, char **envp)
{
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)"exit 7", NULL};
    int status = 0;
    pid_t pid = fork();
    if (pid == 0 && way == 0)
        execve("/bin/sh", argv, envp);
    if (pid == 0 && way == 1)
        execl("/bin/sh", "sh", "-c", "exit 8", NULL);
    if (pid == 0 && way == 2)
        execvp("sh", argv);
    if (pid == 0)
        _exit(9);
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

/* Each would be the first call of this process that the library sees: in a child each. */
static void first(int number, char **envp)
{
    pid_t pid = fork();
    if (pid != 0) {
        waitpid(pid, NULL, 0);
        return;
    }
    switch (number) {
    case 0:
        TELL(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
        break;
    case 1:
        TELL(dlclose(dlopen(NULL, RTLD_NOW)));
        break;
    case 2:
        waits();
        break;
    case 3:
        c11();
        break;
    case 4:
        TELL(syscall(SYS_getpid) > 0);
        break;
    default:
        say("left with %d", leave(number - 5, envp));
    }
    _exit(0);
}

static void pre(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv;
    for (int i = 0; i < 9; i++)
        first(i, envp);
    use("preinit");
    LOCK(kept);
    aside(in_thread);
}
static
    __attribute__((section(".preinit_array"), used)) void (*preinit)(int, char **, char **) = pre;

static __attribute__((constructor)) void constructor(void)
{
    use("constructor");
    aside(in_thread);
}

int main(void)
{
    TELL(pthread_mutex_trylock(&kept));
    TELL(pthread_mutex_unlock(&kept)); /* taken before we may have been there */
    use("main");
    return 0;
}
