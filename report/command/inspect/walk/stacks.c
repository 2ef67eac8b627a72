#include "report/command/inspect/walk/stacks.h"

#include "report/command/inspect/walk/frame_pointer.h"

#include <elf.h>
#include <elfutils/version.h>
#include <string.h>

/* The thread that is being unwound. */
struct walk {
    struct dlw_target *target;
    struct dlw_seen_thread *thread;
    size_t depth;
    struct dlw_registers registers; /* to begin with */
    bool skips_first;               /* the first place is there already */
};

static pid_t next_thread(Dwfl *dwfl, void *argument, void **thread_argument)
{
    struct walk *walk = argument;
    (void)dwfl;
    if (*thread_argument == walk)
        return 0;
    *thread_argument = walk;
    return (pid_t)walk->thread->tid;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *argument, void **thread_argument)
{
    struct walk *walk = argument;
    (void)dwfl;
    *thread_argument = walk;
    return (uint32_t)tid == walk->thread->tid;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *out, void *argument)
{
    const struct walk *walk = argument;
    uint32_t narrow;
    (void)dwfl;
    if (!walk->target->is_narrow)
        return dlw_target_read_stack(walk->target, walk->thread, address, out, sizeof *out);
    if (!dlw_target_read_stack(walk->target, walk->thread, address, &narrow, sizeof narrow))
        return false;
    *out = narrow;
    return true;
}

static bool set_registers(Dwfl_Thread *thread, void *argument)
{
    const struct walk *walk = argument;
    const struct dlw_registers *registers = &walk->registers;
    for (int i = 0; i < 32; i++) {
        Dwarf_Word value = registers->value[i];
        if (registers->known >> i & 1 && !dwfl_thread_state_registers(thread, i, 1, &value))
            return false;
    }
    dwfl_thread_state_register_pc(thread, registers->pc);
    return true;
}

static uint64_t stack_pointer(Dwfl_Frame *frame, const struct walk *walk)
{
    if (!walk->thread->n_places)
        return walk->thread->registers.sp;
#if _ELFUTILS_PREREQ(0, 188)
    int machine = walk->target->machine;
    Dwarf_Word value;
    unsigned number = machine == EM_X86_64 ? 7 : machine == EM_386 ? 4 : 31;
    if (!dwfl_frame_reg(frame, number, &value))
        return value;
#else
    (void)frame;
#endif
    return 0;
}

static int add_place(Dwfl_Frame *frame, void *argument)
{
    struct walk *walk = argument;
    struct dlw_seen_thread *thread = walk->thread;
    Dwarf_Addr pc;
    bool is_exact;
    if (!dwfl_frame_pc(frame, &pc, &is_exact))
        return DWARF_CB_ABORT;
    if (walk->skips_first) {
        walk->skips_first = false;
        return DWARF_CB_OK;
    }
    if (thread->n_places == walk->depth) {
        thread->is_cut = true;
        return DWARF_CB_ABORT;
    }
    if (!pc)
        return DWARF_CB_ABORT;
    thread->places = dlw_region_grow(walk->target->region, thread->places, thread->n_places,
                                     sizeof *thread->places);
    thread->places[thread->n_places] =
        (struct dlw_place){.pc = pc, .sp = stack_pointer(frame, walk), .is_return = !is_exact};
    thread->n_places++;
    return DWARF_CB_OK;
}

/* Where libdwfl can't begin (no module, no unwinding for this processor) the pc is still known. */
static void add_first_place(struct walk *walk)
{
    struct dlw_seen_thread *thread = walk->thread;
    thread->places = dlw_region_grow(walk->target->region, NULL, 0, sizeof *thread->places);
    thread->places[0] = (struct dlw_place){.pc = thread->registers.pc, .sp = thread->registers.sp};
    thread->n_places = 1;
}

static const Dwfl_Thread_Callbacks unwinding = {
    .next_thread = next_thread,
    .get_thread = get_thread,
    .memory_read = read_memory,
    .set_initial_registers = set_registers,
};

static void walk_from(struct walk *walk, const struct dlw_registers *registers)
{
    walk->registers = *registers;
    dwfl_getthread_frames(walk->target->dwfl, (pid_t)walk->thread->tid, add_place, walk);
}

/* Goes on from the last place with the frame pointer that belongs there. */
static void walk_on(struct walk *walk)
{
    enum { FRAME_POINTER = 6, STACK_POINTER = 7, PC = 16 }; /* of x86-64, in DWARF's numbers */
    struct dlw_seen_thread *thread = walk->thread;
    const struct dlw_place *last = &thread->places[thread->n_places - 1];
    struct dlw_registers registers = {.sp = last->sp, .pc = last->pc - last->is_return};
    if (thread->is_cut || thread->registers.known >> FRAME_POINTER & 1 ||
        !dlw_frame_pointer(walk->target, thread, last, &registers.value[FRAME_POINTER]))
        return;
    registers.value[STACK_POINTER] = registers.sp;
    registers.value[PC] = registers.pc;
    registers.known = 1 << FRAME_POINTER | 1 << STACK_POINTER | 1 << PC;
    walk->skips_first = true;
    walk_from(walk, &registers);
    walk->skips_first = false;
}

void dlw_stacks_unwind(struct dlw_target *target, size_t depth)
{
    struct walk walk = {.target = target, .depth = depth};
    bool is_ready = dwfl_attach_state(target->dwfl, NULL, (pid_t)target->pid, &unwinding, &walk);
    for (size_t i = 0; i < target->n_threads; i++) {
        walk.thread = &target->threads[i];
        if (!walk.thread->registers.known)
            continue;
        if (is_ready)
            walk_from(&walk, &walk.thread->registers);
        if (!walk.thread->n_places)
            add_first_place(&walk);
        else if (is_ready)
            walk_on(&walk);
    }
}
