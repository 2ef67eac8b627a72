// A lone reader becomes the writer.
#include "case.h"
#include "custom.h"
static struct custom lock;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void play(void)
{
    SHARE(lock);
    dlwatch_wants(&lock, DLWATCH_EXCLUSIVE);
    lock.word = -1;
    dlwatch_acquired(&lock, DLWATCH_EXCLUSIVE);
    LOCK(m);
    UNLOCK(m);
    DISOWN(lock);
}

int main(void)
{
    JOIN(spawn("first", play));
    JOIN(spawn("second", play));
    return 0;
}
