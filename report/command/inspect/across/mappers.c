#include "report/command/inspect/across/mappers.h"

#include "report/command/inspect/across/kin.h"
#include "report/command/inspect/across/visible.h"
#include "report/command/inspect/target/proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool dlw_shared_place(const struct dlw_target *target, uint64_t address,
                      struct dlw_shared_place *out)
{
    const struct dlw_mapping *memory = dlw_target_mapping(target, address);
    if (!memory || !memory->is_shared)
        return false;
    *out = (struct dlw_shared_place){memory->device, memory->inode,
                                     memory->offset + (address - memory->start)};
    return true;
}

bool dlw_shared_place_is(const struct dlw_target *target, uint64_t address,
                         const struct dlw_shared_place *place)
{
    struct dlw_shared_place other;
    return dlw_shared_place(target, address, &other) && other.device == place->device &&
           other.inode == place->inode && other.offset == place->offset;
}

const struct dlw_seen_hold *dlw_shared_hold(const struct dlw_target *target,
                                            const struct dlw_seen_wait *wait,
                                            const struct dlw_target *other,
                                            const struct dlw_seen_thread *thread)
{
    struct dlw_shared_place place;
    if (!wait->object || !dlw_shared_place(target, wait->address, &place))
        return NULL;
    for (size_t i = 0; i < thread->n_holds; i++)
        if (!strcmp(thread->holds[i].object, wait->object) &&
            dlw_shared_place_is(other, thread->holds[i].lock, &place))
            return &thread->holds[i];
    return NULL;
}

enum answer { NO, YES, CLOSED };

/* A process that has ended meanwhile, or a kernel thread, has no memory. */
static enum answer maps(uint32_t pid, const struct dlw_mapping *memory)
{
    char path[64], *line = NULL;
    size_t room = 0;
    enum answer answer = NO;
    snprintf(path, sizeof path, "/proc/%u/maps", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return dlw_proc_inner(pid, pid) ? CLOSED : NO;
    while (answer == NO && getline(&line, &room, file) > 0) {
        struct dlw_mapping mapping;
        int name;
        if (dlw_proc_parse_mapping(line, &mapping, &name) && mapping.is_shared &&
            mapping.inode == memory->inode && mapping.device == memory->device)
            answer = YES;
    }
    free(line);
    fclose(file);
    return answer;
}

/* Memory without a file reaches others only by fork, and no further than to their next program. */
static bool is_only_inherited(const struct dlw_mapping *memory)
{
    return memory->path && !strcmp(memory->path, "/dev/zero (deleted)");
}

struct search {
    struct dlw_target *target;
    const struct dlw_mapping *memory;
    struct dlw_mappers *out;
    struct dlw_pids closed, open;
};

static void look_at(void *context, uint32_t pid)
{
    struct search *search = context;
    struct dlw_region *region = search->target->region;
    struct dlw_mappers *out = search->out;
    enum answer answer = maps(pid, search->memory);
    if (answer == CLOSED) {
        dlw_pids_add(region, &search->closed, pid);
    } else if (answer == YES) {
        out->list = dlw_region_grow(region, out->list, out->n, sizeof *out->list);
        out->list[out->n++] = (struct dlw_mapper){pid, dlw_proc_numbering(pid)};
        dlw_pids_add(region, &search->open, pid);
    }
}

void dlw_mappers_find(struct dlw_target *target, const struct dlw_mapping *memory,
                      struct dlw_mappers *out)
{
    struct search search = {.target = target, .memory = memory, .out = out};
    *out = (struct dlw_mappers){.memory = memory, .is_hidden = dlw_proc_is_hidden()};
    dlw_proc_each(look_at, &search);
    out->n_closed = is_only_inherited(memory) ? dlw_kin_count(&search.closed, &search.open, false)
                                              : search.closed.n;
}

void dlw_mappers_keep(struct dlw_target *target, const struct dlw_mapping *memory,
                      struct dlw_mappers *kept)
{
    if (!kept->memory || kept->memory->inode != memory->inode ||
        kept->memory->device != memory->device)
        dlw_mappers_find(target, memory, kept);
}

bool dlw_process_has_thread(struct dlw_region *region, uint32_t pid, uint32_t inner)
{
    struct dlw_target other = {.region = region, .pid = pid};
    uint32_t *list;
    size_t n = dlw_proc_list(&other, &list);
    for (size_t i = 0; i < n; i++)
        if (dlw_proc_inner(pid, list[i]) == inner)
            return true;
    return false;
}

const struct dlw_mapper *dlw_mappers_thread(struct dlw_target *target,
                                            const struct dlw_mappers *mappers, uint32_t inner)
{
    for (size_t i = 0; i < mappers->n; i++)
        if (dlw_process_has_thread(target->region, mappers->list[i].pid, inner))
            return &mappers->list[i];
    return NULL;
}
