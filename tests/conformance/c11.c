/* C11 threads: glibc calls its own internals for these, so they have wrappers of their own. */
#include "tell.h"
#include <threads.h>

static mtx_t plain, timed, recursive;
static cnd_t c;
static once_flag flag = ONCE_FLAG_INIT;
static tss_t key;

static void destroy(void *value)
{
    mtx_lock(&plain);
    say("destructor of %s", (char *)value);
    mtx_unlock(&plain);
}

static void once(void)
{
    say("once");
}

static int other(void *arg)
{
    TELL(mtx_trylock(&plain));
    mtx_unlock(&plain);
    TELL(mtx_timedlock(&timed, &past));
    TELL(mtx_trylock(&recursive));
    TELL(tss_set(key, "a value"));
    call_once(&flag, once);
    if (arg)
        thrd_exit(5);
    return 4;
}

int main(void)
{
    thrd_t t;
    int result = -1;
    TELL(mtx_init(&plain, mtx_plain));
    TELL(mtx_init(&timed, mtx_timed));
    TELL(mtx_init(&recursive, mtx_recursive | mtx_timed));
    TELL(cnd_init(&c));
    TELL(tss_create(&key, destroy));
    TELL(mtx_lock(&timed));
    TELL(mtx_lock(&recursive));
    TELL(mtx_lock(&recursive));
    TELL(mtx_trylock(&recursive));
    TELL(mtx_lock(&plain));
    TELL(mtx_unlock(&plain));
    for (int i = 0; i < 2; i++) {
        thrd_create(&t, other, i ? &t : NULL);
        TELL(thrd_join(t, &result));
        say("result %d", result);
    }
    call_once(&flag, once);
    TELL(cnd_timedwait(&c, &timed, &past));
    TELL(cnd_signal(&c));
    TELL(cnd_broadcast(&c));
    for (int i = 0; i < 3; i++)
        TELL(mtx_unlock(&recursive));
    TELL(mtx_unlock(&timed));
    cnd_destroy(&c);
    mtx_destroy(&recursive);
    thrd_exit(0);
}
