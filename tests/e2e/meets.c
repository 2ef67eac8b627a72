/*
 * meets CASE APART [MS]: inversions whose steps are far apart in time, MS milliseconds, and what
 * keeps them apart: nothing ("time"), or something that a detector does not see. What is kept apart
 * by nothing can be confirmed, the rest can't. Ends well by itself.
 */
#include "meets_apart.h"

#include <sys/wait.h>
#include <threads.h>

/* ---- the cases: first() does its order, later second() the other ---- */

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER,
                       c = PTHREAD_MUTEX_INITIALIZER, d = PTHREAD_MUTEX_INITIALIZER,
                       e = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t r = PTHREAD_RWLOCK_INITIALIZER, s = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static sem_t sem_a, sem_b;
static mtx_t m, n;

static void both(pthread_mutex_t *outer, pthread_mutex_t *inner)
{
    LOCK(outer);
    LOCK(inner);
    UNLOCK(inner);
    UNLOCK(outer);
}

static void plain_1(void)
{
    LOCK(&a);
    LOCK(&b);
    UNLOCK(&b);
    UNLOCK(&a);
}

static void plain_2(void)
{
    LOCK(&b);
    LOCK(&a);
    UNLOCK(&a);
    UNLOCK(&b);
}

static void same_1(void)
{
    both(&a, &b);
}

static void same_2(void)
{
    both(&b, &a);
}

static void rw_write_1(void)
{
    pthread_rwlock_wrlock(&r);
    pthread_rwlock_wrlock(&s);
    pthread_rwlock_unlock(&s);
    pthread_rwlock_unlock(&r);
}

static void rw_write_2(void)
{
    pthread_rwlock_wrlock(&s);
    pthread_rwlock_wrlock(&r);
    pthread_rwlock_unlock(&r);
    pthread_rwlock_unlock(&s);
}

static void rw_read_1(void)
{
    pthread_rwlock_rdlock(&r);
    LOCK(&a);
    UNLOCK(&a);
    pthread_rwlock_unlock(&r);
}

static void rw_read_2(void)
{
    LOCK(&a);
    pthread_rwlock_wrlock(&r);
    pthread_rwlock_unlock(&r);
    UNLOCK(&a);
}

static void rw_asks_1(void)
{
    pthread_rwlock_wrlock(&r);
    LOCK(&a);
    UNLOCK(&a);
    pthread_rwlock_unlock(&r);
}

static void rw_asks_2(void)
{
    LOCK(&a);
    pthread_rwlock_rdlock(&r);
    pthread_rwlock_unlock(&r);
    UNLOCK(&a);
}

static void twice_1(void)
{
    LOCK(&c);
    LOCK(&c);
    LOCK(&b);
    UNLOCK(&b);
    UNLOCK(&c);
    UNLOCK(&c);
}

static void twice_2(void)
{
    LOCK(&b);
    LOCK(&c);
    UNLOCK(&c);
    UNLOCK(&b);
}

static void sem_1(void)
{
    sem_wait(&sem_a);
    sem_wait(&sem_b);
    sem_post(&sem_b);
    sem_post(&sem_a);
}

static void sem_2(void)
{
    sem_wait(&sem_b);
    sem_wait(&sem_a);
    sem_post(&sem_a);
    sem_post(&sem_b);
}

static void mixed_1(void)
{
    sem_wait(&sem_a);
    LOCK(&b);
    UNLOCK(&b);
    sem_post(&sem_a);
}

static void mixed_2(void)
{
    LOCK(&b);
    sem_wait(&sem_a);
    sem_post(&sem_a);
    UNLOCK(&b);
}

static void spin_1(void)
{
    pthread_spin_lock(&spin);
    LOCK(&a);
    UNLOCK(&a);
    pthread_spin_unlock(&spin);
}

static void spin_2(void)
{
    LOCK(&a);
    pthread_spin_lock(&spin);
    pthread_spin_unlock(&spin);
    UNLOCK(&a);
}

static void c11_1(void)
{
    mtx_lock(&m);
    mtx_lock(&n);
    mtx_unlock(&n);
    mtx_unlock(&m);
}

static void c11_2(void)
{
    mtx_lock(&n);
    mtx_lock(&m);
    mtx_unlock(&m);
    mtx_unlock(&n);
}

static void take(pthread_mutex_t *mutex)
{
    LOCK(mutex);
}

static void give(pthread_mutex_t *mutex)
{
    UNLOCK(mutex);
}

static void helper_1(void)
{
    take(&a);
    take(&b);
    give(&b);
    give(&a);
}

static void helper_2(void)
{
    take(&b);
    take(&a);
    give(&a);
    give(&b);
}

static void take_deep(pthread_mutex_t *mutex)
{
    take(mutex);
}

static void deep_1(void)
{
    take_deep(&a);
    take_deep(&b);
    give(&b);
    give(&a);
}

static void deep_2(void)
{
    take_deep(&b);
    take_deep(&a);
    give(&a);
    give(&b);
}

/* The second lock is asked for by what is called under the first. */
static void under(pthread_mutex_t *mutex)
{
    LOCK(mutex);
    UNLOCK(mutex);
}

static void callee_1(void)
{
    LOCK(&a);
    under(&b);
    UNLOCK(&a);
}

static void callee_2(void)
{
    LOCK(&b);
    under(&a);
    UNLOCK(&b);
}

/* The way is gone often, and is harmless but for one time. */
static void often_1(void)
{
    static pthread_mutex_t others[50];

    for (int i = 0; i < 50; i++) {
        pthread_mutex_init(&others[i], NULL);
        both(&others[i], &c);
    }
    both(&a, &b);
}

static void repeated_1(void)
{
    for (int i = 0; i < 200; i++)
        plain_1();
}

static void third_1(void)
{
    LOCK(&a);
    LOCK(&c);
    LOCK(&b);
    UNLOCK(&b);
    UNLOCK(&c);
    UNLOCK(&a);
}

static void third_2(void)
{
    LOCK(&d);
    LOCK(&b);
    LOCK(&a);
    UNLOCK(&a);
    UNLOCK(&b);
    UNLOCK(&d);
}

static void tried_1(void)
{
    if (pthread_mutex_trylock(&a))
        return;
    LOCK(&b);
    UNLOCK(&b);
    UNLOCK(&a);
}

static void overlapping_1(void)
{
    LOCK(&a);
    LOCK(&b);
    UNLOCK(&a);
    UNLOCK(&b);
}

struct box {
    pthread_mutex_t lock;
};
static struct box *left_box, *right_box;

static void heap_1(void)
{
    both(&left_box->lock, &right_box->lock);
}

static void heap_2(void)
{
    both(&right_box->lock, &left_box->lock);
}

static void by_pointer_1(void)
{
    int (*lock)(pthread_mutex_t *) = pthread_mutex_lock;

    lock(&a);
    lock(&b);
    UNLOCK(&b);
    UNLOCK(&a);
}

/* Everybody takes it all the time; whoever stands between the others keeps it from them. */
static pthread_mutex_t hot = PTHREAD_MUTEX_INITIALIZER;
static atomic_int is_over;

static void *use_hot(void *arg)
{
    while (!atomic_load(&is_over)) {
        LOCK(&hot);
        UNLOCK(&hot);
        usleep(1000);
    }
    return arg;
}

static void hot_1(void)
{
    LOCK(&hot);
    LOCK(&b);
    UNLOCK(&b);
    UNLOCK(&hot);
}

static void hot_2(void)
{
    LOCK(&b);
    LOCK(&hot);
    UNLOCK(&hot);
    UNLOCK(&b);
}

static void ring_2(void)
{
    both(&b, &c);
}
static void ring_3(void)
{
    both(&c, &d);
}
static void ring_4(void)
{
    both(&d, &e);
}
static void ring_c_a(void)
{
    both(&c, &a);
}
static void ring_d_a(void)
{
    both(&d, &a);
}
static void ring_e_a(void)
{
    both(&e, &a);
}

static const struct {
    const char *name;
    void (*sides[5])(void);
} cases[] = {
    {"plain", {plain_1, plain_2}},
    {"same", {same_1, same_2}},
    {"rw-write", {rw_write_1, rw_write_2}},
    {"rw-read", {rw_read_1, rw_read_2}},
    {"rw-asks", {rw_asks_1, rw_asks_2}},
    {"recursive", {twice_1, twice_2}},
    {"adaptive", {plain_1, plain_2}},
    {"errorcheck", {plain_1, plain_2}},
    {"robust", {plain_1, plain_2}},
    {"inherit", {plain_1, plain_2}},
    {"semaphores", {sem_1, sem_2}},
    {"mixed", {mixed_1, mixed_2}},
    {"awake", {sem_1, sem_2}},
    {"spin", {spin_1, spin_2}},
    {"c11", {c11_1, c11_2}},
    {"helper", {helper_1, helper_2}},
    {"deep", {deep_1, deep_2}},
    {"callee", {callee_1, callee_2}},
    {"often", {often_1, same_2}},
    {"repeated", {repeated_1, plain_2}},
    {"third", {third_1, third_2}},
    {"tried", {tried_1, plain_2}},
    {"overlapping", {overlapping_1, plain_2}},
    {"heap", {heap_1, heap_2}},
    {"by-pointer", {by_pointer_1, plain_2}},
    {"hot", {hot_1, hot_2}},
    {"main", {plain_1, plain_2}},
    {"tree", {plain_1, plain_2}},
    {"join", {plain_1, plain_2}},
    {"late", {plain_1, plain_2}},
    {"three", {same_1, ring_2, ring_c_a}},
    {"four", {same_1, ring_2, ring_3, ring_d_a}},
    {"five", {same_1, ring_2, ring_3, ring_4, ring_e_a}},
};

/* ---- the threads ---- */

struct side {
    void (*play)(void);
    unsigned place, n; /* as which of how many */
};

static void *play(void *arg)
{
    struct side *side = arg;
    char name[16];

    snprintf(name, sizeof(name), "side-%u", side->place + 1);
    pthread_setname_np(pthread_self(), name);
    if ((side->place == 1 && is(apart, "first")) || (side->place == 0 && is(apart, "second")))
        return NULL; /* only the other side of two is played */
    if (side->place == 1)
        second_begins();
    else if (is(apart, "flag"))
        await_sides(side->place);
    else if (side->place)
        usleep((unsigned)(gap_ms * 1000 * side->place));
    side->play();
    if (side->place == 0)
        first_is_done();
    else
        atomic_fetch_add(&flag, 1);
    return NULL;
}

static void set_kind(pthread_mutex_t *mutex, int kind, int robust, int protocol)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, kind);
    if (robust)
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setprotocol(&attributes, protocol);
    pthread_mutex_init(mutex, &attributes);
}

static void set_up(const char *name)
{
    int kind = is(name, "adaptive")     ? PTHREAD_MUTEX_ADAPTIVE_NP
               : is(name, "errorcheck") ? PTHREAD_MUTEX_ERRORCHECK
                                        : PTHREAD_MUTEX_NORMAL;

    sem_init(&sem_a, 0, 1);
    sem_init(&sem_b, 0, 1);
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    mtx_init(&m, mtx_plain);
    mtx_init(&n, mtx_plain);
    set_kind(&c, is(name, "recursive") ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL, 0,
             PTHREAD_PRIO_NONE);
    left_box = malloc(sizeof(*left_box));
    right_box = malloc(sizeof(*right_box));
    pthread_mutex_init(&left_box->lock, NULL);
    pthread_mutex_init(&right_box->lock, NULL);
    if (kind != PTHREAD_MUTEX_NORMAL || is(name, "robust") || is(name, "inherit")) {
        int protocol = is(name, "inherit") ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE;
        set_kind(&a, kind, is(name, "robust"), protocol);
        set_kind(&b, kind, is(name, "robust"), protocol);
    }
}

/* The end of the thread is one of the two: whoever joins it holds what it still asks for. */
static void *end_late(void *arg)
{
    pthread_setname_np(pthread_self(), "joined");
    LOCK(&a);
    UNLOCK(&a);
    atomic_store(&flag, 1);
    return arg;
}

static int join_under_lock(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, end_late, NULL);
    if (is(apart, "flag"))
        await_sides(1);
    else
        usleep((unsigned)(gap_ms * 1000));
    LOCK(&a);
    pthread_join(thread, NULL);
    UNLOCK(&a);
    return 0;
}

static int run(size_t number)
{
    struct side sides[5];
    pthread_t threads[5], user;
    const char *name = cases[number].name;
    unsigned count = 0;

    while (count < 5 && cases[number].sides[count])
        count++;
    if (is(name, "hot") || is(name, "awake"))
        pthread_create(&user, NULL, use_hot, NULL);
    for (unsigned i = 0; i < count; i++) {
        sides[i] = (struct side){cases[number].sides[i], i, count};
        if (is(name, "late") && i == 1)
            usleep((unsigned)(gap_ms * 1000));
        if (is(name, "main") && i == 1)
            play(&sides[i]);
        else
            pthread_create(&threads[i], NULL, play, &sides[i]);
    }
    for (unsigned i = 0; i < count; i++)
        if (!is(name, "main") || i != 1)
            pthread_join(threads[i], NULL);
    atomic_store(&is_over, 1);
    if (is(name, "hot") || is(name, "awake"))
        pthread_join(user, NULL);
    return 0;
}

int main(int argc, char **argv)
{
    size_t number = 0;

    if (argc > 1 && is(argv[1], "--list")) {
        for (; number < sizeof(cases) / sizeof(cases[0]); number++)
            puts(cases[number].name);
        return 0;
    }
    if (argc < 3)
        return 2;
    apart = argv[2];
    if (argc > 3)
        gap_ms = atol(argv[3]);
    while (number < sizeof(cases) / sizeof(cases[0]) && !is(cases[number].name, argv[1]))
        number++;
    if (number == sizeof(cases) / sizeof(cases[0]))
        return 2;
    make_apart();
    set_up(argv[1]);
    if (is(argv[1], "join"))
        return join_under_lock();
    if (is(argv[1], "tree")) {
        int status;
        pid_t child = fork();
        if (child == 0)
            _exit(run(number));
        return waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : 3;
    }
    return run(number);
}
