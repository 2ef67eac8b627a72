/*
 * stepped OPERATION ACTION [raw|syscall|probe|TIMES]: one operation between two marks, for
 * tests/steps/stepper.c; the handler of SIGUSR1 does what ACTION says. Raw: it is installed by a
 * system call instruction of our own; syscall: by libc's. Probe: one more lock is taken under
 * what the operation left held, and another thread takes both the other way round. After jumps the
 * thread takes two locks in one order and another takes them in the other: that is found only if
 * both are watched. What is printed must not depend on who watches.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { WARM = 30 };

static void mark(void)
{
    tgkill(getpid(), gettid(), SIGTRAP);
}

static void must(int result)
{
    if (result != 0) {
        printf("failed: %d\n", result);
        fflush(stdout);
        _exit(1);
    }
}

/* ---- the locks of the operation, and those of the handler ---- */

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static sem_t semaphore;
static pthread_mutex_t h = PTHREAD_MUTEX_INITIALIZER, i = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t h_rwlock = PTHREAD_RWLOCK_INITIALIZER;

/* ---- what the handler does ---- */

static void act_lock(void)
{
    sem_t own;

    must(pthread_mutex_trylock(&h));
    must(pthread_mutex_lock(&i));
    must(pthread_mutex_unlock(&i));
    must(pthread_mutex_unlock(&h));
    must(pthread_rwlock_rdlock(&h_rwlock));
    must(pthread_rwlock_unlock(&h_rwlock));
    must(sem_init(&own, 0, 1));
    must(sem_wait(&own));
    must(sem_post(&own));
}

/* The world is stopped: the collector goes on, and takes locks that nobody has taken so yet. */
static sem_t is_stopped, may_go_on;

static __attribute__((noinline)) void new_order(pthread_mutex_t *pair, int deep)
{
    if (deep > 0) {
        new_order(pair, deep - 1);
        __asm__ volatile("");
        return;
    }
    must(pthread_mutex_init(&pair[0], NULL));
    must(pthread_mutex_init(&pair[1], NULL));
    must(pthread_mutex_lock(&pair[0]));
    must(pthread_mutex_lock(&pair[1]));
    must(pthread_mutex_unlock(&pair[1]));
    must(pthread_mutex_unlock(&pair[0]));
    must(pthread_mutex_destroy(&pair[1]));
    must(pthread_mutex_destroy(&pair[0]));
}

/* None is malloc's: a handler that interrupts that may not fork. */
static pthread_mutex_t own_pair[2], collectors_pair[2], childs_pair[2];

static void *collect(void *unused)
{
    for (int round = 0;; round++) {
        while (sem_wait(&is_stopped) != 0)
            ;
        new_order(collectors_pair, round % 29);
        must(sem_post(&may_go_on));
    }
    return unused;
}

static void act_park(void)
{
    must(sem_post(&is_stopped));
    while (sem_wait(&may_go_on) != 0)
        ;
}

static void act_fork(void)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        must(pthread_mutex_lock(&h));
        must(pthread_mutex_lock(&i));
        must(pthread_mutex_unlock(&i));
        must(pthread_mutex_unlock(&h));
        new_order(childs_pair, 3);
        _exit(42);
    }
    must(child < 0 || waitpid(child, &status, 0) != child);
    must(!WIFEXITED(status) || WEXITSTATUS(status) != 42);
}

static sigjmp_buf back;

static void act_jump(void)
{
    siglongjmp(back, 1);
}

/* By an instruction of the compiler's own, which no library sees. */
static void *inlined_back[5];

static void act_bolt(void)
{
    __builtin_longjmp(inlined_back, 1);
}

/* To a stack of the program's own, and never back; the next time to the other one of two. */
static void go_on_elsewhere(void);

static void act_switch(void)
{
    enum { SIZE = 256 * 1024 };
    static _Alignas(16) char stacks[4][SIZE]; /* every other one is used: they lie apart */
    static ucontext_t elsewhere;
    static int n;

    getcontext(&elsewhere);
    elsewhere.uc_stack.ss_sp = stacks[n++ % 2 * 2];
    elsewhere.uc_stack.ss_size = SIZE;
    elsewhere.uc_link = NULL;
    makecontext(&elsewhere, go_on_elsewhere, 0);
    setcontext(&elsewhere);
}

static void (*act)(void);

static void handle(int number)
{
    int kept = errno;

    (void)number;
    act();
    mark();
    errno = kept;
}

/* ---- the operations: before the marks, between them, and after them ---- */

static void nothing(void)
{
}

static void lock_a(void)
{
    must(pthread_mutex_lock(&a));
}

static void unlock_a(void)
{
    must(pthread_mutex_unlock(&a));
}

static void try_a(void)
{
    must(pthread_mutex_trylock(&a));
}

static void lock_b(void)
{
    must(pthread_mutex_lock(&b));
}

static void unlock_b(void)
{
    must(pthread_mutex_unlock(&b));
}

static void lock_both(void)
{
    lock_a();
    lock_b();
}

static void lock_recursive(void)
{
    must(pthread_mutex_lock(&recursive));
    must(pthread_mutex_lock(&recursive));
}

static void unlock_recursive(void)
{
    must(pthread_mutex_unlock(&recursive));
    must(pthread_mutex_unlock(&recursive));
}

static void read_rwlock(void)
{
    must(pthread_rwlock_rdlock(&rwlock));
}

static void write_rwlock(void)
{
    must(pthread_rwlock_wrlock(&rwlock));
}

static void unlock_rwlock(void)
{
    must(pthread_rwlock_unlock(&rwlock));
}

static void wait_semaphore(void)
{
    must(sem_wait(&semaphore));
}

static void try_semaphore(void)
{
    must(sem_trywait(&semaphore));
}

static void post_semaphore(void)
{
    must(sem_post(&semaphore));
}

static void lock_spin(void)
{
    must(pthread_spin_lock(&spin));
}

static void unlock_spin(void)
{
    must(pthread_spin_unlock(&spin));
}

static void new_life(void)
{
    pthread_mutex_t own;

    must(pthread_mutex_init(&own, NULL));
    must(pthread_mutex_lock(&own));
    must(pthread_mutex_unlock(&own));
    must(pthread_mutex_destroy(&own));
}

static void new_rwlock(void)
{
    pthread_rwlock_t own;

    must(pthread_rwlock_init(&own, NULL));
    must(pthread_rwlock_wrlock(&own));
    must(pthread_rwlock_unlock(&own));
    must(pthread_rwlock_destroy(&own));
}

/* Half of them let go, outermost first: with one more the rest is moved together. */
enum { MANY = 12 };
static pthread_mutex_t many[MANY];

static void lock_many(void)
{
    for (int k = 0; k < MANY; k++)
        must(pthread_mutex_lock(&many[k]));
    for (int k = 0; k < MANY / 2; k++)
        must(pthread_mutex_unlock(&many[k]));
}

static void unlock_one_more(void)
{
    must(pthread_mutex_unlock(&many[MANY / 2]));
}

static void unlock_rest(void)
{
    for (int k = MANY; k-- > MANY / 2 + 1;)
        must(pthread_mutex_unlock(&many[k]));
}

static void learn(void)
{
    new_order(own_pair, 1);
}

static void *return_it(void *value)
{
    return value;
}

static void create(void)
{
    pthread_t thread;

    must(pthread_create(&thread, NULL, return_it, NULL));
    must(pthread_join(thread, NULL));
}

static void unlock_both(void)
{
    unlock_b();
    unlock_a();
}

static const struct operation {
    const char *name;
    void (*before)(void), (*do_it)(void), (*after)(void);
    void (*take)(void), (*give)(void); /* the lock in question, by another thread */
    bool is_first;                     /* what it does the first time is looked at */
} operations[] = {
    {"lock", nothing, lock_a, unlock_a, lock_a, unlock_a, false},
    {"unlock", lock_a, unlock_a, nothing, lock_a, unlock_a, false},
    {"trylock", nothing, try_a, unlock_a, lock_a, unlock_a, false},
    {"nested", lock_a, lock_b, unlock_both, lock_b, unlock_b, false},
    {"crosswise", lock_both, unlock_a, unlock_b, lock_b, unlock_b, false},
    {"recursive", nothing, lock_recursive, unlock_recursive, lock_recursive, unlock_recursive,
     false},
    {"read", nothing, read_rwlock, unlock_rwlock, write_rwlock, unlock_rwlock, false},
    {"write", nothing, write_rwlock, unlock_rwlock, read_rwlock, unlock_rwlock, false},
    {"rwunlock", read_rwlock, unlock_rwlock, nothing, write_rwlock, unlock_rwlock, false},
    {"sem_wait", nothing, wait_semaphore, post_semaphore, nothing, nothing, false},
    {"sem_trywait", nothing, try_semaphore, post_semaphore, nothing, nothing, false},
    {"sem_post", wait_semaphore, post_semaphore, nothing, nothing, nothing, false},
    {"compact", lock_many, unlock_one_more, unlock_rest, nothing, nothing, false},
    {"rwlife", nothing, new_rwlock, nothing, nothing, nothing, false},
    {"spin", nothing, lock_spin, unlock_spin, lock_spin, unlock_spin, false},
    {"life", nothing, new_life, nothing, nothing, nothing, false},
    {"learn", nothing, learn, nothing, nothing, nothing, true},
    {"first", lock_a, lock_b, unlock_both, nothing, nothing, true},
    {"create", nothing, create, nothing, nothing, nothing, true},
};

static pthread_mutex_t probe = PTHREAD_MUTEX_INITIALIZER;
static bool probes;

static void pass(const struct operation *o, bool is_marked)
{
    o->before();
    if (is_marked)
        mark();
    o->do_it();
    if (is_marked)
        mark();
    if (is_marked && probes) {
        must(pthread_mutex_lock(&probe));
        must(pthread_mutex_unlock(&probe));
    }
    o->after();
}

static void *pass_crosswise(void *operation)
{
    const struct operation *o = operation;

    must(pthread_mutex_lock(&probe));
    o->take();
    o->give();
    must(pthread_mutex_unlock(&probe));
    return NULL;
}

static void probe_by_other(const struct operation *o)
{
    pthread_t thread;

    must(pthread_create(&thread, NULL, pass_crosswise, (void *)o));
    must(pthread_join(thread, NULL));
}

/* In one order, with as many more around them as make the stack of held locks grow. */
static void take_both(pthread_mutex_t *outer, pthread_mutex_t *inner)
{
    enum { AROUND = 40 };
    pthread_mutex_t around[AROUND];

    for (int k = 0; k < AROUND; k++) {
        must(pthread_mutex_init(&around[k], NULL));
        must(pthread_mutex_lock(&around[k]));
    }
    must(pthread_mutex_lock(outer));
    must(pthread_mutex_lock(inner));
    must(pthread_mutex_unlock(inner));
    must(pthread_mutex_unlock(outer));
    for (int k = AROUND; k-- > 0;) {
        must(pthread_mutex_unlock(&around[k]));
        must(pthread_mutex_destroy(&around[k]));
    }
}

static void *take_both_crosswise(void *unused)
{
    take_both(&i, &h);
    return unused;
}

static void jumper_is_watched(void)
{
    pthread_t thread;

    take_both(&h, &i);
    must(pthread_create(&thread, NULL, take_both_crosswise, NULL));
    must(pthread_join(thread, NULL));
}

/* Whatever state the jump left them in. */
static void make_anew(void)
{
    must(pthread_mutex_init(&a, NULL));
    must(pthread_mutex_init(&b, NULL));
    must(pthread_rwlock_init(&rwlock, NULL));
    must(sem_init(&semaphore, 0, 1));
    for (int k = 0; k < MANY; k++)
        must(pthread_mutex_init(&many[k], NULL));
}

/* One passage more for each instruction: the stepper interrupts each once. */
static void pass_and_jump(const struct operation *o, int times)
{
    volatile int k = 0;

    for (; k < times; k++) {
        if (sigsetjmp(back, 1) == 0)
            pass(o, true);
        else
            make_anew();
    }
    make_anew();
    jumper_is_watched();
}

static const struct operation *elsewhere_does;
static int elsewhere_times;

static void go_on_elsewhere(void)
{
    for (; elsewhere_times > 0; elsewhere_times--) {
        make_anew();
        pass(elsewhere_does, true);
    }
    make_anew();
    jumper_is_watched();
    puts("done elsewhere");
    exit(3);
}

static void pass_and_bolt(const struct operation *o, int times)
{
    volatile int k = 0;

    for (; k < times; k++) {
        if (__builtin_setjmp(inlined_back) == 0)
            pass(o, true);
        else
            make_anew();
    }
    make_anew();
    jumper_is_watched();
}

static long call_kernel(long number, long first, long second, long third, long fourth)
{
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = fourth;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(first), "S"(second), "d"(third), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
#else
    return syscall(number, first, second, third, fourth);
#endif
}

static void install(char how)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART | SA_NODEFER};

    if (how != 'r' && how != 's') {
        must(sigaction(SIGUSR1, &action, NULL));
        return;
    }
    /* As libc hands it to the kernel, read back, so that the restorer is right. By an instruction
     * of our own: libc's syscall() is seen. */
    uintptr_t kernels[4];
    must(sigaction(SIGUSR2, &(struct sigaction){.sa_handler = SIG_IGN, .sa_flags = SA_NODEFER},
                   NULL));
    must((int)syscall(SYS_rt_sigaction, SIGUSR2, NULL, kernels, 8));
    kernels[0] = (uintptr_t)handle;
    if (how == 's')
        must((int)syscall(SYS_rt_sigaction, SIGUSR1, kernels, NULL, 8));
    else
        must((int)call_kernel(SYS_rt_sigaction, SIGUSR1, (long)kernels, 0, 8));
}

static const struct operation *find(const char *name)
{
    for (size_t k = 0; k < sizeof operations / sizeof operations[0]; k++)
        if (strcmp(operations[k].name, name) == 0)
            return &operations[k];
    exit(2);
}

int main(int argc, char **argv)
{
    pthread_t collector;

    if (argc < 3)
        return 2;
    const struct operation *o = find(argv[1]);
    act = argv[2][0] == 'l'   ? act_lock
          : argv[2][0] == 'p' ? act_park
          : argv[2][0] == 'f' ? act_fork
          : argv[2][0] == 'b' ? act_bolt
          : argv[2][0] == 's' ? act_switch
                              : act_jump;
    must(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE));
    must(sem_init(&semaphore, 0, 1));
    must(sem_init(&is_stopped, 0, 0));
    must(sem_init(&may_go_on, 0, 0));
    if (act == act_park)
        must(pthread_create(&collector, NULL, collect, NULL));
    install(argc > 3 ? argv[3][0] : '-');
    probes = argc > 3 && argv[3][0] == 'p';
    for (int k = 0; k < WARM && !o->is_first; k++)
        pass(o, false);
    int times = argc > 3 && atoi(argv[3]) ? atoi(argv[3]) : 500;
    if (act == act_jump)
        pass_and_jump(o, times);
    else if (act == act_switch) {
        elsewhere_does = o;
        elsewhere_times = times;
        go_on_elsewhere();
    } else if (act == act_bolt)
        pass_and_bolt(o, times);
    else
        for (int k = 0; k < (o->is_first ? 1 : 3); k++)
            pass(o, true);
    pass(o, false);
    if (probes)
        probe_by_other(o);
    printf("%s %s: done\n", argv[1], argv[2]);
    return 3;
}
