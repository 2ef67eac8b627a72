#include "graph/waits.h"

#include "graph/base/array.h"

#include <string.h>

enum { FEWEST_OWNERS = 16 };

enum model { MODEL_RUNNING, MODEL_AND, MODEL_OR };

/* A system call may be woken from anywhere, so whoever is in one counts as running. */
static enum model model_of(const struct dlw_wait *wait)
{
    if (wait->timed)
        return MODEL_RUNNING;
    switch (wait->kind) {
    case DLW_WAIT_LOCK:
    case DLW_WAIT_JOIN:
    case DLW_WAIT_ONCE:
    case DLW_WAIT_GUARD:
    case DLW_WAIT_SPIN:
    case DLW_WAIT_FILE:
    case DLW_WAIT_GIL:
        return MODEL_AND;
    case DLW_WAIT_CONDITION:
    case DLW_WAIT_SEMAPHORE:
    case DLW_WAIT_BARRIER:
    case DLW_WAIT_DESTROY:
        return MODEL_OR;
    default:
        return MODEL_RUNNING;
    }
}

/* The owners of one wait; the array grows until they all fit. */
struct owners {
    struct dlw_owner *list;
    uint32_t room;
};

/* How many there are, negative when that can't be known. */
static int read_owners(const struct dlw_live_view *world, struct dlw_arena *scratch,
                       uint32_t thread, const struct dlw_wait *wait, struct owners *owners)
{
    if (!dlw_array_fit(scratch, owners->list, owners->room, FEWEST_OWNERS))
        return -1;
    for (;;) {
        int n = world->owners_of(world->context, thread, wait, owners->list, owners->room);
        if (n < 0 || (uint32_t)n < owners->room)
            return n;
        if (!dlw_array_fit(scratch, owners->list, owners->room, owners->room + 1))
            return -1;
    }
}

static void owners_free(struct dlw_arena *scratch, struct owners *owners)
{
    dlw_array_release(scratch, owners->list, owners->room, sizeof(*owners->list));
}

static bool is_same_wait(const struct dlw_wait *a, const struct dlw_wait *b)
{
    return a->sequence == b->sequence && a->on == b->on && a->kind == b->kind &&
           a->mode == b->mode && a->timed == b->timed;
}

static bool is_same_owner(const struct dlw_owner *a, const struct dlw_owner *b)
{
    return a->thread == b->thread && a->mode == b->mode && a->ahead == b->ahead;
}

/* Cycles. */

/* A thread that the search has met, and how it got there. */
struct met {
    uint32_t thread;
    uint32_t parent;        /* index of the waiter it keeps waiting */
    struct dlw_owner owner; /* as what */
    struct dlw_wait wait;
};

struct hunt {
    const struct dlw_live_view *world;
    struct dlw_arena *scratch;
    struct met *met;
    uint32_t n, room;
    uint32_t *table; /* open addressing: index + 1 */
    uint32_t table_room;
    struct owners owners;
};

static uint32_t *slot_of(const struct hunt *hunt, uint32_t thread)
{
    uint32_t at = thread * 2654435761U;

    while (hunt->table[at & (hunt->table_room - 1)] &&
           hunt->met[hunt->table[at & (hunt->table_room - 1)] - 1].thread != thread)
        at++;
    return &hunt->table[at & (hunt->table_room - 1)];
}

static bool grow_table(struct hunt *hunt)
{
    uint32_t room = hunt->table_room ? hunt->table_room * 2 : 64;
    uint32_t *table = dlw_arena_alloc(hunt->scratch, room * sizeof(*table));

    if (!table)
        return false;
    dlw_array_release(hunt->scratch, hunt->table, hunt->table_room, sizeof(*table));
    hunt->table = table;
    hunt->table_room = room;
    for (uint32_t i = 0; i < hunt->n; i++)
        *slot_of(hunt, hunt->met[i].thread) = i + 1;
    return true;
}

/* Once for each thread. */
static bool meet(struct hunt *hunt, uint32_t thread, uint32_t parent, const struct dlw_owner *owner)
{
    if (hunt->n * 2 >= hunt->table_room && !grow_table(hunt))
        return false;
    uint32_t *slot = slot_of(hunt, thread);
    if (*slot)
        return true;
    if (!dlw_array_fit(hunt->scratch, hunt->met, hunt->room, hunt->n + 1))
        return false;
    hunt->met[hunt->n] = (struct met){.thread = thread, .parent = parent, .owner = *owner};
    *slot = ++hunt->n;
    return true;
}

/* The steps from `start` to the waiter at `index`, which waits for `last`. */
static bool collect(const struct hunt *hunt, uint32_t index, const struct dlw_owner *last,
                    struct dlw_wait_cycle *out)
{
    uint32_t length = 1;
    struct dlw_owner owner = *last;

    for (uint32_t i = index; i; i = hunt->met[i].parent)
        length++;
    *out = (struct dlw_wait_cycle){NULL, length, length};
    out->steps = dlw_arena_alloc(hunt->scratch, length * sizeof(*out->steps));
    if (!out->steps)
        return false;
    for (uint32_t i = index; length-- > 0; i = hunt->met[i].parent) {
        const struct met *met = &hunt->met[i];
        out->steps[length] = (struct dlw_wait_step){met->thread, met->wait, owner};
        owner = met->owner;
    }
    return true;
}

static bool closes(const struct dlw_owner *owner, uint32_t index, uint32_t start)
{
    return owner->thread == start || (owner->thread == 0 && index == 0);
}

/* Asks who keeps the thread at `index` waiting. True when that closes a cycle. */
static bool expand(struct hunt *hunt, uint32_t index, uint32_t start, struct dlw_wait_cycle *out)
{
    const struct dlw_live_view *world = hunt->world;
    struct met *met = &hunt->met[index];

    if (!world->wait_of(world->context, met->thread, &met->wait) ||
        model_of(&met->wait) != MODEL_AND)
        return false;
    int n = read_owners(world, hunt->scratch, met->thread, &met->wait, &hunt->owners);
    for (int i = 0; i < n; i++) {
        const struct dlw_owner *owner = &hunt->owners.list[i];
        if (closes(owner, index, start))
            return collect(hunt, index, owner, out);
        if (owner->thread && !meet(hunt, owner->thread, index, owner))
            return false;
    }
    return false;
}

static bool hunt_from(struct hunt *hunt, uint32_t start, struct dlw_wait_cycle *out)
{
    const struct dlw_owner nobody = {0, 0, false};

    if (!meet(hunt, start, 0, &nobody))
        return false;
    for (uint32_t i = 0; i < hunt->n; i++) {
        if (expand(hunt, i, start, out))
            return true;
    }
    return false;
}

static bool still_owns(const struct owners *owners, int n, const struct dlw_owner *owner)
{
    for (int i = 0; i < n; i++) {
        if (is_same_owner(&owners->list[i], owner))
            return true;
    }
    return false;
}

/* Reads everything once more. All first reads came before all of these, so what reads the same
 * stood still at one moment together. */
static bool verify_cycle(struct hunt *hunt, const struct dlw_wait_cycle *cycle)
{
    const struct dlw_live_view *world = hunt->world;

    for (uint32_t i = 0; i < cycle->length; i++) {
        const struct dlw_wait_step *step = &cycle->steps[i];
        struct dlw_wait wait;
        int n = read_owners(world, hunt->scratch, step->thread, &step->wait, &hunt->owners);
        if (!still_owns(&hunt->owners, n, &step->owner))
            return false;
        if (!world->wait_of(world->context, step->thread, &wait) ||
            !is_same_wait(&wait, &step->wait))
            return false;
    }
    return true;
}

bool dlw_waits_find_cycle(const struct dlw_live_view *world, struct dlw_arena *scratch,
                          uint32_t start, struct dlw_wait_cycle *out)
{
    struct hunt hunt = {.world = world, .scratch = scratch};

    *out = (struct dlw_wait_cycle){NULL, 0, 0};
    bool found = hunt_from(&hunt, start, out) && verify_cycle(&hunt, out);
    if (!found)
        dlw_wait_cycle_free(scratch, out);
    dlw_array_release(scratch, hunt.met, hunt.room, sizeof(*hunt.met));
    dlw_array_release(scratch, hunt.table, hunt.table_room, sizeof(*hunt.table));
    owners_free(scratch, &hunt.owners);
    return found;
}

void dlw_wait_cycle_free(struct dlw_arena *scratch, struct dlw_wait_cycle *cycle)
{
    dlw_arena_free(scratch, cycle->steps, cycle->room * sizeof(*cycle->steps));
    *cycle = (struct dlw_wait_cycle){NULL, 0, 0};
}

/* Reduction. */

struct suspect {
    uint32_t thread;
    bool is_dead; /* so far */
    enum model model;
    struct dlw_wait wait;
    uint32_t first_owner, n_owners; /* in the snapshot's list */
};

struct snapshot {
    const struct dlw_live_view *world;
    struct dlw_arena *scratch;
    struct suspect *suspects;
    uint32_t n, room;
    struct dlw_owner *owners;
    uint32_t n_owners, owners_room;
    struct owners reading;
};

static void snapshot_free(struct snapshot *shot)
{
    dlw_array_release(shot->scratch, shot->suspects, shot->room, sizeof(*shot->suspects));
    dlw_array_release(shot->scratch, shot->owners, shot->owners_room, sizeof(*shot->owners));
    owners_free(shot->scratch, &shot->reading);
}

static bool read_suspect(struct snapshot *shot, struct suspect *suspect)
{
    const struct dlw_live_view *world = shot->world;

    if (!world->wait_of(world->context, suspect->thread, &suspect->wait))
        return false;
    suspect->model = model_of(&suspect->wait);
    suspect->is_dead = suspect->model != MODEL_RUNNING;
    suspect->first_owner = shot->n_owners;
    suspect->n_owners = 0;
    if (suspect->model != MODEL_AND)
        return true;
    int n = read_owners(world, shot->scratch, suspect->thread, &suspect->wait, &shot->reading);
    if (n <= 0)
        return n == 0;
    suspect->n_owners = (uint32_t)n;
    if (!dlw_array_fit(shot->scratch, shot->owners, shot->owners_room,
                       shot->n_owners + suspect->n_owners))
        return false;
    memcpy(shot->owners + shot->n_owners, shot->reading.list,
           suspect->n_owners * sizeof(*shot->owners));
    shot->n_owners += suspect->n_owners;
    return true;
}

/* Sorted, for lookup by bisection. */
static void sift(struct suspect *heap, uint32_t i, uint32_t n)
{
    for (uint32_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && heap[child + 1].thread > heap[child].thread)
            child++;
        if (heap[i].thread >= heap[child].thread)
            return;
        struct suspect swap = heap[i];
        heap[i] = heap[child];
        heap[child] = swap;
    }
}

static void sort_suspects(struct suspect *list, uint32_t n)
{
    for (uint32_t i = n / 2; i-- > 0;)
        sift(list, i, n);
    while (n > 1) {
        struct suspect swap = list[--n];
        list[n] = list[0];
        list[0] = swap;
        sift(list, 0, n);
    }
}

static bool read_threads(struct snapshot *shot)
{
    uint32_t room = 64;

    for (;; room *= 2) {
        uint32_t *ids = dlw_arena_alloc(shot->scratch, room * sizeof(*ids));
        if (!ids)
            return false;
        int n = shot->world->threads(shot->world->context, ids, room);
        bool fits = n >= 0 && (uint32_t)n < room;
        bool ok = fits && dlw_array_fit(shot->scratch, shot->suspects, shot->room, (uint32_t)n + 1);
        for (int i = 0; ok && i < n; i++)
            shot->suspects[i].thread = ids[i];
        dlw_array_release(shot->scratch, ids, room, sizeof(*ids));
        shot->n = ok ? (uint32_t)n : 0;
        if (ok || n < 0 || fits)
            return ok;
    }
}

static bool take(struct snapshot *shot)
{
    if (!read_threads(shot))
        return false;
    sort_suspects(shot->suspects, shot->n);
    for (uint32_t i = 0; i < shot->n; i++) {
        if (!read_suspect(shot, &shot->suspects[i]))
            return false;
    }
    return true;
}

static const struct suspect *find_suspect(const struct snapshot *shot, uint32_t thread)
{
    uint32_t low = 0;
    uint32_t high = shot->n;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (shot->suspects[mid].thread < thread)
            low = mid + 1;
        else
            high = mid;
    }
    return low < shot->n && shot->suspects[low].thread == thread ? &shot->suspects[low] : NULL;
}

/* One holder that can't go on is enough; one that no longer exists can't. */
static bool has_dead_owner(const struct snapshot *shot, const struct suspect *suspect)
{
    for (uint32_t i = 0; i < suspect->n_owners; i++) {
        uint32_t thread = shot->owners[suspect->first_owner + i].thread; /* NOLINT: n of them */
        const struct suspect *owner = thread ? find_suspect(shot, thread) : NULL;
        if (thread == 0 || (owner && owner->is_dead))
            return true;
    }
    return false;
}

static bool has_living_waker(const struct snapshot *shot, const struct suspect *suspect)
{
    const struct dlw_live_view *world = shot->world;

    for (uint32_t i = 0; i < shot->n; i++) {
        const struct suspect *other = &shot->suspects[i];
        if (!other->is_dead && (!world->could_wake ||
                                world->could_wake(world->context, other->thread, &suspect->wait)))
            return true;
    }
    return false;
}

/* Strikes out who can go on until nobody more can: what is left is the greatest fixed point. */
static void strike_out(struct snapshot *shot)
{
    bool changed;

    do {
        changed = false;
        for (uint32_t i = 0; i < shot->n; i++) {
            struct suspect *suspect = &shot->suspects[i];
            if (!suspect->is_dead)
                continue;
            suspect->is_dead = suspect->model == MODEL_AND ? has_dead_owner(shot, suspect)
                                                           : !has_living_waker(shot, suspect);
            changed |= !suspect->is_dead;
        }
    } while (changed);
}

static bool is_unchanged(const struct snapshot *a, const struct snapshot *b)
{
    if (a->n != b->n || a->n_owners != b->n_owners)
        return false;
    for (uint32_t i = 0; i < a->n; i++) {
        if (a->suspects[i].thread != b->suspects[i].thread ||
            !is_same_wait(&a->suspects[i].wait, &b->suspects[i].wait))
            return false;
    }
    for (uint32_t i = 0; i < a->n_owners; i++) {
        if (!is_same_owner(&a->owners[i], &b->owners[i]))
            return false;
    }
    return true;
}

static int write_dead(const struct snapshot *shot, uint32_t *out, uint32_t room)
{
    int n = 0;

    for (uint32_t i = 0; i < shot->n; i++) {
        if (!shot->suspects[i].is_dead)
            continue;
        if ((uint32_t)n < room)
            out[n] = shot->suspects[i].thread;
        n++;
    }
    return n;
}

int dlw_waits_reduce(const struct dlw_live_view *world, struct dlw_arena *scratch, uint32_t *out,
                     uint32_t room)
{
    struct snapshot first = {.world = world, .scratch = scratch};
    struct snapshot second = {.world = world, .scratch = scratch};
    int n = -1;

    if (take(&first)) {
        strike_out(&first);
        n = write_dead(&first, out, room);
        if (n > 0 && (!take(&second) || !is_unchanged(&first, &second)))
            n = -1;
    }
    snapshot_free(&first);
    snapshot_free(&second);
    return n;
}
