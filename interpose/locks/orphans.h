/*
 * Locks whose holder no longer exists: it ended, or stayed in the parent of a fork. Who waits for
 * such a lock waits for ever, and the report can still say who took it where.
 *
 * Guarded by a lock of its own; called with none of a higher rank held.
 */
#ifndef DLW_LOCKS_ORPHANS_H
#define DLW_LOCKS_ORPHANS_H

#include "interpose/threads/record.h"

#include <stdbool.h>
#include <stdint.h>

struct dlw_orphan {
    uintptr_t lock;
    uint32_t tid;    /* as the lock's own word still says */
    uint32_t thread; /* id */
    uint32_t stack;  /* where it was taken */
    uint8_t kind, mode;
    bool in_parent; /* of a fork */
};

/* Notes one hold. Out of memory forgets it. */
void dlw_orphan_note(const struct dlw_orphan *gone);
/* False: nobody who has gone held it, as far as is known. */
bool dlw_orphan_find(uintptr_t lock, struct dlw_orphan *out);
/* The lock was released, or lives anew. Cheap when nothing was ever noted. */
void dlw_orphan_forget(uintptr_t lock);

/* How many are noted. Relaxed: 0 spares the lock, a stale value only costs it. */
extern _Atomic uint32_t dlw_orphan_entries;

static inline bool dlw_orphan_is_any(void)
{
    return atomic_load_explicit(&dlw_orphan_entries, memory_order_relaxed) != 0;
}

bool dlw_orphan_before_fork(void);
void dlw_orphan_after_fork(bool child);

#endif
