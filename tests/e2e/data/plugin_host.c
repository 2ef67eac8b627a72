/* plugin_host PLUGIN: two threads after each other, each with its own opening of the library. */
#include <dlfcn.h>
#include <pthread.h>

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER, right = PTHREAD_MUTEX_INITIALIZER;
static const char *path;

static void *use(void *backward)
{
    void *plugin = dlopen(path, RTLD_NOW);
    void (*take_both)(pthread_mutex_t *, pthread_mutex_t *);
    *(void **)&take_both = dlsym(plugin, "take_both");
    take_both(backward ? &right : &left, backward ? &left : &right);
    dlclose(plugin);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t a, b;
    path = argc > 1 ? argv[1] : "";
    pthread_create(&a, NULL, use, NULL);
    pthread_create(&b, NULL, use, argv);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
