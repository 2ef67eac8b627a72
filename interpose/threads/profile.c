#include "interpose/threads/profile.h"

#include "graph/base/arena.h"

#include <stdatomic.h>

enum { FIRST_ROOM = 64, MOST_ROOM = 16384, SAMPLED = 128 };

/* One table; grown ones keep those before them until the thread ends, since others may read them.
 */
struct table {
    struct table *before;
    uint32_t room, n; /* room: a power of two */
    struct dlw_profile_entry entries[];
};

struct dlw_profile {
    struct table *_Atomic table;
    bool is_busy; /* a handler has come in between */
    uint32_t random;
    uint64_t lost;
    struct {
        const struct dlw_held_lock *held; /* NULL: none */
        uintptr_t lock, pc;
        uint64_t takings, began;
    } sample;
};

static struct dlw_lock profile_lock = DLW_LOCK_INIT(DLW_RANK_PROFILE);
static struct dlw_profile all; /* of ended threads; under the lock */

static void *map(size_t size)
{
    return atomic_load_explicit(&dlw_confined, memory_order_relaxed) ? NULL : dlw_pages_map(size);
}

static size_t size_of(uint32_t room)
{
    return sizeof(struct table) + room * sizeof(struct dlw_profile_entry);
}

static void unmap_tables(struct table *table)
{
    while (table) {
        struct table *before = table->before;
        dlw_pages_unmap(table, size_of(table->room));
        table = before;
    }
}

static uint32_t place_of(const struct table *table, uintptr_t lock, uintptr_t pc)
{
    uint64_t x = (lock ^ (uint64_t)pc << 17) * DLW_GOLDEN;

    return (uint32_t)(x >> 40) & (table->room - 1);
}

static struct dlw_profile_entry *find(struct table *table, uintptr_t lock, uintptr_t pc)
{
    for (uint32_t i = place_of(table, lock, pc);; i = (i + 1) & (table->room - 1)) {
        struct dlw_profile_entry *entry = &table->entries[i];
        uintptr_t there = atomic_load_explicit(&entry->lock, memory_order_relaxed);
        if (!there || (there == lock && entry->pc[0] == pc))
            return entry;
    }
}

/* The rows are elsewhere from now on, or are no more. */
static void forget_rows(struct dlw_thread *self)
{
    static struct dlw_profile_entry none; /* never counted in, as it is of no place */

    for (uint32_t i = 0; i < self->room; i++)
        dlw_held_at(self, i)->counted = &none;
}

static struct table *grow(struct dlw_profile *profile, struct table *old)
{
    uint32_t room = old ? 4 * old->room : FIRST_ROOM;
    struct table *table = room <= MOST_ROOM ? map(size_of(room)) : NULL;

    if (!table)
        return NULL;
    table->room = room;
    table->before = old;
    for (uint32_t i = 0; old && i < old->room; i++) {
        uintptr_t lock = atomic_load_explicit(&old->entries[i].lock, memory_order_relaxed);
        if (!lock)
            continue;
        *find(table, lock, old->entries[i].pc[0]) = old->entries[i]; /* its counts go on there */
        table->n++;
    }
    /* Release: pairs with the load of who adds up living threads. */
    atomic_store_explicit(&profile->table, table, memory_order_release);
    if (profile != &all)
        forget_rows(dlw_self);
    return table;
}

/* NULL: no room, which is counted. */
static struct dlw_profile_entry *entry_of(struct dlw_profile *profile, uintptr_t lock, uintptr_t pc,
                                          uint8_t kind)
{
    struct table *table = atomic_load_explicit(&profile->table, memory_order_relaxed);

    if (!table && !(table = grow(profile, NULL)))
        return NULL;
    struct dlw_profile_entry *entry = find(table, lock, pc);
    if (__builtin_expect(atomic_load_explicit(&entry->lock, memory_order_relaxed) != 0, 1))
        return entry;
    if (table->n >= table->room / 4 * 3) {
        if (!(table = grow(profile, table))) {
            profile->lost++;
            return NULL;
        }
        entry = find(table, lock, pc);
    }
    table->n++;
    entry->pc[0] = pc;
    entry->n = 1;
    entry->kind = kind;
    /* Release: whoever reads the lock sees the rest. */
    atomic_store_explicit(&entry->lock, lock, memory_order_release);
    return entry;
}

static struct dlw_profile *profile_of(struct dlw_thread *self)
{
    if (self->profile || self == &dlw_nobody)
        return self->profile;
    struct dlw_profile *profile = map(sizeof(*profile));
    if (profile) {
        profile->random = self->id * 2654435761U | 1;
        forget_rows(self); /* of the record's thread before */
        atomic_signal_fence(memory_order_seq_cst);
        self->until_timed = 1; /* rare takings are of interest too */
        self->profile = profile;
    }
    return profile;
}

static bool begin(struct dlw_profile *profile)
{
    if (!profile || profile->is_busy)
        return false;
    profile->is_busy = true;
    atomic_signal_fence(memory_order_seq_cst);
    return true;
}

static void end(struct dlw_profile *profile)
{
    atomic_signal_fence(memory_order_seq_cst);
    profile->is_busy = false;
}

/* Not every so many: a program that takes its locks in turn would show the same one always. */
static uint32_t next_sample(struct dlw_profile *profile)
{
    profile->random ^= profile->random << 13;
    profile->random ^= profile->random >> 17;
    profile->random ^= profile->random << 5;
    return SAMPLED / 2 + profile->random % SAMPLED;
}

static void begin_sample(struct dlw_thread *self, const struct dlw_profile_entry *row,
                         struct dlw_held_lock *held)
{
    struct dlw_profile *profile = self->profile;

    if (!dlw_held_note_further(self, held))
        return;
    profile->sample.held = held;
    profile->sample.lock = atomic_load_explicit(&held->lock, memory_order_relaxed);
    profile->sample.pc = held->pc[0];
    profile->sample.takings = row->takings;
    profile->sample.began = dlw_now();
}

static void count(struct dlw_thread *self, struct dlw_held_lock *held,
                  struct dlw_profile_entry *row, struct dlw_profile_place place)
{
    row->takings++;
    row->plain_pc = place.is_plain ? held->pc[0] : 0;
    row->helper = place.helper ? *place.helper : (struct dlw_rule){.base = DLW_RULE_NONE};
    row->as_of = place.as_of;
    held->counted = row;
    if (self->until_timed > 1) {
        self->until_timed--;
        return;
    }
    self->until_timed = next_sample(self->profile);
    begin_sample(self, row, held);
}

struct dlw_profile_entry *dlw_profile_row(struct dlw_thread *self, const struct dlw_held_lock *held)
{
    struct table *table;

    if (!self->profile ||
        !(table = atomic_load_explicit(&self->profile->table, memory_order_relaxed)))
        return NULL;
    if (held->counted->pc[0] == held->pc[0] && dlw_profile_is_of(held->counted, held))
        return held->counted;
    struct dlw_profile_entry *row =
        find(table, atomic_load_explicit(&held->lock, memory_order_relaxed), held->pc[0]);
    return row->takings ? row : NULL; /* one that was only waited for has no callers yet */
}

void dlw_profile_count(struct dlw_thread *self, struct dlw_held_lock *held,
                       struct dlw_profile_entry *row, struct dlw_profile_place place)
{
    if (!begin(self->profile))
        return;
    count(self, held, row, place);
    end(self->profile);
}

void dlw_profile_taken(struct dlw_thread *self, struct dlw_held_lock *held,
                       struct dlw_profile_place place)
{
    struct dlw_profile *profile = profile_of(self);
    uintptr_t lock = atomic_load_explicit(&held->lock, memory_order_relaxed);

    if (!begin(profile))
        return;
    struct dlw_profile_entry *row = entry_of(profile, lock, held->pc[0], held->kind);
    if (row) {
        /* Of a line of Python the callers are no addresses, and its hold is not timed. */
        bool has_line = dlw_held_has_line(held);
        if (!row->takings && !has_line)
            for (row->n = 0; row->n < held->levels && row->n < DLW_PROFILE_LEVELS; row->n++)
                row->pc[row->n] = held->pc[row->n];
        self->until_timed += has_line;
        count(self, held, row, place);
    }
    end(profile);
}

bool dlw_profile_let_go(struct dlw_thread *self, const struct dlw_held_lock *held)
{
    struct dlw_profile *profile = self->profile;
    uintptr_t lock = atomic_load_explicit(&held->lock, memory_order_relaxed);

    if (!profile || profile->sample.held != held || profile->sample.lock != lock ||
        profile->sample.pc != held->pc[0] || !begin(profile))
        return false;
    uint64_t ns = dlw_now() - profile->sample.began;
    struct dlw_profile_entry *entry = dlw_profile_row(self, held);
    bool is_it = entry && entry->takings == profile->sample.takings;
    if (is_it) {
        entry->holds++;
        entry->hold_ns += ns;
        entry->hold_longest_ns = ns > entry->hold_longest_ns ? ns : entry->hold_longest_ns;
    }
    profile->sample.held = NULL;
    end(profile);
    return is_it;
}

struct dlw_profile_holder dlw_profile_holder_of(uint32_t tid, uintptr_t lock)
{
    struct dlw_profile_holder holder = {0};
    struct dlw_thread *thread = tid ? dlw_thread_by_tid(tid) : NULL;
    /* The holder may let go at any moment: what is read is a hint, from memory that stays. */
    uint32_t depth = thread ? dlw_held_depth(thread) : 0;

    while (depth-- > 0) {
        const struct dlw_held_lock *held = dlw_held_at(thread, depth);
        if (!dlw_held_is_of(held, (const void *)lock)) /* NOLINT(performance-no-int-to-ptr) */
            continue;
        holder.pc = held->pc[0];
        for (unsigned i = 0; i + 1 < sizeof(holder.name) && thread->name[i]; i++)
            holder.name[i] = thread->name[i];
        break;
    }
    return holder;
}

void dlw_profile_waited(struct dlw_thread *self, uintptr_t lock, uint8_t kind, uintptr_t pc,
                        uint64_t ns, struct dlw_profile_holder holder)
{
    struct dlw_profile *profile = profile_of(self);

    if (!begin(profile))
        return;
    struct dlw_profile_entry *entry = entry_of(profile, lock, pc, kind);
    if (entry) {
        entry->contended++;
        entry->wait_ns += ns;
        if (ns >= entry->wait_longest_ns) {
            entry->wait_longest_ns = ns;
            entry->holder_pc = holder.pc;
            __builtin_memcpy(entry->holder, holder.name, sizeof(entry->holder));
        }
    }
    if (holder.pc && (entry = entry_of(profile, lock, holder.pc, kind))) {
        entry->blocked++;
        entry->blocked_ns += ns;
    }
    end(profile);
}

/* ---- all threads ---- */

static void add_entry(const struct dlw_profile_entry *from)
{
    uintptr_t lock = atomic_load_explicit(&from->lock, memory_order_acquire);
    struct dlw_profile_entry *to = lock ? entry_of(&all, lock, from->pc[0], from->kind) : NULL;

    if (!to)
        return;
    if (from->n > to->n) {
        to->n = from->n;
        __builtin_memcpy(to->pc, from->pc, sizeof(to->pc));
    }
    to->takings += from->takings;
    to->contended += from->contended;
    to->wait_ns += from->wait_ns;
    if (from->wait_longest_ns >= to->wait_longest_ns && from->contended) {
        to->wait_longest_ns = from->wait_longest_ns;
        to->holder_pc = from->holder_pc;
        __builtin_memcpy(to->holder, from->holder, sizeof(to->holder));
    }
    to->holds += from->holds;
    to->hold_ns += from->hold_ns;
    if (from->hold_longest_ns > to->hold_longest_ns)
        to->hold_longest_ns = from->hold_longest_ns;
    to->blocked += from->blocked;
    to->blocked_ns += from->blocked_ns;
}

static void add_locked(struct dlw_profile *profile)
{
    struct table *table = atomic_load_explicit(&profile->table, memory_order_acquire);

    all.lost += profile->lost;
    for (uint32_t i = 0; table && i < table->room; i++)
        add_entry(&table->entries[i]);
}

void dlw_profile_ends(struct dlw_thread *self)
{
    struct dlw_profile *profile = self->profile;

    self->profile = NULL;
    self->until_timed = 0;
    if (!profile || !dlw_lock_acquire_or_skip(&profile_lock))
        return;
    add_locked(profile);
    dlw_lock_release(&profile_lock);
    unmap_tables(atomic_load_explicit(&profile->table, memory_order_relaxed));
    dlw_pages_unmap(profile, sizeof(*profile));
}

/* A living thread counts on: what is read may be one behind. */
static bool add_living(void *context, struct dlw_thread *thread)
{
    struct dlw_profile *profile = thread->profile;

    (void)context;
    if (profile)
        add_locked(profile);
    return true;
}

/* The lock of the threads first, as their ends take ours alone. */
static bool add_all(void *context, struct dlw_thread *thread)
{
    bool *is_done = context;

    if (!*is_done && !(*is_done = dlw_lock_acquire_or_skip(&profile_lock) != 0))
        return false;
    return add_living(NULL, thread);
}

void dlw_profile_each(void (*visit)(const struct dlw_profile_entry *entry))
{
    bool is_locked = false;

    dlw_threads_each(add_all, &is_locked);
    if (!is_locked)
        return;
    struct table *table = atomic_load_explicit(&all.table, memory_order_relaxed);
    for (uint32_t i = 0; table && i < table->room; i++)
        if (atomic_load_explicit(&table->entries[i].lock, memory_order_relaxed))
            visit(&table->entries[i]);
    dlw_lock_release(&profile_lock);
}

uint64_t dlw_profile_lost(void)
{
    return all.lost;
}

bool dlw_profile_before_fork(void)
{
    return dlw_lock_acquire(&profile_lock);
}

void dlw_profile_after_fork(bool child)
{
    if (!child) {
        dlw_lock_release(&profile_lock);
        return;
    }
    dlw_lock_reset(&profile_lock);
    unmap_tables(atomic_load_explicit(&all.table, memory_order_relaxed));
    atomic_store_explicit(&all.table, NULL, memory_order_relaxed);
    all.lost = 0;
    if (dlw_self && dlw_self != &dlw_nobody) {
        dlw_self->profile = NULL; /* the parent's copy goes with the process */
        dlw_self->until_timed = 0;
    }
}
