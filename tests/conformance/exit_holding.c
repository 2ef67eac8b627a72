/* Threads end holding a mutex of their own stack, each a little further down: where it lay are
 * frames of the library by the time the end is told. */
#include "tell.h"
#include <alloca.h>
#include <stdint.h>

enum { STEP = 16, DEEPEST = 2048 };

static size_t depth;

static void forgets(void)
{
    uintptr_t below = (uintptr_t)alloca(depth + sizeof(pthread_mutex_t));
    pthread_mutex_t *mutex = (pthread_mutex_t *)(below & ~(uintptr_t)15);

    pthread_mutex_init(mutex, NULL);
    LOCK(*mutex);
}

int main(void)
{
    for (depth = STEP; depth <= DEEPEST; depth += STEP)
        JOIN(spawn("forgetful", forgets));
    say("all ended");
    return 0;
}
