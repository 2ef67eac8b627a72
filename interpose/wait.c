#include "interpose/wait.h"

#include "graph/base/sys.h"
#include "graph/waits.h"
#include "interpose/create.h"
#include "interpose/held.h"
#include "interpose/news.h"
#include "interpose/sink.h"
#include "interpose/stacks.h"
#include "interpose/state.h"
#include "report/emit/say.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>

/* In this module threads are called by tid: what the locks themselves say. */

static bool is_waiting(uint64_t sequence)
{
    return sequence & 1;
}

static uint64_t sequence_of(const struct dlw_thread *thread)
{
    return atomic_load_explicit(&thread->wait.sequence, memory_order_seq_cst);
}

/* ---- the world as graph/waits.c asks about it ---- */

/* The futex a thread sleeps on, as the kernel tells; 0 when it doesn't or can't be known. */
static uintptr_t futex_of(uint32_t tid)
{
    char path[64] = "/proc/self/task/";
    char text[128];
    size_t n = strlen(path);

    if (atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return 0;
    dlw_say_number(path + n, tid);
    memcpy(path + strlen(path), "/syscall", 9);
    long fd = dlw_syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    long got = dlw_syscall(SYS_read, fd, text, sizeof(text) - 1);
    dlw_syscall(SYS_close, fd);
    text[got > 0 ? got : 0] = 0;
    const char *at = strstr(text, " 0x");
    char number[24];
    dlw_say_number(number, SYS_futex);
    if (!at || strncmp(text, number, strlen(number)) != 0 || text[strlen(number)] != ' ')
        return 0;
    uintptr_t address = 0;
    for (at += 3; (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f'); at++)
        address = address << 4 | (uintptr_t)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
    return address;
}

/* A woken condition wait takes its mutex back inside libc: then it waits for that. */
static bool waits_for_its_mutex(const struct dlw_thread *thread, uintptr_t mutex)
{
    uintptr_t futex = futex_of(atomic_load_explicit(&thread->tid, memory_order_relaxed));

    return futex >= mutex && futex < mutex + sizeof(pthread_mutex_t);
}

static bool wait_of(void *context, uint32_t tid, struct dlw_wait *out)
{
    struct dlw_thread *thread = dlw_thread_by_tid(tid);

    (void)context;
    if (!thread)
        return false;
    memset(out, 0, sizeof(*out));
    out->sequence = sequence_of(thread);
    if (!is_waiting(out->sequence))
        return true;
    out->on = atomic_load_explicit(&thread->wait.on, memory_order_relaxed);
    out->kind = atomic_load_explicit(&thread->wait.kind, memory_order_relaxed);
    out->mode = atomic_load_explicit(&thread->wait.mode, memory_order_relaxed);
    out->timed = atomic_load_explicit(&thread->wait.timed, memory_order_relaxed);
    out->since_ns = atomic_load_explicit(&thread->wait.since, memory_order_relaxed);
    uintptr_t mutex = atomic_load_explicit(&thread->wait.relocks, memory_order_relaxed);
    if (out->kind == DLW_WAIT_CONDITION && mutex && waits_for_its_mutex(thread, mutex)) {
        out->kind = DLW_WAIT_LOCK;
        out->on = mutex;
        out->timed = false; /* the limit is for the signal, not for the mutex */
    }
    return sequence_of(thread) == out->sequence;
}

static int find_in(struct dlw_thread *thread, uintptr_t lock)
{
    struct dlw_held_lock *held = atomic_load_explicit(&thread->held, memory_order_acquire);
    uint32_t depth = atomic_load_explicit(&thread->depth, memory_order_relaxed);

    for (uint32_t i = depth; held && i-- > 0;)
        if (atomic_load_explicit(&held[i].lock, memory_order_relaxed) == lock)
            return (int)i;
    return -1;
}

/* The lock's word names its owner; the owner's own record must say the same. */
static int owner_by_tid(uint32_t tid, uintptr_t lock, struct dlw_owner *out)
{
    if (tid == 0)
        return 0;
    struct dlw_thread *thread = dlw_thread_by_tid(tid);
    if (!thread || find_in(thread, lock) < 0)
        return -1;
    *out = (struct dlw_owner){.thread = tid, .mode = DLW_EXCLUSIVE};
    return 1;
}

static int mutex_owner(uintptr_t lock, struct dlw_owner *out)
{
    const pthread_mutex_t *mutex = (const void *)lock; /* NOLINT(performance-no-int-to-ptr) */
    uint32_t tid = dlw_mutex_owner(mutex);

    if (dlw_mutex_kind(mutex) & DLW_KIND_INHERIT)
        tid = dlw_mutex_word(mutex) & FUTEX_TID_MASK;
    return owner_by_tid(tid, lock, out);
}

struct search {
    uintptr_t lock;
    uint8_t mode;
    bool ahead;
    uint32_t not_tid;
    struct dlw_owner *out;
    uint32_t room;
    int n;
};

static bool is_ahead(struct dlw_thread *thread, uintptr_t lock)
{
    return is_waiting(sequence_of(thread)) &&
           atomic_load_explicit(&thread->wait.on, memory_order_relaxed) == lock &&
           atomic_load_explicit(&thread->wait.mode, memory_order_relaxed) == DLW_EXCLUSIVE &&
           !atomic_load_explicit(&thread->wait.timed, memory_order_relaxed);
}

static bool visit_holder(void *context, struct dlw_thread *thread)
{
    struct search *s = context;
    uint32_t tid = atomic_load_explicit(&thread->tid, memory_order_relaxed);

    if (tid == 0 || s->n == (int)s->room)
        return true;
    if (s->ahead ? tid != s->not_tid && is_ahead(thread, s->lock) : find_in(thread, s->lock) >= 0)
        s->out[s->n++] = (struct dlw_owner){.thread = tid, .mode = s->mode, .ahead = s->ahead};
    return true;
}

static int holders(uintptr_t lock, uint8_t mode, struct dlw_owner *out, uint32_t room)
{
    struct search s = {.lock = lock, .mode = mode, .out = out, .room = room};

    dlw_threads_each(visit_holder, &s);
    return s.n;
}

static int writers_ahead(uint32_t tid, uintptr_t lock, struct dlw_owner *out, uint32_t room)
{
    struct search s = {.lock = lock,
                       .mode = DLW_EXCLUSIVE,
                       .ahead = true,
                       .not_tid = tid,
                       .out = out,
                       .room = room};

    dlw_threads_each(visit_holder, &s);
    return s.n;
}

static int rwlock_owners(uint32_t tid, const struct dlw_wait *wait, struct dlw_owner *out,
                         uint32_t room)
{
    const pthread_rwlock_t *rwlock = (const void *)(uintptr_t)wait->on; /* NOLINT */
    uint32_t writer = dlw_rwlock_writer(rwlock);

    if (writer)
        return owner_by_tid(writer, wait->on, out);
    if (wait->mode == DLW_SHARED)
        return dlw_rwlock_prefers_writers(rwlock) ? writers_ahead(tid, wait->on, out, room) : 0;
    return holders(wait->on, DLW_SHARED, out, room);
}

/* A join waits for a thread that lives; one that has ended keeps nobody. */
static int joined_thread(uint64_t handle, struct dlw_owner *out)
{
    uint32_t id;
    uint32_t tid;

    if (!dlw_create_of_handle((pthread_t)handle, &id, &tid))
        return -1;
    *out = (struct dlw_owner){.thread = tid};
    return tid != 0;
}

static int owners_of(void *context, uint32_t tid, const struct dlw_wait *wait,
                     struct dlw_owner *out, uint32_t room)
{
    struct dlw_thread *thread = dlw_thread_by_tid(tid);

    (void)context;
    if (!thread || room == 0)
        return -1;
    switch (atomic_load_explicit(&thread->wait.lock_kind, memory_order_relaxed)) {
    case DLW_LOCK_CONDITION: /* taking its mutex back */
    case DLW_LOCK_MUTEX:
        return mutex_owner(wait->on, out);
    case DLW_LOCK_RWLOCK:
        return rwlock_owners(tid, wait, out, room);
    case DLW_LOCK_THREAD:
        return joined_thread(wait->on, out);
    default:
        return holders(wait->on, DLW_EXCLUSIVE, out, room);
    }
}

static const struct dlw_world world = {NULL, wait_of, owners_of, NULL, NULL};

/* ---- from a cycle to a finding ---- */

static void fill_hold(struct dlw_thread *thread, const struct dlw_wait_step *step, uintptr_t lock,
                      struct dlw_cycle_entry *entry)
{
    struct dlw_held_lock *held = atomic_load_explicit(&thread->held, memory_order_relaxed);
    int i = find_in(thread, lock);

    entry->holds.lock = lock;
    if (i < 0) /* a writer ahead: it holds nothing yet */
        return;
    entry->holds.mode = atomic_load_explicit(&held[i].mode, memory_order_relaxed);
    if (thread != dlw_self) {
        entry->holds.stack = dlw_stack_of_waiting_held(thread, step->wait.sequence, &held[i]);
        return;
    }
    DLW_LIVE_ON_STACK(live);
    dlw_live_walk(thread, &thread->wait.call, &live);
    entry->holds.stack = dlw_stack_of_held(thread, &held[i], &live);
}

static void fill_want(struct dlw_thread *thread, const struct dlw_wait_step *step,
                      struct dlw_cycle_entry *entry)
{
    entry->wants.lock = step->wait.on;
    entry->wants.mode = step->wait.mode;
    entry->timed = step->wait.timed;
    if (thread == dlw_self) {
        DLW_LIVE_ON_STACK(live);
        dlw_live_walk(thread, &thread->wait.call, &live);
        entry->wants.stack = dlw_stack_of_live(&live);
        return;
    }
    entry->wants.stack = dlw_stack_of_waiting(thread, step->wait.sequence);
}

/* Entry i holds what entry i-1 wants. False when a thread has gone: then it was no deadlock. */
static bool fill_cycle(const struct dlw_wait_cycle *cycle, struct dlw_cycle_entry *entries)
{
    for (uint32_t i = 0; i < cycle->length; i++) {
        const struct dlw_wait_step *step = &cycle->steps[i];
        const struct dlw_wait_step *before = &cycle->steps[i ? i - 1 : cycle->length - 1];
        struct dlw_thread *thread = dlw_thread_by_tid(step->thread);
        if (!thread)
            return false;
        memset(&entries[i], 0, sizeof(entries[i]));
        entries[i].thread = thread->id;
        fill_want(thread, step, &entries[i]);
        fill_hold(thread, step, (uintptr_t)before->wait.on, &entries[i]);
        dlw_sink_know_thread(thread);
    }
    return true;
}

static uint8_t lock_kind_of(const struct dlw_wait_step *step)
{
    struct dlw_thread *thread = dlw_thread_by_tid(step->thread);
    uint8_t kind = thread ? atomic_load_explicit(&thread->wait.lock_kind, memory_order_relaxed)
                          : DLW_LOCK_MUTEX;

    return kind == DLW_LOCK_CONDITION ? DLW_LOCK_MUTEX : kind;
}

/* Addresses become identities. Called with the graph lock held. */
static void name_locks_locked(const struct dlw_wait_cycle *cycle, struct dlw_cycle_entry *entries)
{
    for (uint32_t i = 0; i < cycle->length; i++) {
        struct dlw_lock_ref ref =
            dlw_lock_ref_at((uintptr_t)cycle->steps[i].wait.on, lock_kind_of(&cycle->steps[i]));
        dlw_node node = dlw_lock_node_locked(&ref);
        uint64_t tag = node ? dlw_lock_tag_locked(node) : 0;
        uint32_t next = i + 1 == cycle->length ? 0 : i + 1;
        entries[i].wants.lock = tag;
        entries[next].holds.lock = tag;
        if (node)
            dlw_lock_saw_stack_locked(node, entries[next].holds.stack);
    }
}

static const char *reason_of(const struct dlw_wait_cycle *cycle)
{
    for (uint32_t i = 0; i < cycle->length; i++)
        if (cycle->steps[i].owner.ahead)
            return "a writer that waits in front of the reader keeps it out";
    if (cycle->length == 1 && cycle->steps[0].owner.thread == 0)
        return "the thread that held the lock no longer exists";
    return NULL;
}

static void report(struct dlw_thread *self, const struct dlw_wait_cycle *cycle)
{
    size_t bytes = cycle->length * sizeof(struct dlw_cycle_entry);
    struct dlw_cycle_entry *entries = dlw_pages_map(bytes);
    struct dlw_news news = DLW_NEWS_INIT(news);

    if (!entries)
        return;
    if (fill_cycle(cycle, entries)) {
        struct dlw_finding finding = {.kind = DLW_DEADLOCK,
                                      .certain = true,
                                      .reason = reason_of(cycle),
                                      .n_cycle = cycle->length,
                                      .cycle = entries};
        dlw_lock_acquire(&dlw_graph_lock);
        name_locks_locked(cycle, entries);
        dlw_news_finding_locked(&news, &finding);
        dlw_lock_release(&dlw_graph_lock);
        dlw_sink_news(self, &news);
    }
    dlw_pages_unmap(entries, bytes);
}

/* glibc itself answers EDEADLK to a thread that joins itself or its own joiner. */
static bool is_refused(const struct dlw_wait_cycle *cycle)
{
    for (uint32_t i = 0; i < cycle->length; i++)
        if (cycle->steps[i].wait.kind != DLW_WAIT_JOIN)
            return false;
    return cycle->length <= 2;
}

bool dlw_wait_look(struct dlw_thread *self)
{
    struct dlw_wait_cycle cycle = {0};
    uint32_t tid = atomic_load_explicit(&self->tid, memory_order_relaxed);

    dlw_guard_enter(self);
    bool found = dlw_waits_find_cycle(&world, &self->scratch, tid, &cycle) && !is_refused(&cycle);
    if (found)
        report(self, &cycle);
    dlw_wait_cycle_free(&self->scratch, &cycle);
    dlw_guard_leave(self);
    return found;
}

/* Most waits are for a running thread, or for nobody: seen with two loads. */
static bool can_be_a_cycle(struct dlw_thread *self, const struct dlw_wait_for *wait)
{
    if (wait->kind == DLW_WAIT_CONDITION || wait->kind == DLW_WAIT_SEMAPHORE ||
        wait->kind == DLW_WAIT_BARRIER)
        return false;
    if (wait->lock_kind != DLW_LOCK_MUTEX)
        return true;
    const pthread_mutex_t *mutex = (const void *)wait->on; /* NOLINT(performance-no-int-to-ptr) */
    struct dlw_thread *owner = dlw_thread_by_tid(dlw_mutex_owner(mutex));
    return !owner || owner == self || is_waiting(sequence_of(owner));
}

bool dlw_wait_begin(struct dlw_thread *self, const struct dlw_wait_for *wait)
{
    struct dlw_wait_slot *slot = &self->wait;
    uint64_t sequence = atomic_load_explicit(&slot->sequence, memory_order_relaxed);

    atomic_store_explicit(&slot->on, wait->on, memory_order_relaxed);
    atomic_store_explicit(&slot->kind, wait->kind, memory_order_relaxed);
    atomic_store_explicit(&slot->lock_kind, wait->lock_kind, memory_order_relaxed);
    atomic_store_explicit(&slot->mode, wait->mode, memory_order_relaxed);
    atomic_store_explicit(&slot->timed, wait->timed, memory_order_relaxed);
    atomic_store_explicit(&slot->relocks, wait->relocks, memory_order_relaxed);
    atomic_store_explicit(&slot->since, dlw_now(), memory_order_relaxed);
    slot->call = wait->call;
    self->guard |= DLW_GUARD_WAITING;
    /* Pairs with sequence_of in a walker: it sees all of the above, and everything this thread
     * holds. */
    atomic_store_explicit(&slot->sequence, sequence + 1, memory_order_seq_cst);
    atomic_thread_fence(memory_order_seq_cst);
    dlw_sink_flush(true);
    return !wait->timed && can_be_a_cycle(self, wait) && dlw_wait_look(self);
}

void dlw_wait_end(struct dlw_thread *self)
{
    uint64_t sequence = atomic_load_explicit(&self->wait.sequence, memory_order_relaxed);

    if (is_waiting(sequence))
        atomic_store_explicit(&self->wait.sequence, sequence + 1, memory_order_release);
    self->guard &= ~(uint32_t)DLW_GUARD_WAITING;
}

void dlw_wait_settle(struct dlw_thread *self, uintptr_t sp)
{
    if (sp > self->wait.call.sp && sp <= self->stack_high)
        dlw_wait_end(self);
}
