/* Locks that are not aligned as their type asks, packed between other data: neighbours stay as they
 * are. */
// quiet
#include "tell.h"

struct __attribute__((packed)) odd {
    char before[3];
    char mutex[sizeof(pthread_mutex_t)]; /* at an odd multiple of four below */
    char after[5];
};

static struct {
    int shift;
    char bytes[sizeof(struct odd) + 8];
} storage __attribute__((aligned(8)));

int main(void)
{
    char *before = storage.bytes, *after = storage.bytes + sizeof(pthread_mutex_t);
    pthread_mutex_t *m = (pthread_mutex_t *)(void *)storage.bytes; /* 4 modulo 8 */
    pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
    memset(after, 'z', 8);
    storage.shift = 1234567;
    say("offset %d", (int)((unsigned long)before % 8));
    TELL(pthread_mutex_init(m, NULL));
    for (int i = 0; i < 3; i++) {
        LOCK(other);
        TELL(pthread_mutex_lock(m));
        TELL(pthread_mutex_unlock(m));
        UNLOCK(other);
    }
    TELL(pthread_mutex_destroy(m));
    say("%d %.8s", storage.shift, after);
    return 0;
}
