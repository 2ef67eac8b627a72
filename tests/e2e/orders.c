/* Takes 1,024 locks, each under another and at a code place of its own: its journal grows by each.
 */
#include <pthread.h>

enum { N = 1024 };
static pthread_mutex_t locks[N + 1];

#define TAKE(i)                                                                                    \
    pthread_mutex_lock(&locks[i]);                                                                 \
    pthread_mutex_lock(&locks[(i) + 1]);                                                           \
    pthread_mutex_unlock(&locks[(i) + 1]);                                                         \
    pthread_mutex_unlock(&locks[i]);
#define TAKE_4(i) TAKE(i) TAKE((i) + 1) TAKE((i) + 2) TAKE((i) + 3)
#define TAKE_16(i) TAKE_4(i) TAKE_4((i) + 4) TAKE_4((i) + 8) TAKE_4((i) + 12)
#define TAKE_64(i) TAKE_16(i) TAKE_16((i) + 16) TAKE_16((i) + 32) TAKE_16((i) + 48)
#define TAKE_256(i) TAKE_64(i) TAKE_64((i) + 64) TAKE_64((i) + 128) TAKE_64((i) + 192)

int main(void)
{
    TAKE_256(0)
    TAKE_256(256)
    TAKE_256(512)
    TAKE_256(768)
    return 0;
}
