/* Locks before any constructor of ours has run: from the pre-initialisers on. */
// quiet
#include "tell.h"

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

static void pre(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
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
