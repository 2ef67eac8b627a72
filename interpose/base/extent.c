#include "interpose/base/extent.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/auxv.h>

/* Are the program headers that the kernel told of this module's? */
static bool are_of(const struct link_map *map, const ElfW(Phdr) * segments, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (segments[i].p_type == PT_PHDR)
            return map->l_addr + segments[i].p_vaddr == (uintptr_t)segments;
    return false;
}

void dlw_object_extend(struct dl_find_object *object)
{
    const struct link_map *map = object->dlfo_link_map;
    const ElfW(Phdr) *segments =
        (const void *)getauxval(AT_PHDR); /* NOLINT(performance-no-int-to-ptr) */
    size_t n = segments ? getauxval(AT_PHNUM) : 0;
    uintptr_t page = getauxval(AT_PAGESZ);

    if (map->l_name[0] || !are_of(map, segments, n)) /* a library */
        return;
    for (size_t i = 0; i < n; i++) {
        uintptr_t start = map->l_addr + segments[i].p_vaddr;
        uintptr_t end = start + segments[i].p_memsz;
        if (segments[i].p_type != PT_LOAD)
            continue;
        start &= -page;
        if (start < (uintptr_t)object->dlfo_map_start)
            object->dlfo_map_start = (void *)start; /* NOLINT(performance-no-int-to-ptr) */
        if (end > (uintptr_t)object->dlfo_map_end)
            object->dlfo_map_end = (void *)end; /* NOLINT(performance-no-int-to-ptr) */
    }
}
