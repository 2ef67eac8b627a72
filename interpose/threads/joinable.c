#include "interpose/threads/joinable.h"

#include "graph/base/arena.h"
#include "graph/base/lock.h"
#include "graph/base/sys.h"
#include "interpose/base/state.h"

#include <string.h>

/* The keys are thread handles, which are page-aligned addresses. */
#define HASH_FUNCTION(key, bytes, hash) ((hash) = hash_handle(key))
#define HASH_KEYCMP(a, b, bytes) (*(const pthread_t *)(a) != *(const pthread_t *)(b))
static unsigned hash_handle(const void *key)
{
    return (unsigned)(*(const pthread_t *)key * DLW_GOLDEN >> 32);
}
#include "interpose/base/table.h"

/* A thread that somebody may still join, kept over its end until then. */
struct joinable {
    UT_hash_handle hh;
    pthread_t handle;
    uint32_t tid;           /* 0 once it has ended, and before it has noted itself */
    bool is_cancelled;      /* before it had noted itself */
    struct dlw_ended ended; /* the id from the start on; the segment comes with a reference */
};

/* RANK_JOINABLES: protects the table; held for some ns, nests nothing. */
static struct dlw_lock joinables_lock = DLW_LOCK_INIT(DLW_RANK_JOINABLES);
static struct joinable *joinables;

static struct joinable *find_locked(pthread_t handle)
{
    struct joinable *found = NULL;

    HASH_FIND(hh, joinables, &handle, sizeof(handle), found);
    return found;
}

static struct joinable *entry_of_locked(pthread_t handle)
{
    struct joinable *entry = find_locked(handle);

    if (!entry && (entry = dlw_arena_alloc(&arena, sizeof(*entry))) != NULL) {
        entry->handle = handle;
        HASH_ADD(hh, joinables, handle, sizeof(entry->handle), entry);
    }
    return entry;
}

static void claim_cancel_locked(struct dlw_thread *thread, struct joinable *entry)
{
    if (entry->is_cancelled)
        atomic_store_explicit(&thread->is_cancelled, true, memory_order_relaxed);
    entry->is_cancelled = false;
}

/* An entry that is there already is of a thread that was detached or cancelled before it came to
 * note itself, or nobody joined it and its handle lives again. */
struct dlw_ended dlw_joinable_add(struct dlw_thread *thread)
{
    struct dlw_ended unclaimed = {0};

    if (!dlw_lock_acquire(&joinables_lock))
        return unclaimed;
    struct joinable *entry = entry_of_locked(thread->handle);
    if (entry) {
        claim_cancel_locked(thread, entry);
        unclaimed = entry->ended;
        entry->ended = (struct dlw_ended){.id = thread->id};
        entry->tid = atomic_load_explicit(&thread->tid, memory_order_relaxed);
    }
    dlw_lock_release(&joinables_lock);
    return unclaimed;
}

void dlw_joinable_note_cancel(pthread_t handle)
{
    if (!dlw_lock_acquire(&joinables_lock))
        return;
    struct joinable *entry = find_locked(handle) ? NULL : entry_of_locked(handle);
    if (entry)
        entry->is_cancelled = true;
    dlw_lock_release(&joinables_lock);
}

/* A detached thread has no entry but for this. */
void dlw_joinable_claim_cancel(struct dlw_thread *thread)
{
    if (!dlw_lock_acquire(&joinables_lock))
        return;
    struct joinable *entry = find_locked(thread->handle);
    if (entry && entry->is_cancelled) {
        claim_cancel_locked(thread, entry);
        HASH_DEL(joinables, entry);
        dlw_arena_free(&arena, entry, sizeof(*entry));
    }
    dlw_lock_release(&joinables_lock);
}

/* Takes the entry out: its table is the caller's to drop, its reference the caller's to give back.
 */
struct dlw_ended dlw_joinable_remove(pthread_t handle)
{
    struct dlw_ended ended = {0};

    if (!dlw_lock_acquire(&joinables_lock))
        return ended;
    struct joinable *entry = find_locked(handle);
    if (entry) {
        ended = entry->ended;
        HASH_DEL(joinables, entry);
        dlw_arena_free(&arena, entry, sizeof(*entry));
    }
    dlw_lock_release(&joinables_lock);
    return ended;
}

/* ---- what it took ---- */

void dlw_ended_drop(const struct dlw_ended *ended)
{
    if (!ended->taken || !dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return;
    for (uint32_t i = 0; i < ended->n; i++)
        dlw_life_unref(dlw_life_graph, ended->taken[i].segment);
    dlw_arena_free(&dlw_graph_arena, ended->taken, ended->room * sizeof(*ended->taken));
    dlw_lock_release(&dlw_graph_lock);
}

/* Goes to the one who joins the thread. Out of memory: nothing is known to have been taken. */
static void collect(struct dlw_thread *self, struct dlw_ended *ended)
{
    if (!dlw_thread_has_held(self) || !dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return;
    ended->room = dlw_outermost_count(self);
    if (ended->room)
        ended->taken = dlw_arena_alloc(&dlw_graph_arena, ended->room * sizeof(*ended->taken));
    if (ended->taken)
        ended->n = dlw_outermost_collect_locked(self, ended->taken);
    dlw_outermost_drop_locked(self);
    dlw_lock_release(&dlw_graph_lock);
}

static void forget(struct dlw_thread *self)
{
    if (!self->past || !dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return;
    dlw_outermost_drop_locked(self);
    dlw_lock_release(&dlw_graph_lock);
}

/* ---- the end ---- */

static bool is_awaited(pthread_t handle)
{
    if (!dlw_lock_acquire(&joinables_lock))
        return false;
    bool is = find_locked(handle) != NULL;
    dlw_lock_release(&joinables_lock);
    return is;
}

static bool leave_to_joiner(pthread_t handle, const struct dlw_ended *ended)
{
    if (!dlw_lock_acquire(&joinables_lock))
        return false;
    struct joinable *entry = find_locked(handle);
    if (entry) {
        entry->tid = 0;
        entry->ended = *ended;
    }
    dlw_lock_release(&joinables_lock);
    return entry != NULL;
}

/* It may be detached at this moment: what was collected for the joiner is dropped then. */
bool dlw_joinable_ends(struct dlw_thread *self)
{
    struct dlw_ended ended = {
        .id = self->id,
        .tid = atomic_load_explicit(&self->tid, memory_order_relaxed),
        .parent = self->parent,
        .created = self->created,
        .start = self->start,
        .segment = self->segment,
    };

    memcpy(ended.name, self->name, sizeof(self->name));
    if (!is_awaited(self->handle)) {
        forget(self);
        return false;
    }
    collect(self, &ended);
    if (leave_to_joiner(self->handle, &ended))
        return true;
    dlw_ended_drop(&ended);
    return false;
}

bool dlw_joinable_find(pthread_t handle, uint32_t *id, uint32_t *tid)
{
    if (!dlw_lock_acquire_or_skip(&joinables_lock))
        return false;
    struct joinable *entry = find_locked(handle);
    if (entry) {
        *id = entry->ended.id;
        *tid = entry->tid;
    }
    dlw_lock_release(&joinables_lock);
    return entry != NULL;
}

bool dlw_joinables_before_fork(void)
{
    return dlw_lock_acquire(&joinables_lock);
}

void dlw_joinables_after_fork(bool child)
{
    if (!child) {
        dlw_lock_release(&joinables_lock);
        return;
    }
    dlw_lock_reset(&joinables_lock);
    struct joinable *entry = find_locked(pthread_self());
    if (entry)
        entry->tid = (uint32_t)dlw_syscall(SYS_gettid);
}
