/* A library that calls back through two functions whose names go when it is stripped. */
#define APART __attribute__((noinline))

static APART void inner(void (*back)(void))
{
    back();
    __asm__ volatile("");
}

static APART void middle(void (*back)(void))
{
    inner(back);
    __asm__ volatile("");
}

void go_through(void (*back)(void))
{
    middle(back);
    __asm__ volatile("");
}
