/*
 * A program that closes every descriptor and uses the numbers for files of its own:
 * nothing but its own bytes may come into them, and the numbers are those it expects.
 */
// quiet
#include "tell.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

static pthread_mutex_t locks[64];
static int files[64];

/* Code without unwind information below the lock calls: what a JIT compiler makes. */
typedef void trampoline(void (*)(void));

static void take_some(void)
{
    static int next;
    for (int i = 0; i < 8 && next + 1 < 64; i++, next++) {
        LOCK(locks[next]);
        LOCK(locks[next + 1]);
        UNLOCK(locks[next + 1]);
        UNLOCK(locks[next]);
    }
}

static trampoline *make_trampoline(void)
{
#if defined(__x86_64__)
    static const unsigned char code[] = {0x48, 0x83, 0xec, 0x48, 0xff, 0xd7,
                                         0x48, 0x83, 0xc4, 0x48, 0xc3}; /* sub, call, add, ret */
    void *at =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(at, code, sizeof code);
    return (trampoline *)at;
#else
    return NULL;
#endif
}

static void in_a_thread(void)
{
    take_some();
}

int main(void)
{
    trampoline *through = make_trampoline();
    int n = 0, out = dup(1);
    for (int i = 0; i < 64; i++)
        pthread_mutex_init(&locks[i], NULL);
    say("first free descriptor: %d", out);
    take_some();
    say("next free descriptor: %d", dup(1));
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    while (n < 40) {
        files[n] = memfd_create("file", 0);
        say("descriptor %d", files[n++]);
    }
    take_some();
    if (through)
        through(take_some);
    aside(in_a_thread);
    for (int i = 0; i < n; i++) {
        char byte = '?';
        if (lseek(files[i], 0, SEEK_END) != 0 || lseek(files[i], 0, SEEK_CUR) != 0)
            say("descriptor %d is not empty", files[i]);
        if (write(files[i], "x", 1) != 1 || pread(files[i], &byte, 1, 0) != 1 || byte != 'x')
            say("descriptor %d does not keep its byte", files[i]);
    }
    return 0;
}
