/* A thousand places that lock: all of them new to the library each time it is opened. */
#include <pthread.h>

extern int places_met;
void places_use(pthread_mutex_t *mutex);

#define PLACE(n)                                                                                   \
    static __attribute__((noinline)) void place_##n(pthread_mutex_t *mutex)                        \
    {                                                                                              \
        pthread_mutex_lock(mutex);                                                                 \
        pthread_mutex_unlock(mutex);                                                               \
        __atomic_fetch_add(&places_met, 1, __ATOMIC_SEQ_CST);                                      \
    }
#define CALL(n) place_##n(mutex);

#define TEN(DO, n)                                                                                 \
    DO(n##0) DO(n##1) DO(n##2) DO(n##3) DO(n##4) DO(n##5) DO(n##6) DO(n##7) DO(n##8) DO(n##9)
#define HUNDRED(DO, n)                                                                             \
    TEN(DO, n##0)                                                                                  \
    TEN(DO, n##1)                                                                                  \
    TEN(DO, n##2)                                                                                  \
    TEN(DO, n##3)                                                                                  \
    TEN(DO, n##4) TEN(DO, n##5) TEN(DO, n##6) TEN(DO, n##7) TEN(DO, n##8) TEN(DO, n##9)
#define THOUSAND(DO)                                                                               \
    HUNDRED(DO, 0)                                                                                 \
    HUNDRED(DO, 1)                                                                                 \
    HUNDRED(DO, 2)                                                                                 \
    HUNDRED(DO, 3)                                                                                 \
    HUNDRED(DO, 4)                                                                                 \
    HUNDRED(DO, 5)                                                                                 \
    HUNDRED(DO, 6)                                                                                 \
    HUNDRED(DO, 7)                                                                                 \
    HUNDRED(DO, 8)                                                                                 \
    HUNDRED(DO, 9)

THOUSAND(PLACE)

void places_use(pthread_mutex_t *mutex)
{
    THOUSAND(CALL)
}
