/* What the library's records say of threads: what each holds and waits for. */
#include "report/emit/records.h"
#include "report/command/inspect/glibc/waits.h"
#include "report/command/inspect/own/preloaded.h"

#include <string.h>
#include <time.h>

enum { MOST_SLOTS = 1 << 24, MOST_HELD = 1 << 16 };
_Static_assert(sizeof((struct dlw_seen_hold *)0)->pc == DLW_SEEN_LEVELS * 8, "room for them");
enum { PREFERS_WRITERS = 2 }; /* PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP */

static const struct dlw_records_threads *parts_of(const struct dlw_target *target)
{
    return target->records->threads;
}

/* ---- records ---- */

/* A core does not tell what threads are called. */
static void read_name(struct dlw_target *target, struct dlw_seen_thread *thread)
{
    const struct dlw_records_threads *at = parts_of(target);
    size_t size = at->name_size < sizeof thread->name ? at->name_size : sizeof thread->name;
    if (!*thread->name && dlw_target_read(target, thread->record + at->name, thread->name, size))
        thread->name[sizeof thread->name - 1] = '\0';
}

static void bind_record(struct dlw_target *target, uint64_t record)
{
    const struct dlw_records_threads *at = parts_of(target);
    uint32_t tid;
    if (!record || !dlw_target_u32(target, record + at->tid, &tid) || !tid)
        return;
    struct dlw_seen_thread *thread = dlw_target_inner(target, tid);
    if (!thread)
        return;
    thread->record = record;
    dlw_target_u32(target, record + at->id, &thread->record_id);
    read_name(target, thread);
}

static void bind_records(struct dlw_target *target)
{
    const struct dlw_records_threads *at = parts_of(target);
    uint64_t table;
    uint32_t mask;
    if (!dlw_target_u64(target, (uintptr_t)at->table, &table) || !table ||
        !dlw_target_u32(target, table + at->mask, &mask) || mask >= MOST_SLOTS)
        return;
    size_t size = ((size_t)mask + 1) * sizeof(uint64_t);
    uint64_t *slots = dlw_region_alloc(target->region, size);
    if (!dlw_target_read(target, table + at->slots, slots, size))
        return;
    for (size_t i = 0; i <= mask; i++)
        bind_record(target, slots[i]);
}

/* ---- what is held ---- */

/* What a parent held as it forked is still its own, where both have the same memory. */
static bool is_of_parent(const struct dlw_target *target, const struct dlw_seen_hold *hold)
{
    const struct dlw_mapping *memory = dlw_target_mapping(target, hold->lock);
    return hold->is_inherited && memory && memory->is_shared;
}

static void take_entry(struct dlw_target *target, struct dlw_seen_thread *thread,
                       const unsigned char *entry)
{
    const struct dlw_records_threads *at = parts_of(target);
    struct dlw_seen_hold hold = {0};
    uint8_t kind = entry[at->entry_kind];
    memcpy(&hold.lock, entry + at->lock, sizeof hold.lock);
    if (hold.lock <= DLW_RECORDS_NO_LOCK || kind >= DLW_N_LOCK_KINDS)
        return;
    hold.is_inherited = entry[at->flags] & at->inherited;
    if (is_of_parent(target, &hold))
        return;
    hold.object = dlw_lock_kind_word(kind);
    hold.mode = entry[at->entry_mode] ? DLW_SHARED : DLW_EXCLUSIVE;
    hold.is_pool = kind == DLW_LOCK_SEMAPHORE && entry[at->flags] & at->pool;
    memcpy(&hold.stack, entry + at->stack, sizeof hold.stack);
    memcpy(&hold.sp, entry + at->sp, sizeof hold.sp);
    memcpy(&hold.fp, entry + at->fp, sizeof hold.fp);
    uint8_t levels = entry[at->levels];
    if (levels <= at->most_levels && levels <= DLW_SEEN_LEVELS)
        hold.n_pc = levels;
    memcpy(hold.pc, entry + at->pc, hold.n_pc * sizeof *hold.pc);
    thread->holds =
        dlw_region_grow(target->region, thread->holds, thread->n_holds, sizeof *thread->holds);
    thread->holds[thread->n_holds++] = hold;
}

static unsigned char *read_entries(struct dlw_target *target, const struct dlw_seen_thread *thread,
                                   uint32_t *depth)
{
    const struct dlw_records_threads *at = parts_of(target);
    uint64_t held;
    if (!dlw_target_u32(target, thread->record + at->depth, depth) || !*depth ||
        *depth > MOST_HELD || !dlw_target_u64(target, thread->record + at->held, &held))
        return NULL;
    size_t size = (size_t)*depth * at->entry_size;
    unsigned char *entries = dlw_region_alloc(target->region, size);
    return dlw_target_read(target, held, entries, size) ? entries : NULL;
}

/* Of a thread that runs, two readings have to be equal. */
static void read_holds(struct dlw_target *target, struct dlw_seen_thread *thread)
{
    const struct dlw_records_threads *at = parts_of(target);
    uint32_t depth, again = 0;
    unsigned char *entries = read_entries(target, thread, &depth);
    thread->holds = NULL;
    thread->n_holds = 0;
    if (!entries)
        return;
    if (!thread->stood_still && !target->is_core) {
        const unsigned char *second = read_entries(target, thread, &again);
        if (!second || again != depth || memcmp(entries, second, (size_t)depth * at->entry_size))
            return;
    }
    for (uint32_t i = 0; i < depth; i++)
        take_entry(target, thread, entries + (size_t)i * at->entry_size);
}

/* A mutex names its holder itself: where the two disagree the record is not believed. */
static bool is_confirmed(struct dlw_target *target, const struct dlw_seen_thread *thread,
                         const struct dlw_seen_hold *hold)
{
    struct dlw_futex futex = {.word = hold->lock};
    struct dlw_seen_wait wait = {0};
    if (strcmp(hold->object, dlw_lock_kind_word(DLW_LOCK_MUTEX)) ||
        target->runtime != DLW_RUNTIME_GLIBC)
        return true;
    return dlw_wait_on_mutex(target, &futex, &wait) && wait.holder_tid == thread->inner;
}

static void drop_unconfirmed(struct dlw_target *target, struct dlw_seen_thread *thread)
{
    size_t kept = 0;
    for (size_t i = 0; i < thread->n_holds; i++)
        if (is_confirmed(target, thread, &thread->holds[i]))
            thread->holds[kept++] = thread->holds[i];
    thread->n_holds = kept;
}

/* ---- what is waited for ---- */

struct wait_slot {
    uint64_t on, since, relocks;
    uint8_t kind, lock_kind, mode, timed;
};

static bool read_slot(struct dlw_target *target, struct dlw_seen_thread *thread,
                      struct wait_slot *out)
{
    const struct dlw_records_threads *at = parts_of(target);
    uint64_t record = thread->record, again;
    return thread->sequence & 1 && dlw_target_u64(target, record + at->on, &out->on) &&
           dlw_target_u64(target, record + at->since, &out->since) &&
           dlw_target_u64(target, record + at->relocks, &out->relocks) &&
           dlw_target_read(target, record + at->kind, &out->kind, 1) &&
           dlw_target_read(target, record + at->lock_kind, &out->lock_kind, 1) &&
           dlw_target_read(target, record + at->mode, &out->mode, 1) &&
           dlw_target_read(target, record + at->timed, &out->timed, 1) &&
           dlw_target_u64(target, record + at->sequence, &again) && again == thread->sequence &&
           out->kind < DLW_N_WAIT_KINDS && out->lock_kind < DLW_N_LOCK_KINDS;
}

static double seconds_since(const struct dlw_target *target, uint64_t nanoseconds)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double since = (double)now.tv_sec + (double)now.tv_nsec / 1e9 - (double)nanoseconds / 1e9;
    return target->is_core || since < 0 ? -1 : since;
}

/* Memory tells nothing of the wait, or only that it is a futex. */
static bool is_unexplained(const struct dlw_seen_thread *thread)
{
    return thread->wait.kind == DLW_WAIT_NONE ||
           (thread->wait.kind == DLW_WAIT_SYSCALL && thread->wait.word);
}

static void take_wait(struct dlw_seen_wait *wait, const struct wait_slot *slot)
{
    *wait = (struct dlw_seen_wait){
        .kind = slot->kind,
        .object = dlw_lock_kind_word(slot->lock_kind),
        .mode = slot->mode ? DLW_SHARED : DLW_EXCLUSIVE,
        .is_shared = wait->is_shared,
        .address = slot->on,
        .word = wait->word,
    };
}

static void add_wait(struct dlw_target *target, struct dlw_seen_thread *thread)
{
    struct wait_slot slot;
    struct dlw_seen_wait *wait = &thread->wait;
    thread->is_recorded = false;
    if (!read_slot(target, thread, &slot))
        return;
    if (is_unexplained(thread) && slot.on)
        take_wait(wait, &slot);
    if (wait->kind != slot.kind || wait->address != slot.on)
        return;
    thread->is_recorded = true;
    /* The library itself sleeps with a limit, to look around; the program has asked for none. */
    wait->is_timed = slot.timed;
    double since = seconds_since(target, slot.since);
    if (since >= 0)
        thread->since = since;
    if (wait->kind == DLW_WAIT_CONDITION && !wait->mutex)
        wait->mutex = slot.relocks;
}

/* ---- who keeps whom waiting ---- */

static bool is_hold_of(const struct dlw_seen_hold *hold, const struct dlw_seen_wait *wait)
{
    /* a core does not tell of memory whether it is shared, but the wait does */
    return hold->lock == wait->address && !strcmp(hold->object, wait->object) &&
           !(wait->is_shared && hold->is_inherited);
}

static size_t count_holds(const struct dlw_seen_thread *thread, const struct dlw_seen_wait *wait)
{
    size_t n = 0;
    for (size_t i = 0; i < thread->n_holds; i++)
        n += is_hold_of(&thread->holds[i], wait);
    return n;
}

static void add_holder(struct dlw_target *target, struct dlw_seen_wait *wait, size_t index)
{
    wait->holders =
        dlw_region_grow(target->region, wait->holders, wait->n_holders, sizeof *wait->holders);
    wait->holders[wait->n_holders++] = (uint32_t)index;
}

/* Their number stands in the lock: more than are known of means that it can't be told. */
static bool are_all_readers(struct dlw_target *target, const struct dlw_seen_wait *wait, size_t n)
{
    uint32_t readers;
    return dlw_target_u32(target, wait->address, &readers) && readers >> 3 == n;
}

/* Writers in front keep a reader out where the lock prefers them. */
static void find_writers(struct dlw_target *target, struct dlw_seen_wait *wait)
{
    uint32_t kind;
    if (!target->layout.rwlock_kind ||
        !dlw_target_u32(target, wait->address + target->layout.rwlock_kind, &kind) ||
        kind != PREFERS_WRITERS)
        return;
    for (size_t i = 0; i < target->n_threads; i++) {
        const struct dlw_seen_wait *other = &target->threads[i].wait;
        if (other != wait && other->address == wait->address && other->kind == DLW_WAIT_LOCK &&
            other->mode == DLW_EXCLUSIVE && !other->is_timed)
            add_holder(target, wait, i);
    }
    wait->is_behind = wait->n_holders > 0;
    if (wait->is_behind)
        wait->note = "the lock lets no reader pass a writer that waits";
}

static void find_holders(struct dlw_target *target, struct dlw_seen_wait *wait)
{
    bool is_rwlock = wait->object && !strcmp(wait->object, dlw_lock_kind_word(DLW_LOCK_RWLOCK));
    size_t n = 0;
    if (!wait->object || !wait->address || wait->holder != DLW_HOLDER_UNKNOWN ||
        wait->kind == DLW_WAIT_CONDITION || wait->kind == DLW_WAIT_BARRIER ||
        wait->kind == DLW_WAIT_DESTROY)
        return;
    if (is_rwlock && wait->mode == DLW_SHARED) {
        find_writers(target, wait);
        return;
    }
    for (size_t i = 0; i < target->n_threads; i++) {
        size_t held = count_holds(&target->threads[i], wait);
        n += held;
        if (held)
            add_holder(target, wait, i);
    }
    if (is_rwlock && !are_all_readers(target, wait, n)) {
        wait->n_holders = 0;
        return;
    }
    if (n)
        wait->note = NULL;
    if (wait->n_holders == 1 && wait->kind != DLW_WAIT_SEMAPHORE)
        dlw_wait_set_holder(target, wait, target->threads[*wait->holders].inner);
}

void dlw_preloaded_mark(struct dlw_target *target)
{
    if (!target->records)
        return;
    bind_records(target);
    for (size_t i = 0; i < target->n_threads; i++) {
        struct dlw_seen_thread *thread = &target->threads[i];
        thread->sequence = 0;
        if (thread->record)
            dlw_target_u64(target, thread->record + parts_of(target)->sequence, &thread->sequence);
    }
}

void dlw_preloaded_read(struct dlw_target *target)
{
    if (!target->records)
        return;
    for (size_t i = 0; i < target->n_threads; i++) {
        struct dlw_seen_thread *thread = &target->threads[i];
        if (!thread->record)
            continue;
        read_holds(target, thread);
        drop_unconfirmed(target, thread);
        add_wait(target, thread);
    }
    dlw_preloaded_semaphores(target);
    for (size_t i = 0; i < target->n_threads; i++)
        find_holders(target, &target->threads[i].wait);
}

void dlw_preloaded_confirm(struct dlw_target *target)
{
    for (size_t i = 0; target->records && i < target->n_threads; i++) {
        struct dlw_seen_thread *thread = &target->threads[i];
        uint64_t now;
        if (thread->is_recorded &&
            dlw_target_u64(target, thread->record + parts_of(target)->sequence, &now) &&
            now == thread->sequence)
            thread->stood_still = true;
    }
}
