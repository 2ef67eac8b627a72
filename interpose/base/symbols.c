#include "interpose/base/symbols.h"

#if DLW_OWN_OBJECTS
#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct symbols {
    const ElfW(Sym) * all;
    const char *strings;
    const uint32_t *hash;        /* DT_GNU_HASH */
    const ElfW(Half) * versions; /* NULL: they have none */
};

/* The loader has made addresses of the values, but in a module that it can't write to. */
static const void *pointer(const struct link_map *map, uintptr_t value)
{
    return (const void *)(value < map->l_addr ? map->l_addr + value : value); /* NOLINT */
}

static bool read_symbols(const struct link_map *map, struct symbols *out)
{
    *out = (struct symbols){0};
    for (const ElfW(Dyn) *entry = map->l_ld; entry && entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_SYMTAB)
            out->all = pointer(map, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_STRTAB)
            out->strings = pointer(map, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_GNU_HASH)
            out->hash = pointer(map, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_VERSYM)
            out->versions = pointer(map, entry->d_un.d_ptr);
    }
    return out->all && out->strings && out->hash;
}

static bool is_it(const struct symbols *symbols, uint32_t i, const char *name)
{
    enum { HIDDEN = 0x8000 }; /* an older version */
    const ElfW(Sym) *symbol = &symbols->all[i];

    return strcmp(symbols->strings + symbol->st_name, name) == 0 && symbol->st_shndx != SHN_UNDEF &&
           !(symbols->versions && (symbols->versions[i] & HIDDEN));
}

static const ElfW(Sym) * find_symbol(const struct symbols *symbols, const char *name)
{
    uint32_t hash = 5381, n = symbols->hash[0], first = symbols->hash[1];
    const uint32_t *buckets =
        symbols->hash + 4 + (size_t)symbols->hash[2] * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
    const uint32_t *chains = buckets + n;

    for (const char *at = name; *at; at++)
        hash = hash * 33 + (unsigned char)*at;
    for (uint32_t i = n ? buckets[hash % n] : 0; i && i >= first; i++) {
        if ((chains[i - first] | 1) == (hash | 1) && is_it(symbols, i, name))
            return &symbols->all[i];
        if (chains[i - first] & 1)
            break;
    }
    return NULL;
}

void *dlw_symbol_next(const char *name)
{
    const struct link_map *map = _r_debug.r_map;
    struct symbols symbols;

    while (map && map->l_ld != _DYNAMIC) /* this module's */
        map = map->l_next;
    for (map = map ? map->l_next : NULL; map; map = map->l_next) {
        const ElfW(Sym) *symbol = read_symbols(map, &symbols) ? find_symbol(&symbols, name) : NULL;
        void *found = symbol ? (void *)(map->l_addr + symbol->st_value) : NULL; /* NOLINT */
        if (symbol)
            return ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC ? ((void *(*)(void))found)()
                                                                   : found;
    }
    return NULL;
}
#endif
