#include "report/command/inspect/file_circle.h"

struct way {
    const struct dlw_world *view;
    const bool *is_dead;
    uint32_t *from;  /* the thread by which each was reached; 0: not yet */
    uint32_t *queue; /* ids, in the order in which they were reached */
    size_t n;
};

static void reach(struct way *way, uint32_t id, uint32_t from)
{
    if (way->from[id] || !way->is_dead[id])
        return;
    way->from[id] = from;
    way->queue[way->n++] = id;
}

bool dlw_file_is_waited(const struct dlw_seen_wait *wait, const struct dlw_seen_file *file)
{
    return wait->file && wait->file->inode == file->inode && wait->file->device == file->device;
}

/* Any thread of a process that has the lock may be the one to let it go, but for those that ask for
 * it themselves. */
static void reach_file(struct way *way, uint32_t id, const struct dlw_seen_file *file)
{
    for (size_t i = 0; i < file->n_holders; i++) {
        const struct dlw_target *target = dlw_world_target(way->view, file->holders[i].pid);
        for (size_t k = 0; target && k < target->n_threads; k++)
            if (!dlw_file_is_waited(&target->threads[k].wait, file))
                reach(way, dlw_world_id(way->view, target, k), id);
    }
}

/* To wait for another's end is what main threads do: it says nothing of who has the file. */
static void reach_next(struct way *way, uint32_t id)
{
    const struct dlw_seen_wait *wait = &dlw_world_thread(way->view, id)->wait;
    struct dlw_owner owners[16];
    if (wait->file) {
        reach_file(way, id, wait->file);
        return;
    }
    if (wait->kind == DLW_WAIT_JOIN || !dlw_world_has_holder(way->view, wait))
        return;
    int n = dlw_world_owners((void *)way->view, id, NULL, owners, sizeof owners / sizeof *owners);
    for (int i = 0; i < n; i++)
        if (owners[i].thread)
            reach(way, owners[i].thread, id);
}

size_t dlw_file_circle(const struct dlw_world *world, uint32_t start, const bool *is_dead,
                       uint32_t **out)
{
    struct dlw_region *region = world->target->region;
    size_t n_all = dlw_world_count(world), n = 1;
    struct way way = {.view = world, .is_dead = is_dead};
    way.from = dlw_region_alloc(region, (n_all + 1) * sizeof *way.from);
    way.queue = dlw_region_alloc(region, (n_all + 1) * sizeof *way.queue);
    reach_next(&way, start);
    for (size_t at = 0; at < way.n && !way.from[start]; at++)
        reach_next(&way, way.queue[at]);
    const struct dlw_seen_file *file = dlw_world_thread(world, start)->wait.file;
    if (!way.from[start] && dlw_file_is_with(file, world->target->pid))
        way.from[start] = start;
    if (!way.from[start])
        return 0;
    for (uint32_t id = way.from[start]; id != start; id = way.from[id])
        n++;
    *out = dlw_region_alloc(region, n * sizeof **out);
    **out = start;
    size_t at = n;
    for (uint32_t id = way.from[start]; id != start; id = way.from[id])
        (*out)[--at] = id;
    return n;
}
