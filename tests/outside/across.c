/*
 * Processes that share locks, and wait for each other. Prints "ready PID" when they are made; they
 * may still be on their way into the wait. What is read from standard input lets those go that can.
 *
 *   across died               a child was killed with a shared mutex in hand, the parent asks for
 * it across died-awake         the same, and a sibling that has the memory is awake, and lets go
 *   across died-robust        the same with a robust mutex: the parent gets it
 *   across lives              the child holds the mutex and lives, until it is let go
 *   across lives-closed       the same, but the parent is another user, who may not look into the
 * child across abba               two processes, two mutexes, each holds one and asks for the other
 *   across rwlocks            the same with a read-write lock and a mutex
 *   across ring               the same with three processes
 *   across abba-apart         the same, and the child is the first process of another pid namespace
 *   across abba-threads       the same, and the child has a thread more that runs
 *   across child              the parent waits for a child, which wants the mutex that it holds
 *   across child-any          the same, by a wait for any child
 *   across child-handler      the same, and SIGCHLD is caught
 *   across child-held         the same, but the parent lets go first
 *   across flock-twice        one thread, two descriptors of a file, both locked by flock
 *   across ofd-twice          the same with F_OFD_SETLKW
 *   across ofd-apart          two locks of one file that do not overlap; then waits for a byte of
 * its child's across flock-mutex        one thread holds a mutex and waits for the file, one the
 * other way round across flock-pool         three threads wait for the file that the process holds,
 * main for them across flock-abba         two processes, two files across flock-posix        the
 * same, one of them by fcntl (F_SETLKW), one by F_OFD_SETLKW across flock-thread       flock-twice,
 * but another thread is awake and lets go across flock-held         the child has the file and lets
 * it go across flock-child        waits for what it has itself, but so has a child by fork, which
 * is awake across flock-handler      flock-twice, and a signal is caught across flock-inherited
 * locks what its parent locked before the fork: the same open file, no wait
 *
 *   across readers            one process reads a lock and asks for a mutex, the other has that and
 *                             asks to write
 *
 *   across readers-both       each reads one lock and asks to write the other's
 *
 *   across readers-timed      as readers, but the writer's wait has a limit
 *
 *   across readers-unwatched  as readers, and a process without LD_PRELOAD has the memory as well
 *
 *   across readers-leave      the reader is awake and leaves; one beside it waits for the mutex
 *
 *   across readers-forked     the child of a reader, which has its own copy of what was noted, asks
 *                             to write; the parent leaves
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct shared {
    pthread_mutex_t mutexes[3];
    pthread_rwlock_t table, rows;
    pthread_barrier_t all_hold;
};
static struct shared *shared;

static void wait_until_let_go(void)
{
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
}

static void map(int file)
{
    int flags = MAP_SHARED | (file < 0 ? MAP_ANONYMOUS : 0);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, flags, file, 0);
    if (shared == MAP_FAILED)
        exit(2);
}

static void share(bool is_robust, int file)
{
    pthread_mutexattr_t attributes;
    map(file);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (is_robust)
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    for (int i = 0; i < 3; i++)
        pthread_mutex_init(&shared->mutexes[i], &attributes);
    pthread_rwlockattr_t rwlock;
    pthread_rwlockattr_init(&rwlock);
    pthread_rwlockattr_setpshared(&rwlock, PTHREAD_PROCESS_SHARED);
    pthread_rwlock_init(&shared->table, &rwlock);
    pthread_rwlock_init(&shared->rows, &rwlock);
}

static void say_ready(void)
{
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
}

static int finish(void)
{
    puts("done");
    return 0;
}

/* Returns in the parent, once the child has the mutex; in the child never. */
static void let_child_take(bool dies)
{
    int has_it[2];
    char byte;
    if (pipe(has_it))
        exit(2);
    pid_t child = fork();
    if (!child) {
        pthread_mutex_lock(&shared->mutexes[0]);
        if (dies)
            raise(SIGKILL);
        close(has_it[1]);
        close(has_it[0]);
        wait_until_let_go();
        pthread_mutex_unlock(&shared->mutexes[0]);
        _exit(0);
    }
    close(has_it[1]);
    while (read(has_it[0], &byte, 1) > 0)
        continue;
    if (dies)
        waitpid(child, NULL, 0);
}

/* What a supervisor does: another holds it no more, so that this one lets go. */
static void let_sibling_watch(void)
{
    if (fork())
        return;
    wait_until_let_go();
    pthread_mutex_unlock(&shared->mutexes[0]);
    _exit(0);
}

/* ---- circles of processes ---- */

enum { MOST = 3 };

static void *run(void *unused)
{
    (void)unused;
    wait_until_let_go();
    return NULL;
}

/* Process `me` of n takes its own, waits until all have theirs, and asks for the next one's. */
static void cross(unsigned me, unsigned n, bool has_rwlock)
{
    unsigned next = (me + 1) % n;
    if (has_rwlock && me == 0)
        pthread_rwlock_wrlock(&shared->table);
    else
        pthread_mutex_lock(&shared->mutexes[me]);
    pthread_barrier_wait(&shared->all_hold);
    if (has_rwlock && next == 0)
        pthread_rwlock_wrlock(&shared->table);
    else
        pthread_mutex_lock(&shared->mutexes[next]);
}

static void make_barrier(unsigned n)
{
    pthread_barrierattr_t attributes;
    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&shared->all_hold, &attributes, n);
}

static void circle(unsigned n, bool has_rwlock, bool has_thread, bool is_apart)
{
    unsigned me = 0;
    make_barrier(n);
    if (is_apart && unshare(CLONE_NEWPID))
        exit(2);
    while (me + 1 < n) {
        if (fork())
            break;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        me++;
    }
    if (me == 0)
        say_ready();
    pthread_t thread;
    if (has_thread && me)
        pthread_create(&thread, NULL, run, NULL);
    cross(me, n, has_rwlock);
}

/* ---- readers ---- */

static int memory = -1; /* of a file, so that a program that is started can map it as well */

static void run_unwatched(const char *program)
{
    char number[16];
    snprintf(number, sizeof number, "%d", memory);
    if (fork())
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    unsetenv("LD_PRELOAD");
    execl(program, program, "map", number, (char *)NULL);
    _exit(2);
}

static void *pass_mutex(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&shared->mutexes[1]);
    pthread_mutex_unlock(&shared->mutexes[1]);
    return NULL;
}

static void leave_table(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, pass_mutex, NULL);
    wait_until_let_go();
    pthread_rwlock_unlock(&shared->table);
    pthread_join(thread, NULL);
}

/* Comes back where the reader leaves. */
static void write_table(bool is_timed)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 3600;
    if (is_timed)
        pthread_rwlock_timedwrlock(&shared->table, &limit);
    else
        pthread_rwlock_wrlock(&shared->table);
    pthread_rwlock_unlock(&shared->table);
    pthread_mutex_unlock(&shared->mutexes[1]);
    _exit(0);
}

static void read_across(const char *program, const char *how)
{
    bool is_both = !strcmp(how, "both"), is_unwatched = !strcmp(how, "unwatched");
    make_barrier(is_unwatched ? 3 : 2);
    if (is_unwatched)
        run_unwatched(program);
    pid_t child = fork();
    if (!child) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (is_both)
            pthread_rwlock_rdlock(&shared->rows);
        else
            pthread_mutex_lock(&shared->mutexes[1]);
        pthread_barrier_wait(&shared->all_hold);
        write_table(!strcmp(how, "timed"));
    }
    pthread_rwlock_rdlock(&shared->table);
    pthread_barrier_wait(&shared->all_hold);
    say_ready();
    if (!strcmp(how, "leave"))
        leave_table();
    else if (is_both)
        pthread_rwlock_wrlock(&shared->rows);
    else
        pthread_mutex_lock(&shared->mutexes[1]);
    waitpid(child, NULL, 0);
}

static void read_and_fork(void)
{
    pthread_rwlock_rdlock(&shared->table);
    pid_t child = fork();
    if (!child) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pthread_rwlock_wrlock(&shared->table);
        pthread_rwlock_unlock(&shared->table);
        _exit(0);
    }
    say_ready();
    wait_until_let_go();
    pthread_rwlock_unlock(&shared->table);
    waitpid(child, NULL, 0);
}

/* ---- files ---- */

static char paths[2][64];

static int take(int file)
{
    int descriptor = open(paths[file], O_RDWR | O_CLOEXEC);
    flock(descriptor, LOCK_EX);
    return descriptor;
}

static int take_range(int file, int command, off_t start, off_t length)
{
    struct flock range = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    int descriptor = open(paths[file], O_RDWR | O_CLOEXEC);
    fcntl(descriptor, command, &range);
    return descriptor;
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static void *file_then_gate(void *unused)
{
    (void)unused;
    take(0);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&gate);
    return NULL;
}

static void *gate_then_file(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&gate);
    pthread_barrier_wait(&both);
    take(0);
    return NULL;
}

static void *take_file(void *unused)
{
    (void)unused;
    close(take(0));
    return NULL;
}

static void start_and_join(void *(*const *routines)(void *), int n)
{
    pthread_t threads[MOST];
    for (int i = 0; i < n; i++)
        pthread_create(&threads[i], NULL, routines[i], NULL);
    say_ready();
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

static void *let_file_go(void *descriptor)
{
    wait_until_let_go();
    flock((int)(size_t)descriptor, LOCK_UN);
    return NULL;
}

static void cross_files(bool is_posix)
{
    int ready[2][2];
    char byte = 0;
    if (pipe(ready[0]) || pipe(ready[1]))
        exit(2);
    int me = fork() == 0;
    if (me)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (is_posix)
        take_range(me, me ? F_SETLKW : F_OFD_SETLKW, 0, 0);
    else
        take(me);
    if (write(ready[me][1], &byte, 1) != 1 || read(ready[!me][0], &byte, 1) != 1)
        exit(2);
    if (!me)
        say_ready();
    if (is_posix)
        take_range(!me, me ? F_SETLKW : F_OFD_SETLKW, 0, 0);
    else
        take(!me);
}

static void handle(int number)
{
    (void)number;
}

/* A child that does `what` with the descriptor once it is let go, and has it locked if it asks. */
static void with_child(int descriptor, bool takes)
{
    int has_it[2];
    char byte;
    if (pipe(has_it))
        exit(2);
    if (!fork()) {
        int own = takes ? take(0) : descriptor;
        close(has_it[0]);
        close(has_it[1]);
        wait_until_let_go();
        flock(own, LOCK_UN);
        _exit(0);
    }
    close(has_it[1]);
    while (read(has_it[0], &byte, 1) > 0)
        continue;
}

static void use_files(const char *way)
{
    static void *(*const crossed[])(void *) = {file_then_gate, gate_then_file};
    static void *(*const pool[])(void *) = {take_file, take_file, take_file};
    pthread_t thread;
    pthread_barrier_init(&both, NULL, 2);
    if (!strcmp(way, "mutex")) {
        start_and_join(crossed, 2);
    } else if (!strcmp(way, "pool")) {
        take(0);
        start_and_join(pool, 3);
    } else if (!strcmp(way, "abba") || !strcmp(way, "posix")) {
        cross_files(way[0] == 'p');
    } else if (!strcmp(way, "held")) {
        with_child(-1, true);
        say_ready();
        take(0);
    } else if (!strcmp(way, "inherited")) {
        int descriptor = take(0);
        pid_t child = fork();
        if (!child)
            _exit(flock(descriptor, LOCK_EX | LOCK_NB) != 0);
        int status;
        waitpid(child, &status, 0);
        say_ready();
        if (status)
            exit(1);
    } else {
        if (!strcmp(way, "handler"))
            signal(SIGUSR1, handle);
        int descriptor = take(0);
        if (!strcmp(way, "child"))
            with_child(descriptor, false);
        if (!strcmp(way, "thread"))
            pthread_create(&thread, NULL, let_file_go, (void *)(size_t)descriptor);
        say_ready();
        take(0);
    }
}

static void use_ranges(bool is_apart)
{
    take_range(0, F_OFD_SETLKW, 0, 10);
    if (is_apart) {
        take_range(0, F_OFD_SETLKW, 10, 10);
        int has_it[2];
        char byte;
        if (pipe(has_it))
            exit(2);
        if (!fork()) {
            take_range(0, F_OFD_SETLKW, 20, 1);
            close(has_it[0]);
            close(has_it[1]);
            wait_until_let_go();
            _exit(0);
        }
        close(has_it[1]);
        while (read(has_it[0], &byte, 1) > 0)
            continue;
    }
    say_ready();
    take_range(0, F_OFD_SETLKW, is_apart ? 20 : 9, 1);
}

static void on_child(int number)
{
    (void)number;
}

static void wait_for_child(const char *how)
{
    if (!strcmp(how, "handler"))
        signal(SIGCHLD, on_child);
    pthread_mutex_lock(&shared->mutexes[0]);
    pid_t child = fork();
    if (!child) {
        pthread_mutex_lock(&shared->mutexes[0]);
        pthread_mutex_unlock(&shared->mutexes[0]);
        _exit(0);
    }
    say_ready();
    if (!strcmp(how, "held")) {
        wait_until_let_go();
        pthread_mutex_unlock(&shared->mutexes[0]);
    }
    if (!strcmp(how, "any"))
        wait(NULL);
    else
        waitpid(child, NULL, 0);
}

static void make_files(void)
{
    for (int i = 0; i < 2; i++) {
        snprintf(paths[i], sizeof paths[i], "/tmp/across-%d.XXXXXX", i);
        close(mkstemp(paths[i]));
    }
}

static void remove_files(void)
{
    for (int i = 0; i < 2; i++)
        unlink(paths[i]);
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "";
    if (!strcmp(way, "map")) {
        map(argc > 2 ? atoi(argv[2]) : -1);
        pthread_barrier_wait(&shared->all_hold);
        wait_until_let_go();
        return 0;
    }
    if (!strcmp(way, "readers-unwatched")) {
        memory = memfd_create("across", 0);
        if (memory < 0 || ftruncate(memory, sizeof *shared))
            return 2;
    }
    share(!strcmp(way, "died-robust"), memory);
    if (!strncmp(way, "readers", 7)) {
        if (!strcmp(way, "readers-forked"))
            read_and_fork();
        else
            read_across(argv[0], way[7] ? way + 8 : "");
        return finish();
    }
    bool is_flock = !strncmp(way, "flock-", 6), is_ofd = !strncmp(way, "ofd-", 4);
    if (is_flock || is_ofd) {
        make_files();
        if (is_flock)
            use_files(way + 6);
        else
            use_ranges(!strcmp(way, "ofd-apart"));
        remove_files();
        return finish();
    }
    if (!strncmp(way, "abba", 4) || !strcmp(way, "ring") || !strcmp(way, "rwlocks")) {
        circle(way[1] == 'i' ? 3 : 2, way[1] == 'w', !strcmp(way, "abba-threads"),
               !strcmp(way, "abba-apart"));
        return finish();
    }
    if (!strncmp(way, "child", 5)) {
        wait_for_child(way[5] ? way + 6 : "");
        return finish();
    }
    let_child_take(strncmp(way, "died", 4) == 0);
    if (!strcmp(way, "died-awake"))
        let_sibling_watch();
    if (!strcmp(way, "lives-closed") &&
        (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534) ||
         prctl(PR_SET_DUMPABLE, 1)))
        return 2;
    say_ready();
    if (pthread_mutex_lock(&shared->mutexes[0]) == EOWNERDEAD)
        pthread_mutex_consistent(&shared->mutexes[0]);
    pthread_mutex_unlock(&shared->mutexes[0]);
    return finish();
}
