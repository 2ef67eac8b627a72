#include "interpose/stacks/capture.h"

#include "graph/base/arena.h"
#include "graph/base/sys.h"
#include "interpose/base/state.h"
#include "interpose/base/trampoline.h"
#include "interpose/python/runtime.h"
#include "interpose/stacks/intern.h"
#include "interpose/stacks/lines.h"
#include "interpose/threads/held.h"

#include <string.h>
#include <sys/uio.h>

/* ---- lines of Python ---- */

static void find_lines(const struct dlw_thread *thread, const struct dlw_call *call,
                       struct dlw_live *out)
{
    out->sp = call->sp;
    out->n_lines = 0;
    if (!out->room_of_lines)
        return;
    *out->n_numbers = 0;
    out->n_lines = dlw_python_frames_of((uintptr_t)thread->handle, &thread->python, out->lines,
                                        out->room_of_lines, &out->lines_are_cut);
}

static uint32_t number_of(const struct dlw_live *live, unsigned line)
{
    unsigned *n = live->n_numbers;

    while (*n <= line)
        *n += dlw_lines_of(&live->lines[*n], live->n_lines - *n, &live->numbers[*n]);
    return live->numbers[line];
}

/* Was this line run in native frame i, one of the interpreter's? 3.9 leaves no mark there: its
 * lines stand together in the first. */
static bool is_run_in(const struct dlw_live *live, unsigned i, unsigned line)
{
    uintptr_t low = i ? live->frames[i - 1].cfa : live->sp;
    uintptr_t anchor = (uintptr_t)live->lines[line].anchor;

    return !anchor || (anchor >= low && anchor < live->frames[i].cfa);
}

/* Native frames from `i` and lines from `line` on; in the place of the interpreter's frames stands
 * what they ran. Lines whose frames lie further out than was walked come behind. */
static void add_from(struct dlw_draft *draft, const struct dlw_live *live, unsigned i,
                     unsigned line)
{
    for (; i < live->n; i++) {
        if (!dlw_python_is_code(live->frames[i].pc)) {
            dlw_draft_add(draft, live->frames[i].pc, DLW_KNOWN);
            continue;
        }
        for (; line < live->n_lines && is_run_in(live, i, line); line++)
            dlw_draft_add_line(draft, number_of(live, line));
    }
    for (; line < live->n_lines; line++)
        dlw_draft_add_line(draft, number_of(live, line));
    if (live->end != DLW_WALK_FULL)
        dlw_draft_add_end(draft, live->end);
    draft->cut |= live->lines_are_cut;
}

/* The native frame that runs the line; the first of the interpreter's where that is not kept. */
static unsigned runs_line(const struct dlw_live *live, unsigned line)
{
    unsigned i = 0;

    while (i < live->n && !(dlw_python_is_code(live->frames[i].pc) && is_run_in(live, i, line)))
        i++;
    return i;
}

static void add_noted_line(struct dlw_draft *draft, const uintptr_t *words)
{
    struct dlw_python_frame frame = dlw_python_noted(words);

    dlw_draft_add_line(draft, dlw_line_of(&frame));
}

/* The line that this frame stands at now; n_lines: none. `code` 0: any. Where frames lay others lie
 * soon. */
static unsigned find_frame(const struct dlw_live *live, uintptr_t address, uint64_t code)
{
    unsigned line = 0;

    while (line < live->n_lines &&
           (live->lines[line].address != address || (code && live->lines[line].code != code)))
        line++;
    return line;
}

/* A function that is called again and again, such as Condition.__enter__, has its frame in the same
 * place: it is another call where its caller has gone on to another instruction. */
static unsigned find_taker(const struct dlw_live *live, const uintptr_t *words, uint64_t code)
{
    unsigned line = find_frame(live, words[DLW_NOTED_FRAME], code);
    unsigned outer = find_frame(live, words[DLW_NOTED_CALLER], 0);

    if (line == live->n_lines || outer == live->n_lines)
        return line;
    struct dlw_python_frame caller = dlw_python_noted_caller(words, &live->lines[outer]);
    return caller.instruction == live->lines[outer].instruction ? line : live->n_lines;
}

/*
 * Where the frame that took the lock is still there, it has gone on to another instruction, and all
 * outside of it is as it was. So it is with the frame that called it, where a helper has returned.
 * Further out nothing is known.
 */
static uint32_t stack_of_line(const struct dlw_held_lock *held, const struct dlw_live *live)
{
    DLW_DRAFT_ON_STACK(draft);
    const uintptr_t *words = &held->pc[2];
    struct dlw_python_frame taken = dlw_python_noted(words);
    unsigned line = find_taker(live, words, taken.code);

    add_noted_line(&draft, words);
    if (line == live->n_lines) {
        line = find_frame(live, words[DLW_NOTED_CALLER], 0);
        struct dlw_python_frame caller = {.instruction = DLW_PYTHON_NOWHERE};
        if (line < live->n_lines)
            caller = dlw_python_noted_caller(words, &live->lines[line]);
        if (caller.instruction == DLW_PYTHON_NOWHERE) {
            dlw_draft_add(&draft, 0, DLW_WHY_RETURNED);
            return dlw_intern(&draft);
        }
        dlw_draft_add_line(&draft, dlw_line_of(&caller));
    }
    add_from(&draft, live, runs_line(live, line), line + 1);
    return dlw_intern(&draft);
}

/* ---- the calling thread ---- */

void dlw_live_walk(struct dlw_thread *self, const struct dlw_call *call, struct dlw_live *out)
{
    struct dlw_memory memory = {call->sp, self->stack_high, NULL};

    if (memory.high < memory.low) /* on another stack: every read asks the kernel */
        memory.high = memory.low;
    out->n = dlw_frames_walk(call, &memory, out->frames, out->room, &out->end);
    find_lines(self, call, out);
}

uint32_t dlw_stack_of_live(const struct dlw_live *live)
{
    if (!live->n_lines)
        return dlw_intern_walked(live->frames, live->n, live->end);
    DLW_DRAFT_ON_STACK(draft);
    add_from(&draft, live, 0, 0);
    return dlw_intern(&draft);
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
static bool add_outer(struct dlw_draft *draft, const struct dlw_live *live, struct dlw_call last,
                      const struct dlw_memory *memory)
{
    uintptr_t pc = last.pc;
    uintptr_t cfa;
    enum dlw_walk_end end = DLW_WALK_COMPLETE;
    bool returned;

    if (!dlw_frames_step(&last, memory, &cfa, &end) && cfa == 0) {
        dlw_draft_add_end(draft, end);
        return false;
    }
    unsigned i = find_live(live, pc, cfa, &returned);
    if (returned)
        dlw_draft_add(draft, 0, DLW_WHY_RETURNED);
    for (; i < live->n; i++)
        dlw_draft_add(draft, live->frames[i].pc, DLW_KNOWN);
    dlw_draft_add_end(draft, live->end);
    return returned;
}

/* The noted levels before the interpreter's own: what called it, when a line of Python did. */
static unsigned native_levels(const struct dlw_held_lock *held, const struct dlw_live *live)
{
    unsigned n = 0;

    while (n < held->levels && !(live->n_lines && dlw_python_is_code(held->pc[n])))
        n++;
    return n;
}

/* From the last native level inwards: a frame that has gone on is still on, and so are those
 * outside of it. Another function in its place was called by the same caller anew. */
static bool is_on(const struct dlw_held_lock *held, unsigned native, const struct dlw_live *live,
                  unsigned at)
{
    unsigned level = native;

    while (level > 0 && live->frames[at - 1].pc == held->pc[level - 1])
        level--, at--;
    return level == 0 || dlw_frames_same_function(live->frames[at - 1].pc, held->pc[level - 1]);
}

/* Behind the frame of the last native level, while the interpreter has still called that; else 0.
 * The interpreter's frames tell where they called, which is elsewhere when they have gone on. */
static unsigned find_native(const struct dlw_held_lock *held, unsigned native,
                            const struct dlw_live *live, uintptr_t cfa)
{
    bool returned;
    unsigned at = find_live(live, held->pc[held->levels - 1], cfa, &returned);

    if (returned || at < held->levels)
        return 0;
    for (unsigned level = held->levels; level > native; level--, at--)
        if (live->frames[at - 1].pc != held->pc[level - 1])
            return 0;
    return is_on(held, native, live, at) ? at : 0;
}

/* The first line that was run outside of the first `at` native frames. False: where the lines have
 * no anchors, it can't be told once the interpreter is among those. */
static bool find_outer_line(const struct dlw_live *live, unsigned at, unsigned *line)
{
    *line = 0;
    if (live->lines[0].anchor == 0) {
        while (at > 0 && !dlw_python_is_code(live->frames[at - 1].pc))
            at--;
        return at == 0;
    }
    while (*line < live->n_lines && live->lines[*line].anchor < live->frames[at - 1].cfa)
        ++*line;
    return true;
}

/*
 * What native code took that lines of Python have called: all outside of it is as it was, as long
 * as it has not returned. Where it has, they have gone on, and it is not known from where they
 * called it. True: it has returned.
 */
static bool add_callers(struct dlw_draft *draft, const struct dlw_held_lock *held, unsigned native,
                        const struct dlw_live *live, const struct dlw_memory *memory)
{
    struct dlw_call last = {held->pc[held->levels - 1], held->sp, held->fp};
    uintptr_t cfa;
    enum dlw_walk_end end = DLW_WALK_COMPLETE;
    unsigned at = 0, line;

    if (dlw_frames_step(&last, memory, &cfa, &end) || cfa != 0)
        at = find_native(held, native, live, cfa);
    if (at > 0 && find_outer_line(live, at, &line)) {
        add_from(draft, live, at, line);
        return false;
    }
    dlw_draft_add(draft, 0, DLW_WHY_RETURNED);
    return at == 0;
}

static uint32_t stack_of_entry(const struct dlw_held_lock *held, const struct dlw_live *live,
                               const struct dlw_memory *memory)
{
    DLW_DRAFT_ON_STACK(draft);
    struct dlw_call last = {held->pc[held->levels - 1], held->sp, held->fp};
    unsigned native = native_levels(held, live);

    for (unsigned i = 0; i < (native ? native : held->levels); i++) {
        if (dlw_starts_thread(held->pc[i])) /* the trampoline: all is listed */
            return dlw_intern(&draft);
        dlw_draft_add(&draft, held->pc[i], DLW_KNOWN);
    }
    if (live->n_lines && native ? add_callers(&draft, held, native, live, memory)
                                : add_outer(&draft, live, last, memory))
        dlw_rule_needs_all(held->pc[0]);
    return dlw_intern(&draft);
}

uint32_t dlw_stack_of_held(struct dlw_thread *self, struct dlw_held_lock *held,
                           const struct dlw_live *live)
{
    struct dlw_memory memory = {held->sp, self->stack_high, NULL};

    if (memory.high < memory.low)
        memory.high = memory.low;
    if (held->kind == DLW_LOCK_GIL) /* it is held where the thread stands */
        return dlw_stack_of_live(live);
    if (!held->stack && dlw_held_has_line(held))
        held->stack = stack_of_line(held, live);
    else if (!held->stack && held->levels)
        held->stack = stack_of_entry(held, live, &memory);
    return held->stack;
}

bool dlw_stack_is_in_native_call(const struct dlw_thread *self, const struct dlw_held_lock *held,
                                 const struct dlw_live *live)
{
    struct dlw_memory memory = {held->sp, self->stack_high, NULL};
    struct dlw_call last = {held->pc[held->levels - 1], held->sp, held->fp};
    uintptr_t pc = last.pc;
    uintptr_t cfa;
    enum dlw_walk_end end;
    bool returned;

    if (memory.high < memory.low)
        memory.high = memory.low;
    if (!dlw_frames_step(&last, &memory, &cfa, &end) && cfa == 0)
        return false;
    unsigned at = find_live(live, pc, cfa, &returned);
    if (returned || at < held->levels)
        return false;
    /* From the outermost frame that was noted inwards: each has still called the next. */
    for (unsigned level = held->levels - 1; level > 0; level--, at--)
        if (live->frames[at - 1].pc != held->pc[level])
            return false;
    if (!dlw_frames_same_function(live->frames[at - 1].pc, held->pc[0]))
        return false;
    while (--at > 0)
        if (dlw_python_is_code(live->frames[at - 1].pc))
            return false;
    return true;
}

/* ---- a thread that waits ---- */

enum { COPY_BYTES = 1 << 20 };

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
    find_lines(thread, &call, live);
    return !live->n_lines || is_still(thread, sequence);
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
    if (entry.kind == DLW_LOCK_GIL)
        return dlw_stack_of_waiting(thread, sequence);
    if (is_still(thread, sequence) && entry.stack)
        return entry.stack;
    if (walk_waiting(thread, sequence, &live, &copied) && entry.levels)
        id = dlw_held_has_line(&entry) ? stack_of_line(&entry, &live)
                                       : stack_of_entry(&entry, &live, &copied.memory);
    drop(&copied);
    return id;
}

/* False where the entry changed while it was copied: its lock is another then. */
static bool copy_entry(struct dlw_thread *thread, uintptr_t lock, struct dlw_held_lock *out)
{
    struct dlw_held_lock *held = atomic_load_explicit(&thread->held, memory_order_acquire);
    uint32_t depth = atomic_load_explicit(&thread->depth, memory_order_relaxed);

    for (uint32_t i = 0; held && i < depth; i++) {
        if (atomic_load_explicit(&held[i].lock, memory_order_acquire) != lock)
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
    DLW_DRAFT_ON_STACK(draft);

    if (!copy_entry(thread, lock, &entry))
        return 0;
    if (sequence & 1) {
        uint32_t id = dlw_stack_of_waiting_held(thread, sequence, &entry);
        if (id)
            return id;
    }
    if (dlw_held_has_line(&entry))
        add_noted_line(&draft, &entry.pc[2]);
    for (unsigned i = 0; i < entry.levels && !dlw_held_has_line(&entry); i++)
        dlw_draft_add(&draft, entry.pc[i], DLW_KNOWN);
    dlw_draft_add(&draft, 0, DLW_WHY_RUNNING);
    return dlw_intern(&draft);
}

uint32_t dlw_stack_of_pc(uintptr_t pc)
{
    struct dlw_walked frame = {.pc = pc};

    return dlw_intern_walked(&frame, 1, DLW_WALK_COMPLETE);
}

uint32_t dlw_stack_of_ended(const uintptr_t *pc, uint32_t n)
{
    DLW_DRAFT_ON_STACK(draft);
    bool has_line = n == DLW_LINE_LEVELS_KEPT && pc[1] == DLW_LINE_MARK;

    if (has_line)
        add_noted_line(&draft, pc + 2);
    for (uint32_t i = 0; i < n && !has_line; i++) {
        if (dlw_starts_thread(pc[i])) /* the trampoline: all is listed */
            return dlw_intern(&draft);
        dlw_draft_add(&draft, pc[i], DLW_KNOWN);
    }
    dlw_draft_add(&draft, 0, DLW_WHY_ENDED);
    return dlw_intern(&draft);
}
