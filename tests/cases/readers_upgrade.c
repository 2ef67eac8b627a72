// Two readers of a read-write lock, of whom one wants to write before it has left.
#include "case.h"
static pthread_rwlock_t book = PTHREAD_RWLOCK_INITIALIZER;

static void upgrades(void)
{
    RDLOCK(book);
    step();
    await(2);
    WRLOCK(book); /* glibc finds no fault: it isn't the writer */
    RWUNLOCK(book);
}

static void reads(void)
{
    RDLOCK(book);
    step();
    await(3); /* which does not come: the other one is told first, and that ends the program */
    RWUNLOCK(book);
}

int main(void)
{
    name_main();
    pthread_t a = spawn("Ada", upgrades), b = spawn("Bob", reads);
    JOIN(a);
    JOIN(b);
    return 0;
}
