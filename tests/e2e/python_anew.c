/* The second interpreter of Python that this program loads takes two locks in two orders. With an
 * argument the first says instead whether it keeps its locks inline. */
#include "../python.h"
#include <sys/mman.h>

static const char text[] = "import threading, time\n"
                           "a, b, done = threading.Lock(), threading.Lock(), []\n"
                           "def forward():\n"
                           "    with a:\n"
                           "        with b: done.append(1)\n"
                           "def backward():\n"
                           "    while not done: time.sleep(0.001)\n"
                           "    with b:\n"
                           "        with a: pass\n"
                           "threads = [threading.Thread(target=t) for t in (forward, backward)]\n"
                           "[thread.start() for thread in threads]\n"
                           "[thread.join() for thread in threads]\n";

int main(int argc, char **argv)
{
    void *library = python_open();

    (void)argv;
    if (!library)
        return puts("no libpython") < 0;
    if (argc > 1) {
        python_run(library,
                   "import _thread\n"
                   "print(type(_thread.allocate_lock()).__basicsize__ < 32, flush=True)\n");
        return 0;
    }
    python_run(library, "import threading\n");
    uintptr_t base = python_close(library);
    /* The next one has to lie elsewhere. */
    mmap((void *)base, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); // NOLINT
    python_run(python_open(), text);
    return 0;
}
