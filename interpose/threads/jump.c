#include "interpose/threads/jump.h"

#include "graph/base/sys.h"
#include "interpose/base/ability.h"
#include "interpose/base/proc.h"
#include "interpose/base/state.h"
#include "interpose/threads/held.h"
#include "interpose/threads/hooks.h"
#include "report/emit/say.h"

static _Atomic uint32_t n_healed, n_lost; /* relaxed: only counted */

/* The stack that the thread began on, as far as its size is known. */
static bool is_on_own_stack(const struct dlw_thread *self, uintptr_t address)
{
    return self->stack_size && address <= self->stack_high &&
           address >= self->stack_high - self->stack_size;
}

/* Has the return address of the frame been overwritten? What lies further out on the thread's own
 * stack is there. */
static bool is_overwritten(const struct dlw_thread *self, uintptr_t here)
{
    uintptr_t pc, slot = self->guard_frame + sizeof(void *);

    if (here < slot && is_on_own_stack(self, here) && is_on_own_stack(self, slot))
        return *(const volatile uintptr_t *)slot != self->guard_pc; /* NOLINT */
    enum dlw_proc_reading reading = dlw_proc_try_read(slot, &pc, sizeof(pc));

    return reading == DLW_PROC_GONE || (reading == DLW_PROC_READ && pc != self->guard_pc);
}

enum section { IS_THERE, IS_LEFT, IS_UNKNOWN };

static enum section judge(const struct dlw_thread *self, uintptr_t here)
{
    enum { NEAR = 64 * 1024 };
    uintptr_t frame = self->guard_frame;

    if (!frame)
        return IS_THERE;
    if (here + DLW_SIGNAL_FRAME <= frame && frame - here < NEAR)
        return is_overwritten(self, here) ? IS_LEFT : IS_THERE;
    if (dlw_signals_alternate_stack(NULL))
        return IS_THERE;
    if (is_on_own_stack(self, frame) && is_on_own_stack(self, here))
        return here + DLW_SIGNAL_FRAME > frame || is_overwritten(self, here) ? IS_LEFT : IS_THERE;
    return is_overwritten(self, here) ? IS_LEFT : IS_UNKNOWN;
}

/* Whatever the section was doing with the held stack, the locks themselves say what is held. */
static void heal(struct dlw_thread *self)
{
    atomic_fetch_add_explicit(&n_healed, 1, memory_order_relaxed);
    self->guard &= ~(uint32_t)DLW_GUARD_DEPTH; /* stays closed until it is left below */
    self->guard_frame = 0;
    self->is_lost = false;
    dlw_shield_abandon(&self->shield);
    dlw_guard_enter(self);
    dlw_held_settle(self);
    self->resync = true;
    dlw_guard_leave(self);
}

static void lose(struct dlw_thread *self)
{
    char number[24];

    if (self->is_lost)
        return;
    self->is_lost = true;
    atomic_fetch_add_explicit(&n_lost, 1, memory_order_relaxed);
    dlw_ability_lacks(DLW_ABILITY_THREADS,
                      "a handler left the library for a stack of the program's own");
    dlw_say("thread ", dlw_say_number(number, self->id), " (", self->name,
            ") left the library by a jump, as it seems: it is not watched any more", NULL);
}

bool dlw_jump_heals(struct dlw_thread *self, uintptr_t here)
{
    enum section section = judge(self, here);

    if (section == IS_LEFT)
        heal(self);
    else if (section == IS_UNKNOWN)
        lose(self);
    return section == IS_LEFT;
}

bool dlw_jump_leaves(const struct dlw_thread *self, uintptr_t target, uintptr_t frame)
{
    return target && frame && target > frame - DLW_SIGNAL_FRAME && is_on_own_stack(self, target) &&
           is_on_own_stack(self, frame) && !dlw_signals_alternate_stack(&target);
}

void dlw_jump_begins(struct dlw_thread *self, uintptr_t target)
{
    if ((self->guard & DLW_GUARD_DEPTH) && dlw_jump_leaves(self, target, self->guard_frame))
        heal(self);
    if (!(self->guard & DLW_GUARD_DEPTH) && dlw_held_depth(self) && is_on_own_stack(self, target) &&
        !dlw_signals_alternate_stack(&target))
        dlw_held_jumped_over(self, target + DLW_SIGNAL_FRAME);
}

uint32_t dlw_jumps_healed(void)
{
    return atomic_load_explicit(&n_healed, memory_order_relaxed);
}

uint32_t dlw_jumps_lost(void)
{
    return atomic_load_explicit(&n_lost, memory_order_relaxed);
}
