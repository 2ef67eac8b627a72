#include "interpose/stacks/intern.h"

#include "graph/base/arena.h"
#include "graph/base/lock.h"
#include "interpose/stacks/lines.h"
#include "interpose/stacks/modules.h"
#include "report/emit/records.h"

#include <string.h>

/* The keys of this table are arrays of words. */
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

enum { SEGMENT = 1024, SEGMENTS = 65536 };

static const char *why_text[] = {
    NULL,
    "a helper that has returned",
    "code without unwind information",
    "a frame that could not be read",
    "the thread moved on while it was read",
    "the thread runs, its outer frames were not read",
    "the thread has ended, its outer frames were not kept",
    "a Python frame that could not be read",
    "a line of Python",
};

struct stack {
    UT_hash_handle hh;
    uint32_t id;
    uint16_t n;
    bool cut;
    struct dlw_draft_frame frames[];
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
    .frame_size = sizeof(struct dlw_draft_frame),
    .pc = offsetof(struct dlw_draft_frame, pc),
    .reason = offsetof(struct dlw_draft_frame, why),
};

void dlw_draft_add(struct dlw_draft *draft, uintptr_t pc, enum dlw_why why)
{
    if (draft->n == draft->room) {
        draft->cut = true;
        return;
    }
    draft->frames[draft->n++] = (struct dlw_draft_frame){.pc = why ? 0 : pc, .why = why};
}

void dlw_draft_add_line(struct dlw_draft *draft, uint32_t line)
{
    dlw_draft_add(draft, 0, line ? DLW_LINE : DLW_WHY_UNREADABLE);
    if (line && !draft->cut)
        draft->frames[draft->n - 1].pc = line;
}

void dlw_draft_add_end(struct dlw_draft *draft, enum dlw_walk_end end)
{
    if (end == DLW_WALK_FULL)
        draft->cut = true;
    else if (end == DLW_WALK_NO_TABLES)
        dlw_draft_add(draft, 0, DLW_WHY_NO_TABLES);
    else if (end == DLW_WALK_LOST)
        dlw_draft_add(draft, 0, DLW_WHY_LOST);
}

static struct stack *append_locked(const struct dlw_draft *draft)
{
    uint32_t n = atomic_load_explicit(&n_stacks, memory_order_relaxed);
    size_t bytes = draft->n * sizeof(struct dlw_draft_frame);

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

uint32_t dlw_intern(struct dlw_draft *draft)
{
    struct stack *stack = NULL;

    if (draft->n == 0)
        return 0;
    if (!dlw_lock_acquire_or_skip(&stacks_lock))
        return 0;
    for (unsigned i = 0; i < draft->n; i++)
        if (!draft->frames[i].why)
            draft->frames[i].module = dlw_module_find_locked(&arena, draft->frames[i].pc - 1);
    HASH_FIND(hh, table, draft->frames, draft->n * sizeof(struct dlw_draft_frame), stack);
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

uint32_t dlw_intern_walked(const struct dlw_walked *frames, unsigned n, enum dlw_walk_end end)
{
    DLW_DRAFT_ON_STACK(draft);
    uint32_t unloads = dlw_modules_forgotten();
    bool is_plain = end == DLW_WALK_COMPLETE || end == DLW_WALK_FULL;
    unsigned kept = n < draft.room ? n : draft.room;
    uint32_t known = is_plain ? find_recent(frames, kept, end == DLW_WALK_FULL || kept < n) : 0;

    if (known)
        return known;
    for (unsigned i = 0; i < n; i++)
        dlw_draft_add(&draft, frames[i].pc, DLW_KNOWN);
    dlw_draft_add_end(&draft, end);
    uint32_t id = dlw_intern(&draft);
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
    for (uint32_t i = 0; i < stack->n && i < room; i++) {
        const struct dlw_draft_frame *frame = &stack->frames[i];
        bool is_line = frame->why == DLW_LINE;
        out[i] =
            (struct dlw_journal_frame){.pc = frame->pc,
                                       .module = frame->module,
                                       .unknown = is_line ? NULL : why_text[frame->why],
                                       .line = is_line ? dlw_line_get((uint32_t)frame->pc) : NULL};
    }
    *cut = stack->cut;
    return stack->n;
}

void dlw_stacks_lack_rules(const char *why)
{
    why_text[DLW_WHY_NO_TABLES] = why;
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
