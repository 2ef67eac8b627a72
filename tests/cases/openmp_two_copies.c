// A second copy of the library comes, as wheels of Python bring each its own: what is in a region
// of the first goes on meeting at the barrier of the first.
#include "case.h"
#include "openmp.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
static _Atomic int arrived;
static int left_early;

static void need(int holds)
{
    if (!holds)
        exit(2);
}

static void nothing(void)
{
}

static void load_copy(void)
{
    char path[] = "/tmp/libgomp.so.XXXXXX";
    char name[sizeof(path) + 16];
    struct stat status;
    Dl_info info;

    need(dladdr(dlsym(RTLD_DEFAULT, "GOMP_barrier"), &info) != 0);
    need(mkdtemp(path) != NULL);
    snprintf(name, sizeof(name), "%s/libgomp.so.1", path);
    int from = open(info.dli_fname, O_RDONLY), to = open(name, O_WRONLY | O_CREAT, 0700);
    need(fstat(from, &status) == 0);
    need(sendfile(to, from, NULL, (size_t)status.st_size) == status.st_size);
    close(from);
    close(to);
    need(dlopen(name, RTLD_NOW | RTLD_LOCAL) != NULL);
    unlink(name);
    rmdir(path);
    dlclose(dlopen(NULL, RTLD_NOW)); // modules are looked at again, by the next who makes a thread
    JOIN(spawn("looks", nothing));
}

static void region(void *unused)
{
    (void)unused;
    if (omp_get_thread_num() == 0)
        load_copy();
    else
        usleep(200000); // whoever doesn't wait for this one is seen to be early
    arrived++;
    GOMP_barrier();
    if (arrived != 2)
        left_early = 1;
}

int main(void)
{
    GOMP_parallel(region, NULL, 2, 0);
    return left_early;
}
