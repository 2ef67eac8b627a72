/* A plugin's interpreter of Python is closed, and loaded anew elsewhere, as a web server does with
 * its modules. Of the one that is gone nothing is read, whatever comes to lie in its place. */
// quiet
#include "../python.h"
#include "tell.h"
#include <semaphore.h>
#include <sys/mman.h>

static const char text[] = "import threading\n"
                           "a, b = threading.Lock(), threading.Lock()\n"
                           "def in_order():\n"
                           "    with a:\n"
                           "        with b: pass\n"
                           "in_order()\n";

/* Calls a function with an argument, from where the interpreter's code lay. */
static int (*from_there)(void *, int (*)(void *));

static int call_here(void *argument, int (*function)(void *))
{
    return function(argument);
}

static void map_code_at(uintptr_t base)
{
    from_there = call_here;
#if defined(__x86_64__)
    /* sub $8, %rsp; call *%rsi; add $8, %rsp; ret */
    static const unsigned char code[] = {0x48, 0x83, 0xec, 8, 0xff, 0xd6,
                                         0x48, 0x83, 0xc4, 8, 0xc3};
    void *at = mmap((void *)(base + (1 << 20)), 4096, PROT_READ | PROT_WRITE | PROT_EXEC, // NOLINT
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (at == MAP_FAILED)
        return;
    memcpy(at, code, sizeof(code));
    from_there = (int (*)(void *, int (*)(void *)))at;
#endif
    (void)base;
}

static void take_two(void)
{
    static sem_t a, b;

    sem_init(&a, 0, 1);
    sem_init(&b, 0, 1);
    from_there(&a, (int (*)(void *))sem_wait);
    from_there(&b, (int (*)(void *))sem_trywait);
    from_there(&b, (int (*)(void *))sem_post);
    from_there(&a, (int (*)(void *))sem_post);
}

int main(void)
{
    enum { TIMES = 3 };

    for (int i = 0; i < TIMES; i++) {
        void *library = python_open();
        if (!library) {
            say("no libpython, skipped");
            return 0;
        }
        python_run(library, text);
        map_code_at(python_close(library));
        take_two();
        say("closed");
    }
    return 0;
}
