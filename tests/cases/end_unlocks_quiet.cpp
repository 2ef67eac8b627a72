// What a thread's function leaves locked its destructors unlock: of objects, and of keys.
#include "case.h"
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t key;

struct object {
    pthread_mutex_t *lock = nullptr;
    ~object()
    {
        if (lock)
            UNLOCK(*lock);
    }
};
static thread_local object mine;

static void unlock(void *lock)
{
    UNLOCK(*static_cast<pthread_mutex_t *>(lock));
}

static void leave_both()
{
    LOCK(a);
    mine.lock = &a;
    LOCK(b);
    pthread_setspecific(key, &b);
}

int main()
{
    pthread_key_create(&key, unlock);
    for (int i = 0; i < 3; i++)
        JOIN(spawn("leave", leave_both));
    return 0;
}
