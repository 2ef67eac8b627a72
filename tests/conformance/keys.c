/* All keys are the program's: how many there are, what an unmade one says, and their destructors.
 */
// quiet
#include "tell.h"
#include <dlfcn.h>
#include <limits.h>
#include <threads.h>

static pthread_key_t keys[3];
static __thread int rounds;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void count(void)
{
    static pthread_key_t many[PTHREAD_KEYS_MAX + 1];
    int n = 0, unmade = 0;
    for (unsigned key = 0; key < PTHREAD_KEYS_MAX; key++)
        unmade += pthread_setspecific(key, &n) == EINVAL;
    while (n <= PTHREAD_KEYS_MAX && pthread_key_create(&many[n], n % 2 ? free : NULL) == 0)
        n++;
    say("unmade %d, to be had %d", unmade, n);
    TELL(pthread_key_create(&many[n], NULL));
    tss_t tss;
    TELL(tss_create(&tss, NULL) == thrd_error);
    while (n-- > 0)
        pthread_key_delete(many[n]);
    TELL(tss_create(&tss, free));
    tss_delete(tss);
    TELL(pthread_key_delete(PTHREAD_KEYS_MAX - 1));
}

static void again(void *value)
{
    LOCK(lock);
    say("round %d of key %ld", ++rounds, (long)value);
    UNLOCK(lock);
    pthread_setspecific(keys[(long)value], value);
}

static void once(void *value)
{
    LOCK(lock);
    say("once: key %ld, value now %p", (long)value, pthread_getspecific(keys[(long)value]));
    UNLOCK(lock);
}

/* Sets another key's value, which is destroyed in this round or the next. */
static void another(void *value)
{
    LOCK(lock);
    say("another");
    UNLOCK(lock);
    pthread_setspecific(keys[1], value);
}

static void *set_all(void *how)
{
    for (long i = 0; i < 3; i++)
        pthread_setspecific(keys[i], (void *)i);
    if (how)
        pthread_exit(how);
    return NULL;
}

static void run(void (*first)(void *), void (*second)(void *), void (*third)(void *), void *how)
{
    pthread_t t;
    void (*const all[3])(void *) = {first, second, third};
    for (int i = 0; i < 3; i++)
        pthread_key_create(&keys[i], all[i]);
    pthread_create(&t, NULL, set_all, how);
    JOIN(t);
    for (int i = 0; i < 3; i++)
        pthread_key_delete(keys[i]);
}

static void leave(void *value)
{
    (void)value;
    say("leaves from a destructor");
    pthread_exit(NULL);
}

static void *hold_on(void *key)
{
    pthread_setspecific(*(pthread_key_t *)key, (void *)1L);
    step();
    for (;;)
        pause();
    return NULL;
}

/* Made again with another destructor while a thread has a value for the old one. */
static void made_again(void)
{
    pthread_t t;
    pthread_key_create(&keys[0], again);
    keys[1] = keys[0];
    pthread_create(&t, NULL, hold_on, &keys[1]);
    await(1);
    pthread_key_delete(keys[0]);
    pthread_key_create(&keys[0], once);
    say("the same number: %d", keys[0] == keys[1]);
    pthread_cancel(t);
    JOIN(t);
    pthread_key_delete(keys[0]);
}

int main(void)
{
    dlerror(); /* takes a key before glibc 2.34, and the library looks names up */
    count();
    run(NULL, again, once, NULL);
    run(again, again, again, (void *)1L);
    run(once, once, another, NULL);
    run(another, NULL, once, (void *)1L);
    run(once, leave, once, NULL);
    made_again();
    count();
    return 0;
}
