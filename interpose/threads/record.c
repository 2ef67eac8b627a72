#include "interpose/threads/record.h"

#include "graph/base/arena.h"
#include "graph/base/lock.h"
#include "graph/base/sys.h"
#include "interpose/base/proc.h"
#include "interpose/base/real.h"
#include "interpose/base/state.h"
#include "interpose/threads/alarm.h"
#include "interpose/threads/hooks.h"
#include "interpose/threads/tid_table.h"
#include "interpose/threads/trail.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

__thread struct dlw_thread *dlw_self, *dlw_fast;
struct dlw_thread dlw_nobody = {
    .guard = DLW_GUARD_OFF, .stale_above = DLW_FIRST_HELD - 1, .room = DLW_FIRST_HELD};

/* RANK_THREADS: protects the list, the free list and the writing of the tid table; held for some ns
 * or one visit of all records. */
static struct dlw_lock threads_lock = DLW_LOCK_INIT(DLW_RANK_THREADS);
static struct dlw_thread *first;
static struct dlw_thread *free_records;
/* Written under the lock. Sequentially consistent: pairs with dlw_waits (motion.h), so that of a
 * thread that ends and one that falls asleep at least one sees that nobody is left awake. */
static _Atomic uint32_t n_alive;
static uint32_t n_ever;
static _Atomic uint64_t calls_of_ended;

static void list_add_locked(struct dlw_thread *record)
{
    record->previous = NULL;
    record->next = first;
    if (first)
        first->previous = record;
    first = record;
    atomic_fetch_add_explicit(&n_alive, 1, memory_order_seq_cst);
}

static void list_remove_locked(struct dlw_thread *record)
{
    if (record->previous)
        record->previous->next = record->next;
    else
        first = record->next;
    if (record->next)
        record->next->previous = record->previous;
    atomic_fetch_sub_explicit(&n_alive, 1, memory_order_seq_cst);
}

bool dlw_thread_has_held(const struct dlw_thread *record)
{
    const struct dlw_held_lock *held = atomic_load_explicit(&record->held, memory_order_relaxed);

    return held && held[0].pc[0] != 0; /* a return address is never 0 */
}

/* Called by the ending thread, in whose cache the tables are. Pages that were never written are not
 * touched. */
static void clear_tables(struct dlw_thread *record)
{
    if (!dlw_thread_has_held(record))
        return;
    atomic_load_explicit(&record->held, memory_order_relaxed)[0].pc[0] = 0;
    memset(record->first_validated, 0, sizeof(record->first_validated));
    memset(record->taken, 0, sizeof(record->taken));
}

static uint64_t *before_outgrown(const uint64_t *table)
{
    return (uint64_t *)(uintptr_t)table[0]; /* NOLINT(performance-no-int-to-ptr) */
}

/*
 * Each table is four times as large as the one before. Of a thread that stayed behind in a fork
 * while it grew its cache, one may be missing in the row of the outgrown: their sizes are counted
 * from the first, and what is missing stays mapped.
 */
static void clear_grown_caches(struct dlw_thread *record)
{
    unsigned n = 0;

    if (!record->validated || record->validated == record->first_validated)
        return;
    dlw_pages_unmap(record->validated, ((size_t)record->validated_mask + 1) * sizeof(uint64_t));
    for (uint64_t *table = record->outgrown; table; table = before_outgrown(table))
        n++;
    for (uint64_t *table = record->outgrown, *before; table; table = before) {
        before = before_outgrown(table);
        dlw_pages_unmap(table, ((size_t)DLW_FIRST_CACHE << 2 * n--) * sizeof(uint64_t));
    }
}

/*
 * The sequence goes on over the lives of a record, so that a stale reading never fits. A grown
 * held array stays mapped (a walker may be reading it), only its pages go back.
 */
static void clear_record(struct dlw_thread *record)
{
    uint64_t sequence = atomic_load_explicit(&record->wait.sequence, memory_order_relaxed);
    struct dlw_held_lock *held = atomic_load_explicit(&record->held, memory_order_relaxed);
    uint32_t room = record->room;

    clear_tables(record); /* of a thread that stayed behind in a fork */
    if (held && held != record->first_held)
        dlw_syscall(SYS_madvise, held, (size_t)room * sizeof(*held), MADV_DONTNEED);
    clear_grown_caches(record);
    memset(record, 0, offsetof(struct dlw_thread, taken));
    atomic_store_explicit(&record->wait.sequence, (sequence + 2) & ~(uint64_t)1,
                          memory_order_release);
    atomic_store_explicit(&record->held, held ? held : record->first_held, memory_order_relaxed);
    record->room = held ? room : DLW_FIRST_HELD;
    record->validated = record->first_validated;
    record->validated_mask = DLW_FIRST_CACHE - 1;
    record->stale_above = record->room - 1;
}

/* The first access is a write: after a read the kernel would map the page a second time. */
static struct dlw_thread *map_record(void)
{
    struct dlw_thread *record = dlw_pages_map(sizeof(*record));

    if (record)
        atomic_store_explicit(&record->tid, 0, memory_order_relaxed);
    return record;
}

static struct dlw_thread *take_free(void)
{
    if (!dlw_lock_acquire_or_skip(&threads_lock))
        return NULL;
    struct dlw_thread *record = free_records;
    if (record)
        free_records = record->next_free;
    dlw_lock_release(&threads_lock);
    return record;
}

struct dlw_thread *dlw_thread_new(uint32_t parent, uint32_t created, uint32_t start)
{
    struct dlw_thread *record = take_free();

    if (!record)
        record = map_record();
    if (!record)
        return NULL;
    clear_record(record);
    record->parent = parent;
    record->created = created;
    record->start = start;
    record->early_names = atomic_load_explicit(&dlw_threads_early_names, memory_order_seq_cst);
    if (!dlw_lock_acquire(&threads_lock)) /* it is lost; the library has switched itself off */
        return NULL;
    record->id = ++n_ever;
    list_add_locked(record);
    dlw_lock_release(&threads_lock);
    return record;
}

void dlw_thread_read_name(struct dlw_thread *self)
{
    enum { GET_NAME = 16 }; /* PR_GET_NAME */

    if (atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return;
    dlw_syscall(SYS_prctl, GET_NAME, self->name);
    self->name[DLW_NAME_BYTES - 1] = 0;
}

/* libc knows the tids of the threads that it made. */
static uint32_t tid_of(const struct dlw_thread *self)
{
    return self->foreign ? (uint32_t)dlw_syscall(SYS_gettid) : dlw_platform_tid();
}

_Atomic uint32_t dlw_threads_early_names;

void dlw_thread_bind(struct dlw_thread *record, uintptr_t stack_top)
{
    record->stack_high = stack_top;
    record->stack_low = (uintptr_t)__builtin_frame_address(0);
    record->handle = pthread_self();
    if (!record->name[0]) /* it was not copied from its creator */
        dlw_thread_read_name(record);
    dlw_hooks.thread_starts(record);
    uint32_t tid = tid_of(record);
    record->owner = dlw_direct_is_on && !record->foreign ? tid : 0;
    if (dlw_lock_acquire(&threads_lock)) {
        atomic_store_explicit(&record->tid, tid, memory_order_relaxed);
        dlw_tids_add_locked(record, first);
        dlw_lock_release(&threads_lock);
    }
    /* From here on pthread_setname_np finds the record. Pairs with the increment by a caller that
     * did not find it. */
    if (record->early_names != atomic_load_explicit(&dlw_threads_early_names, memory_order_seq_cst))
        dlw_thread_read_name(record);
    dlw_self = record;
    dlw_fast_opens(record);
}

void dlw_thread_release(struct dlw_thread *record)
{
    if (!dlw_lock_acquire(&threads_lock))
        return;
    if (atomic_load_explicit(&record->tid, memory_order_relaxed))
        dlw_tids_remove_locked(record);
    atomic_store_explicit(&record->tid, 0, memory_order_relaxed);
    list_remove_locked(record);
    record->next_free = free_records;
    free_records = record;
    dlw_lock_release(&threads_lock);
}

void dlw_thread_end(struct dlw_thread *record)
{
    struct dlw_shield shield = record->shield;

    dlw_fast_closes();
    dlw_self = &dlw_nobody;
    atomic_fetch_add_explicit(&calls_of_ended, dlw_trail_calls(record), memory_order_relaxed);
    dlw_alarm_drop(record);
    clear_tables(record);
    dlw_hooks.thread_counted(record);
    dlw_thread_release(record); /* from here on another thread's */
    dlw_shield_lower(&shield);
}

struct dlw_thread *dlw_thread_by_handle(pthread_t handle)
{
    struct dlw_thread *t;

    if (!dlw_lock_acquire_or_skip(&threads_lock))
        return NULL;
    for (t = first; t; t = t->next)
        if (atomic_load_explicit(&t->tid, memory_order_relaxed) && pthread_equal(t->handle, handle))
            break;
    dlw_lock_release(&threads_lock);
    return t;
}

void dlw_threads_each(bool (*visit)(void *context, struct dlw_thread *thread), void *context)
{
    if (!dlw_lock_acquire(&threads_lock))
        return;
    for (struct dlw_thread *t = first; t; t = t->next)
        if (!visit(context, t))
            break;
    dlw_lock_release(&threads_lock);
}

uint32_t dlw_threads_alive(void)
{
    return atomic_load_explicit(&n_alive, memory_order_seq_cst);
}

uint32_t dlw_threads_ever(void)
{
    return n_ever;
}

uint64_t dlw_threads_calls_of_ended(void)
{
    return atomic_load_explicit(&calls_of_ended, memory_order_relaxed);
}

/* A call came before the constructor: the real functions are made callable, and the caller passes.
 */
static struct dlw_thread *pass_early(void)
{
    dlw_real_resolve();
    return &dlw_nobody;
}

/*
 * A thread that no pthread_create of ours made (libc's own, a raw clone, or the
 * main one when something calls before the constructor). Where its stack ends is read from the
 * memory map.
 */
struct dlw_thread *dlw_thread_attach(void)
{
    if (!atomic_load_explicit(&dlw_is_on, memory_order_acquire))
        return pass_early();
    struct dlw_shield shield = {0};
    dlw_shield_raise(&shield);
    dlw_self = &dlw_nobody; /* what is called below passes */
    struct dlw_thread *record = dlw_thread_new(0, 0, 0);
    if (record) {
        record->foreign = true;
        dlw_thread_bind(record, dlw_proc_stack_end_of((uintptr_t)__builtin_frame_address(0)));
        dlw_hooks.watch_end(record);
    } else {
        dlw_self = NULL;
    }
    dlw_shield_lower(&shield);
    return record ? record : &dlw_nobody;
}

void dlw_guard_leave(struct dlw_thread *self)
{
    if (__builtin_expect(dlw_thread_guard(self) == DLW_GUARD_NESTED && self->resync, 0)) {
        self->resync = false;
        dlw_hooks.purge(self);
    }
    atomic_signal_fence(memory_order_seq_cst);
    self->guard -= DLW_GUARD_NESTED;
    atomic_signal_fence(memory_order_seq_cst);
    if (!(self->guard & DLW_GUARD_DEPTH))
        self->guard_frame = 0; /* a handler that raises its own before this has left it already */
    if (__builtin_expect(!atomic_load_explicit(&dlw_is_on, memory_order_relaxed), 0)) {
        self->guard |= DLW_GUARD_OFF;
        dlw_tell_switched_off();
    }
    dlw_fast_opens(self);
    if (__builtin_expect(self->shield.is_up, 0) && !(self->guard & DLW_GUARD_DEPTH))
        dlw_shield_lower(&self->shield);
}

void dlw_guard_lets_signals(void)
{
    if (dlw_self)
        dlw_shield_lower(&dlw_self->shield);
}

/* The limit of the main thread's stack; what is above PLENTY counts as PLENTY. */
static size_t main_stack_size(void)
{
    enum { PLENTY = 8 << 20 };
    struct rlimit limit = {PLENTY, PLENTY};

    dlw_syscall(SYS_prlimit64, 0, RLIMIT_STACK, NULL, &limit);
    return limit.rlim_cur < PLENTY ? limit.rlim_cur : PLENTY;
}

void dlw_threads_start(uintptr_t main_stack_top)
{
    struct dlw_thread *record = dlw_thread_new(0, 0, 0);

    atomic_store_explicit(&dlw_nobody.held, dlw_nobody.first_held, memory_order_relaxed);
    if (!record)
        return;
    record->is_main = true;
    record->stack_size = main_stack_size();
    dlw_thread_bind(record, main_stack_top);
    dlw_hooks.watch_end(record);
}

bool dlw_threads_lock(void)
{
    return dlw_lock_acquire(&threads_lock);
}

void dlw_threads_unlock(void)
{
    dlw_lock_release(&threads_lock);
}

/* Only the forking thread lives on, under a new tid. What it holds it holds. */
void dlw_threads_after_fork(struct dlw_thread *self, void (*left_behind)(struct dlw_thread *thread))
{
    dlw_lock_reset(&threads_lock);
    for (struct dlw_thread *t = first, *next; t; t = next) {
        next = t->next;
        if (t == self)
            continue;
        left_behind(t);
        memset(&t->scratch, 0, sizeof(t->scratch)); /* it may have been in the middle of a walk */
        atomic_store_explicit(&t->tid, 0, memory_order_relaxed);
        list_remove_locked(t);
        t->next_free = free_records;
        free_records = t;
    }
    uint32_t tid = (uint32_t)dlw_syscall(SYS_gettid);
    atomic_store_explicit(&self->tid, tid, memory_order_relaxed);
    if (self->owner)
        self->owner = tid;
    dlw_tids_rebuild_locked(first);
}
