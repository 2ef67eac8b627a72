/* A program that loads an interpreter of Python, runs something in it, and closes it again. */
#ifndef DLW_TESTS_PYTHON_H
#define DLW_TESTS_PYTHON_H

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* NULL: there is none. */
static inline void *python_open(void)
{
    void *library = NULL;
    char name[32];

    for (int minor = 9; minor <= 14 && !library; minor++) {
        snprintf(name, sizeof(name), "libpython3.%d.so.1.0", minor);
        library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    }
    return library;
}

static inline void python_run(void *library, const char *text)
{
    void (*begin)(int) = (void (*)(int))dlsym(library, "Py_InitializeEx");
    int (*run)(const char *) = (int (*)(const char *))dlsym(library, "PyRun_SimpleString");

    begin(0);
    if (run(text) != 0)
        exit(3);
}

/* Where it lay. A thread that Python made runs its code for a moment after it was joined: none may
 * have been made. */
static inline uintptr_t python_close(void *library)
{
    int (*end)(void) = (int (*)(void))dlsym(library, "Py_FinalizeEx");
    struct link_map *map = NULL;

    dlinfo(library, RTLD_DI_LINKMAP, &map);
    uintptr_t base = map->l_addr;
    if (end() != 0)
        exit(3);
    dlclose(library);
    return base;
}

#endif
