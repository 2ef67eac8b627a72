#include "interpose/base/loader.h"

#include "graph/base/sys.h"
#include "interpose/base/platform.h"
#include "interpose/base/real.h"

#include <dlfcn.h>
#include <link.h>

static pthread_mutex_t *list_lock; /* written in the constructor; NULL: not known */

/* Where it lies in the loader's state differs by version: it is the one mutex in there that a
 * thread has inside of dl_iterate_phdr(), and not outside. */
struct search {
    char *state;
    size_t size;
    int tid;
    pthread_mutex_t *found[4];
    unsigned n;
};

static bool is_held(const pthread_mutex_t *mutex, int tid)
{
    return mutex->__data.__lock != 0 && mutex->__data.__count > 0 && mutex->__data.__owner == tid &&
           mutex->__data.__kind == PTHREAD_MUTEX_RECURSIVE_NP;
}

static int collect(struct dl_phdr_info *info, size_t size, void *context)
{
    struct search *search = context;
    const size_t step = _Alignof(pthread_mutex_t);

    (void)info;
    (void)size;
    for (size_t at = 0; at + sizeof(pthread_mutex_t) <= search->size; at += step) {
        pthread_mutex_t *mutex = (void *)(search->state + at);
        if (is_held(mutex, search->tid) &&
            search->n < sizeof(search->found) / sizeof(search->found[0]))
            search->found[search->n++] = mutex;
    }
    return 1;
}

static void find_state(struct search *search)
{
    const ElfW(Sym) *symbol = NULL;
    Dl_info info;

    search->state = dlsym(RTLD_DEFAULT, "_rtld_global");
    if (!search->state)
        dlerror(); /* must not tell the program of what is ours */
    else if (dladdr1(search->state, &info, (void **)(void *)&symbol, RTLD_DL_SYMENT) && symbol &&
             info.dli_saddr == search->state)
        search->size = symbol->st_size;
}

void dlw_loader_start(void)
{
    struct search search = {.tid = (int)dlw_syscall(SYS_gettid)};
    pthread_mutex_t *only = NULL;

    find_state(&search);
    if (search.size)
        dl_iterate_phdr(collect, &search);
    for (unsigned i = 0; i < search.n; i++) {
        if (is_held(search.found[i], search.tid))
            continue;
        if (only)
            return;
        only = search.found[i];
    }
    list_lock = only;
}

bool dlw_loader_try(void)
{
    return list_lock ? real.pthread_mutex_trylock(list_lock) == 0 : dlw_is_single_threaded();
}

void dlw_loader_leave(void)
{
    if (list_lock)
        real.pthread_mutex_unlock(list_lock);
}

bool dlw_loader_is_known(void)
{
    return list_lock != NULL;
}
