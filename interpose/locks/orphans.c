#include "interpose/locks/orphans.h"

#include "graph/base/arena.h"
#include "graph/base/lock.h"

#include "interpose/base/table.h"

struct entry {
    UT_hash_handle hh;
    struct dlw_orphan gone; /* keyed by its lock */
};

/* RANK_ORPHANS: protects the table; held for some ns, nests nothing. */
static struct dlw_lock gone_lock = DLW_LOCK_INIT(DLW_RANK_ORPHANS);
static struct entry *table;
_Atomic uint32_t dlw_orphan_entries;

static struct entry *find_locked(uintptr_t lock)
{
    struct entry *entry = NULL;

    HASH_FIND(hh, table, &lock, sizeof(lock), entry);
    return entry;
}

void dlw_orphan_note(const struct dlw_orphan *gone)
{
    if (!dlw_lock_acquire_or_skip(&gone_lock))
        return;
    struct entry *entry = find_locked(gone->lock);
    if (entry) {
        entry->gone = *gone;
    } else if ((entry = dlw_arena_alloc(&arena, sizeof(*entry))) != NULL) {
        entry->gone = *gone;
        HASH_ADD(hh, table, gone.lock, sizeof(entry->gone.lock), entry);
        atomic_fetch_add_explicit(&dlw_orphan_entries, 1, memory_order_relaxed);
    }
    dlw_lock_release(&gone_lock);
}

bool dlw_orphan_find(uintptr_t lock, struct dlw_orphan *out)
{
    if (!dlw_orphan_is_any())
        return false;
    if (!dlw_lock_acquire_or_skip(&gone_lock))
        return false;
    struct entry *entry = find_locked(lock);
    if (entry)
        *out = entry->gone;
    dlw_lock_release(&gone_lock);
    return entry != NULL;
}

void dlw_orphan_forget(uintptr_t lock)
{
    if (!dlw_orphan_is_any())
        return;
    if (!dlw_lock_acquire(&gone_lock))
        return;
    struct entry *entry = find_locked(lock);
    if (entry) {
        HASH_DEL(table, entry);
        dlw_arena_free(&arena, entry, sizeof(*entry));
        atomic_fetch_sub_explicit(&dlw_orphan_entries, 1, memory_order_relaxed);
    }
    dlw_lock_release(&gone_lock);
}

bool dlw_orphan_before_fork(void)
{
    return dlw_lock_acquire(&gone_lock);
}

void dlw_orphan_after_fork(bool child)
{
    if (child)
        dlw_lock_reset(&gone_lock);
    else
        dlw_lock_release(&gone_lock);
}
