#include "interpose/python/runtime.h"

#include "graph/base/arena.h"
#include "interpose/base/ability.h"
#include "interpose/base/extent.h"
#include "interpose/base/objects.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

struct dlw_python *_Atomic dlw_python_found;
/* Set by who comes first; a second interpreter beside the first is not looked for. */
static _Atomic bool is_settled;

/* ---- a symbol of one module ---- */

/* What its dynamic section says, as loaded. */
struct module {
    uintptr_t base;
    const ElfW(Sym) * symbols;
    const char *names;
    const uint32_t *hash; /* DT_GNU_HASH */
};

/* The loader has made addresses of the values, but in a module that it can't write to. */
static const void *pointer(const struct module *module, ElfW(Addr) value)
{
    return (const void *)(value < module->base ? value + module->base : value); /* NOLINT */
}

static bool read_dynamic(uintptr_t base, const ElfW(Dyn) * dynamic, struct module *out)
{
    *out = (struct module){.base = base};
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
        if (dynamic->d_tag == DT_SYMTAB)
            out->symbols = pointer(out, dynamic->d_un.d_ptr);
        else if (dynamic->d_tag == DT_STRTAB)
            out->names = pointer(out, dynamic->d_un.d_ptr);
        else if (dynamic->d_tag == DT_GNU_HASH)
            out->hash = pointer(out, dynamic->d_un.d_ptr);
    }
    return out->symbols && out->names && out->hash;
}

static uint32_t hash_of(const char *name)
{
    uint32_t hash = 5381;

    for (; *name; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash;
}

/* The filter in front of the table: most modules are done with here. */
static bool may_have(const uint32_t *table, uint32_t hash)
{
    enum { BITS = sizeof(ElfW(Addr)) * 8 };
    const ElfW(Addr) *words = (const void *)(table + 4);
    ElfW(Addr) word = words[hash / BITS & (table[2] - 1)];

    return (word >> hash % BITS & word >> (hash >> table[3]) % BITS & 1) != 0;
}

static const ElfW(Sym) * find_symbol(const struct module *module, const char *name)
{
    uint32_t hash = hash_of(name);
    const uint32_t *table = module->hash;

    if (table[0] == 0 || !may_have(table, hash))
        return NULL;
    const uint32_t *buckets = table + 4 + (size_t)table[2] * (sizeof(ElfW(Addr)) / 4);
    const uint32_t *chains = buckets + table[0];
    uint32_t i = buckets[hash % table[0]];
    if (i < table[1])
        return NULL;
    for (;; i++) {
        const ElfW(Sym) *symbol = &module->symbols[i];
        if ((chains[i - table[1]] | 1) == (hash | 1) && symbol->st_shndx != SHN_UNDEF &&
            strcmp(module->names + symbol->st_name, name) == 0)
            return symbol;
        if (chains[i - table[1]] & 1)
            return NULL;
    }
}

static uintptr_t find(const struct module *module, const char *name)
{
    const ElfW(Sym) *symbol = find_symbol(module, name);

    return symbol ? module->base + symbol->st_value : 0;
}

/* ---- which interpreter ---- */

/* 3.11 began to say it. Before that, each version is the first with some function. */
static unsigned version_of(const struct module *module, const void *runtime)
{
    const unsigned long *version = (const void *)find(module, "Py_Version"); /* NOLINT */

    if (dlw_python_version_of(runtime))
        return dlw_python_version_of(runtime);
    if (version)
        return (unsigned)(*version >> 16) & 0xFFFF;
    if (find(module, "PyIter_Send"))
        return 0x030a;
    return find(module, "PyFrame_GetBack") ? 0x0309 : 0;
}

static char *append(char *at, const char *text)
{
    size_t length = strlen(text);

    memcpy(at, text, length + 1);
    return at + length;
}

static char *append_number(char *at, unsigned number)
{
    if (number >= 10)
        at = append_number(at, number / 10);
    *at = (char)('0' + number % 10);
    at[1] = 0;
    return at + 1;
}

/* "CPython 3.8: where it keeps its state is not known" */
static void lacks(unsigned version, const char *why)
{
    static char reason[128]; /* lasts, and has one writer: who settled it */
    char *at = append(reason, "CPython ");

    if (version) {
        at = append_number(at, version >> 8);
        at = append(at, ".");
        at = append_number(at, version & 0xFF);
    } else {
        at = append(at, "before 3.9");
    }
    append(append(at, ": "), why);
    dlw_ability_lacks(DLW_ABILITY_PYTHON, reason);
}

/* "python", "python3.11", but not "pythonic". */
static bool is_named(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    size_t length = strlen(name);

    return strncmp(file, name, length) == 0 &&
           (!file[length] || (file[length] >= '0' && file[length] <= '9'));
}

/* The interpreter and nothing else: any code of it that takes a semaphore takes a lock of Python's.
 * One that is linked into a program has that program's code around it. */
static bool is_alone(const struct link_map *map)
{
    if (map->l_name[0])
        return is_named(map->l_name, "libpython");
    const char *program =
        (const char *)getauxval(AT_EXECFN); /* NOLINT(performance-no-int-to-ptr) */
    return program && is_named(program, "python");
}

static void find_lock_code(const struct module *module, const struct link_map *map,
                           struct dlw_python *out)
{
    const ElfW(Sym) *symbol = find_symbol(module, "PyThread_acquire_lock_timed");

    out->locks_low = out->low;
    out->locks_high = out->high;
    if (is_alone(map))
        return;
    out->locks_low = symbol ? module->base + symbol->st_value : 0;
    out->locks_high = symbol ? out->locks_low + symbol->st_size : 0;
}

/* All that were found, the newest first. Its one writer is who settled it; released to others when
 * an entry is whole. */
static struct dlw_python *_Atomic all;

static bool is_same(const struct dlw_python *a, const struct dlw_python *b)
{
    return a->runtime == b->runtime && a->low == b->low && a->high == b->high &&
           a->dynamic == b->dynamic && a->layout.version == b->layout.version;
}

/* Its description, of which readers may have an older one in hand: none is written over. NULL: no
 * memory. */
static struct dlw_python *describe(const struct dlw_python *found)
{
    static struct dlw_python first;
    struct dlw_python *newest = atomic_load_explicit(&all, memory_order_acquire), *out = newest;

    while (out && !is_same(out, found))
        out = out->older;
    if (out)
        return out;
    out = newest ? dlw_pages_map(sizeof(*out)) : &first;
    if (!out)
        return NULL;
    *out = *found;
    out->older = newest;
    atomic_store_explicit(&all, out, memory_order_release);
    return out;
}

static void take(const struct module *module, uintptr_t runtime)
{
    struct dl_find_object object;
    const char *why = "no memory";
    const void *head = (const void *)runtime; /* NOLINT(performance-no-int-to-ptr) */
    unsigned version = version_of(module, head);
    struct dlw_python found = {.runtime = runtime}, *described = NULL;

    if (dlw_object_find(runtime, &object) &&
        dlw_python_layout_of(version, head, &found.layout, &why)) {
        dlw_object_extend(&object);
        found.low = (uintptr_t)object.dlfo_map_start;
        found.high = (uintptr_t)object.dlfo_map_end;
        found.dynamic = (const void *)object.dlfo_link_map->l_ld;
        find_lock_code(module, object.dlfo_link_map, &found);
        described = describe(&found);
    }
    if (!described)
        lacks(version, why);
    /* Pairs with the acquire in dlw_python(). */
    atomic_store_explicit(&dlw_python_found, described, memory_order_release);
}

/* Only who gets false from this may settle it. */
static bool was_settled(void)
{
    return atomic_exchange_explicit(&is_settled, true, memory_order_acquire);
}

/* True: it is an interpreter's. */
static bool look_at(uintptr_t base, const ElfW(Dyn) * dynamic)
{
    struct module module;

    if (!read_dynamic(base, dynamic, &module))
        return false;
    uintptr_t runtime = find(&module, "_PyRuntime");
    if (runtime) {
        if (!was_settled())
            take(&module, runtime);
        return true;
    }
    bool is_old = find(&module, "PyGILState_Ensure") != 0; /* 2.7 to 3.6 */
    if (!is_old && !find(&module, "pypy_execute_source"))
        return false;
    if (was_settled())
        return true;
    if (is_old)
        lacks(0, dlw_python_unknown);
    else
        dlw_ability_lacks(DLW_ABILITY_PYTHON, "PyPy: it is no CPython");
    return true;
}

/* ---- where it is looked for ---- */

static int visit_module(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    for (unsigned i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            return look_at(info->dlpi_addr,
                           (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr)); /* NOLINT
                                                                                           */
    return 0;
}

void dlw_python_start(void)
{
    dl_iterate_phdr(visit_module, NULL);
}

/* The modules that places lay in last. A hint: two threads may look at one at once. */
enum { RECENT = 8 };
static _Atomic uintptr_t seen[RECENT];

void dlw_python_meets(uintptr_t pc)
{
    static _Atomic unsigned next;
    struct dl_find_object object;

    if (atomic_load_explicit(&is_settled, memory_order_relaxed) || !dlw_object_find(pc, &object))
        return;
    uintptr_t start = (uintptr_t)object.dlfo_map_start;
    for (unsigned i = 0; i < RECENT; i++)
        if (atomic_load_explicit(&seen[i], memory_order_relaxed) == start)
            return;
    unsigned at = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed) % RECENT;
    atomic_store_explicit(&seen[at], start, memory_order_relaxed);
    look_at(object.dlfo_link_map->l_addr, object.dlfo_link_map->l_ld);
}

bool dlw_python_is_gone(uintptr_t address)
{
    const struct dlw_python *now = dlw_python();
    const struct dlw_python *python = atomic_load_explicit(&all, memory_order_acquire);

    if (now && dlw_python_has(now, address))
        return false;
    while (python && !dlw_python_has(python, address))
        python = python->older;
    return python != NULL;
}

static bool is_there(const struct dlw_python *python)
{
    struct dl_find_object object;

    return dlw_object_find(python->runtime, &object) &&
           (uintptr_t)object.dlfo_map_start == python->low &&
           (uintptr_t)object.dlfo_map_end == python->high &&
           (const void *)object.dlfo_link_map->l_ld == python->dynamic;
}

void dlw_python_closed(void)
{
    struct dlw_python *python = atomic_load_explicit(&dlw_python_found, memory_order_acquire);

    for (unsigned i = 0; i < RECENT; i++)
        atomic_store_explicit(&seen[i], 0, memory_order_relaxed);
    if (!python || is_there(python))
        return;
    /* Of two threads that close something at once one forgets it. Release: who settles it next
     * finds it forgotten. */
    if (atomic_compare_exchange_strong_explicit(&dlw_python_found, &python, NULL,
                                                memory_order_relaxed, memory_order_relaxed))
        atomic_store_explicit(&is_settled, false, memory_order_release);
}
