/* Walking stacks by the rules (rules.h). Called with no internal lock held and the caller's guard
 * up.
 */
#ifndef DLW_STACKS_WALK_H
#define DLW_STACKS_WALK_H

#include "interpose/stacks/rules.h"

/* What a walk may read: [low, high) directly, or from `copy`, which holds that range. */
struct dlw_memory {
    uintptr_t low, high;
    const char *copy; /* NULL: read in place */
};

struct dlw_walked {
    uintptr_t pc;  /* return address; of an interrupted frame its pc + 1 */
    uintptr_t cfa; /* 0 where the frame's end is not known */
};

enum dlw_walk_end {
    DLW_WALK_COMPLETE,  /* reached the thread's first frame */
    DLW_WALK_FULL,      /* `room` frames, and there are more */
    DLW_WALK_NO_TABLES, /* code without unwind information (generated at run time) */
    DLW_WALK_LOST,      /* a frame that makes no sense */
};

/* Frames from `from` outwards, itself first. */
unsigned dlw_frames_walk(const struct dlw_call *from, const struct dlw_memory *memory,
                         struct dlw_walked *out, unsigned room, enum dlw_walk_end *end);

/* One step outwards; false at the end or when it can't be known. `cfa` is that of the frame left.
 */
bool dlw_frames_step(struct dlw_call *at, const struct dlw_memory *memory, uintptr_t *cfa,
                     enum dlw_walk_end *end);

#endif
