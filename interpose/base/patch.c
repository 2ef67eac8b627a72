#include "interpose/base/patch.h"

#include "graph/base/lock.h"
#include "graph/base/sys.h"
#include "interpose/base/ability.h"
#include "interpose/base/extent.h"
#include "interpose/base/loader.h"
#include "interpose/base/objects.h"
#include "interpose/base/platform.h"
#include "interpose/base/proc.h"
#include "interpose/base/state.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { JUMP_SLOT = DLW_R_JUMP_SLOT, GLOBAL_SLOT = DLW_R_GLOBAL_SLOT, DATA = DLW_R_DATA };

/* Held over a look, in which the thread has the loader's lock, so that a fork waits for it: the
 * child would find both held for ever. It guards all below but `is_due`. */
static struct dlw_lock look_lock = DLW_LOCK_INIT(DLW_RANK_LOADER);
static struct dlw_patched_library *const *libraries;
static size_t n_libraries;
static _Atomic bool is_due;
/* In a child: another thread of the program may have had the loader's lock at the fork. */
static bool is_over;

/* ---- a module's tables ---- */

struct module {
    uintptr_t base, start, end;
    uintptr_t sealed, sealed_end; /* pages that the loader protected when it was done */
    const ElfW(Sym) * symbols;
    const char *strings;
    const uint32_t *hash;        /* DT_GNU_HASH */
    const ElfW(Half) * versions; /* NULL: its symbols have none */
    const ElfW(Verneed) * needed;
    const ElfW(Verdef) * defined;
    const ElfW(Rela) * calls, *data;
    const ElfW(Dyn) * dynamic;
    size_t n_calls, n_data, n_relative;
    bool stays;     /* it is never unloaded, as it says */
    bool is_loaded; /* the loader is done with it */
    bool is_open;   /* the sealed pages are, for a moment */
};

/* The loader has made addresses of most of them, in place. */
static const void *table_at(const struct module *module, uintptr_t value)
{
    return (const void *)(value < module->base ? module->base + value : value); /* NOLINT */
}

static void note_table(struct module *module, const ElfW(Dyn) * entry)
{
    const void *table = table_at(module, entry->d_un.d_ptr);

    switch (entry->d_tag) {
    case DT_SYMTAB:
        module->symbols = table;
        break;
    case DT_STRTAB:
        module->strings = table;
        break;
    case DT_GNU_HASH:
        module->hash = table;
        break;
    case DT_VERSYM:
        module->versions = table;
        break;
    case DT_VERNEED:
        module->needed = table;
        break;
    case DT_VERDEF:
        module->defined = table;
        break;
    case DT_JMPREL:
        module->calls = table;
        break;
    case DT_PLTRELSZ:
        module->n_calls = entry->d_un.d_val / sizeof(ElfW(Rela));
        break;
    case DT_RELA:
        module->data = table;
        break;
    case DT_RELASZ:
        module->n_data = entry->d_un.d_val / sizeof(ElfW(Rela));
        break;
    case DT_RELACOUNT:
        module->n_relative = entry->d_un.d_val;
        break;
    case DT_FLAGS_1:
        module->stays = entry->d_un.d_val & DF_1_NODELETE;
        break;
    default:
        break;
    }
}

/*
 * False: it isn't to be looked into. The loader lists a module before it has bound it; where code
 * is found by address (base/objects.h) and bound it has, and has protected what it had to.
 */
static bool read_module(const struct dl_phdr_info *info, struct module *out)
{
    const ElfW(Dyn) *dynamic = NULL;
    struct dl_find_object object;
    uintptr_t page = (uintptr_t)getpagesize();

    *out = (struct module){.base = info->dlpi_addr};
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_DYNAMIC)
            dynamic = (const void *)start; /* NOLINT(performance-no-int-to-ptr) */
        if (segment->p_type == PT_GNU_RELRO) {
            /* As the loader rounds: a page that is protected in part is not. */
            out->sealed = start & -page;
            out->sealed_end = (start + segment->p_memsz) & -page;
        }
    }
    out->is_loaded = !dynamic || (dlw_object_find((uintptr_t)dynamic, &object) &&
                                  dlw_object_is_bound(&object, out->sealed, out->sealed_end));
    if (!dynamic || !out->is_loaded)
        return false;
    dlw_object_extend(&object);
    out->start = (uintptr_t)object.dlfo_map_start;
    out->end = (uintptr_t)object.dlfo_map_end;
    out->dynamic = dynamic;
    for (; dynamic->d_tag != DT_NULL; dynamic++)
        note_table(out, dynamic);
    return out->symbols && out->strings;
}

/* ---- what a module defines ---- */

struct name {
    const char *text;
    uint32_t hash;
};

static uint32_t hash_of(const char *name)
{
    uint32_t hash = 5381;

    for (const unsigned char *p = (const unsigned char *)name; *p; p++)
        hash = hash * 33 + *p;
    return hash;
}

static const char *version_defined(const struct module *module, unsigned number)
{
    const char *at = (const char *)module->defined;

    while (at) {
        const ElfW(Verdef) *definition = (const void *)at;
        const ElfW(Verdaux) *name = (const void *)(at + definition->vd_aux);
        if (definition->vd_ndx == number)
            return module->strings + name->vda_name;
        at = definition->vd_next ? at + definition->vd_next : NULL;
    }
    return NULL;
}

/* Of the symbol, as the module asks for it; NULL: any. */
static const char *version_needed(const struct module *module, size_t symbol)
{
    enum { NUMBER = 0x7fff };
    unsigned number = module->versions ? module->versions[symbol] & NUMBER : 0;
    const char *at = (const char *)module->needed;

    while (at && number > VER_NDX_GLOBAL) {
        const ElfW(Verneed) *file = (const void *)at;
        const char *entry = at + file->vn_aux;
        for (unsigned i = 0; i < file->vn_cnt; i++) {
            const ElfW(Vernaux) *version = (const void *)entry;
            if (version->vna_other == number)
                return module->strings + version->vna_name;
            entry += version->vna_next;
        }
        at = file->vn_next ? at + file->vn_next : NULL;
    }
    return NULL;
}

static bool has_version(const struct module *module, size_t symbol, const char *version)
{
    enum { HIDDEN = 0x8000, NUMBER = 0x7fff };

    if (!module->versions)
        return true;
    if (!version)
        return !(module->versions[symbol] & HIDDEN);
    const char *own = version_defined(module, module->versions[symbol] & NUMBER);
    return !own || strcmp(own, version) == 0;
}

/* Where the module defines the function, in this version or (NULL) the one that is taken unless
 * another is asked for; 0: it doesn't. */
static uintptr_t find_defined(const struct module *module, const struct name *name,
                              const char *version)
{
    if (!module->hash)
        return 0;
    uint32_t hash = name->hash;
    uint32_t n_buckets = module->hash[0], first = module->hash[1], n_blooms = module->hash[2];
    const ElfW(Addr) *blooms = (const void *)(module->hash + 4);
    const uint32_t *buckets = (const void *)(blooms + n_blooms);
    const uint32_t *chain = buckets + n_buckets;

    if (!n_buckets || !n_blooms)
        return 0;
    ElfW(Addr) bloom = blooms[hash / 64 % n_blooms];
    if (!(bloom >> hash % 64 & bloom >> (hash >> module->hash[3]) % 64 & 1))
        return 0;
    for (uint32_t i = buckets[hash % n_buckets]; i >= first && i; i++) {
        const ElfW(Sym) *symbol = &module->symbols[i];
        if ((chain[i - first] | 1) == (hash | 1) &&
            strcmp(module->strings + symbol->st_name, name->text) == 0 &&
            symbol->st_shndx != SHN_UNDEF && has_version(module, i, version))
            return ELF64_ST_TYPE(symbol->st_info) == STT_FUNC ? module->base + symbol->st_value : 1;
        if (chain[i - first] & 1)
            break;
    }
    return 0;
}

/* ---- the libraries ---- */

/* All names of all libraries, to be found by their hash. */
enum { ROWS = 512 };
struct row {
    struct name name;
    const struct dlw_patch *patch; /* NULL: the place is free */
    uint8_t library;
    uint32_t checked;  /* the look in which it was last seen whether... */
    bool is_elsewhere; /* ...another module defines the name too */
};
static struct row rows[ROWS];
static struct module loaded_as[DLW_PATCHED_LIBRARIES];
static uint32_t n_looks;

static void add_row(unsigned library, const struct dlw_patch *patch)
{
    uint32_t hash = hash_of(patch->name);
    uint32_t at = hash;

    while (rows[at % ROWS].patch)
        at++;
    rows[at % ROWS] = (struct row){{patch->name, hash}, patch, (uint8_t)library, 0, false};
}

/* `file`: without its folder. */
static bool is_file_of(const struct dlw_patched_library *library, const char *file)
{
    return strncmp(file, library->file, strlen(library->file)) == 0;
}

/* Another with the same wrappers is there already. */
static bool is_taken(const struct dlw_patched_library *library)
{
    for (size_t i = 0; i < n_libraries; i++)
        if (libraries[i] != library && libraries[i]->is_loaded &&
            libraries[i]->patches[0].real == library->patches[0].real)
            return true;
    return false;
}

/* Once a library was found: most programs have none. */
static void add_rows(void)
{
    static bool is_done;

    for (unsigned i = 0; !is_done && i < n_libraries; i++)
        for (size_t k = 0; k < libraries[i]->n_patches; k++)
            add_row(i, &libraries[i]->patches[k]);
    is_done = true;
}

/* The module is that library, and not another whose name begins so. */
static bool is_library(const struct dlw_patched_library *library, const struct module *module)
{
    const struct name first = {library->patches[0].name, hash_of(library->patches[0].name)};

    return find_defined(module, &first, NULL) != 0;
}

static void note_library(struct dlw_patched_library *library, const struct module *module)
{
    add_rows();
    for (size_t k = 0; k < library->n_patches; k++) {
        const char *text = library->patches[k].name;
        const struct name name = {text, hash_of(text)};
        uintptr_t real = find_defined(module, &name, NULL);
        __atomic_store_n(library->patches[k].real,
                         real > 1 ? (void *)real : NULL, /* NOLINT(performance-no-int-to-ptr) */
                         __ATOMIC_RELEASE);
    }
    library->base = module->base;
    library->is_loaded = true;
    /* What came with the program goes with it. */
    library->stays |= module->stays || n_looks == 1;
}

static const char second_copy[] = "the process has a library twice: the first alone is watched";

struct found {
    bool any, is_new;
    bool is_there[DLW_PATCHED_LIBRARIES];
};

static bool is_file_in(const struct dlw_patched_library *library, const char *path)
{
    const char *slash = strrchr(path, '/');

    return is_file_of(library, slash ? slash + 1 : path);
}

/* One that stays is written down anew: another copy may lie where it lay. */
static int find_again(struct dl_phdr_info *info, size_t size, void *context)
{
    struct found *found = context;

    (void)size;
    for (size_t i = 0; i < n_libraries; i++) {
        struct dlw_patched_library *library = libraries[i];
        struct module module;
        if (!library->is_loaded || library->base != info->dlpi_addr ||
            !is_file_in(library, info->dlpi_name) || !read_module(info, &module) ||
            !is_library(library, &module))
            continue;
        loaded_as[i] = module;
        note_library(library, &module);
        found->is_there[i] = true;
    }
    return 0;
}

/* Modules were closed: whatever copy of a library is first now may be watched. */
static void forget_closed(struct found *found)
{
    dl_iterate_phdr(find_again, found);
    for (size_t i = 0; i < n_libraries; i++)
        libraries[i]->is_loaded &= found->is_there[i];
}

/*
 * Of two copies (wheels of Python bring each its own libgomp) the first stays the one that is
 * watched: the calls that were written over are calls of that one, and each has its own threads and
 * locks.
 */
static int find_library(struct dl_phdr_info *info, size_t size, void *context)
{
    struct found *found = context;

    (void)size;
    for (size_t i = 0; i < n_libraries; i++) {
        struct dlw_patched_library *library = libraries[i];
        struct module module;
        if (!is_file_in(library, info->dlpi_name) || is_taken(library))
            continue;
        found->any = true;
        if ((library->is_loaded && library->base == info->dlpi_addr) ||
            !read_module(info, &module) || !is_library(library, &module))
            continue;
        if (library->is_loaded) {
            dlw_ability_lacks(DLW_ABILITY_LIBRARIES, second_copy);
            continue;
        }
        loaded_as[i] = module;
        note_library(library, &module);
        found->is_new = true;
    }
    return 0;
}

/* ---- a module's slots ---- */

static const char no_right[] = "a module's table of calls can't be written";
static const char left_behind[] = "forked beside other threads, and a module came";
static const char too_late[] = "the program had confined itself when a module came";

/* Opens or closes the pages that the loader protected. */
static bool protect(struct module *module, int how)
{
    return dlw_syscall(SYS_mprotect, module->sealed, module->sealed_end - module->sealed, how) == 0;
}

/* `value`: as it was read. The program may write a variable of its own meanwhile: then that stays.
 */
static void write_slot(struct module *module, uintptr_t *slot, uintptr_t value, const void *wrapper)
{
    bool is_sealed = (uintptr_t)slot >= module->sealed && (uintptr_t)slot < module->sealed_end;

    if (is_sealed && !module->is_open) {
        if (atomic_load_explicit(&dlw_confined, memory_order_relaxed)) {
            dlw_ability_lacks(DLW_ABILITY_LIBRARIES, too_late);
            return;
        }
        /* The program may have opened the page itself, to write there later: then it stays open. */
        if (!dlw_proc_is_writable((uintptr_t)slot)) {
            if (!protect(module, PROT_READ | PROT_WRITE)) {
                dlw_ability_lacks(DLW_ABILITY_LIBRARIES, no_right);
                return;
            }
            module->is_open = true;
        }
    }
    /* Release: whoever calls through it finds the real function's address. */
    __atomic_compare_exchange_n(slot, &value, (uintptr_t)wrapper, false, __ATOMIC_RELEASE,
                                __ATOMIC_RELAXED);
}

/* ---- which of them lead to a library ---- */

struct definers {
    const struct name *name;
    unsigned n;
};

static int count_definer(struct dl_phdr_info *info, size_t size, void *context)
{
    struct definers *definers = context;
    struct module module;

    (void)size;
    if (read_module(info, &module) && find_defined(&module, definers->name, NULL))
        definers->n++;
    return definers->n > 1;
}

static bool is_defined_elsewhere(struct row *row)
{
    struct definers definers = {.name = &row->name};

    if (row->checked != n_looks) {
        dl_iterate_phdr(count_definer, &definers);
        row->is_elsewhere = definers.n > 1;
        row->checked = n_looks;
    }
    return row->is_elsewhere;
}

static const char not_linked[] = "a module calls a library that it is not linked with";

/*
 * Is the library there as long as the module? Where that isn't linked with it, binding a slot is
 * what makes the loader keep the library for it. A slot that is written over is never bound.
 */
static bool is_kept_for(const struct dlw_patched_library *library, const struct module *module)
{
    if (library->stays)
        return true;
    for (const ElfW(Dyn) *entry = module->dynamic; entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_NEEDED && is_file_in(library, module->strings + entry->d_un.d_val))
            return true;
    dlw_ability_lacks(DLW_ABILITY_LIBRARIES, not_linked);
    return false;
}

/* The slot is as the loader left it: bound to that function, or still to be bound, and then to
 * nothing else. A variable is bound at once. */
static bool leads_to(const struct module *module, uintptr_t value, const ElfW(Rela) * relocation,
                     struct row *row)
{
    uintptr_t real = (uintptr_t)*row->patch->real;
    size_t symbol = ELF64_R_SYM(relocation->r_info);

    if (!real || value == real)
        return real != 0;
    return ELF64_R_TYPE(relocation->r_info) != DATA && value >= module->start &&
           value < module->end && module->symbols[symbol].st_shndx == SHN_UNDEF &&
           find_defined(&loaded_as[row->library], &row->name, version_needed(module, symbol)) ==
               real &&
           !is_defined_elsewhere(row) && is_kept_for(libraries[row->library], module);
}

/* A slot that was yet to be bound was written over. Another thread may be in the loader to bind it,
 * and then writes the function there: so a second look is due. */
static bool may_be_bound_over;

static void look_at_slot(struct module *module, const ElfW(Rela) * relocation)
{
    size_t symbol = ELF64_R_SYM(relocation->r_info);
    const char *name = module->strings + module->symbols[symbol].st_name;
    uint32_t hash = hash_of(name);

    for (uint32_t at = hash; rows[at % ROWS].patch; at++) {
        struct row *row = &rows[at % ROWS];
        const struct dlw_patched_library *library = libraries[row->library];
        uintptr_t *slot = (uintptr_t *)(module->base + relocation->r_offset); /* NOLINT */
        uintptr_t value = __atomic_load_n(slot, __ATOMIC_RELAXED);
        if (row->name.hash == hash && row->patch->wrapper && library->is_loaded &&
            library->base != module->base && strcmp(row->name.text, name) == 0 &&
            leads_to(module, value, relocation, row)) {
            write_slot(module, slot, value, row->patch->wrapper);
            may_be_bound_over |= value != (uintptr_t)*row->patch->real && !dlw_is_single_threaded();
        }
    }
}

static bool is_pointer(const ElfW(Rela) * relocation)
{
    unsigned type = ELF64_R_TYPE(relocation->r_info);

    return type == GLOBAL_SLOT ||
           (type == DATA && !relocation->r_addend && relocation->r_offset % sizeof(uintptr_t) == 0);
}

static void look_at_slots(struct module *module)
{
    for (size_t i = 0; module->calls && i < module->n_calls; i++)
        if (ELF64_R_TYPE(module->calls[i].r_info) == JUMP_SLOT)
            look_at_slot(module, &module->calls[i]);
    for (size_t i = module->n_relative; module->data && i < module->n_data; i++)
        if (is_pointer(&module->data[i]))
            look_at_slot(module, &module->data[i]);
    if (module->is_open && !protect(module, PROT_READ))
        dlw_ability_lacks(DLW_ABILITY_LIBRARIES, no_right);
}

/* ---- when ---- */

struct visit {
    unsigned long long adds, subs; /* as they were at the last look */
    size_t seen;                   /* so many modules were looked into then */
    size_t at;
    bool is_short; /* one is still being loaded */
};

static int look_into(struct dl_phdr_info *info, size_t size, void *context)
{
    struct visit *visit = context;
    struct module module;

    (void)size;
    if (visit->at++ < visit->seen)
        return 0;
    if (read_module(info, &module))
        look_at_slots(&module);
    else if (!module.is_loaded)
        visit->is_short = true;
    return 0;
}

/* Modules are listed in the order in which they came: those that were there at the last look stand
 * first, unless one was closed since. */
static int look(struct dl_phdr_info *info, size_t size, void *unused)
{
    static struct visit last;
    struct found found = {0};

    (void)size;
    (void)unused;
    if (last.adds == info->dlpi_adds && last.subs == info->dlpi_subs)
        return 1;
    n_looks++;
    if (last.subs != info->dlpi_subs)
        forget_closed(&found);
    dl_iterate_phdr(find_library, &found);
    if (found.is_new || last.subs != info->dlpi_subs)
        last.seen = 0;
    last = (struct visit){info->dlpi_adds, info->dlpi_subs, last.seen, 0, false};
    if (found.any)
        dl_iterate_phdr(look_into, &last);
    last.seen = last.at;
    if (last.is_short || may_be_bound_over) {
        last.adds = last.seen = 0;
        may_be_bound_over = false;
        dlw_patch_is_due();
    }
    return 1;
}

/* Most programs have none, and their children miss nothing. */
static bool is_any_loaded(void)
{
    for (size_t i = 0; i < n_libraries; i++)
        if (libraries[i]->is_loaded)
            return true;
    return false;
}

static const char unknown_loader[] = "the loader's lock is not where it could be";

/* The loader's lock may be taken again by the thread that has it. */
static void look_locked(void)
{
    if (!dlw_loader_try()) {
        if (!dlw_loader_is_known())
            dlw_ability_lacks(DLW_ABILITY_LIBRARIES, unknown_loader);
        dlw_patch_is_due(); /* the next may find it free */
        return;
    }
    dl_iterate_phdr(look, NULL);
    dlw_loader_leave();
}

void dlw_patch_look(void)
{
    if (!n_libraries || !dlw_patch_wants_look() || !dlw_lock_acquire_or_skip(&look_lock))
        return;
    atomic_store_explicit(&is_due, false, memory_order_relaxed);
    if (!is_over)
        look_locked();
    else if (is_any_loaded())
        dlw_ability_lacks(DLW_ABILITY_LIBRARIES, left_behind);
    dlw_lock_release(&look_lock);
}

bool dlw_patch_wants_look(void)
{
    return atomic_load_explicit(&is_due, memory_order_relaxed);
}

bool dlw_patch_before_fork(void)
{
    return dlw_lock_acquire_or_skip(&look_lock);
}

void dlw_patch_after_fork(bool child)
{
    if (child)
        dlw_lock_reset(&look_lock);
    else
        dlw_lock_release(&look_lock);
}

void dlw_patch_left_others(void)
{
    is_over = true;
}

void dlw_patch_is_due(void)
{
    atomic_store_explicit(&is_due, true, memory_order_relaxed);
}

void dlw_patch_saw(uintptr_t pc)
{
    enum { KNOWN = 256 };
    static _Atomic uintptr_t known[KNOWN]; /* starts of modules; two may share a place */
    struct dl_find_object object;

    if (!dlw_object_find(pc, &object))
        return;
    uintptr_t start = (uintptr_t)object.dlfo_map_start;
    _Atomic uintptr_t *place = &known[(start >> 12) % KNOWN];
    if (atomic_load_explicit(place, memory_order_relaxed) == start)
        return;
    atomic_store_explicit(place, start, memory_order_relaxed);
    dlw_patch_is_due();
}

void dlw_patch_start(struct dlw_patched_library *const *list, size_t n)
{
    libraries = list;
    n_libraries = n;
    dlw_loader_start();
    dlw_patch_is_due();
    dlw_patch_look();
}
