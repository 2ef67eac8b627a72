/*
 * Where a held lock was taken. Either the library has the whole stack, by number; or it noted the
 * innermost return addresses when the lock was taken, and what lies further out is found on the
 * thread's stack as it is now: the frames outside of the last noted one, if that is still live. It
 * is where a frame of the same function ends at the same address.
 */
#include "report/command/base/clean.h"
#include "report/command/inspect/own/preloaded.h"
#include "report/command/inspect/python/python.h"
#include "report/command/inspect/target/registers.h"
#include "report/command/inspect/target/sections.h"
#include "report/emit/records.h"

#include <dwarf.h>
#include <stdlib.h>

enum { MOST_FRAMES = 256, MOST_TEXT = 128, MOST_PATH = 1024 };

struct stack {
    struct dlw_target *target;
    struct dlw_place *places;
    size_t n;
};

static void add(struct stack *stack, struct dlw_place place)
{
    stack->places = dlw_region_grow(stack->target->region, stack->places, stack->n, sizeof place);
    stack->places[stack->n++] = place;
}

static void add_return(struct stack *stack, uint64_t pc)
{
    add(stack, (struct dlw_place){.pc = pc, .is_return = true});
}

static void add_unknown(struct stack *stack, const char *why)
{
    add(stack, (struct dlw_place){.unknown = why});
}

/* ---- by number ---- */

static const char *text_at(struct dlw_target *target, uint64_t there, size_t most)
{
    char text[MOST_PATH];
    size_t n = 0;
    while (n < most - 1 && dlw_target_read(target, there + n, &text[n], 1) && text[n])
        n++;
    return dlw_region_cut(target->region, text, n);
}

static const char *reason(struct dlw_target *target, uint32_t number)
{
    const struct dlw_records_stacks *at = target->records->stacks;
    uint64_t there;
    if (number >= at->n_reasons ||
        !dlw_target_u64(target, (uintptr_t)at->reasons + number * sizeof there, &there))
        return "not known";
    return text_at(target, there, MOST_TEXT);
}

static bool read_line(struct dlw_target *target, uint64_t number, struct dlw_seen_line *out)
{
    const struct dlw_records_lines *at = target->records->lines;
    uint64_t index = number - 1, segment, line, file, function;
    uint32_t own, in_file;
    if (!number || !at->per_segment || index / at->per_segment >= at->n_segments ||
        !dlw_target_u64(target, (uintptr_t)at->segments + index / at->per_segment * sizeof segment,
                        &segment) ||
        !segment ||
        !dlw_target_u64(target, segment + index % at->per_segment * sizeof line, &line) ||
        !dlw_target_u32(target, line + at->number, &own) || own != number ||
        !dlw_target_u64(target, line + at->file, &file) ||
        !dlw_target_u64(target, line + at->function, &function) ||
        !dlw_target_u32(target, line + at->line, &in_file))
        return false;
    *out = (struct dlw_seen_line){
        .file = dlw_clean(target->region, text_at(target, file, MOST_PATH)),
        .function = dlw_clean(target->region, text_at(target, function, MOST_PATH)),
        .line = in_file};
    return true;
}

static void add_line(struct stack *out, const struct dlw_seen_line *line)
{
    struct dlw_seen_line *copy = dlw_region_alloc(out->target->region, sizeof *copy);
    *copy = *line;
    add(out, (struct dlw_place){.line = copy});
}

static void add_line_by_number(struct stack *out, uint64_t number)
{
    struct dlw_seen_line line;
    if (read_line(out->target, number, &line))
        add_line(out, &line);
    else
        add_unknown(out, "a Python frame that could not be read");
}

static uint64_t find_stack(struct dlw_target *target, uint32_t number)
{
    const struct dlw_records_stacks *at = target->records->stacks;
    uint64_t segment, stack;
    uint32_t id, index = number - 1;
    if (!number || !at->per_segment || index / at->per_segment >= at->n_segments ||
        !dlw_target_u64(target, (uintptr_t)at->segments + index / at->per_segment * sizeof segment,
                        &segment) ||
        !segment ||
        !dlw_target_u64(target, segment + index % at->per_segment * sizeof stack, &stack) ||
        !stack || !dlw_target_u32(target, stack + at->id, &id) || id != number)
        return 0;
    return stack;
}

static bool read_stack(struct stack *out, uint32_t number, bool *is_cut)
{
    struct dlw_target *target = out->target;
    const struct dlw_records_stacks *at = target->records->stacks;
    uint64_t there = find_stack(target, number);
    uint16_t n;
    uint8_t cut;
    if (!there || !dlw_target_read(target, there + at->n, &n, sizeof n) || n > MOST_FRAMES ||
        !dlw_target_read(target, there + at->cut, &cut, 1))
        return false;
    *is_cut = cut != 0;
    for (uint16_t i = 0; i < n; i++) {
        uint64_t pc, frame = there + at->frames + (uint64_t)i * at->frame_size;
        uint32_t why;
        if (!dlw_target_u64(target, frame + at->pc, &pc) ||
            !dlw_target_u32(target, frame + at->reason, &why))
            return false;
        if (why && target->records->lines && why == target->records->lines->reason)
            add_line_by_number(out, pc);
        else if (why)
            add_unknown(out, reason(target, why));
        else
            add_return(out, pc);
    }
    return n > 0;
}

/* ---- by what was noted ---- */

/* "A register plus a number" is all that compilers make of it. */
static bool evaluate(const Dwarf_Op *ops, size_t n, const struct dlw_register_numbers *numbers,
                     const struct dlw_seen_hold *hold, uint64_t *out)
{
    uint64_t number;
    int64_t offset;
    if (n != 1)
        return false;
    if (ops->atom == DW_OP_bregx) {
        number = ops->number;
        offset = (int64_t)ops->number2;
    } else {
        number = (uint64_t)ops->atom - DW_OP_breg0;
        offset = (int64_t)ops->number;
    }
    *out = (number == numbers->stack_pointer ? hold->sp : hold->fp) + (uint64_t)offset;
    return number == numbers->stack_pointer || number == numbers->frame_pointer;
}

/* Where the frame of a return address ends: its canonical frame address. 0: not known. */
static uint64_t end_of_frame(struct dlw_target *target, uint64_t pc,
                             const struct dlw_seen_hold *hold)
{
    Dwfl_Module *module = dlw_sections_module(target->dwfl, pc - 1);
    Dwarf_Addr bias;
    Dwarf_CFI *table = module ? dwfl_module_eh_cfi(module, &bias) : NULL;
    const struct dlw_register_numbers *numbers = dlw_register_numbers(target->machine);
    Dwarf_Frame *frame;
    Dwarf_Op *ops;
    size_t n;
    uint64_t end = 0;
    if (!table || !numbers || dwarf_cfi_addrframe(table, pc - 1 - bias, &frame))
        return 0;
    if (dwarf_frame_cfa(frame, &ops, &n) || !evaluate(ops, n, numbers, hold, &end))
        end = 0;
    free(frame);
    return end;
}

static uint64_t function_of(struct dlw_target *target, uint64_t pc)
{
    Dwfl_Module *module = dlw_sections_module(target->dwfl, pc - 1);
    GElf_Off offset;
    GElf_Sym symbol;
    if (!module || !dwfl_module_addrinfo(module, pc - 1, &offset, &symbol, NULL, NULL, NULL))
        return 0;
    return pc - 1 - offset;
}

/* The place that the frame which ends there, or the next further out, stands at; n: none. */
static size_t find_live(const struct dlw_seen_thread *thread, uint64_t end, bool *is_exact)
{
    size_t i = 0;
    while (i + 1 < thread->n_places && thread->places[i + 1].sp < end)
        i++;
    if (i + 1 >= thread->n_places)
        return thread->n_places;
    *is_exact = thread->places[i + 1].sp == end;
    return i;
}

static void add_outer(struct stack *out, const struct dlw_seen_thread *thread,
                      const struct dlw_seen_hold *hold, bool *is_cut)
{
    uint64_t last = hold->pc[hold->n_pc - 1], end = end_of_frame(out->target, last, hold);
    bool is_exact = false;
    if (!end || !thread->n_places) {
        add_unknown(out, "its outer frames can't be told from outside");
        return;
    }
    size_t live = find_live(thread, end, &is_exact);
    uint64_t function = function_of(out->target, last);
    if (live < thread->n_places &&
        (!is_exact || !function || function_of(out->target, thread->places[live].pc) != function))
        add_unknown(out, "a helper that has returned");
    for (size_t i = live + 1; i < thread->n_places; i++)
        add(out, thread->places[i]);
    *is_cut = thread->is_cut;
}

/* ---- a line of Python that was noted ---- */

/* Native frames from `i` and lines from `line` on, as they stand now. */
static void add_now(struct stack *out, const struct dlw_seen_thread *thread, size_t line)
{
    size_t before = 0;
    for (size_t i = 0; i < thread->n_places; i++) {
        const struct dlw_place *place = &thread->places[i];
        size_t end = before + place->n_lines;
        if (before >= line && !place->is_folded)
            add_return(out, place->pc);
        for (size_t k = before > line ? before : line; k < end; k++)
            add_line(out, &thread->lines[k]);
        before = end;
    }
    for (size_t k = before > line ? before : line; k < thread->n_lines; k++)
        add_line(out, &thread->lines[k]);
}

/* `code` 0: any. Where frames lay others lie soon. */
static size_t find_frame(const struct dlw_seen_thread *thread, uint64_t address, uint64_t code)
{
    size_t line = 0;
    while (line < thread->n_lines &&
           (thread->lines[line].address != address || (code && thread->lines[line].code != code)))
        line++;
    return line;
}

/* Where the frame is still there, or else the one that called it, all outside of it is as it was.
 * The noted words: code, instruction, frame, caller, the caller's instruction. */
static bool read_noted(struct stack *out, const struct dlw_seen_thread *thread,
                       const struct dlw_seen_hold *hold, bool *is_cut)
{
    enum { CODE = 2, INSTRUCTION, FRAME, CALLER, CALL, WORDS };
    const struct dlw_records_lines *at = out->target->records->lines;
    struct dlw_seen_line line;
    if (!at || hold->n_pc != WORDS || hold->pc[1] != at->mark ||
        !dlw_python_line(out->target, hold->pc[CODE], hold->pc[INSTRUCTION], &line))
        return false;
    add_line(out, &line);
    size_t live = find_frame(thread, hold->pc[FRAME], line.code);
    size_t outer = find_frame(thread, hold->pc[CALLER], 0);
    bool is_known = outer < thread->n_lines &&
                    dlw_python_line(out->target, thread->lines[outer].code, hold->pc[CALL], &line);
    /* Where its caller has gone on, another call of the same function has its frame there. */
    if (live == thread->n_lines || (is_known && line.line != thread->lines[outer].line)) {
        live = outer;
        if (!is_known) {
            add_unknown(out, "a helper that has returned");
            return true;
        }
        add_line(out, &line);
    }
    add_now(out, thread, live + 1);
    *is_cut = thread->are_lines_cut;
    return true;
}

size_t dlw_preloaded_stack(struct dlw_target *target, const struct dlw_seen_thread *thread,
                           const struct dlw_seen_hold *hold, struct dlw_place **out, bool *is_cut)
{
    struct stack stack = {.target = target};
    *is_cut = false;
    if (read_stack(&stack, hold->stack, is_cut)) {
        *out = stack.places;
        return stack.n;
    }
    stack.n = 0;
    if (!read_noted(&stack, thread, hold, is_cut)) {
        for (size_t i = 0; i < hold->n_pc; i++)
            add_return(&stack, hold->pc[i]);
        if (hold->n_pc)
            add_outer(&stack, thread, hold, is_cut);
    }
    *out = stack.places;
    return stack.n;
}
