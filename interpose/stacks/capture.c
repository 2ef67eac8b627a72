#include "interpose/stacks/capture.h"

#include "graph/base/arena.h"
#include "graph/base/lock.h"
#include "graph/base/sys.h"
#include "interpose/base/state.h"
#include "interpose/base/trampoline.h"
#include "interpose/stacks/modules.h"
#include "interpose/threads/held.h"
#include "report/emit/records.h"

#include <string.h>
#include <sys/uio.h>

/* Keys are rows of words here. */
#define HASH_FUNCTION(key, bytes, hash) ((hash) = hash_words(key, bytes))
static unsigned hash_words(const void *key, size_t bytes)
{
    const uint64_t *words = key;
    uint64_t x = bytes;

    for (size_t i = 0; i < bytes / sizeof(*words); i++) {
        x = (x ^ words[i]) * DLW_GOLDEN;
        x ^= x >> 32;
    }
    return (unsigned)x;
}
#include "interpose/base/table.h"

enum { SEGMENT = 1024, SEGMENTS = 65536, COPY_BYTES = 1 << 20 };

enum why { KNOWN, WHY_RETURNED, WHY_NO_TABLES, WHY_LOST, WHY_MOVED, WHY_RUNNING, WHY_ENDED };
static const char *const why_text[] = {
    NULL,
    "a helper that has returned",
    "code without unwind information",
    "a frame that could not be read",
    "the thread moved on while it was read",
    "the thread runs, its outer frames were not read",
    "the thread has ended, its outer frames were not kept",
};

struct frame {
    uint64_t pc;
    uint32_t module;
    uint32_t why; /* enum why; set: pc and module mean nothing */
};

struct stack {
    UT_hash_handle hh;
    uint32_t id;
    uint16_t n;
    bool cut;
    struct frame frames[];
};

/* RANK_STACKS: protects the arena, the table and appending; held for some ns to µs, nests nothing.
 */
static struct dlw_lock stacks_lock = DLW_LOCK_INIT(DLW_RANK_STACKS);
static struct stack *table;
static struct stack **segments[SEGMENTS];
static _Atomic uint32_t n_stacks; /* released after the stack is whole; readers acquire */

const struct dlw_records_stacks dlw_records_stacks = {
    .segments = segments,
    .reasons = why_text,
    .n_segments = SEGMENTS,
    .per_segment = SEGMENT,
    .n_reasons = sizeof(why_text) / sizeof(why_text[0]),
    .id = offsetof(struct stack, id),
    .n = offsetof(struct stack, n),
    .cut = offsetof(struct stack, cut),
    .frames = offsetof(struct stack, frames),
    .frame_size = sizeof(struct frame),
    .pc = offsetof(struct frame, pc),
    .reason = offsetof(struct frame, why),
};

/* A stack being put together, on the caller's own stack: no larger than the frames that are kept.
 */
struct draft {
    unsigned n, room;
    bool cut;
    struct frame *frames;
};

#define DRAFT_ON_STACK(name)                                                                       \
    struct frame name##_frames[dlw_options.stack_depth];                                           \
    struct draft name = {0, (unsigned)dlw_options.stack_depth, false, name##_frames}

static void draft_add(struct draft *draft, uintptr_t pc, enum why why)
{
    if (draft->n == draft->room) {
        draft->cut = true;
        return;
    }
    draft->frames[draft->n++] = (struct frame){.pc = why ? 0 : pc, .why = why};
}

static void draft_add_end(struct draft *draft, enum dlw_walk_end end)
{
    if (end == DLW_WALK_FULL)
        draft->cut = true;
    else if (end == DLW_WALK_NO_TABLES)
        draft_add(draft, 0, WHY_NO_TABLES);
    else if (end == DLW_WALK_LOST)
        draft_add(draft, 0, WHY_LOST);
}

static struct stack *append_locked(const struct draft *draft)
{
    uint32_t n = atomic_load_explicit(&n_stacks, memory_order_relaxed);
    size_t bytes = draft->n * sizeof(struct frame);

    if (n / SEGMENT >= SEGMENTS)
        return NULL;
    if (n % SEGMENT == 0)
        segments[n / SEGMENT] = dlw_arena_alloc(&arena, SEGMENT * sizeof(struct stack *));
    struct stack *stack = dlw_arena_alloc(&arena, sizeof(*stack) + bytes);
    if (!stack || !segments[n / SEGMENT])
        return NULL;
    stack->id = n + 1;
    stack->n = (uint16_t)draft->n;
    stack->cut = draft->cut;
    memcpy(stack->frames, draft->frames, bytes);
    segments[n / SEGMENT][n % SEGMENT] = stack;
    HASH_ADD_KEYPTR(hh, table, stack->frames, bytes, stack);
    /* Pairs with the acquire in dlw_stack_get. */
    atomic_store_explicit(&n_stacks, n + 1, memory_order_release);
    return stack;
}

static uint32_t intern(struct draft *draft)
{
    struct stack *stack = NULL;

    if (draft->n == 0)
        return 0;
    if (!dlw_lock_acquire_or_skip(&stacks_lock))
        return 0;
    for (unsigned i = 0; i < draft->n; i++)
        if (!draft->frames[i].why)
            draft->frames[i].module = dlw_module_find_locked(&arena, draft->frames[i].pc - 1);
    HASH_FIND(hh, table, draft->frames, draft->n * sizeof(struct frame), stack);
    if (!stack)
        stack = append_locked(draft);
    uint32_t id = stack ? stack->id : 0;
    dlw_lock_release(&stacks_lock);
    return id;
}

static const struct stack *stack_at(uint32_t id)
{
    return segments[(id - 1) / SEGMENT][(id - 1) % SEGMENT];
}

/* ---- the same stack again ---- */

/*
 * Most stacks that are asked for were asked for before, and many times: threads made in a loop,
 * locks met at one place. A few are found by their addresses alone, with no lock taken and no
 * module looked up, which holds until one is unloaded. A slot is the number of unloads, then the
 * stack's.
 */
enum { RECENT = 64 };
static _Atomic uint64_t recent[RECENT];

static _Atomic uint64_t *recent_slot(const struct dlw_walked *frames, unsigned n)
{
    uint64_t x = (frames[0].pc ^ frames[n - 1].pc ^ (uint64_t)n << 32) * DLW_GOLDEN;

    return &recent[x >> 32 & (RECENT - 1)];
}

static bool is_stack(const struct stack *stack, const struct dlw_walked *frames, unsigned n,
                     bool cut)
{
    if (stack->n != n || stack->cut != cut)
        return false;
    for (unsigned i = 0; i < n; i++)
        if (stack->frames[i].pc != frames[i].pc)
            return false;
    return true;
}

/* 0: not there. */
static uint32_t find_recent(const struct dlw_walked *frames, unsigned n, bool cut)
{
    uint64_t slot = n ? atomic_load_explicit(recent_slot(frames, n), memory_order_acquire) : 0;
    uint32_t id = (uint32_t)slot;

    if (!id || slot >> 32 != dlw_modules_forgotten() || !is_stack(stack_at(id), frames, n, cut))
        return 0;
    return id;
}

/* Pairs with the acquire in find_recent: the stack is whole. `unloads` as it was before the modules
 * were looked up. */
static void note_recent(const struct dlw_walked *frames, unsigned n, uint32_t id, uint32_t unloads)
{
    if (id)
        atomic_store_explicit(recent_slot(frames, n), (uint64_t)unloads << 32 | id,
                              memory_order_release);
}

static uint32_t intern_walked(const struct dlw_walked *frames, unsigned n, enum dlw_walk_end end)
{
    DRAFT_ON_STACK(draft);
    uint32_t unloads = dlw_modules_forgotten();
    bool is_plain = end == DLW_WALK_COMPLETE || end == DLW_WALK_FULL;
    unsigned kept = n < draft.room ? n : draft.room;
    uint32_t known = is_plain ? find_recent(frames, kept, end == DLW_WALK_FULL || kept < n) : 0;

    if (known)
        return known;
    for (unsigned i = 0; i < n; i++)
        draft_add(&draft, frames[i].pc, KNOWN);
    draft_add_end(&draft, end);
    uint32_t id = intern(&draft);
    if (is_plain)
        note_recent(frames, kept, id, unloads);
    return id;
}

uint32_t dlw_module_of(uintptr_t address)
{
    if (!dlw_lock_acquire_or_skip(&stacks_lock))
        return 0;
    uint32_t id = dlw_module_find_locked(&arena, address);
    dlw_lock_release(&stacks_lock);
    return id;
}

uint32_t dlw_stack_get(uint32_t id, struct dlw_journal_frame *out, uint32_t room, bool *cut)
{
    if (id == 0 || id > atomic_load_explicit(&n_stacks, memory_order_acquire))
        return 0;
    const struct stack *stack = stack_at(id);
    for (uint32_t i = 0; i < stack->n && i < room; i++)
        out[i] = (struct dlw_journal_frame){.pc = stack->frames[i].pc,
                                            .module = stack->frames[i].module,
                                            .unknown = why_text[stack->frames[i].why]};
    *cut = stack->cut;
    return stack->n;
}

/* ---- the calling thread ---- */

void dlw_live_walk(struct dlw_thread *self, const struct dlw_call *call, struct dlw_live *out)
{
    struct dlw_memory memory = {call->sp, self->stack_high, NULL};

    if (memory.high < memory.low) /* on another stack: every read asks the kernel */
        memory.high = memory.low;
    out->n = dlw_frames_walk(call, &memory, out->frames, out->room, &out->end);
}

uint32_t dlw_stack_of_live(const struct dlw_live *live)
{
    return intern_walked(live->frames, live->n, live->end);
}

/* ---- where a held lock was taken ---- */

/*
 * The levels noted at the lock are exact. The last of them names a frame; where that frame is
 * still live now (a frame of the same function that ends at the same address), everything outside
 * it is as it was. Where it isn't, a helper has returned whose caller can't be known any more; what
 * lies further out than the innermost frame still there is listed again.
 */
static unsigned find_live(const struct dlw_live *live, uintptr_t pc, uintptr_t cfa, bool *returned)
{
    *returned = true;
    for (unsigned i = 0; i < live->n; i++) {
        if (live->frames[i].cfa < cfa)
            continue;
        if (live->frames[i].cfa == cfa && dlw_frames_same_function(live->frames[i].pc, pc))
            *returned = false;
        return i + 1;
    }
    return live->n;
}

/* True when a helper has returned. */
static bool add_outer(struct draft *draft, const struct dlw_live *live, struct dlw_call last,
                      const struct dlw_memory *memory)
{
    uintptr_t pc = last.pc;
    uintptr_t cfa;
    enum dlw_walk_end end = DLW_WALK_COMPLETE;
    bool returned;

    if (!dlw_frames_step(&last, memory, &cfa, &end) && cfa == 0) {
        draft_add_end(draft, end);
        return false;
    }
    unsigned i = find_live(live, pc, cfa, &returned);
    if (returned)
        draft_add(draft, 0, WHY_RETURNED);
    for (; i < live->n; i++)
        draft_add(draft, live->frames[i].pc, KNOWN);
    draft_add_end(draft, live->end);
    return returned;
}

static uint32_t stack_of_entry(const struct dlw_held_lock *held, const struct dlw_live *live,
                               const struct dlw_memory *memory)
{
    DRAFT_ON_STACK(draft);
    struct dlw_call last = {held->pc[held->levels - 1], held->sp, held->fp};

    for (unsigned i = 0; i < held->levels; i++) {
        if (dlw_starts_thread(held->pc[i])) /* the trampoline: all is listed */
            return intern(&draft);
        draft_add(&draft, held->pc[i], KNOWN);
    }
    if (add_outer(&draft, live, last, memory))
        dlw_rule_needs_all(held->pc[0]);
    return intern(&draft);
}

uint32_t dlw_stack_of_held(struct dlw_thread *self, struct dlw_held_lock *held,
                           const struct dlw_live *live)
{
    struct dlw_memory memory = {held->sp, self->stack_high, NULL};

    if (memory.high < memory.low)
        memory.high = memory.low;
    if (!held->stack && held->levels)
        held->stack = stack_of_entry(held, live, &memory);
    return held->stack;
}

/* ---- a thread that waits ---- */

struct copied {
    struct dlw_memory memory;
    char *bytes;
    size_t size;
};

/* Copies as much of the thread's stack as there is, at most COPY_BYTES, through the kernel: what is
 * gone is an error, not a fault. */
static bool copy_stack(const struct dlw_thread *thread, uintptr_t from, struct copied *out)
{
    size_t size = thread->stack_high > from ? thread->stack_high - from : 0;

    if (size == 0 || atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return false;
    if (size > COPY_BYTES)
        size = COPY_BYTES;
    out->size = size;
    out->bytes = dlw_pages_map(size);
    if (!out->bytes)
        return false;
    struct iovec local = {out->bytes, size};
    struct iovec remote = {(void *)from, size}; /* NOLINT(performance-no-int-to-ptr) */
    long got = dlw_syscall(SYS_process_vm_readv, dlw_syscall(SYS_gettid), &local, 1, &remote, 1, 0);
    out->memory = (struct dlw_memory){from, from + (got > 0 ? (size_t)got : 0), out->bytes};
    return got > 0;
}

static bool is_still(const struct dlw_thread *thread, uint64_t sequence)
{
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&thread->wait.sequence, memory_order_relaxed) == sequence;
}

static bool walk_waiting(const struct dlw_thread *thread, uint64_t sequence, struct dlw_live *live,
                         struct copied *copied)
{
    struct dlw_call call = thread->wait.call;

    copied->bytes = NULL;
    if (!copy_stack(thread, call.sp, copied) || !is_still(thread, sequence))
        return false;
    live->n = dlw_frames_walk(&call, &copied->memory, live->frames, live->room, &live->end);
    return true;
}

static void drop(struct copied *copied)
{
    if (copied->bytes)
        dlw_pages_unmap(copied->bytes, copied->size);
}

uint32_t dlw_stack_of_waiting(struct dlw_thread *thread, uint64_t sequence)
{
    DLW_LIVE_ON_STACK(live);
    struct copied copied;
    uint32_t id = 0;

    if (walk_waiting(thread, sequence, &live, &copied))
        id = dlw_stack_of_live(&live);
    drop(&copied);
    return id;
}

uint32_t dlw_stack_of_waiting_held(struct dlw_thread *thread, uint64_t sequence,
                                   const struct dlw_held_lock *held)
{
    DLW_LIVE_ON_STACK(live);
    struct copied copied;
    struct dlw_held_lock entry;
    uint32_t id = 0;

    memcpy(&entry, held, sizeof(entry));
    if (is_still(thread, sequence) && entry.stack)
        return entry.stack;
    if (walk_waiting(thread, sequence, &live, &copied) && entry.levels)
        id = stack_of_entry(&entry, &live, &copied.memory);
    drop(&copied);
    return id;
}

/* A copy that may be torn is told by its lock having changed. */
static bool copy_entry(struct dlw_thread *thread, uintptr_t lock, struct dlw_held_lock *out)
{
    struct dlw_held_lock *held = atomic_load_explicit(&thread->held, memory_order_acquire);
    uint32_t depth = atomic_load_explicit(&thread->depth, memory_order_relaxed);

    for (uint32_t i = 0; held && i < depth; i++) {
        if (atomic_load_explicit(&held[i].lock, memory_order_relaxed) != lock)
            continue;
        memcpy(out, &held[i], sizeof(*out));
        atomic_thread_fence(memory_order_acquire);
        return atomic_load_explicit(&held[i].lock, memory_order_relaxed) == lock &&
               atomic_load_explicit(&thread->depth, memory_order_relaxed) > i && out->levels > 0 &&
               out->levels <= DLW_LEVELS;
    }
    return false;
}

uint32_t dlw_stack_of_others_held(struct dlw_thread *thread, uintptr_t lock)
{
    uint64_t sequence = atomic_load_explicit(&thread->wait.sequence, memory_order_acquire);
    struct dlw_held_lock entry;
    DRAFT_ON_STACK(draft);

    if (!copy_entry(thread, lock, &entry))
        return 0;
    if (sequence & 1) {
        uint32_t id = dlw_stack_of_waiting_held(thread, sequence, &entry);
        if (id)
            return id;
    }
    for (unsigned i = 0; i < entry.levels; i++)
        draft_add(&draft, entry.pc[i], KNOWN);
    draft_add(&draft, 0, WHY_RUNNING);
    return intern(&draft);
}

uint32_t dlw_stack_of_pc(uintptr_t pc)
{
    struct dlw_walked frame = {.pc = pc};

    return intern_walked(&frame, 1, DLW_WALK_COMPLETE);
}

uint32_t dlw_stack_of_ended(const uintptr_t *pc, uint32_t n)
{
    DRAFT_ON_STACK(draft);

    for (uint32_t i = 0; i < n; i++) {
        if (dlw_starts_thread(pc[i])) /* the trampoline: all is listed */
            return intern(&draft);
        draft_add(&draft, pc[i], KNOWN);
    }
    draft_add(&draft, 0, WHY_ENDED);
    return intern(&draft);
}

void dlw_stacks_start(const char *exe, const char *folder)
{
    dlw_modules_start(exe, folder);
}

bool dlw_stacks_before_fork(void)
{
    return dlw_lock_acquire(&stacks_lock);
}

void dlw_stacks_after_fork(bool child)
{
    if (child)
        dlw_lock_reset(&stacks_lock);
    else
        dlw_lock_release(&stacks_lock);
}
