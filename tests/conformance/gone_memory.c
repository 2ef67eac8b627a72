/* Locks that are taken and whose memory then goes or serves something else: nothing is written
 * there, and nothing is read where nothing is. */
#include "tell.h"
#include <semaphore.h>
#include <sys/mman.h>

enum { PAGE = 4096, MANY = 6000 };

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static sem_t *handed;

/* The calling thread takes more locks: what it holds is looked at. */
static void take_more(void)
{
    static pthread_mutex_t *fresh[3];
    static int n;

    fresh[n] = malloc(sizeof(pthread_mutex_t));
    pthread_mutex_init(fresh[n], NULL);
    LOCK(m);
    LOCK(*fresh[n]);
    UNLOCK(*fresh[n]);
    UNLOCK(m);
    n++;
}

static void post(void)
{
    sem_post(handed);
}

static int is_all(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0x5a)
            return 0;
    return 1;
}

static void a_semaphore_posted_by_another(void)
{
    static _Alignas(8) unsigned char memory[64];

    handed = (sem_t *)memory;
    sem_init(handed, 0, 1);
    TELL(sem_wait(handed));
    aside(post);
    TELL(sem_destroy(handed));
    memset(memory, 0x5a, sizeof memory);
    take_more();
    say("untouched: %d", is_all(memory, sizeof memory));
}

static void a_locked_mutex_overwritten(void)
{
    static _Alignas(8) unsigned char memory[64];

    pthread_mutex_init((pthread_mutex_t *)memory, NULL);
    TELL(pthread_mutex_lock((pthread_mutex_t *)memory));
    memset(memory, 0x5a, sizeof memory);
    take_more();
    say("untouched: %d", is_all(memory, sizeof memory));
}

static void *map(void)
{
    return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void a_locked_mutex_unmapped(void)
{
    pthread_mutex_t *mutex = map();
    pthread_rwlock_t *rwlock = map();

    TELL(pthread_mutex_lock(mutex));
    TELL(pthread_rwlock_rdlock(rwlock));
    munmap(mutex, PAGE);
    munmap(rwlock, PAGE);
    take_more();
    say("still here");
}

static void unlock_handed(void)
{
    sem_t *semaphore = handed;
    for (int i = 0; i < MANY; i++)
        sem_post(semaphore);
}

/* The free places of a queue: one thread takes them, another gives them back. */
static void a_pool_given_back_by_another(void)
{
    static sem_t places;

    handed = &places;
    sem_init(&places, 0, MANY);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++)
            sem_wait(&places);
        aside(unlock_handed);
    }
    TELL(sem_trywait(&places));
}

/* libc's destroy functions of these look at nothing. */
static void destroyed_when_it_has_gone(int how)
{
    void *memory[3] = {map(), map(), map()};
    pthread_spinlock_t *spin = memory[0];
    pthread_rwlock_t *rwlock = memory[1];
    sem_t *semaphore = memory[2];

    pthread_spin_init(spin, PTHREAD_PROCESS_PRIVATE);
    pthread_rwlock_init(rwlock, NULL);
    sem_init(semaphore, 0, 1);
    LOCK(m);
    pthread_spin_lock(spin);
    pthread_spin_unlock(spin);
    WRLOCK(*rwlock);
    RWUNLOCK(*rwlock);
    sem_wait(semaphore);
    sem_post(semaphore);
    UNLOCK(m);
    for (int i = 0; i < 3; i++) {
        if (how == PROT_NONE)
            munmap(memory[i], PAGE);
        else
            mprotect(memory[i], PAGE, how);
    }
    TELL(pthread_spin_destroy(spin));
    TELL(pthread_rwlock_destroy(rwlock));
    TELL(sem_destroy(semaphore));
}

/* So many locks that what is known of them is swept, when the memory of half of them is gone. */
static void many_unmapped(void)
{
    static pthread_mutex_t *mapped[MANY], more[MANY];

    LOCK(m);
    for (int i = 0; i < MANY; i++) {
        mapped[i] = map();
        LOCK(*mapped[i]);
        UNLOCK(*mapped[i]);
    }
    for (int i = 0; i < MANY; i++)
        munmap(mapped[i], PAGE);
    for (int i = 0; i < MANY; i++) {
        LOCK(more[i]);
        UNLOCK(more[i]);
    }
    UNLOCK(m);
    say("all gone");
}

int main(void)
{
    a_semaphore_posted_by_another();
    a_pool_given_back_by_another();
    many_unmapped();
    destroyed_when_it_has_gone(PROT_NONE);
    destroyed_when_it_has_gone(PROT_READ);
    aside(a_locked_mutex_overwritten);
    aside(a_locked_mutex_unmapped);
    return 0;
}
