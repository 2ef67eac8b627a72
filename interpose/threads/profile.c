#include "interpose/threads/profile.h"

#include "graph/base/arena.h"

#include <stdatomic.h>

enum { FIRST_ROOM = 64, MOST_ROOM = 16384, SAMPLED = 64 };

/* One table; grown ones keep those before them until the thread ends, since others may read them.
 */
struct table {
    struct table *before;
    uint32_t room, n; /* room: a power of two */
    struct dlw_profile_entry entries[];
};

struct dlw_profile {
    struct table *_Atomic table;
    struct dlw_profile_entry *last; /* that was counted, in this table or one before */
    bool is_busy;                   /* a handler has come in between */
    uint32_t until_sample, random;
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
    profile->last = NULL;
    /* Release: pairs with the load of who adds up living threads. */
    atomic_store_explicit(&profile->table, table, memory_order_release);
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
    if (!self->profile && self != &dlw_nobody && (self->profile = map(sizeof(*self->profile)))) {
        self->profile->random = self->id * 2654435761U | 1;
        self->profile->until_sample = 1; /* rare takings are of interest too */
    }
    return self->profile;
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

static void begin_sample(struct dlw_thread *self, struct dlw_profile *profile,
                         struct dlw_profile_entry *entry, struct dlw_held_lock *held)
{
    profile->until_sample = next_sample(profile);
    if (!dlw_held_note_further(self, held))
        return;
    profile->sample.held = held;
    profile->sample.lock = atomic_load_explicit(&held->lock, memory_order_relaxed);
    profile->sample.pc = held->pc[0];
    profile->sample.takings = entry->takings;
    profile->sample.began = dlw_now();
}

/* A handler that comes in between may count in the entry too, or make a larger table: then one of
 * the two is lost, which is less than to be prepared for it would cost. */
bool dlw_profile_taken_again(struct dlw_thread *self, const struct dlw_held_lock *held)
{
    struct dlw_profile *profile = self->profile;
    uintptr_t lock = atomic_load_explicit(&held->lock, memory_order_relaxed), pc = held->pc[0];

    if (!profile || profile->until_sample <= 1)
        return false;
    struct dlw_profile_entry *entry = profile->last;
    if (!entry || entry->pc[0] != pc ||
        atomic_load_explicit(&entry->lock, memory_order_relaxed) != lock) {
        struct table *table = atomic_load_explicit(&profile->table, memory_order_relaxed);
        entry = table ? find(table, lock, pc) : NULL;
        if (!entry || !atomic_load_explicit(&entry->lock, memory_order_relaxed))
            return false;
        profile->last = entry;
    }
    if (!entry->is_plain)
        return false;
    entry->takings++;
    profile->until_sample--;
    return true;
}

void dlw_profile_taken(struct dlw_thread *self, struct dlw_held_lock *held, bool is_plain)
{
    struct dlw_profile *profile = profile_of(self);
    uintptr_t lock = atomic_load_explicit(&held->lock, memory_order_relaxed);

    if (!begin(profile))
        return;
    struct dlw_profile_entry *entry = entry_of(profile, lock, held->pc[0], held->kind);
    if (entry) {
        entry->is_plain = is_plain;
        /* Of a line of Python the callers are no addresses, and its hold is not timed. */
        bool has_line = dlw_held_has_line(held);
        if (!entry->takings++ && !has_line)
            for (entry->n = 0; entry->n < held->levels && entry->n < DLW_PROFILE_LEVELS; entry->n++)
                entry->pc[entry->n] = held->pc[entry->n];
        if (has_line)
            profile->until_sample++;
        if (--profile->until_sample == 0)
            begin_sample(self, profile, entry, held);
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
    struct dlw_profile_entry *entry = entry_of(profile, lock, held->pc[0], held->kind);
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
    if (dlw_self && dlw_self != &dlw_nobody)
        dlw_self->profile = NULL; /* the parent's copy goes with the process */
}
