/*
 * Which loaded module an address lies in, without a lock of the loader's: the one that has it may
 * wait for the thread that asks. glibc tells it by _dl_find_object() from 2.35 on. On an older one
 * objects.c reads the loader's own list (`_r_debug`, made for debuggers), copied by the kernel, so
 * that a module which another thread closes meanwhile is no fault.
 *
 * Modules of other namespaces (dlmopen) are not found on an older glibc.
 */
#ifndef DLW_BASE_OBJECTS_H
#define DLW_BASE_OBJECTS_H

#include <dlfcn.h>
#include <features.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>

#ifndef DLW_OWN_OBJECTS /* tests/unit has them with every glibc */
#define DLW_OWN_OBJECTS !__GLIBC_PREREQ(2, 35)
#endif

#if !DLW_OWN_OBJECTS
/* False: it lies in none. Any thread, any place. */
static inline bool dlw_object_find(uintptr_t address, struct dl_find_object *out)
{
    return _dl_find_object((void *)address, out) == 0; /* NOLINT(performance-no-int-to-ptr) */
}

/* Has the loader bound it, and closed what it seals (PT_GNU_RELRO, from `sealed` on)? Of one that
 * was found. */
static inline bool dlw_object_is_bound(const struct dl_find_object *object, uintptr_t sealed,
                                       uintptr_t sealed_end)
{
    (void)object, (void)sealed, (void)sealed_end;
    return true;
}

static inline void dlw_objects_start(void)
{
}

static inline void dlw_objects_after_fork(void)
{
}
#else
#if !__GLIBC_PREREQ(2, 35) /* as glibc's, as far as it is asked for */
struct dl_find_object {
    void *dlfo_map_start, *dlfo_map_end;
    struct link_map *dlfo_link_map;
    void *dlfo_eh_frame; /* PT_GNU_EH_FRAME; NULL: it has none */
};
#endif

bool dlw_object_find(uintptr_t address, struct dl_find_object *out);
/* In the constructor: all that are there by now are bound. */
void dlw_objects_start(void);
/* The list has modules that are not bound yet. One that was seen bound stays so, also where the
 * program opens what was sealed. */
bool dlw_object_is_bound(const struct dl_find_object *object, uintptr_t sealed,
                         uintptr_t sealed_end);
/* In a child: whoever wrote the table may have stayed in the parent. */
void dlw_objects_after_fork(void);
#endif

#endif
