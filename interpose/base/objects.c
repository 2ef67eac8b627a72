#include "interpose/base/objects.h"

#if DLW_OWN_OBJECTS
#include "graph/base/arena.h"
#include "interpose/base/proc.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>

/* A module as it was read. One that could not be read has no addresses. */
struct object {
    uintptr_t map, base, dynamic; /* its entry in the list; l_addr and l_ld as they stood there */
    uintptr_t start, end;
    uintptr_t eh_frame;
    uintptr_t is_bound; /* seen so */
};
enum { WORDS = sizeof(struct object) / sizeof(uintptr_t) };

/*
 * All of them, in the order of the list. A change in the list leaves what stands before it as it
 * is. Nobody waits for the table: who can't read or write it now reads the list for himself.
 *
 * `version` is odd while one thread writes. Its acquire and release pair with those of readers, who
 * believe what they have read when the version is still the same.
 */
static struct {
    _Atomic uint32_t version;
    _Atomic uint32_t n;
    struct object *_Atomic objects; /* an outgrown one stays: somebody may be reading it */
    uint32_t room;                  /* of the writer */
} table;

/* ---- copies ---- */

/* Where the kernel must not be asked, the module is taken to be there: few programs close any once
 * they have confined themselves. */
static bool copy(uintptr_t from, void *to, size_t size)
{
    enum dlw_proc_reading reading = dlw_proc_try_read(from, to, size);

    if (reading == DLW_PROC_UNKNOWN)
        memcpy(to, (const void *)from, size); /* NOLINT(performance-no-int-to-ptr) */
    return reading != DLW_PROC_GONE;
}

static void load(const struct object *from, struct object *to)
{
    for (size_t i = 0; i < WORDS; i++)
        ((uintptr_t *)to)[i] = __atomic_load_n((const uintptr_t *)from + i, __ATOMIC_RELAXED);
}

static void store(struct object *to, const struct object *from)
{
    for (size_t i = 0; i < WORDS; i++)
        __atomic_store_n((uintptr_t *)to + i, ((const uintptr_t *)from)[i], __ATOMIC_RELAXED);
}

/* ---- a module's headers ---- */

struct headers {
    uintptr_t at;
    size_t n;
};

/* Those of the program the kernel tells; a library's ELF header is the first that is mapped of it,
 * and only if its addresses begin at 0 is that where we look: else it has no addresses. */
static bool find_headers(const struct link_map *map, bool is_program, struct headers *out)
{
    ElfW(Ehdr) header;

    if (is_program) {
        *out = (struct headers){getauxval(AT_PHDR), getauxval(AT_PHNUM)};
        return true;
    }
    if (!copy(map->l_addr, &header, sizeof(header)) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(ElfW(Phdr)))
        return false;
    *out = (struct headers){map->l_addr + header.e_phoff, header.e_phnum};
    return true;
}

static void note_segment(struct object *object, const ElfW(Phdr) * segment)
{
    uintptr_t page = getauxval(AT_PAGESZ), start = object->base + segment->p_vaddr;

    if (segment->p_type == PT_GNU_EH_FRAME)
        object->eh_frame = start;
    if (segment->p_type != PT_LOAD)
        return;
    if (!object->end || (start & -page) < object->start)
        object->start = start & -page;
    if (start + segment->p_memsz > object->end)
        object->end = start + segment->p_memsz;
}

/* Its addresses, if its dynamic section is the one that the list names: so it is that module. */
static void read_headers(struct object *object, const struct link_map *map, bool is_program)
{
    enum { AT_ONCE = 16 };
    ElfW(Phdr) segments[AT_ONCE];
    struct headers headers;
    bool is_it = false;

    if (!find_headers(map, is_program, &headers))
        return;
    for (size_t i = 0; i < headers.n; i++) {
        size_t n = headers.n - i < AT_ONCE ? headers.n - i : AT_ONCE;
        if (i % AT_ONCE == 0 &&
            !copy(headers.at + i * sizeof(*segments), segments, n * sizeof(*segments)))
            break;
        const ElfW(Phdr) *segment = &segments[i % AT_ONCE];
        note_segment(object, segment);
        is_it |=
            segment->p_type == PT_DYNAMIC && object->base + segment->p_vaddr == object->dynamic;
    }
    if (!is_it)
        object->start = object->end = object->eh_frame = 0;
}

/* ---- the list ---- */

/* Room for one more; false: there is no memory. */
static bool grow(uint32_t n)
{
    enum { FIRST = 128 };
    struct object *old = atomic_load_explicit(&table.objects, memory_order_relaxed);

    if (n < table.room)
        return true;
    uint32_t room = table.room ? table.room * 2 : FIRST;
    struct object *grown = dlw_pages_map(room * sizeof(*grown));
    if (!grown)
        return false;
    if (old)
        memcpy(grown, old, n * sizeof(*grown));
    atomic_store_explicit(&table.objects, grown, memory_order_release);
    table.room = room;
    return true;
}

static bool is_known(const struct object *known, const struct object *seen)
{
    return known->map == seen->map && known->base == seen->base && known->dynamic == seen->dynamic;
}

/* What stands in the table at this place of the list, written anew if it is another module. */
static bool keep(uint32_t at, struct object *object, const struct link_map *map)
{
    struct object *objects = atomic_load_explicit(&table.objects, memory_order_relaxed);

    if (at < atomic_load_explicit(&table.n, memory_order_relaxed) &&
        is_known(&objects[at], object)) {
        *object = objects[at];
        return true;
    }
    read_headers(object, map, at == 0);
    if (!grow(at))
        return false;
    store(&atomic_load_explicit(&table.objects, memory_order_relaxed)[at], object);
    atomic_store_explicit(&table.n, at + 1, memory_order_release);
    return true;
}

static bool has(const struct object *object, uintptr_t address)
{
    return address - object->start < object->end - object->start;
}

/*
 * Reads the list to its end, or as far as the table can be written; whoever doesn't write it only
 * to the module that has the address. A list that is changed meanwhile may end early, or lead into
 * memory that was freed: what is no module there has no addresses.
 */
static bool read_list(uintptr_t address, bool writes, struct object *out)
{
    enum { MOST = 1 << 16 };
    uintptr_t at = (uintptr_t)__atomic_load_n(&_r_debug.r_map, __ATOMIC_RELAXED);
    bool found = false;
    struct link_map map;
    uint32_t n = 0;

    for (; at && n < MOST && copy(at, &map, sizeof(map)); at = (uintptr_t)map.l_next) {
        struct object object = {.map = at, .base = map.l_addr, .dynamic = (uintptr_t)map.l_ld};
        if (!writes)
            read_headers(&object, &map, n == 0);
        else if (!keep(n, &object, &map))
            writes = false;
        n++;
        if (found || !has(&object, address))
            continue;
        found = true;
        *out = object;
        if (!writes)
            break;
    }
    if (writes)
        atomic_store_explicit(&table.n, n, memory_order_relaxed);
    return found;
}

/* False: another thread, or one that this one interrupts, is at it. */
static bool begin_writing(void)
{
    uint32_t version = atomic_load_explicit(&table.version, memory_order_relaxed);
    bool is_mine = version % 2 == 0 && atomic_compare_exchange_strong_explicit(
                                           &table.version, &version, version + 1,
                                           memory_order_acquire, memory_order_relaxed);

    /* Readers that see an entry half written see the version too. */
    atomic_thread_fence(memory_order_release);
    return is_mine;
}

static void end_writing(void)
{
    atomic_fetch_add_explicit(&table.version, 1, memory_order_release);
}

static bool find_anew(uintptr_t address, struct object *out)
{
    bool writes = begin_writing();
    bool found = read_list(address, writes, out);

    if (writes)
        end_writing();
    return found;
}

/* ---- the table ---- */

static bool find_known(uintptr_t address, struct object *out)
{
    uint32_t version = atomic_load_explicit(&table.version, memory_order_acquire);
    /* Pairs with the release in keep(): of an outgrown table no more is read than it holds. */
    uint32_t n = atomic_load_explicit(&table.n, memory_order_acquire);
    const struct object *objects = atomic_load_explicit(&table.objects, memory_order_acquire);
    bool found = false;

    for (uint32_t i = 0; version % 2 == 0 && !found && i < n; i++) {
        load(&objects[i], out);
        found = has(out, address);
    }
    atomic_thread_fence(memory_order_acquire);
    return found && atomic_load_explicit(&table.version, memory_order_relaxed) == version;
}

/* Libraries are closed by libc as well, for itself: their entry in the list is freed then. */
static bool is_there(const struct object *object)
{
    struct link_map map;

    return copy(object->map, &map, sizeof(map)) && map.l_addr == object->base &&
           (uintptr_t)map.l_ld == object->dynamic;
}

bool dlw_object_find(uintptr_t address, struct dl_find_object *out)
{
    struct object object;

    if (!(find_known(address, &object) && is_there(&object)) && !find_anew(address, &object))
        return false;
    out->dlfo_map_start = (void *)object.start;         /* NOLINT(performance-no-int-to-ptr) */
    out->dlfo_map_end = (void *)object.end;             /* NOLINT(performance-no-int-to-ptr) */
    out->dlfo_link_map = (struct link_map *)object.map; /* NOLINT(performance-no-int-to-ptr) */
    out->dlfo_eh_frame = (void *)object.eh_frame;       /* NOLINT(performance-no-int-to-ptr) */
    return true;
}

/* ---- what is bound ---- */

/* NULL: all. */
static void note_bound(const struct object *object)
{
    if (!begin_writing())
        return;
    struct object *objects = atomic_load_explicit(&table.objects, memory_order_relaxed);
    uint32_t n = atomic_load_explicit(&table.n, memory_order_relaxed);
    for (uint32_t i = 0; i < n; i++)
        if (!object || is_known(&objects[i], object))
            __atomic_store_n(&objects[i].is_bound, true, __ATOMIC_RELAXED);
    end_writing();
}

void dlw_objects_start(void)
{
    struct object none;

    find_anew(0, &none); /* to the end of the list */
    note_bound(NULL);
}

/* Sealing is the last that the loader does before any code of the module runs. */
bool dlw_object_is_bound(const struct dl_find_object *object, uintptr_t sealed,
                         uintptr_t sealed_end)
{
    struct object known = {0};
    bool is_noted = find_known((uintptr_t)object->dlfo_map_start, &known) &&
                    known.map == (uintptr_t)object->dlfo_link_map;

    if (is_noted && known.is_bound)
        return true;
    if (sealed < sealed_end && dlw_proc_is_writable(sealed))
        return false;
    if (is_noted)
        note_bound(&known);
    return true;
}

void dlw_objects_after_fork(void)
{
    if (atomic_load_explicit(&table.version, memory_order_relaxed) % 2 == 0)
        return;
    atomic_store_explicit(&table.n, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&table.version, 1, memory_order_relaxed);
}
#endif
