#include "interpose/stacks/walk.h"

#include "interpose/base/proc.h"
#include "interpose/base/trampoline.h"

#include <string.h>

/* Another stack (a coroutine's, a signal's): let the kernel say whether it is there. */
static __attribute__((noinline)) bool read_elsewhere(const struct dlw_memory *memory,
                                                     uintptr_t address, uintptr_t *out)
{
    return !memory->copy && dlw_proc_read(address, out, sizeof(*out));
}

static inline bool read_word(const struct dlw_memory *memory, uintptr_t address, uintptr_t *out)
{
    if (__builtin_expect(
            address < memory->low || address + sizeof(*out) > memory->high || address % 8 != 0, 0))
        return read_elsewhere(memory, address, out);
    const void *at = memory->copy ? (const void *)(memory->copy + (address - memory->low))
                                  : (const void *)address; /* NOLINT */
    memcpy(out, at, sizeof(*out));
    return true;
}

/* Of a walk: what it knows of the link register. */
#define LINK(word) (DLW_SIGNAL_LR ? &(word) : NULL)

/* `lr` becomes the link register of what was interrupted, where there is one. */
static bool step_signal(struct dlw_call *at, const struct dlw_memory *memory, uintptr_t *lr)
{
    struct dlw_call to;

    if (!read_word(memory, at->sp + DLW_SIGNAL_PC, &to.pc) ||
        !read_word(memory, at->sp + DLW_SIGNAL_SP, &to.sp) ||
        !read_word(memory, at->sp + DLW_SIGNAL_FP, &to.fp))
        return false;
    if (DLW_SIGNAL_LR && !read_word(memory, at->sp + DLW_SIGNAL_LR, lr))
        return false;
    to.pc++; /* not a return address: lookups subtract one */
    *at = to;
    return true;
}

static struct dlw_rule rule_of(uintptr_t pc)
{
    struct dlw_rule_slot *slot = dlw_rule_find(pc);

    if (!slot)
        slot = dlw_rule_learn(pc);
    return slot ? slot->rule : (struct dlw_rule){.base = DLW_RULE_COMPLEX};
}

/* Of code that was interrupted before it had saved the link register. It may have no frame. */
static bool step_leaf(struct dlw_call *at, uintptr_t end, uintptr_t *lr)
{
    if (end < at->sp || !*lr)
        return false;
    at->pc = dlw_arch_address(*lr);
    at->sp = end;
    *lr = 0;
    return true;
}

static inline __attribute__((always_inline)) bool step_frame(struct dlw_call *at,
                                                             const struct dlw_memory *memory,
                                                             struct dlw_rule rule, uintptr_t *cfa,
                                                             uintptr_t *lr)
{
    uintptr_t end =
        (rule.base == DLW_RULE_SP ? at->sp : at->fp) + (uintptr_t)(intptr_t)rule.cfa_offset;
    uintptr_t pc;
    uintptr_t fp = at->fp;

    if (DLW_RULE_PC_SLOT(rule) == 0) {
        *cfa = end;
        return step_leaf(at, end, lr);
    }
    if (end <= at->sp || !read_word(memory, end + DLW_RULE_PC_OFFSET(rule), &pc))
        return false;
    if (rule.fp_slot && !read_word(memory, end + (uintptr_t)((intptr_t)rule.fp_slot * 8), &fp))
        return false;
    if (DLW_SIGNAL_LR)
        *lr = 0;
    /* A word at a time: they are read again so, and a wider store or load would wait. */
    at->pc = dlw_arch_address(pc);
    at->sp = end;
    at->fp = fp;
    *cfa = end;
    return pc != 0;
}

/* By a rule that isn't step_frame()'s. */
static __attribute__((noinline)) bool step_other(struct dlw_call *at,
                                                 const struct dlw_memory *memory,
                                                 struct dlw_rule rule, enum dlw_walk_end *end,
                                                 uintptr_t *lr)
{
    switch (rule.base) {
    case DLW_RULE_END:
        *end = DLW_WALK_COMPLETE;
        return false;
    case DLW_RULE_NO_TABLES:
        *end = DLW_WALK_NO_TABLES;
        return false;
    case DLW_RULE_SIGNAL:
        *end = DLW_WALK_LOST;
        return step_signal(at, memory, lr);
    default:
        *end = DLW_WALK_LOST;
        return false;
    }
}

static inline __attribute__((always_inline)) bool step(struct dlw_call *at,
                                                       const struct dlw_memory *memory,
                                                       uintptr_t *cfa, enum dlw_walk_end *end,
                                                       uintptr_t *lr)
{
    struct dlw_rule rule = rule_of(at->pc);

    *cfa = 0;
    if (__builtin_expect(rule.base != DLW_RULE_SP && rule.base != DLW_RULE_FP, 0))
        return step_other(at, memory, rule, end, lr);
    *end = DLW_WALK_LOST;
    return step_frame(at, memory, rule, cfa, lr);
}

bool dlw_frames_step(struct dlw_call *at, const struct dlw_memory *memory, uintptr_t *cfa,
                     enum dlw_walk_end *end)
{
    uintptr_t lr = 0;

    return step(at, memory, cfa, end, LINK(lr));
}

unsigned dlw_frames_walk(const struct dlw_call *from, const struct dlw_memory *memory,
                         struct dlw_walked *out, unsigned room, enum dlw_walk_end *end)
{
    struct dlw_call at = *from;
    uintptr_t lr = 0;
    unsigned n = 0;

    *end = DLW_WALK_FULL;
    while (n < room) {
        if (dlw_starts_thread(at.pc)) { /* the trampoline that starts threads */
            *end = DLW_WALK_COMPLETE;
            return n;
        }
        out[n].pc = at.pc;
        bool more = step(&at, memory, &out[n].cfa, end, LINK(lr));
        n++;
        if (!more)
            return n;
    }
    *end = DLW_WALK_FULL;
    return n;
}
