// A GRecMutex and a GRWLock, which GLib makes of pthread's locks somewhere on the heap: named by
// what the program has. The first of them was taken twice.
#include "case.h"
#include "glib.h"
static GRecMutex tree;
static struct {
    int unused;
    GRWLock lock;
} cache;

static void forward(void)
{
    g_rec_mutex_lock(&tree);
    g_rec_mutex_lock(&tree);
    g_rw_lock_writer_lock(&cache.lock);
    g_rw_lock_writer_unlock(&cache.lock);
    g_rec_mutex_unlock(&tree);
    g_rec_mutex_unlock(&tree);
    step();
}

static void backward(void)
{
    await(1);
    g_rw_lock_reader_lock(&cache.lock);
    g_rec_mutex_lock(&tree);
    g_rec_mutex_unlock(&tree);
    g_rw_lock_reader_unlock(&cache.lock);
}

int main(void)
{
    pthread_t f = spawn("forward", forward), g = spawn("backward", backward);
    JOIN(f);
    JOIN(g);
    return 0;
}
