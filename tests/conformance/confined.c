/* Under seccomp, strict and with a filter that kills: new locks, new orders, contention go on. */
// quiet
// off: the process confines itself (seccomp)
#include "tell.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <semaphore.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static pthread_mutex_t locks[8];
static sem_t *shared; /* made by another process: this one has not met any yet */

static void use_from(int first)
{
    for (int i = first; i + 1 < first + 4; i++) {
        pthread_mutex_lock(&locks[i]);
        pthread_mutex_lock(&locks[i + 1]);
        pthread_mutex_unlock(&locks[i + 1]);
        pthread_mutex_unlock(&locks[i]);
    }
}

static void write_out(const char *text)
{
    if (write(1, text, strlen(text)) < 0)
        _exit(1);
}

static void strict(void)
{
    use_from(0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    use_from(0);
    write_out("strict: known orders\n");
    use_from(4);
    write_out("strict: new orders\n");
    sem_post(shared);
    write_out("strict: a shared semaphore\n");
    syscall(SYS_exit, 5); /* exit_group is not allowed there */
}

#define ALLOW(call)                                                                                \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                                         \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* A thread from before that goes on learning, and ends, under a filter for the whole process. */
static void learn(void)
{
    use_from(0);
    step();
    await(2);
    use_from(4);
}

/* What a sandbox allows that has everything open already: memory, waiting, writing, ending. */
static void filtered(unsigned otherwise, int whole)
{
    pthread_t learner = 0;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(read),
        ALLOW(write),
        ALLOW(futex),
        ALLOW(mmap),
        ALLOW(munmap),
        ALLOW(madvise),
        ALLOW(mprotect),
        ALLOW(brk),
        ALLOW(sched_yield),
        ALLOW(rt_sigprocmask),
        ALLOW(rt_sigreturn),
        ALLOW(clock_gettime),
        ALLOW(exit),
        ALLOW(exit_group),
        BPF_STMT(BPF_RET | BPF_K, otherwise),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (whole) {
        learner = spawn("learner", learn);
        await(1);
    }
    if (whole ? syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program)
              : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        _exit(1);
    step();
    if (whole)
        JOIN(learner);
    use_from(0);
    use_from(4);
    write_out("filter: new orders\n");
    exit(6);
}

static void child(int way)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (way == 0)
            strict();
        filtered(way == 1 ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_KILL_PROCESS, way == 3);
    }
    waitpid(pid, &status, 0);
    say("way %d: %x", way, status);
}

static void make_shared(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(sem_init(shared, 1, 0));
    waitpid(pid, NULL, 0);
}

int main(void)
{
    make_shared();
    for (int i = 0; i < 8; i++)
        pthread_mutex_init(&locks[i], NULL);
    say("begin");
    for (int way = 0; way < 4; way++)
        child(way);
    return 0;
}
