/* Reading a target, whatever it is. */
#include "report/command/inspect/target/target.h"

#include "report/command/base/command.h"
#include "report/command/base/rights.h"
#include "report/command/inspect/target/core.h"
#include "report/command/symbols/symbols.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void dlw_target_trouble(struct dlw_target *target, struct dlw_doc *doc, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    target->is_partial = true;
    if (!target->is_quiet)
        dlw_message("%s", text);
    if (target->notes_trouble)
        dlw_doc_note(doc, "%s", text);
}

static bool read_memory_file(int descriptor, uint64_t address, void *out, size_t size)
{
    /* Addresses above LLONG_MAX (the vsyscall page) are no offsets. */
    if ((int64_t)address < 0)
        return false;
    return pread(descriptor, out, size, (off_t)address) == (ssize_t)size;
}

bool dlw_target_read(struct dlw_target *target, uint64_t address, void *out, size_t size)
{
    if (target->is_core)
        return dlw_core_read(target, address, out, size);
    return target->memory >= 0 && read_memory_file(target->memory, address, out, size);
}

bool dlw_target_u32(struct dlw_target *target, uint64_t address, uint32_t *out)
{
    return dlw_target_read(target, address, out, sizeof *out);
}

bool dlw_target_u64(struct dlw_target *target, uint64_t address, uint64_t *out)
{
    return dlw_target_read(target, address, out, sizeof *out);
}

bool dlw_target_pointer(struct dlw_target *target, uint64_t address, uint64_t *out)
{
    uint32_t narrow;
    if (!target->is_narrow)
        return dlw_target_u64(target, address, out);
    if (!dlw_target_u32(target, address, &narrow))
        return false;
    *out = narrow;
    return true;
}

bool dlw_target_read_stack(struct dlw_target *target, const struct dlw_seen_thread *thread,
                           uint64_t address, void *out, size_t size)
{
    const struct dlw_bytes *copy = &thread->stack;
    if (address >= copy->start && size <= copy->size &&
        address - copy->start <= copy->size - size) {
        memcpy(out, copy->bytes + (address - copy->start), size);
        return true;
    }
    return dlw_target_read(target, address, out, size);
}

static int compare_mapping(const void *key, const void *element)
{
    const uint64_t address = *(const uint64_t *)key;
    const struct dlw_mapping *mapping = element;
    if (address < mapping->start)
        return -1;
    return address >= mapping->end;
}

const struct dlw_mapping *dlw_target_mapping(const struct dlw_target *target, uint64_t address)
{
    if (!target->n_mappings)
        return NULL;
    return bsearch(&address, target->mappings, target->n_mappings, sizeof *target->mappings,
                   compare_mapping);
}

struct dlw_seen_thread *dlw_target_inner(const struct dlw_target *target, uint32_t inner)
{
    for (size_t i = 0; i < target->n_threads; i++)
        if (target->threads[i].inner == inner && !target->threads[i].is_ended)
            return &target->threads[i];
    return NULL;
}

uint64_t dlw_thread_handle(const struct dlw_target *target, const struct dlw_seen_thread *thread)
{
    uint64_t pointer = thread->registers.thread_pointer;
    return pointer ? pointer - target->layout.thread_size : 0;
}

void dlw_target_close(struct dlw_target *target)
{
    for (size_t i = 0; i < target->n_peers; i++)
        dlw_target_close(target->peers[i]);
    target->n_peers = 0;
    dlw_symbols_free(target->symbols);
    target->symbols = NULL;
    dlw_tables_free(target->tables);
    target->tables = NULL;
    if (target->dwfl)
        dwfl_end(target->dwfl);
    target->dwfl = NULL;
    dlw_rights_close(target->rights);
    target->rights = NULL;
    target->source_rights = NULL;
    if (target->memory >= 0)
        close(target->memory);
    target->memory = -1;
    if (target->core)
        dlw_core_close(target);
}
