/*
 * What the processes of a steered run tell `dlwatch confirm`: how often threads came to the roles
 * of the cycle that they are steered into, and what became of it. A file that all of them map; the
 * command makes it, of this size and all zero but for the first word, and names it to them in the
 * file of roles (`set progress PATH`). Counts only grow, without an order among them.
 */
#ifndef DLW_EMIT_STEERING_H
#define DLW_EMIT_STEERING_H

#include <stdatomic.h>
#include <stdint.h>

enum { DLW_STEERING_ROLES = 64 };
#define DLW_STEERING_MAGIC 0x31676e6972656574u

struct dlw_steering_role {
    _Atomic uint64_t entered; /* the first lock was taken there */
    _Atomic uint64_t reached; /* then a thread came to ask for the second */
    _Atomic uint64_t stood;   /* ms that it was made to wait there, the longest */
    _Atomic uint64_t expired; /* it waited in vain to the limit */
    _Atomic uint64_t blocked; /* was let go: all who could have come waited behind it */
};

struct dlw_steering {
    uint64_t magic;
    _Atomic uint64_t processes;
    _Atomic uint64_t met;       /* threads stood in all roles at once, and were let go */
    _Atomic uint64_t exhausted; /* some role was given up: it was waited in too often in vain */
    struct dlw_steering_role roles[DLW_STEERING_ROLES];
};

#endif
