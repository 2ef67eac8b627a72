/*
 * The main thread ends its interpreter of Python, and goes on: it has no GIL then, though nobody
 * let go of it. Another thread takes the two in the other order, in that interpreter (ended) or in
 * the next one, which it begins itself (anew).
 */
#include "../python.h"
#include <pthread.h>
#include <sched.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void *library;
static _Atomic int steps;

static void await(int n)
{
    while (steps < n)
        sched_yield();
}

static void call(const char *name)
{
    ((void (*)(void))dlsym(library, name))();
}

static void *save(void)
{
    return ((void *(*)(void))dlsym(library, "PyEval_SaveThread"))();
}

static void restore(void *state)
{
    ((void (*)(void *))dlsym(library, "PyEval_RestoreThread"))(state);
}

static void take_gil(void)
{
    int kept = ((int (*)(void))dlsym(library, "PyGILState_Ensure"))();

    ((void (*)(int))dlsym(library, "PyGILState_Release"))(kept);
}

static void take_mutex(void)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static void *backward(void *unused)
{
    take_gil();
    pthread_mutex_lock(&mutex);
    take_gil();
    pthread_mutex_unlock(&mutex);
    steps++;
    await(3);
    return unused;
}

static void *begins_anew(void *unused)
{
    pthread_t thread;

    await(1);
    python_run(library, "pass\n");
    void *state = save();
    pthread_create(&thread, NULL, backward, NULL);
    await(3);
    pthread_join(thread, NULL);
    restore(state);
    call("Py_FinalizeEx");
    return unused;
}

int main(int argc, char **argv)
{
    int is_anew = argc > 1 && strcmp(argv[1], "anew") == 0;
    pthread_t other;

    library = python_open();
    if (!library)
        return puts("no libpython") < 0;
    python_run(library, "import threading\nwith threading.Lock(): pass\n");
    void *state = save();
    pthread_create(&other, NULL, is_anew ? begins_anew : backward, NULL);
    if (!is_anew)
        await(1);
    restore(state);
    call("Py_FinalizeEx");
    steps++;
    if (is_anew) /* 2: the order is taken in the new one */
        await(2);
    take_mutex();
    steps = 3;
    pthread_join(other, NULL);
    return 0;
}
