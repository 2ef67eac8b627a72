#include "interpose/order/deferred.h"

#include "interpose/base/state.h"
#include "interpose/order/doubt.h"
#include "interpose/tell/pending.h"
#include "interpose/tell/reporter.h"
#include "interpose/threads/held.h"

#include <stdatomic.h>

/* A list is its thread's. Those that the journal has stand in a list of all as well, for threads
 * that find one void; that list and `id` are guarded by the graph lock. */
struct dlw_deferred {
    struct dlw_deferred *next;
    struct dlw_deferred *next_written, **link; /* of all that the journal has */
    uint32_t id;                               /* 0: the journal does not have it, or has it void */
    /* tags of semaphores that the asking thread must still post itself; 0: none, or posted */
    uint64_t semaphores[2];
    struct dlw_pending pending;
};

static struct dlw_deferred *written;
/* How many. Seq_cst: whoever posts for another reads it, and need not take the lock at 0. */
static _Atomic uint32_t n_written;

static uintptr_t semaphore_locked(uint64_t tag)
{
    struct dlw_lock_facts facts;

    return dlw_lock_facts_locked(tag, &facts) && facts.kind == DLW_LOCK_SEMAPHORE ? facts.address
                                                                                  : 0;
}

static const struct dlw_cycle_entry *entry_of(const struct dlw_finding *finding, uint32_t thread)
{
    for (uint32_t i = 0; i < finding->n_cycle; i++)
        if (finding->cycle[i].thread == thread)
            return &finding->cycle[i];
    return NULL;
}

static void enter_locked(struct dlw_deferred *withheld, uint32_t id)
{
    withheld->id = id;
    withheld->next_written = written;
    withheld->link = &written;
    if (written)
        written->link = &withheld->next_written;
    written = withheld;
    atomic_fetch_add(&n_written, 1);
}

/* Returns the number under which the journal has it, 0: it has not. */
static uint32_t leave_locked(struct dlw_deferred *withheld)
{
    uint32_t id = withheld->id;

    if (!id)
        return 0;
    withheld->id = 0;
    atomic_fetch_sub(&n_written, 1);
    *withheld->link = withheld->next_written;
    if (withheld->next_written)
        withheld->next_written->link = withheld->link;
    return id;
}

bool dlw_deferred_takes_locked(struct dlw_thread *self, const struct dlw_finding *finding,
                               struct dlw_pending *pending)
{
    const struct dlw_cycle_entry *entry = entry_of(finding, self->id);
    uint64_t holds = entry && semaphore_locked(entry->holds.lock) ? entry->holds.lock : 0;
    uint64_t wants = entry && semaphore_locked(entry->wants.lock) ? entry->wants.lock : 0;

    if (!holds && !wants)
        return false;
    struct dlw_deferred *withheld = dlw_arena_alloc(&dlw_graph_arena, sizeof(*withheld));
    if (!withheld)
        return false;
    *withheld = (struct dlw_deferred){.next = self->withheld,
                                      .semaphores = {holds, wants},
                                      .pending = DLW_PENDING_INIT(withheld->pending)};
    dlw_pending_finding_locked(&withheld->pending, finding);
    uint32_t id = dlw_report_new_id();
    if (id) {
        enter_locked(withheld, id);
        dlw_pending_withheld_locked(pending, finding, id);
    }
    self->withheld = withheld;
    return true;
}

enum state { RIPE, OPEN, VOID, N_STATES };

static bool is_alive_locked(const struct dlw_deferred *withheld)
{
    const struct dlw_pending_item *item = withheld->pending.first;

    for (uint32_t i = 0; item && i < item->finding.n_cycle; i++)
        if (!dlw_lock_lives_locked(item->finding.cycle[i].holds.lock))
            return false;
    return item != NULL;
}

static enum state review_locked(struct dlw_thread *self, struct dlw_deferred *withheld,
                                const sem_t *posted)
{
    enum state state = RIPE;

    if (!is_alive_locked(withheld))
        return VOID;
    for (unsigned i = 0; i < 2; i++) {
        uintptr_t semaphore =
            withheld->semaphores[i] ? semaphore_locked(withheld->semaphores[i]) : 0;
        if (semaphore == (uintptr_t)posted)
            withheld->semaphores[i] = 0;
        else if (semaphore && dlw_held_find(self, (const void *)semaphore) < 0) /* NOLINT */
            return VOID; /* the unit was given up, or the wait for it ran out */
        if (withheld->semaphores[i])
            state = OPEN;
    }
    return state;
}

/* What the semaphores are may have shown meanwhile. */
static void doubt_again_locked(const struct dlw_thread *self, struct dlw_deferred *ripe)
{
    for (; ripe; ripe = ripe->next)
        if (ripe->pending.first && ripe->pending.first->finding.doubt != DLW_DOUBT_SCOPE)
            ripe->pending.first->finding.doubt =
                (uint8_t)dlw_doubt_of_locked(self, &ripe->pending.first->finding);
}

static void put(struct dlw_deferred **list, struct dlw_deferred *withheld)
{
    withheld->next = *list;
    *list = withheld;
}

static void free_all(struct dlw_deferred *list)
{
    while (list) {
        struct dlw_deferred *next = list->next;
        dlw_pending_free(&list->pending);
        if (dlw_lock_acquire(&dlw_graph_lock)) {
            uint32_t id = leave_locked(list);
            dlw_arena_free(&dlw_graph_arena, list, sizeof(*list));
            dlw_lock_release(&dlw_graph_lock);
            if (id)
                dlw_report_void(id);
        }
        list = next;
    }
}

static bool concerns_locked(const struct dlw_deferred *withheld, uintptr_t semaphore)
{
    const struct dlw_pending_item *item = withheld->pending.first;

    for (uint32_t i = 0; item && i < item->finding.n_cycle; i++)
        if (semaphore_locked(item->finding.cycle[i].holds.lock) == semaphore)
            return true;
    return false;
}

/* One of those with this semaphore, taken from the list; 0: there is none. */
static uint32_t take_concerned(uintptr_t semaphore)
{
    uint32_t id = 0;

    if (!dlw_lock_acquire(&dlw_graph_lock))
        return 0;
    for (struct dlw_deferred *at = written; at && !id; at = at->next_written)
        if (concerns_locked(at, semaphore)) {
            id = leave_locked(at);
            break;
        }
    dlw_lock_release(&dlw_graph_lock);
    return id;
}

void dlw_deferred_loses(const sem_t *semaphore)
{
    uint32_t id;

    while (atomic_load(&n_written) && (id = take_concerned((uintptr_t)semaphore)) != 0)
        dlw_report_void(id);
}

void dlw_deferred_gave_up(struct dlw_thread *self, const sem_t *semaphore)
{
    struct dlw_deferred *lists[2] = {NULL};

    if (!dlw_lock_acquire(&dlw_graph_lock))
        return;
    for (struct dlw_deferred *at = self->withheld, *next; at; at = next) {
        next = at->next;
        put(&lists[at->semaphores[1] &&
                   semaphore_locked(at->semaphores[1]) == (uintptr_t)semaphore],
            at);
    }
    dlw_lock_release(&dlw_graph_lock);
    self->withheld = lists[0];
    free_all(lists[1]);
}

void dlw_deferred_after_fork(void)
{
    while (written)
        leave_locked(written);
}

struct dlw_deferred *dlw_deferred_posts(struct dlw_thread *self, const sem_t *semaphore)
{
    struct dlw_deferred *lists[N_STATES] = {NULL};
    struct dlw_deferred *withheld = self->withheld;

    if (!dlw_lock_acquire(&dlw_graph_lock))
        return NULL;
    while (withheld) {
        struct dlw_deferred *next = withheld->next;
        put(&lists[review_locked(self, withheld, semaphore)], withheld);
        withheld = next;
    }
    doubt_again_locked(self, lists[RIPE]);
    dlw_lock_release(&dlw_graph_lock);
    self->withheld = lists[OPEN];
    free_all(lists[VOID]);
    return lists[RIPE];
}

/* Reporting takes everything out of the news. */
void dlw_deferred_tell(struct dlw_thread *self, struct dlw_deferred *ripe)
{
    for (struct dlw_deferred *at = ripe; at; at = at->next) {
        dlw_report_pending(self, &at->pending);
        at->pending = (struct dlw_pending)DLW_PENDING_INIT(at->pending);
    }
    free_all(ripe);
}

void dlw_deferred_drop_all(struct dlw_thread *self)
{
    struct dlw_deferred *list = self->withheld;

    self->withheld = NULL;
    free_all(list);
}
