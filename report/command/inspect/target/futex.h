/* A futex call that a thread sleeps in. */
#ifndef DLW_COMMAND_INSPECT_TARGET_FUTEX_H
#define DLW_COMMAND_INSPECT_TARGET_FUTEX_H

#include "report/command/inspect/target/target.h"

struct dlw_futex {
    int operation; /* without its flags */
    bool is_private, is_timed;
    bool is_for_all; /* whoever wakes the word wakes this one: it asked for no bits of its own */
    uint64_t word;
    uint32_t value; /* that it was found to have */
};

/* The arguments of a futex call; also of one that the kernel restarts after an interruption. */
bool dlw_futex_decode(struct dlw_target *target, const struct dlw_call *call,
                      struct dlw_futex *out);
/* Does the thread sleep on a word that is no longer as it found it? Then a wake-up is under way, or
 * was lost. */
bool dlw_futex_has_changed(struct dlw_target *target, const struct dlw_call *call);

#endif
