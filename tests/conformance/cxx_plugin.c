/* A C program that opens C++ plugins for themselves alone: function-local statics of both, and one
 * that is made while the loader's lock is held by a thread that waits for it. */
// quiet
#include "tell.h"
#include <dlfcn.h>
#include <sys/wait.h>

static void use(const char *path)
{
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *names[] = {"plugin_size", "plugin_tries", "plugin_meet"};

    if (!plugin) {
        say("%s", dlerror());
        return;
    }
    for (int i = 0; i < 3; i++) {
        int (*function)(void) = (int (*)(void))dlsym(plugin, names[i]);
        say("%s: %s %d", path, names[i], function());
        say("%s: %s %d", path, names[i], function());
    }
}

/* While there is but one thread: the C++ library throws, and ends the process. */
static void ask_again(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        void *plugin = dlopen("recursive_cxx.so", RTLD_NOW | RTLD_LOCAL);
        _exit(((int (*)(void))dlsym(plugin, "plugin_again"))());
    }
    waitpid(pid, &status, 0);
    say("a static that asks for itself: signal %d", WTERMSIG(status));
}

int main(void)
{
    const char *error = dlerror();

    say("an error of the loader: %s", error ? error : "none");
    if (__GLIBC_PREREQ(2, 34)) /* else libstdc++ waits for ever: there are threads */
        ask_again();
    use("static_cxx.so");
    use("shared_cxx.so");
    return 0;
}
