#include "interpose/base/direct.h"

#include "interpose/base/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

DLW_COLD void dlw_direct_wake(int *word)
{
    dlw_syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
}

/* Behind us may stand a tool that must see each call: gcc's thread sanitizer as a shared library.
 */
static bool are_of(const char *name)
{
    void *library = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);

#define IS_OF(function) (dlsym(library, #function) == (const void *)real.function)
    return library && IS_OF(pthread_mutex_lock) && IS_OF(pthread_mutex_trylock) &&
           IS_OF(pthread_mutex_unlock) && IS_OF(pthread_mutex_timedlock) &&
           IS_OF(pthread_mutex_init) && IS_OF(pthread_mutex_destroy);
#undef IS_OF
}

static bool is_behind_us(void)
{
    return are_of("libc.so.6") || are_of("libpthread.so.0");
}

/* These replace the functions in libc's own code, which we would pass by. */
static bool is_tool_there(char *const *environment)
{
    static const char preload[] = "LD_PRELOAD=";

    for (; *environment; environment++)
        if (strncmp(*environment, preload, sizeof(preload) - 1) == 0 &&
            (strstr(*environment, "vgpreload_helgrind") || strstr(*environment, "vgpreload_drd")))
            return true;
    return false;
}

static bool is_held(const pthread_mutex_t *mutex, int word, uint32_t owner, unsigned users)
{
    return mutex->__data.__lock == word && mutex->__data.__owner == (int)owner &&
           mutex->__data.__nusers == users;
}

/* libc holds it: with one user, and its kind unchanged (elided locks get a bit there). */
static bool holds_as_we_do(int kind, uint32_t tid)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

    mutex.__data.__kind = kind;
    real.pthread_mutex_lock(&mutex);
    bool good = is_held(&mutex, 1, tid, 1) && mutex.__data.__kind == kind;
    real.pthread_mutex_unlock(&mutex);
    return good && is_held(&mutex, 0, 0, 0) && mutex.__data.__kind == kind;
}

/* What we hold, libc finds held: a wait for it marks the word, and our unlock frees it. */
static bool finds_as_it_would_leave(int kind, uint32_t tid)
{
    static const struct timespec long_ago = {0, 0};
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

    mutex.__data.__kind = kind;
    bool good = dlw_direct_try(&mutex, tid) && is_held(&mutex, 1, tid, 1) &&
                real.pthread_mutex_trylock(&mutex) == EBUSY &&
                real.pthread_mutex_timedlock(&mutex, &long_ago) == ETIMEDOUT &&
                is_held(&mutex, 2, tid, 1);
    dlw_direct_unlock(&mutex);
    good = good && is_held(&mutex, 0, 0, 0) && real.pthread_mutex_trylock(&mutex) == 0;
    real.pthread_mutex_unlock(&mutex);
    return good && is_held(&mutex, 0, 0, 0);
}

static bool fits(int kind, uint32_t tid)
{
    return holds_as_we_do(kind, tid) && finds_as_it_would_leave(kind, tid);
}

static bool counts(const pthread_mutex_t *mutex, uint32_t tid, unsigned count)
{
    return is_held(mutex, count != 0, count ? tid : 0, count != 0) &&
           mutex->__data.__count == count && mutex->__data.__kind == PTHREAD_MUTEX_RECURSIVE_NP;
}

/* The same of a recursive one, which libc and we take and release in turn. */
static bool fits_recursive(uint32_t tid)
{
    pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

    real.pthread_mutex_lock(&mutex);
    bool good = counts(&mutex, tid, 1) && dlw_direct_again(&mutex) &&
                real.pthread_mutex_trylock(&mutex) == 0 && counts(&mutex, tid, 3);
    dlw_direct_unlock_once(&mutex);
    good = good && real.pthread_mutex_unlock(&mutex) == 0 && counts(&mutex, tid, 1);
    dlw_direct_unlock_last(&mutex);
    good = good && counts(&mutex, tid, 0) && dlw_direct_try_first(&mutex, tid) &&
           counts(&mutex, tid, 1) && real.pthread_mutex_lock(&mutex) == 0 && counts(&mutex, tid, 2);
    return real.pthread_mutex_unlock(&mutex) == 0 && real.pthread_mutex_unlock(&mutex) == 0 &&
           good && counts(&mutex, tid, 0);
}

/* A mutex begins and ends with libc as with us, byte for byte. */
static bool lives_so(void)
{
    static const unsigned char before = 0x5a; /* no byte of a mutex that was made */
    pthread_mutex_t ours, theirs;

    memset(&ours, before, sizeof(ours));
    memset(&theirs, before, sizeof(theirs));
    dlw_direct_init(&ours);
    bool good =
        real.pthread_mutex_init(&theirs, NULL) == 0 && memcmp(&ours, &theirs, sizeof(ours)) == 0;
    real.pthread_mutex_lock(&theirs);
    good = good && !dlw_direct_destroy(&theirs) && real.pthread_mutex_destroy(&theirs) == EBUSY;
    real.pthread_mutex_unlock(&theirs);
    return good && dlw_direct_destroy(&ours) && real.pthread_mutex_destroy(&theirs) == 0 &&
           memcmp(&ours, &theirs, sizeof(ours)) == 0;
}

bool dlw_direct_check(uint32_t tid, char *const *environment)
{
    return is_behind_us() && !is_tool_there(environment) && fits(PTHREAD_MUTEX_NORMAL, tid) &&
           fits(PTHREAD_MUTEX_ADAPTIVE_NP, tid) && fits_recursive(tid) && lives_so();
}
