#include "interpose/python/frames.h"

#include "interpose/base/proc.h"

#include <string.h>

/*
 * What is read lies close together mostly: one question to the kernel answers many. Frames of
 * Python lie in one place, the callers below the called; what marks them on the C stack in another,
 * the callers above. So there are two windows, and one that is left downwards is opened downwards.
 */
enum { WINDOW = 1024, WINDOWS = 2, FRAME = 128, PAGE = 4096 };

struct window {
    uintptr_t start;
    size_t size;
    char bytes[WINDOW];
};

struct windows {
    struct window window[WINDOWS];
    unsigned last; /* used */
};

static bool has(const struct window *window, uintptr_t address, size_t size)
{
    return address >= window->start && address - window->start <= window->size &&
           window->size - (address - window->start) >= size;
}

/* Of no page that may not be there. */
static bool fill(struct window *window, uintptr_t address, size_t size)
{
    bool goes_down = address < window->start && window->start - address < WINDOW;
    uintptr_t first = address / PAGE * PAGE, end = (address + size - 1) / PAGE * PAGE + PAGE;
    uintptr_t above = address + FRAME < end ? address + FRAME : end;

    window->start = !goes_down ? address : above - first < (size_t)WINDOW ? first : above - WINDOW;
    if (end - window->start > WINDOW)
        end = window->start + WINDOW;
    window->size = end - window->start;
    if (!dlw_proc_read(window->start, window->bytes, window->size))
        window->size = 0;
    return window->size != 0;
}

/* The window that has it, or that is opened for it: the nearer one, else the one that was not used
 * last. */
static struct window *window_for(struct windows *windows, uintptr_t address, size_t size)
{
    struct window *other = &windows->window[1 - windows->last];
    struct window *last = &windows->window[windows->last];

    if (has(last, address, size))
        return last;
    if (has(other, address, size)) {
        windows->last = 1 - windows->last;
        return other;
    }
    if (address - (last->start - WINDOW) < 3 * (uintptr_t)WINDOW)
        return fill(last, address, size) ? last : NULL;
    windows->last = 1 - windows->last;
    return fill(other, address, size) ? other : NULL;
}

static bool read_window(void *context, uint64_t address, void *out, size_t size)
{
    if (size > FRAME)
        return dlw_proc_read(address, out, size);
    if (address > UINTPTR_MAX - WINDOW - PAGE)
        return false;
    const struct window *window = window_for(context, address, size);
    if (!window)
        return false;
    memcpy(out, window->bytes + (address - window->start), size);
    return true;
}

static void forget(struct windows *windows)
{
    windows->last = 0;
    for (unsigned i = 0; i < WINDOWS; i++)
        windows->window[i].start = windows->window[i].size = 0;
}

static struct dlw_python_reader reader_of(const struct dlw_python *python, struct windows *windows)
{
    forget(windows);
    return (struct dlw_python_reader){
        .layout = &python->layout,
        .memory = {read_window, windows},
        .runtime = python->runtime,
    };
}

static bool is_of(const struct dlw_python_reader *reader, uintptr_t state, uintptr_t handle)
{
    uint64_t thread;

    return state &&
           reader->memory.read(reader->memory.context, state + reader->layout->thread_id, &thread,
                               sizeof(thread)) &&
           thread == handle;
}

static uintptr_t find_state(const struct dlw_python_reader *reader, uintptr_t handle)
{
    struct dlw_python_walk walk = {0};
    struct dlw_python_state state;

    while (dlw_python_next(reader, &walk, &state))
        if (state.thread == handle)
            return (uintptr_t)state.address;
    return 0;
}

unsigned dlw_python_frames_of(uintptr_t handle, const struct dlw_python_self *hint,
                              struct dlw_python_frame *out, unsigned room, bool *is_cut)
{
    const struct dlw_python *python = dlw_python();
    struct windows windows;
    size_t n = 0;

    *is_cut = false;
    if (!python || !python->layout.has_lines)
        return 0;
    struct dlw_python_reader reader = reader_of(python, &windows);
    uintptr_t state = hint->state;
    if (is_of(&reader, state, handle))
        dlw_python_frames(&reader, state, out, room, &n, is_cut);
    if (n)
        return (unsigned)n;
    uintptr_t found = find_state(&reader, handle);
    if (found && found != state)
        dlw_python_frames(&reader, found, out, room, &n, is_cut);
    return (unsigned)n;
}

bool dlw_python_name_of(uintptr_t handle, const struct dlw_python_self *hint, bool is_hinted,
                        char *out, size_t room)
{
    const struct dlw_python *python = dlw_python();
    struct windows windows;
    struct dlw_python_frame outermost;
    char again[DLW_PYTHON_NAME];

    if (!python || !python->layout.has_lines || room > sizeof(again))
        return false;
    struct dlw_python_reader reader = reader_of(python, &windows);
    uintptr_t state = is_of(&reader, hint->state, handle) ? hint->state
                      : is_hinted                         ? 0
                                                          : find_state(&reader, handle);
    if (!state || !dlw_python_outermost(&reader, state, &outermost) ||
        !dlw_python_thread_name(&reader, &outermost, out, room))
        return false;
    forget(&windows); /* it may be given another name at this moment */
    return dlw_python_thread_name(&reader, &outermost, again, room) && strcmp(out, again) == 0;
}

bool dlw_python_keeps_locks_inline(uintptr_t handle, const struct dlw_python_self *hint)
{
    const struct dlw_python *python = dlw_python();
    struct windows windows;
    struct dlw_python_frame frame;
    bool is_cut;

    if (!python)
        return false;
    if (python->layout.version >= 0x030e)
        return true;
    struct dlw_python_reader reader = reader_of(python, &windows);
    return python->layout.version == 0x030d &&
           dlw_python_frames_of(handle, hint, &frame, 1, &is_cut) == 1 &&
           dlw_python_has_inline_locks(&reader, &frame);
}

/* The GIL that the state's interpreter uses. */
static uintptr_t gil_of(const struct dlw_python *python, struct dlw_python_reader *reader,
                        uintptr_t state)
{
    const struct dlw_python_layout *layout = &python->layout;
    uint64_t interpreter, gil;

    if (!layout->is_per_interpreter)
        return python->runtime + layout->gil;
    if (!reader->memory.read(reader->memory.context, state + layout->thread_interpreter,
                             &interpreter, sizeof(interpreter)) ||
        !reader->memory.read(reader->memory.context, interpreter + layout->gil_pointer, &gil,
                             sizeof(gil)))
        return 0;
    return (uintptr_t)gil;
}

void dlw_python_find_self(struct dlw_python_self *self, uintptr_t handle)
{
    const struct dlw_python *python = dlw_python();
    struct windows windows;

    if (!python || !python->layout.has_lines)
        return;
    struct dlw_python_reader reader = reader_of(python, &windows);
    uintptr_t state = find_state(&reader, handle);
    uintptr_t gil = state ? gil_of(python, &reader, state) : 0;
    /* That of the module itself: one that a sub-interpreter has for itself ends with it. */
    if (!dlw_python_has(python, gil))
        gil = 0;
    self->gil = gil;
    self->state = gil ? state : 0;
}

bool dlw_python_place_of(const struct dlw_python_frame *frame, struct dlw_python_place *out)
{
    const struct dlw_python *python = dlw_python();
    struct windows windows;

    if (!python)
        return false;
    struct dlw_python_reader reader = reader_of(python, &windows);
    return dlw_python_describe(&reader, frame, out);
}

/* Distances in a code object, of what another that comes to lie there would have otherwise. */
struct stamp_fields {
    uint32_t at[4], low, size; /* `size` bytes from `low` on hold all of them */
};

static struct stamp_fields stamp_fields_of(const struct dlw_python_layout *layout)
{
    struct stamp_fields fields = {{layout->code_filename, layout->code_name, layout->code_lines,
                                   layout->code_first_line & ~7U},
                                  UINT32_MAX,
                                  0};

    for (unsigned i = 0; i < 4; i++) {
        if (fields.at[i] < fields.low)
            fields.low = fields.at[i];
        if (fields.at[i] + sizeof(uint64_t) > fields.size)
            fields.size = fields.at[i] + (uint32_t)sizeof(uint64_t);
    }
    fields.size -= fields.low;
    return fields;
}

unsigned dlw_python_code_stamps(const struct dlw_python_frame *frames, unsigned n,
                                uint64_t out[][DLW_STAMP_WORDS])
{
    const struct dlw_python *python = dlw_python();
    uintptr_t from[DLW_PROC_PIECES];
    char bytes[DLW_PROC_PIECES * FRAME];

    if (!python || n > DLW_PROC_PIECES)
        return 0;
    struct stamp_fields fields = stamp_fields_of(&python->layout);
    for (unsigned i = 0; i < n; i++)
        from[i] = (uintptr_t)frames[i].code + fields.low;
    if (fields.size > FRAME || !dlw_proc_read_pieces(from, n, bytes, fields.size))
        return 0;
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < DLW_STAMP_WORDS; k++)
            memcpy(&out[i][k], bytes + i * fields.size + fields.at[k] - fields.low,
                   sizeof(out[i][k]));
    return n;
}

/* ---- the thread's own ---- */

bool dlw_python_find_again(const struct dlw_python *python, struct dlw_python_self *self,
                           uintptr_t handle)
{
    if (self->gil && !dlw_python_has(python, self->gil)) /* of an interpreter that was closed */
        *self = (struct dlw_python_self){0};
    /* Less and less often: a thread may work for the interpreter without the GIL. */
    if ((self->misses & (self->misses + 1)) == 0)
        dlw_python_find_self(self, handle);
    self->misses++;
    return dlw_python_self_has_gil(python, self, handle);
}

struct dlw_python_frame dlw_python_noted(const uintptr_t *words)
{
    const struct dlw_python *python = dlw_python();

    if (!python) /* closed since */
        return (struct dlw_python_frame){.instruction = DLW_PYTHON_NOWHERE};
    return dlw_python_frame_of_words(&python->layout, 0, words[DLW_NOTED_CODE],
                                     words[DLW_NOTED_INSTRUCTION]);
}

struct dlw_python_frame dlw_python_noted_caller(const uintptr_t *words,
                                                const struct dlw_python_frame *now)
{
    const struct dlw_python *python = dlw_python();

    if (!python)
        return (struct dlw_python_frame){.instruction = DLW_PYTHON_NOWHERE};
    return dlw_python_frame_of_words(&python->layout, now->address, now->code,
                                     words[DLW_NOTED_CALL]);
}
