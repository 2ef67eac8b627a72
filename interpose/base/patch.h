/*
 * Functions of libraries that only some programs have. The library can't export them: a program
 * that looks for one (a weak reference, dlsym) would find it where it isn't. So where such a
 * library is loaded, the slots of the loaded modules through which they call it are written over:
 * those that the loader has bound to the library's function, and those that it has yet to bind, to
 * what the library alone defines, of modules that the library outlives; and variables that begin as
 * such a function's address, else a lock could be taken by a call that is seen and let go of by one
 * that isn't. What a program got from dlsym stays as it is, and so do the library's calls of
 * itself. What is written stays for good.
 *
 * The loader binds a module before it runs its code, and protects what it needs no more: such pages
 * are opened for the moment, and closed again. Where that is not allowed the slot is left alone,
 * which is noted (DLW_ABILITY_LIBRARIES).
 */
#ifndef DLW_BASE_PATCH_H
#define DLW_BASE_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dlw_patch {
    const char *name;
    void *wrapper; /* NULL: calls are let alone, `real` is wanted */
    void **real; /* filled in; stays NULL where this version of the library has no such function */
};

/* Two that define the same names (of OpenMP there are two), and two copies of one, share their
 * wrappers: only the first that is met is watched, as long as it is loaded. */
struct dlw_patched_library {
    const char *file; /* how the name of its file begins, without the folder */
    const struct dlw_patch *patches;
    size_t n_patches;
    uintptr_t base; /* where it is loaded, and... */
    bool is_loaded; /* ...whether it is... */
    bool stays;     /* ...to the end of the process; of patch.c */
};

/* How many there may be, with at most 256 names in all. */
enum { DLW_PATCHED_LIBRARIES = 16 };

/* In the constructor: those to be looked for, which live as long as the process; and the first
 * look. */
void dlw_patch_start(struct dlw_patched_library *const *libraries, size_t n);

/*
 * New code was met, or a module was closed: a look is due. Takes no lock. `dlw_patch_saw` is told
 * of addresses of code, where one is met for the first time.
 */
void dlw_patch_saw(uintptr_t pc);
void dlw_patch_is_due(void);

/*
 * Looks, if one is due; where the loader's lock is another thread's (base/loader.h) it stays due.
 * With no internal lock held, the guard up, and signals blocked where handlers may come: a thread
 * that is stopped in here would keep the loader's lock.
 */
void dlw_patch_look(void);
bool dlw_patch_wants_look(void);

/* False: a look could not be waited for. In the child it is free. */
bool dlw_patch_before_fork(void);
void dlw_patch_after_fork(bool child);
/* In a child that was forked beside other threads: nothing is looked for from here on, since libc
 * doesn't free the loader's lock over a fork. */
void dlw_patch_left_others(void);

#endif
