#include "report/command/inspect/walk/stacks.h"

#include "report/command/inspect/target/registers.h"
#include "report/command/inspect/walk/frame_pointer.h"

#include <elf.h>
#include <elfutils/version.h>
#include <string.h>

/* Of the last words that libdwfl has read: all of two frames. */
enum { READS = 64 };
struct read {
    uint64_t address, value;
};

/* The thread that is being unwound. */
struct walk {
    struct dlw_target *target;
    struct dlw_seen_thread *thread;
    size_t depth;
    struct dlw_registers registers; /* to begin with */
    bool skips_first;               /* the first place is there already */
    struct read reads[READS];       /* a ring */
    size_t n_reads, n_used;         /* up to the latter, they are of frames that have been told */
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

static bool read_word(const struct walk *walk, uint64_t address, uint64_t *out)
{
    uint32_t narrow;
    if (!walk->target->is_narrow)
        return dlw_target_read_stack(walk->target, walk->thread, address, out, sizeof *out);
    if (!dlw_target_read_stack(walk->target, walk->thread, address, &narrow, sizeof narrow))
        return false;
    *out = narrow;
    return true;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *out, void *argument)
{
    struct walk *walk = argument;
    (void)dwfl;
    if (!read_word(walk, address, out))
        return false;
    walk->reads[walk->n_reads++ % READS] = (struct read){address, *out};
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

/* 0: not known, as of the other two. */
static uint64_t stack_pointer_told(Dwfl_Frame *frame, const struct walk *walk)
{
#if _ELFUTILS_PREREQ(0, 188)
    const struct dlw_register_numbers *numbers = dlw_register_numbers(walk->target->machine);
    Dwarf_Word value;
    if (numbers && !dwfl_frame_reg(frame, numbers->stack_pointer, &value))
        return value;
#else
    (void)frame;
    (void)walk;
#endif
    return 0;
}

/* An older libdwfl tells no register. But on x86 it has read a frame's return address from right
 * below the stack pointer of the frame that it leads to. It is one frame ahead. */
static uint64_t stack_pointer_read(struct walk *walk, uint64_t pc)
{
    int machine = walk->target->machine;
    size_t oldest = walk->n_reads > READS ? walk->n_reads - READS : 0;
    size_t i = walk->n_used > oldest ? walk->n_used : oldest;
    if (machine != EM_X86_64 && machine != EM_386)
        return 0;
    while (i < walk->n_reads && walk->reads[i % READS].value != pc)
        i++;
    if (i == walk->n_reads)
        return 0;
    walk->n_used = i + 1;
    return walk->reads[i % READS].address + (walk->target->is_narrow ? 4 : 8);
}

static uint64_t stack_pointer(Dwfl_Frame *frame, struct walk *walk, uint64_t return_pc)
{
    uint64_t told =
        walk->thread->n_places ? stack_pointer_told(frame, walk) : walk->thread->registers.sp;
    return told || !return_pc ? told : stack_pointer_read(walk, return_pc);
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
    thread->places[thread->n_places] = (struct dlw_place){
        .pc = pc, .sp = stack_pointer(frame, walk, is_exact ? 0 : pc), .is_return = !is_exact};
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
    walk->n_reads = walk->n_used = 0;
    dwfl_getthread_frames(walk->target->dwfl, (pid_t)walk->thread->tid, add_place, walk);
}

/* Goes on from the last place with the frame pointer that belongs there. */
static void walk_on(struct walk *walk)
{
    const struct dlw_register_numbers *numbers = dlw_register_numbers(walk->target->machine);
    struct dlw_seen_thread *thread = walk->thread;
    const struct dlw_place *last = &thread->places[thread->n_places - 1];
    struct dlw_call call = {.sp = last->sp, .pc = last->pc - last->is_return};
    struct dlw_registers registers;
    uint64_t frame_pointer;
    if (!numbers || thread->is_cut || thread->registers.known >> numbers->frame_pointer & 1 ||
        !dlw_frame_pointer(walk->target, thread, last, &frame_pointer))
        return;
    dlw_registers_of_call(walk->target->machine, &call, &registers);
    registers.value[numbers->frame_pointer] = frame_pointer;
    registers.known |= UINT64_C(1) << numbers->frame_pointer;
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
