#include "interpose/threads/tid_table.h"

#include "graph/base/arena.h"
#include "report/emit/records.h"

/*
 * tid -> record, read without a lock: open addressing, linear probing, removal leaves a
 * tombstone. A larger table is filled before it is published; old ones stay mapped (a geometric
 * row).
 */
struct tid_table {
    uint32_t mask, used; /* used counts tombstones too */
    struct dlw_thread *_Atomic slots[];
};
static struct tid_table *_Atomic tids;
static struct dlw_thread tombstone;

#define IN_RECORD(member) offsetof(struct dlw_thread, member)
#define IN_ENTRY(member) offsetof(struct dlw_held_lock, member)
const struct dlw_records_threads dlw_records_threads = {
    .table = &tids,
    .mask = offsetof(struct tid_table, mask),
    .slots = offsetof(struct tid_table, slots),
    .tid = IN_RECORD(tid),
    .id = IN_RECORD(id),
    .depth = IN_RECORD(depth),
    .held = IN_RECORD(held),
    .name = IN_RECORD(name),
    .name_size = DLW_NAME_BYTES,
    .sequence = IN_RECORD(wait.sequence),
    .on = IN_RECORD(wait.on),
    .kind = IN_RECORD(wait.kind),
    .lock_kind = IN_RECORD(wait.lock_kind),
    .mode = IN_RECORD(wait.mode),
    .timed = IN_RECORD(wait.timed),
    .since = IN_RECORD(wait.since),
    .relocks = IN_RECORD(wait.relocks),
    .entry_size = sizeof(struct dlw_held_lock),
    .lock = IN_ENTRY(lock),
    .entry_kind = IN_ENTRY(kind),
    .entry_mode = IN_ENTRY(mode),
    .flags = IN_ENTRY(flags),
    .pool = DLW_HELD_POOL,
    .inherited = DLW_HELD_INHERITED,
    .levels = IN_ENTRY(levels),
    .stack = IN_ENTRY(stack),
    .pc = IN_ENTRY(pc),
    .sp = IN_ENTRY(sp),
    .fp = IN_ENTRY(fp),
    .most_levels = DLW_LEVELS,
};

static uint32_t hash_tid(uint32_t tid)
{
    return tid * 2654435761U >> 8;
}

struct dlw_thread *dlw_thread_by_tid(uint32_t tid)
{
    struct tid_table *table = atomic_load_explicit(&tids, memory_order_acquire);

    if (!table || tid == 0)
        return NULL;
    for (uint32_t i = hash_tid(tid);; i++) {
        struct dlw_thread *t =
            atomic_load_explicit(&table->slots[i & table->mask], memory_order_acquire);
        if (!t)
            return NULL;
        if (atomic_load_explicit(&t->tid, memory_order_relaxed) == tid)
            return t;
    }
}

static struct dlw_thread *tids_at(struct tid_table *table, uint32_t i)
{
    return atomic_load_explicit(&table->slots[i & table->mask], memory_order_relaxed);
}

/* Pairs with the acquire in dlw_thread_by_tid. */
static void tids_set(struct tid_table *table, uint32_t i, struct dlw_thread *thread)
{
    atomic_store_explicit(&table->slots[i & table->mask], thread, memory_order_release);
}

static void tids_put(struct tid_table *table, struct dlw_thread *thread)
{
    uint32_t i = hash_tid(atomic_load_explicit(&thread->tid, memory_order_relaxed));
    struct dlw_thread *there;

    while ((there = tids_at(table, i)) != NULL && there != &tombstone)
        i++;
    table->used += !there;
    tids_set(table, i, thread);
}

/* Room for four times the threads alive; the same size again when it was tombstones that filled it.
 */
bool dlw_tids_rebuild_locked(struct dlw_thread *first)
{
    uint32_t slots = 256, alive = 1;

    for (const struct dlw_thread *t = first; t; t = t->next)
        alive++;
    while (slots < alive * 4)
        slots *= 2;
    size_t bytes = sizeof(struct tid_table) + slots * sizeof(struct dlw_thread *);
    struct tid_table *table = dlw_pages_map(bytes);
    if (!table)
        return false;
    table->mask = slots - 1;
    for (struct dlw_thread *t = first; t; t = t->next)
        if (atomic_load_explicit(&t->tid, memory_order_relaxed))
            tids_put(table, t);
    atomic_store_explicit(&tids, table, memory_order_release);
    return true;
}

void dlw_tids_add_locked(struct dlw_thread *thread, struct dlw_thread *first)
{
    struct tid_table *table = atomic_load_explicit(&tids, memory_order_relaxed);

    if (!table || table->used * 2 > table->mask)
        dlw_tids_rebuild_locked(first); /* puts `thread` too: it is in the list */
    else
        tids_put(table, thread);
}

/* Tombstones that no probe needs to get past any more are cleared, so that threads which come and
 * go never fill the table. */
static void tids_clear_locked(struct tid_table *table, uint32_t i)
{
    if (tids_at(table, i + 1))
        return;
    for (; tids_at(table, i) == &tombstone; i--) {
        tids_set(table, i, NULL);
        table->used--;
    }
}

void dlw_tids_remove_locked(const struct dlw_thread *thread)
{
    struct tid_table *table = atomic_load_explicit(&tids, memory_order_relaxed);
    uint32_t i = hash_tid(atomic_load_explicit(&thread->tid, memory_order_relaxed));

    for (; table && tids_at(table, i); i++) {
        if (tids_at(table, i) != thread)
            continue;
        tids_set(table, i, &tombstone);
        tids_clear_locked(table, i);
        return;
    }
}
