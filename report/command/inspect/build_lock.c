/* What a thread waits for, as a lock of the document: its name, and where it lies. */
#include "report/command/base/clean.h"
#include "report/command/inspect/build_parts.h"
#include "report/command/inspect/glibc/waits.h"
#include "report/command/inspect/target/sections.h"
#include "report/command/symbols/symbols.h"

#include <string.h>

void dlw_builder_locate(struct builder *builder, struct dlw_doc_lock *lock)
{
    struct dlw_region *region = &builder->doc->region;
    Dwfl_Module *module = dlw_sections_module(builder->target->dwfl, lock->address);
    Dwarf_Addr start;
    GElf_Addr bias;
    if (!module)
        return;
    const char *path = dwfl_module_info(module, NULL, &start, NULL, NULL, NULL, NULL, NULL);
    lock->module = dlw_clean(region, path);
    lock->build_id = dlw_symbols_build_id(region, module);
    lock->offset = lock->address - (dwfl_module_getelf(module, &bias) ? bias : start);
    if (lock->name)
        return;
    struct dlw_variable variable =
        dlw_symbols_variable_of(builder->target->tables, region, module, lock->address);
    lock->name = variable.name;
    lock->expression = variable.expression;
    if (variable.file && variable.line)
        lock->declared =
            dlw_region_print(region, "%s:%u", dlw_base_name(variable.file), variable.line);
}

/* What it is and what it is called. */
static struct dlw_doc_lock *make_lock(struct builder *builder, const struct dlw_seen_wait *wait)
{
    struct dlw_doc_lock *lock = dlw_region_alloc(&builder->doc->region, sizeof *lock);
    lock->kind = wait->object;
    lock->address = wait->address;
    if (wait->kind == DLW_WAIT_JOIN) {
        if (wait->holder == DLW_HOLDER_THREAD)
            lock->thread = builder->threads[wait->holder_index];
        return lock;
    }
    if (wait->file) {
        lock->name = dlw_clean(&builder->doc->region, wait->file->path);
        return lock;
    }
    if (wait->is_refused) {
        lock->name = "(a priority-inheriting mutex)";
        return lock;
    }
    if (!strcmp(wait->object, "mutex"))
        lock->attributes = dlw_mutex_attributes(builder->target, wait->address);
    if (!strcmp(wait->object, "file"))
        lock->name = dlw_standard_stream(builder->target, wait->address);
    dlw_builder_locate(builder, lock);
    return lock;
}

struct dlw_doc_lock *dlw_builder_lock(struct builder *builder, struct lock_list *list,
                                      const struct dlw_seen_wait *wait)
{
    struct dlw_region *region = &builder->doc->region;
    const struct dlw_seen_file *file = wait->file;
    const struct lock_key key = {wait->object, wait->address, file ? file->device : 0,
                                 file ? file->inode : 0};
    for (size_t i = 0; i < list->n; i++) {
        const struct lock_key *other = &list->keys[i];
        if (other->address == key.address && other->inode == key.inode &&
            other->device == key.device && !strcmp(other->object, key.object))
            return list->locks[i];
    }
    list->locks = dlw_region_grow(region, list->locks, list->n, sizeof *list->locks);
    list->keys = dlw_region_grow(region, list->keys, list->n, sizeof *list->keys);
    list->keys[list->n] = key;
    return list->locks[list->n++] = make_lock(builder, wait);
}
