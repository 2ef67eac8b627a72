/* Loaded modules, as they were when a frame in them was seen. */
#include "interpose/stacks/modules.h"

#include "graph/base/arena.h"
#include "interpose/base/extent.h"
#include "interpose/base/objects.h"
#include "interpose/stacks/capture.h"

#include <elf.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>

enum { SEGMENT = 256, SEGMENTS = 4096, BUILD_ID_BYTES = 64 };
_Static_assert(sizeof(((struct dlw_module_described *)0)->build_id) == BUILD_ID_BYTES,
               "room for it");

struct module {
    uintptr_t start, end, base;
    const char *path;
    uint32_t build_id_size;
    unsigned char build_id[BUILD_ID_BYTES];
};

/* Append-only; `n_modules` is released after the entry is whole, so readers need no lock. */
static struct module *segments[SEGMENTS];
static _Atomic uint32_t n_modules;
static const char *exe_path = "";
static const char *start_folder = "";

static struct module *at(uint32_t id)
{
    return &segments[(id - 1) / SEGMENT][(id - 1) % SEGMENT];
}

void dlw_modules_start(const char *exe, const char *folder)
{
    exe_path = exe;
    start_folder = folder;
}

static bool is_build_id(const ElfW(Nhdr) * note, const char *name)
{
    return note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(name, "GNU", 4) == 0;
}

static void read_notes(const char *at_note, const char *end, struct module *out)
{
    while (at_note + sizeof(ElfW(Nhdr)) <= end) {
        const ElfW(Nhdr) *note = (const void *)at_note;
        const char *name = at_note + sizeof(*note);
        const char *data = name + ((note->n_namesz + 3U) & ~3U);
        if (data > end || note->n_descsz > (size_t)(end - data))
            return;
        if (is_build_id(note, name) && note->n_descsz <= BUILD_ID_BYTES) {
            memcpy(out->build_id, data, note->n_descsz);
            out->build_id_size = note->n_descsz;
            return;
        }
        at_note = data + ((note->n_descsz + 3U) & ~3U);
    }
}

/* The first page of a module maps its ELF header on every linker in use; where it doesn't, there is
 * no build id. */
static void read_build_id(struct module *out)
{
    const ElfW(Ehdr) *header = (const void *)out->start; /* NOLINT(performance-no-int-to-ptr) */

    if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_phoff + (size_t)header->e_phnum * sizeof(ElfW(Phdr)) > 4096)
        return;
    const ElfW(Phdr) *segment = (const void *)(out->start + header->e_phoff); /* NOLINT */
    for (unsigned i = 0; i < header->e_phnum && !out->build_id_size; i++) {
        uintptr_t note = out->base + segment[i].p_vaddr;
        if (segment[i].p_type == PT_NOTE && note >= out->start &&
            note + segment[i].p_memsz <= out->end)
            read_notes((const char *)note, (const char *)note + segment[i].p_memsz, /* NOLINT */
                       out);
    }
}

static bool describe(uintptr_t address, struct module *out)
{
    struct dl_find_object object;

    if (!dlw_object_find(address, &object))
        return false;
    dlw_object_extend(&object);
    memset(out, 0, sizeof(*out));
    out->start = (uintptr_t)object.dlfo_map_start;
    out->end = (uintptr_t)object.dlfo_map_end;
    out->base = object.dlfo_link_map->l_addr;
    out->path = object.dlfo_link_map->l_name;
    if (!out->path || !out->path[0])
        out->path = exe_path;
    else if (strncmp(out->path, "linux-vdso", 10) == 0)
        out->path = "[vdso]";
    read_build_id(out);
    return true;
}

bool dlw_module_describe(uintptr_t address, struct dlw_module_described *out)
{
    struct module module;

    if (!describe(address, &module))
        return false;
    memcpy(out->build_id, module.build_id, sizeof(out->build_id));
    out->module = (struct dlw_journal_module){.path = module.path,
                                              .build_id = out->build_id,
                                              .build_id_size = module.build_id_size,
                                              .base = module.base,
                                              .start = module.start,
                                              .end = module.end};
    return true;
}

static bool is_same(const struct module *known, const struct module *seen)
{
    if (known->start != seen->start || known->end != seen->end || known->base != seen->base ||
        known->build_id_size != seen->build_id_size)
        return false;
    if (known->build_id_size)
        return memcmp(known->build_id, seen->build_id, known->build_id_size) == 0;
    return strcmp(known->path, seen->path) == 0 ||
           (seen->path[0] != '/' && strstr(known->path, seen->path));
}

static const char *absolute_copy(struct dlw_arena *arena, const char *path)
{
    size_t folder = path[0] == '/' || path[0] == '[' ? 0 : strlen(start_folder);
    size_t length = strlen(path);
    char *copy = dlw_arena_alloc(arena, folder + length + 2);

    if (!copy)
        return "";
    memcpy(copy, start_folder, folder);
    if (folder)
        copy[folder++] = '/';
    memcpy(copy + folder, path, length);
    return copy;
}

static uint32_t find_locked(struct dlw_arena *arena, uintptr_t address)
{
    static uint32_t last; /* guarded, like all here, by the stacks lock */
    struct module seen;
    uint32_t n = atomic_load_explicit(&n_modules, memory_order_relaxed);

    if (!describe(address, &seen))
        return 0;
    if (last && is_same(at(last), &seen))
        return last;
    for (uint32_t id = n; id > 0; id--)
        if (is_same(at(id), &seen))
            return last = id;
    if (n / SEGMENT >= SEGMENTS)
        return 0;
    if (n % SEGMENT == 0)
        segments[n / SEGMENT] = dlw_arena_alloc(arena, SEGMENT * sizeof(struct module));
    if (!segments[n / SEGMENT])
        return 0;
    seen.path = absolute_copy(arena, seen.path);
    *at(n + 1) = seen;
    /* Pairs with the acquire in dlw_module_get. */
    atomic_store_explicit(&n_modules, n + 1, memory_order_release);
    return last = n + 1;
}

/* How many times a module may have been unloaded. While it stays the same an address belongs to the
 * same module. */
static _Atomic uint32_t unloads;

void dlw_modules_forget(void)
{
    atomic_fetch_add_explicit(&unloads, 1, memory_order_relaxed);
}

uint32_t dlw_modules_forgotten(void)
{
    return atomic_load_explicit(&unloads, memory_order_relaxed);
}

uint32_t dlw_module_find_locked(struct dlw_arena *arena, uintptr_t address)
{
    enum { PAGES = 256, PAGE_SHIFT = 12 };
    static struct {
        uintptr_t page;
        uint32_t unloads, id;
    } known[PAGES];
    uint32_t now = dlw_modules_forgotten();
    uintptr_t page = address >> PAGE_SHIFT;

    if (known[page % PAGES].page == page && known[page % PAGES].unloads == now)
        return known[page % PAGES].id;
    uint32_t id = find_locked(arena, address);
    if (id) {
        known[page % PAGES].page = page;
        known[page % PAGES].unloads = now;
        known[page % PAGES].id = id;
    }
    return id;
}

bool dlw_module_get(uint32_t id, struct dlw_journal_module *out)
{
    if (id == 0 || id > atomic_load_explicit(&n_modules, memory_order_acquire))
        return false;
    const struct module *module = at(id);
    out->path = module->path;
    out->build_id = module->build_id;
    out->build_id_size = module->build_id_size;
    out->base = module->base;
    out->start = module->start;
    out->end = module->end;
    return true;
}
