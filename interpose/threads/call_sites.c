/* What is known of the places that take locks: how many frames further out are noted with a lock.
 */
#include "interpose/base/real.h"
#include "interpose/base/trampoline.h"
#include "interpose/stacks/walk.h"
#include "interpose/threads/held.h"
#include "interpose/threads/hooks.h"
#include "interpose/threads/profile.h"

/*
 * The first unlocks of a place only count, since most places are few times passed; the next are
 * assessed, and the most levels that one of them needed are noted from then on. Later
 * contradictions raise it.
 */
enum { COUNTED = 4, ASSESSED = 12, OVER = DLW_TRIAL_OVER };

/* Walks with libunwind's help, which fills the rule table for the next time. */
static DLW_COLD void note_new(struct dlw_held_lock *held, struct dlw_call call)
{
    struct dlw_thread *self = dlw_self;
    uintptr_t high = self->stack_high;
    struct dlw_memory memory = {call.sp, high, NULL};
    enum dlw_walk_end end;
    uintptr_t cfa;
    unsigned n = 0;

    dlw_guard_enter(self);
    for (;;) {
        held->pc[n++] = call.pc;
        held->sp = call.sp;
        held->fp = call.fp;
        if (n == DLW_LEVELS || call.sp >= high || !dlw_frames_step(&call, &memory, &cfa, &end))
            break;
    }
    held->levels = (uint8_t)n;
    dlw_guard_leave(self);
}

/* By the rules alone, as far out as the place asks for. False: one of them isn't known yet. */
static bool note_outer(struct dlw_held_lock *held, const struct dlw_rule_slot *slot, uintptr_t high)
{
    struct dlw_call call = {held->pc[0], held->sp, held->fp};
    unsigned levels = slot->rule.levels & (DLW_RULE_COUNTED - 1U); /* without the bits above */
    unsigned n = 1;

    for (; n <= levels; n++) {
        struct dlw_rule rule;
        if (n > 1 && !(slot = dlw_rule_find(call.pc)))
            return false;
        rule = slot->rule;
        if (rule.base != DLW_RULE_SP && rule.base != DLW_RULE_FP)
            break;
        uintptr_t cfa =
            (rule.base == DLW_RULE_SP ? call.sp : call.fp) + (uintptr_t)(intptr_t)rule.cfa_offset;
        if (cfa <= call.sp || cfa > high) /* not on this thread's own stack */
            break;
        if (rule.fp_slot)
            call.fp = *(uintptr_t *)(cfa + (uintptr_t)((intptr_t)rule.fp_slot * 8)); /* NOLINT */
        call.sp = cfa;
        call.pc = dlw_arch_address(*(uintptr_t *)(cfa + DLW_RULE_PC_OFFSET(rule))); /* NOLINT */
        held->pc[n] = call.pc;
    }
    held->levels = (uint8_t)n;
    held->sp = call.sp;
    held->fp = call.fp;
    return true;
}

/* note_outer() for the most frequent case: the call site needs one level, and its frame has a
 * simple rule. */
static inline bool note_helper(struct dlw_held_lock *held, struct dlw_rule rule, uintptr_t high)
{
    uintptr_t cfa = held->sp + (uintptr_t)(intptr_t)rule.cfa_offset;

    if (rule.levels != 1 || rule.trial != OVER || rule.base != DLW_RULE_SP || cfa <= held->sp ||
        cfa > high)
        return false;
    if (rule.fp_slot)
        held->fp = *(uintptr_t *)(cfa + (uintptr_t)((intptr_t)rule.fp_slot * 8)); /* NOLINT */
    held->sp = cfa;
    held->pc[1] = dlw_arch_address(*(uintptr_t *)(cfa + DLW_RULE_PC_OFFSET(rule))); /* NOLINT */
    /* Stored as one word, since the next reader loads one word. */
    uint32_t traits = atomic_load_explicit(&held->traits, memory_order_relaxed);
    atomic_store_explicit(&held->traits, traits + DLW_TRAITS(0, 0, 0, 1), memory_order_relaxed);
    return true;
}

/* Copies the callers that were noted to the slot of an outermost lock (outermost.h). */
static inline void note_taken(struct dlw_thread *self, const struct dlw_held_lock *held)
{
    uintptr_t lock = atomic_load_explicit(&held->lock, memory_order_relaxed);
    struct dlw_outermost *slot = dlw_outermost_slot(self->taken, lock);

    if (held != dlw_held_at(self, 0) || slot->n > 1 || slot->pc[0] != held->pc[0])
        return;
    slot->n = held->levels < DLW_OUTERMOST_LEVELS ? held->levels : DLW_OUTERMOST_LEVELS;
    for (unsigned i = 1; i < slot->n; i++)
        slot->pc[i] = held->pc[i];
}

static void note_levels(struct dlw_thread *self, struct dlw_held_lock *held,
                        const struct dlw_rule_slot *slot)
{
    if (slot && slot->rule.levels == 0) {
        atomic_store_explicit(dlw_plain_place(held->pc[0]), held->pc[0], memory_order_relaxed);
        return;
    }
    if (!slot || slot->rule.trial != OVER)
        held->flags |= DLW_HELD_TRIAL;
    if (!slot || !note_outer(held, slot, self->stack_high))
        note_new(held, (struct dlw_call){held->pc[0], held->sp, held->fp});
}

/* A semaphore of CPython's: each is asked for the line that takes it. */
static bool is_of_python(const struct dlw_held_lock *held)
{
    return held->kind == DLW_LOCK_SEMAPHORE && dlw_python_is_code(held->pc[0]);
}

static DLW_NOINLINE int note_any(struct dlw_thread *self, struct dlw_held_lock *held,
                                 const struct dlw_rule_slot *slot)
{
    struct dlw_call call = {held->pc[0], held->sp, held->fp}; /* before more levels are noted */
    uint32_t as_of = dlw_rules_are_as_of();

    note_levels(self, held, slot);
    note_taken(self, held);
    if (!slot) /* learned just now */
        slot = dlw_rule_find(held->pc[0]);
    bool is_plain = slot && slot->rule.trial == OVER && slot->rule.levels == DLW_RULE_COUNTED &&
                    !is_of_python(held);
    if (dlw_options.profile)
        dlw_profile_taken(self, held, (struct dlw_profile_place){is_plain, NULL, as_of});
    if (__builtin_expect(slot && slot->rule.levels & DLW_RULE_ROLE, 0))
        dlw_hooks.role_taken(self, held, call);
    return 0;
}

/* With a profile asked for: a lock that it knows at this place, where it is known how many callers
 * are noted. All others go the long way. */
static DLW_NOINLINE int note_known(struct dlw_thread *self, struct dlw_held_lock *held)
{
    uint32_t as_of = dlw_rules_are_as_of();
    const struct dlw_rule_slot *slot = dlw_rule_find(held->pc[0]);
    struct dlw_profile_entry *row = NULL;
    struct dlw_rule rule = {.base = DLW_RULE_NONE};

    if (slot)
        rule = slot->rule;
    if (!(rule.levels & DLW_RULE_ROLE) && rule.trial == OVER)
        row = dlw_profile_row(self, held);
    if (!row)
        return note_any(self, held, slot);
    rule.levels &= (uint8_t)~DLW_RULE_COUNTED;
    bool is_plain = rule.levels == 0 && !is_of_python(held);
    if (!is_plain) {
        note_levels(self, held, slot);
        note_taken(self, held);
    }
    bool is_helper = rule.levels == 1 && held->kind != DLW_LOCK_SEMAPHORE;
    dlw_profile_count(self, held, row,
                      (struct dlw_profile_place){is_plain, is_helper ? &rule : NULL, as_of});
    return 0;
}

bool dlw_held_note_further(struct dlw_thread *self, struct dlw_held_lock *held)
{
    struct dlw_memory memory = {held->sp, self->stack_high, NULL};
    struct dlw_call call = {held->pc[held->levels - 1], held->sp, held->fp};
    enum dlw_walk_end end;
    uintptr_t cfa;

    if (held->flags & DLW_HELD_TRIAL && held->levels > 1)
        return true; /* all are noted, and its unlock will say so */
    if (held->levels >= DLW_LEVELS || call.sp >= memory.high)
        return false;
    dlw_guard_enter(self);
    bool is_known = dlw_frames_step(&call, &memory, &cfa, &end);
    dlw_guard_leave(self);
    if (!is_known)
        return false;
    held->pc[held->levels++] = call.pc;
    held->sp = call.sp;
    held->fp = call.fp;
    held->flags |= DLW_HELD_TRIAL;
    return true;
}

void dlw_held_note_again(struct dlw_thread *self, struct dlw_held_lock *held)
{
    note_levels(self, held, dlw_rule_find(held->pc[0]));
    note_taken(self, held);
}

static DLW_HOT int note_by_rule(struct dlw_thread *self, struct dlw_held_lock *held)
{
    const struct dlw_rule_slot *slot = dlw_rule_find(held->pc[0]);

    if (!slot || !note_helper(held, slot->rule, self->stack_high))
        return dlw_options.profile && slot ? note_known(self, held) : note_any(self, held, slot);
    note_taken(self, held);
    return 0;
}

static bool has_role(uintptr_t pc)
{
    if (!atomic_load_explicit(&dlw_rules_have_role, memory_order_relaxed))
        return false;
    const struct dlw_rule_slot *slot = dlw_rule_find(pc);
    return slot && slot->rule.levels & DLW_RULE_ROLE;
}

/* One that CPython takes is one of its locks. Apart, so that others save no registers for it. */
static DLW_NOINLINE int note_semaphore(struct dlw_thread *self, struct dlw_held_lock *held)
{
    if (!is_of_python(held) || has_role(held->pc[0]) ||
        !dlw_python_note(&self->python, (uintptr_t)self->handle, &held->pc[2]))
        return note_by_rule(self, held);
    held->pc[1] = DLW_LINE_MARK;
    held->levels = DLW_LINE_LEVELS;
    note_taken(self, held);
    if (dlw_options.profile)
        dlw_profile_taken(self, held, (struct dlw_profile_place){false, NULL, 0});
    return 0;
}

static DLW_NOINLINE int note_more(struct dlw_thread *self, struct dlw_held_lock *held)
{
    return held->kind == DLW_LOCK_SEMAPHORE ? note_semaphore(self, held) : note_by_rule(self, held);
}

/* In a helper that returns with the lock the rule stands in the profile's row. */
static DLW_NOINLINE int note_counted(struct dlw_thread *self, struct dlw_held_lock *held)
{
    if (!dlw_profile_is_helper(held) || !note_helper(held, held->counted->helper, self->stack_high))
        return note_more(self, held);
    note_taken(self, held);
    dlw_profile_count_again(self, held);
    return 0;
}

/* Several functions, so that each keeps nothing for the next. */
int dlw_held_note_more(struct dlw_thread *self, struct dlw_held_lock *held)
{
    if (__builtin_expect(self->until_timed <= 1, 0))
        return note_more(self, held);
    if (!dlw_profile_is_plain(self, held))
        return note_counted(self, held);
    dlw_profile_count_again(self, held);
    return 0;
}

enum { NOW = 2 * DLW_LEVELS };

/* Where in the present stack is the outermost level that was noted? `n` when nowhere. */
static unsigned find_outermost(struct dlw_call last, const struct dlw_memory *memory,
                               const struct dlw_walked *now, unsigned n, enum dlw_walk_end now_end)
{
    enum dlw_walk_end end;
    uintptr_t cfa;
    unsigned j = 0;

    dlw_frames_step(&last, memory, &cfa, &end);
    if (cfa == 0) /* the thread's first frame */
        return end == DLW_WALK_COMPLETE && now_end == DLW_WALK_COMPLETE && n > 0 ? n - 1 : n;
    while (j < n && now[j].cfa != cfa)
        j++;
    return j;
}

/*
 * How many levels must have been noted so that the last of them is a frame that is live now. The
 * outermost that was noted is looked for in the present stack; from there inwards both are
 * compared.
 */
static unsigned levels_needed(const struct dlw_held_lock *held, struct dlw_call call)
{
    struct dlw_memory memory = {held->sp < call.sp ? held->sp : call.sp, dlw_self->stack_high,
                                NULL};
    struct dlw_walked now[NOW];
    enum dlw_walk_end end;
    unsigned n = dlw_frames_walk(&call, &memory, now, NOW, &end);
    unsigned i = held->levels - 1U;
    struct dlw_call last = {held->pc[i], held->sp, held->fp};
    unsigned j = find_outermost(last, &memory, now, n, end);

    if (j == n)
        return DLW_LEVELS - 1;
    if (i > 0 && dlw_starts_thread(held->pc[i])) /* the walk ends before what starts threads */
        i--;
    for (; i > 0 && j > 0 && held->pc[i] == now[j].pc; i--)
        j--;
    if (!dlw_frames_same_function(held->pc[i], now[j].pc))
        i++;
    return i < DLW_LEVELS ? i : DLW_LEVELS - 1;
}

static void assess(struct dlw_rule_slot *slot, const struct dlw_held_lock *held,
                   struct dlw_call call)
{
    unsigned seen = slot->rule.trial & 15U;
    unsigned most = slot->rule.trial >> 4;

    if (seen == OVER && held->levels > 1) /* another thread has settled this call site meanwhile */
        return;
    if (seen >= COUNTED) {
        unsigned needed = levels_needed(held, call);
        if (needed > most)
            most = needed;
    }
    /* was thought to need none; at least one from now on, so that it is not assessed at each
     * unlock */
    if (seen == OVER)
        dlw_rule_settle(slot, most ? most : 1);
    else if (seen + 1 == ASSESSED)
        dlw_rule_settle(slot, most);
    else
        __atomic_store_n(&slot->rule.trial, (uint8_t)(most << 4 | (seen + 1)), __ATOMIC_RELAXED);
}

void dlw_held_assess(const struct dlw_held_lock *held, struct dlw_call call)
{
    struct dlw_thread *self = dlw_self;
    struct dlw_rule_slot *slot = dlw_rule_find(held->pc[0]);

    if (!slot || (dlw_options.profile && dlw_profile_let_go(self, held)))
        return;
    dlw_guard_enter(self);
    assess(slot, held, call);
    dlw_guard_leave(self);
}
