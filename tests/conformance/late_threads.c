/*
 * A program that is not linked with pthread. Before glibc 2.34 libc's mutexes do nothing then, and
 * there is no function by which libstdc++ and others learn whether there can be threads; until a
 * plugin brings libpthread. A library that asks for another function is told that there are some,
 * when the library is preloaded: that one works.
 */
// quiet
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

extern __typeof__(pthread_key_create) __pthread_key_create __attribute__((weak));
#pragma weak pthread_once

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int times;

static void routine(void)
{
    times++;
}

static void ask_for_another(void)
{
    if (pthread_once &&
        (pthread_once(&once, routine) || pthread_once(&once, routine) || times != 1))
        printf("the routine ran %d times\n", times);
}

int main(void)
{
    printf("there are threads: %d\n", __pthread_key_create != NULL);
    printf("locked: %d\n", pthread_mutex_lock(&mutex));
    if (!__pthread_key_create)
        printf("again: %d\n", pthread_mutex_lock(&mutex));
    printf("unlocked: %d\n", pthread_mutex_unlock(&mutex));
    fflush(stdout);
    if (fork() == 0) {
        ask_for_another();
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    void *plugin = dlopen("late_threads_plugin.so", RTLD_NOW);
    int (*play)(void) = plugin ? (int (*)(void))dlsym(plugin, "late_threads_play") : NULL;
    if (play)
        printf("played: %d\n", play());
    else
        printf("%s\n", dlerror());
    ask_for_another();
    return 0;
}
