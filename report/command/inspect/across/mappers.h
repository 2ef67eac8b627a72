/*
 * All processes that have a piece of shared memory in their maps: whoever holds a lock in it is one
 * of them. What could not be looked at is told, since then nothing about the others is certain.
 */
#ifndef DLW_COMMAND_INSPECT_ACROSS_MAPPERS_H
#define DLW_COMMAND_INSPECT_ACROSS_MAPPERS_H

#include "report/command/inspect/target/target.h"

/* What processes have at different addresses is the same at the same place of the same file. */
struct dlw_shared_place {
    uint64_t device, inode, offset;
};
/* False: no memory that is shared is mapped there. */
bool dlw_shared_place(const struct dlw_target *target, uint64_t address,
                      struct dlw_shared_place *out);
bool dlw_shared_place_is(const struct dlw_target *target, uint64_t address,
                         const struct dlw_shared_place *place);

/* The record that `thread` of another process keeps of the shared lock for which `wait` is; NULL:
 * none. It has the lock at an address of its own. */
const struct dlw_seen_hold *dlw_shared_hold(const struct dlw_target *target,
                                            const struct dlw_seen_wait *wait,
                                            const struct dlw_target *other,
                                            const struct dlw_seen_thread *thread);

struct dlw_mapper {
    uint32_t pid;
    uint64_t numbering; /* its pid namespace; 0: not known */
};

struct dlw_mappers {
    const struct dlw_mapping *memory; /* that they have */
    struct dlw_mapper *list;
    size_t n;
    size_t n_closed; /* processes whose maps we may not read, and that may have it */
    bool is_hidden;  /* /proc does not show all that our numbers stand for */
};

/* In the region of the target, whose mapping it is. */
void dlw_mappers_find(struct dlw_target *target, const struct dlw_mapping *memory,
                      struct dlw_mappers *out);

/* The same, asked once for waits in one piece of memory: not again if `kept`, zeroed at first, has
 * them. */
void dlw_mappers_keep(struct dlw_target *target, const struct dlw_mapping *memory,
                      struct dlw_mappers *kept);

/* Has the process a thread that lives and numbers itself so? */
bool dlw_process_has_thread(struct dlw_region *region, uint32_t pid, uint32_t inner);
/* The one of them that has a thread which numbers itself so; NULL: none has. */
const struct dlw_mapper *dlw_mappers_thread(struct dlw_target *target,
                                            const struct dlw_mappers *mappers, uint32_t inner);

#endif
