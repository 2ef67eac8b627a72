#include "report/command/inspect/own/preloaded.h"

#include "report/command/inspect/target/modules.h"
#include "report/command/inspect/target/sections.h"
#include "report/emit/records.h"

#include <stddef.h>
#include <string.h>

static int find_library(Dwfl_Module *module, void **unused, const char *path, Dwarf_Addr start,
                        void *argument)
{
    static const char name[] = "libdlwatch.so";
    (void)unused;
    (void)start;
    if (strncmp(dlw_modules_base_name(path), name, strlen(name)))
        return DWARF_CB_OK;
    *(Dwfl_Module **)argument = module;
    return DWARF_CB_ABORT;
}

/* The note's content is the distance from itself to the root. */
static uint64_t find_root(struct dlw_target *target, Dwfl_Module *library)
{
    struct {
        uint32_t owner_size, size, type;
        char owner[sizeof DLW_RECORDS_OWNER];
    } note;
    _Static_assert(sizeof note == 20, "a note as it stands in the file");
    size_t size;
    uint64_t distance, at = dlw_sections_place(library, ".note.dlwatch", &size);
    if (!at || size < sizeof note + sizeof distance ||
        !dlw_target_read(target, at, &note, sizeof note) || note.type != DLW_RECORDS_NOTE ||
        memcmp(note.owner, DLW_RECORDS_OWNER, sizeof note.owner) ||
        !dlw_target_u64(target, at + sizeof note, &distance))
        return 0;
    return at + sizeof note + distance;
}

/* Our copies of the parts take the place of the process's own. */
static const void *copy_part(struct dlw_target *target, const void *there, size_t size)
{
    void *copy = dlw_region_alloc(target->region, size);
    return there && dlw_target_read(target, (uintptr_t)there, copy, size) ? copy : NULL;
}

/* A core may say anything: what is read of a copied entry has to lie within it. */
static bool is_sound(const struct dlw_records_threads *at)
{
    uint32_t levels = at->most_levels < DLW_SEEN_LEVELS ? at->most_levels : DLW_SEEN_LEVELS;
    const struct {
        uint32_t at, size;
    } fields[] = {
        {at->lock, 8},  {at->entry_kind, 1}, {at->entry_mode, 1},
        {at->flags, 1}, {at->levels, 1},     {at->stack, 4},
        {at->sp, 8},    {at->fp, 8},         {at->pc, levels * 8},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].at > at->entry_size || fields[i].size > at->entry_size - fields[i].at)
            return false;
    return at->entry_size <= DLW_SEEN_ENTRY;
}

/* The same of a slot. One that is of a larger kind of table is left alone too. */
static bool are_slots_sound(const struct dlw_records_semaphores *at)
{
    const struct {
        uint32_t at, size;
    } fields[] = {{at->semaphore, 8}, {at->holder, 4}, {at->what, 4},
                  {at->pc, 8},        {at->sp, 8},     {at->fp, 8}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].at > at->slot_size || fields[i].size > at->slot_size - fields[i].at)
            return false;
    return at->slot_size <= DLW_SEEN_ENTRY && at->first_slots <= DLW_SEEN_SLOTS &&
           at->n_segments <= DLW_SEEN_SEGMENTS;
}

static bool copy_parts(struct dlw_target *target, struct dlw_records *records)
{
    records->threads = copy_part(target, records->threads, sizeof *records->threads);
    records->stacks = copy_part(target, records->stacks, sizeof *records->stacks);
    records->findings = copy_part(target, records->findings, sizeof *records->findings);
    records->lines = records->size >= offsetof(struct dlw_records, semaphores)
                         ? copy_part(target, records->lines, sizeof *records->lines)
                         : NULL;
    records->semaphores = records->size >= sizeof *records
                              ? copy_part(target, records->semaphores, sizeof *records->semaphores)
                              : NULL;
    if (records->semaphores && !are_slots_sound(records->semaphores))
        records->semaphores = NULL;
    return records->threads && records->stacks && records->findings && is_sound(records->threads);
}

void dlw_preloaded_find(struct dlw_target *target, struct dlw_doc *doc)
{
    Dwfl_Module *library = NULL;
    struct dlw_records *records = dlw_region_alloc(target->region, sizeof *records);
    dwfl_getmodules(target->dwfl, find_library, &library, 0);
    uint64_t root = library ? find_root(target, library) : 0;
    if (!root || !dlw_target_read(target, root, records, sizeof *records) ||
        memcmp(records->magic, DLW_RECORDS_MAGIC, sizeof records->magic)) {
        dlw_target_trouble(target, doc,
                           "libdlwatch.so in the process keeps no records that this version can "
                           "find: what memory tells is shown");
        return;
    }
    if (records->version != DLW_RECORDS_VERSION ||
        records->size < offsetof(struct dlw_records, lines) || !copy_parts(target, records)) {
        dlw_target_trouble(target, doc,
                           "libdlwatch.so in the process keeps records of version %u, this is "
                           "version %d: what memory tells is shown",
                           records->version, DLW_RECORDS_VERSION);
        return;
    }
    target->records = records;
}
