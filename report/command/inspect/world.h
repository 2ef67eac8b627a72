/*
 * The threads of the target, and those of its peers (other processes that it waits for), as the
 * world of graph/waits.h. The target's come first; ids begin at 1.
 */
#ifndef DLW_COMMAND_INSPECT_WORLD_H
#define DLW_COMMAND_INSPECT_WORLD_H

#include "graph/waits.h"
#include "report/command/inspect/target/target.h"

struct dlw_world {
    struct dlw_target *target;
    bool any_holder; /* a wait whose holder is not known may be ended by any thread */
};

/* Its context is the world, which must outlive it. */
struct dlw_live_view dlw_world_view(struct dlw_world *world);

size_t dlw_world_count(const struct dlw_world *world);
const struct dlw_seen_thread *dlw_world_thread(const struct dlw_world *world, uint32_t id);
/* Whose thread it is; `id` becomes its index there. */
struct dlw_target *dlw_world_locate(const struct dlw_world *world, uint32_t *id);
uint32_t dlw_world_id(const struct dlw_world *world, const struct dlw_target *target, size_t index);
/* The target or peer with that number; NULL: it is not looked at. */
struct dlw_target *dlw_world_target(const struct dlw_world *world, uint32_t pid);

/* Known to be kept waiting by somebody, who alone or together with others holds it. */
bool dlw_world_has_holder(const struct dlw_world *world, const struct dlw_seen_wait *wait);
/* As owners_of of graph/waits.h; the wait is not looked at. */
int dlw_world_owners(void *world, uint32_t id, const struct dlw_wait *wait, struct dlw_owner *out,
                     uint32_t room);
/* Has the process the lock that keeps others out of that file? */
bool dlw_file_is_with(const struct dlw_seen_file *file, uint32_t pid);

/* The caught signals that somebody may send to wake a thread. */
uint64_t dlw_waking_signals(const struct dlw_target *target);
/* "SIGTERM, SIGUSR1", in the region. */
const char *dlw_signal_names(struct dlw_target *target, uint64_t signals);

#endif
