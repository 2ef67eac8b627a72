// Two readers of a read-write lock who both want to write before the other leaves.
#include "case.h"
static pthread_rwlock_t book = PTHREAD_RWLOCK_INITIALIZER;

static void reader(void)
{
    RDLOCK(book);
    step();
    await(2);
    WRLOCK(book); /* glibc finds no fault: it isn't the writer */
    RWUNLOCK(book);
}

int main(void)
{
    name_main();
    pthread_t a = spawn("Ada", reader), b = spawn("Bob", reader);
    JOIN(a);
    JOIN(b);
    return 0;
}
