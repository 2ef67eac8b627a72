/*
 * A known deadlock, and whether the threads of now are about to repeat it. A known cycle is a row
 * of roles: each held a lock, and asked for the next one's. A thread plays a role while it holds a
 * lock that it took where that role takes its own. The cycle can close once distinct threads play
 * all of its roles with locks that match: what each asks for is what the next one holds, wherever
 * it is known already what it asks for (the idea is Dimmunix's: Jula, Tralamazza, Zamfir, Candea,
 * "Deadlock Immunity", OSDI 2008).
 *
 * Pure logic: who stands where is read by the caller.
 */
#ifndef DLW_INSTANCE_H
#define DLW_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

enum { DLW_ANY_ROLE = 1 << 16 };

struct dlw_part {
    uint8_t hold_mode, want_mode; /* enum dlw_mode */
    uint32_t lock; /* of the known cycle: parts with equal numbers held the same lock */
};

/* One lock that a thread holds and took where a role takes its own. */
struct dlw_player {
    uint32_t thread, role; /* DLW_ANY_ROLE: whichever, where all are alike */
    uint64_t lock;         /* address */
    uint64_t asks;         /* the address of the lock that it asks for at the role's second place */
    bool is_through;       /* it has got that one: it goes on to its end */
};

/*
 * Do all roles find players, with players[me], who plays one, among them? On true chosen[i] is the
 * index of the one that plays role i. A bounded search: where it is given up the answer is true,
 * which delays a thread and never lets it run into the cycle; roles that were not filled have `me`.
 */
bool dlw_instance_closes(const struct dlw_part *parts, uint32_t n_parts,
                         const struct dlw_player *players, uint32_t n_players, uint32_t me,
                         uint32_t *chosen);

#endif
