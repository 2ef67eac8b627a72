// A storm of random locking that can't deadlock: waiting calls go up in rank only, objects of other
// ranks come and go at the same addresses, tries and readers go any way they like.
#include "case.h"
#include <semaphore.h>

enum { THREADS = 6, SLOTS = 24, ROUNDS = 4000, MOST_HELD = 5 };
enum kind { MUTEX, RECURSIVE, RWLOCK, SPIN, SEMAPHORE, KINDS };

// A lock and its rank; a slot's tenant changes only while nobody uses the slot.
struct lock {
    enum kind kind;
    int rank;
    union {
        pthread_mutex_t mutex;
        pthread_rwlock_t rwlock;
        pthread_spinlock_t spin;
        sem_t semaphore;
    } u;
};
static struct lock *slots[SLOTS];
static int users[SLOTS]; // -1: being replaced
static _Thread_local unsigned seed;

static unsigned chance(unsigned n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

static struct lock *make(int slot)
{
    struct lock *l = malloc(sizeof(*l));
    memset(l, 0, sizeof(*l));
    l->kind = chance(KINDS);
    l->rank = (int)chance(1000) * SLOTS + slot; // no two the same
    switch (l->kind) {
    case MUTEX: // as std::mutex: neither init nor destroy
        break;
    case RECURSIVE:
        init_mutex(&l->u.mutex, PTHREAD_MUTEX_RECURSIVE);
        break;
    case RWLOCK:
        pthread_rwlock_init(&l->u.rwlock, NULL);
        break;
    case SPIN:
        pthread_spin_init(&l->u.spin, 0);
        break;
    default:
        sem_init(&l->u.semaphore, 0, 1);
    }
    return l;
}

static void drop(struct lock *l)
{
    if (l->kind == RECURSIVE)
        pthread_mutex_destroy(&l->u.mutex);
    else if (l->kind == RWLOCK)
        pthread_rwlock_destroy(&l->u.rwlock);
    else if (l->kind == SPIN)
        pthread_spin_destroy(&l->u.spin);
    else if (l->kind == SEMAPHORE)
        sem_destroy(&l->u.semaphore);
    free(l);
}

static void wait_for(struct lock *l)
{
    if (l->kind == MUTEX || l->kind == RECURSIVE)
        pthread_mutex_lock(&l->u.mutex);
    else if (l->kind == RWLOCK && chance(2))
        pthread_rwlock_rdlock(&l->u.rwlock);
    else if (l->kind == RWLOCK)
        pthread_rwlock_wrlock(&l->u.rwlock);
    else if (l->kind == SPIN)
        pthread_spin_lock(&l->u.spin);
    else
        sem_wait(&l->u.semaphore);
}

static int try(struct lock *l)
{
    if (l->kind == MUTEX || l->kind == RECURSIVE)
        return pthread_mutex_trylock(&l->u.mutex) == 0;
    if (l->kind == RWLOCK)
        return (chance(2) ? pthread_rwlock_tryrdlock : pthread_rwlock_trywrlock)(&l->u.rwlock) == 0;
    if (l->kind == SPIN)
        return pthread_spin_trylock(&l->u.spin) == 0;
    return sem_trywait(&l->u.semaphore) == 0;
}

static void release(struct lock *l)
{
    if (l->kind == MUTEX || l->kind == RECURSIVE)
        pthread_mutex_unlock(&l->u.mutex);
    else if (l->kind == RWLOCK)
        pthread_rwlock_unlock(&l->u.rwlock);
    else if (l->kind == SPIN)
        pthread_spin_unlock(&l->u.spin);
    else
        sem_post(&l->u.semaphore);
}

static int use(int slot)
{
    int n = __atomic_load_n(&users[slot], __ATOMIC_SEQ_CST);
    while (n >= 0)
        if (__atomic_compare_exchange_n(&users[slot], &n, n + 1, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            return 1;
    return 0;
}

static void let_go(int slot)
{
    __atomic_fetch_sub(&users[slot], 1, __ATOMIC_SEQ_CST);
}

static void replace(int slot)
{
    int none = 0;
    if (!__atomic_compare_exchange_n(&users[slot], &none, -1, 0, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        return;
    drop(slots[slot]);
    slots[slot] = make(slot);
    __atomic_store_n(&users[slot], 0, __ATOMIC_SEQ_CST);
}

static int holds(const int *held, int n, int slot)
{
    for (int i = 0; i < n; i++)
        if (held[i] == slot)
            return 1;
    return 0;
}

// A spin lock's holder must not sleep for long: only tries behind one.
static int may_wait(const int *held, int n, const struct lock *l)
{
    for (int i = 0; i < n; i++)
        if (slots[held[i]]->rank >= l->rank || (slots[held[i]]->kind == SPIN && l->kind != SPIN))
            return 0;
    return 1;
}

static void round_of_locks(void)
{
    int held[MOST_HELD], n = 0;
    for (int tries = 0; tries < 2 * MOST_HELD && n < MOST_HELD; tries++) {
        int slot = (int)chance(SLOTS);
        if (holds(held, n, slot) || !use(slot))
            continue;
        if (may_wait(held, n, slots[slot]) && chance(4))
            wait_for(slots[slot]);
        else if (!try(slots[slot])) {
            let_go(slot);
            continue;
        }
        held[n++] = slot;
    }
    while (n > 0) { // in any order
        int i = (int)chance((unsigned)n);
        release(slots[held[i]]);
        let_go(held[i]);
        held[i] = held[--n];
    }
}

#ifndef IN_THE_MIDDLE
#define IN_THE_MIDDLE() (void)0
#endif
static int next_seed;

static void worker(void)
{
    seed = (unsigned)__atomic_add_fetch(&next_seed, 1, __ATOMIC_SEQ_CST) * 77777;
    for (int i = 0; i < ROUNDS; i++) {
        if (i == ROUNDS / 2)
            IN_THE_MIDDLE();
        round_of_locks();
        if (chance(8) == 0)
            replace((int)chance(SLOTS));
    }
}

int main(void)
{
    pthread_t threads[THREADS];
    seed = 4711;
    for (int i = 0; i < SLOTS; i++)
        slots[i] = make(i);
    for (int i = 0; i < THREADS; i++)
        threads[i] = spawn("w", worker);
    for (int i = 0; i < THREADS; i++)
        JOIN(threads[i]);
    return 0;
}
