/*
 * Is there an interpreter of Python in this process, which, and where does it keep what we read of
 * it? Looked for at start among the modules that are loaded then, and in a module that comes later
 * when a lock is first taken from its code. Found by the symbol `_PyRuntime`, which python3 or
 * libpython export; the version by a symbol that tells it, or that only some versions have. An
 * interpreter that is not known (PyPy, a free-threaded build, another version) is noted as
 * something that the library can't do here (base/ability.h), and not read. A program may close its
 * interpreter with dlclose, and load one anew: then that one is looked for.
 *
 * A process without Python pays nothing but the search at start, some µs.
 */
#ifndef DLW_PYTHON_RUNTIME_H
#define DLW_PYTHON_RUNTIME_H

#include "report/emit/python/layout.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct dlw_python {
    uintptr_t runtime;   /* the address of _PyRuntime */
    uintptr_t low, high; /* the module that has it, as mapped: code that lies there is CPython's */
    uintptr_t locks_low, locks_high; /* the code in it that takes locks of Python's */
    const void *dynamic;             /* its dynamic section */
    struct dlw_python_layout layout;
    struct dlw_python *older; /* of those that were found before; of runtime.c */
};

/* Written before it is pointed to, and never again: who has got it may go on with it. */
extern struct dlw_python *_Atomic dlw_python_found;

/* NULL: there is none now that is known. Acquire: pairs with the release in take(). */
static inline const struct dlw_python *dlw_python(void)
{
    return atomic_load_explicit(&dlw_python_found, memory_order_acquire);
}

static inline bool dlw_python_has(const struct dlw_python *python, uintptr_t address)
{
    return address - python->low < python->high - python->low;
}

/* Does the interpreter's own code call from here? */
static inline bool dlw_python_is_code(uintptr_t pc)
{
    const struct dlw_python *python = dlw_python();

    return __builtin_expect(python != NULL, 0) && dlw_python_has(python, pc);
}

/* Does the interpreter take one of Python's locks from here? */
static inline bool dlw_python_takes_lock(uintptr_t pc)
{
    const struct dlw_python *python = dlw_python();

    return __builtin_expect(python != NULL, 0) &&
           pc - python->locks_low < python->locks_high - python->locks_low;
}

/* Did it lie in an interpreter that was closed since, and lies in none now? */
bool dlw_python_is_gone(uintptr_t address);

/* In the library's constructor: it walks the loader's list. */
void dlw_python_start(void);
/* A lock is taken from this place for the first time. Takes no lock of the loader's; any thread. */
void dlw_python_meets(uintptr_t pc);
/* A module was closed, perhaps the interpreter's: nothing of that may be read any more. Takes no
 * lock; any thread. */
void dlw_python_closed(void);

#endif
