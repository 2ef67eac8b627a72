#include "report/emit/python/frames.h"

#include "report/emit/python/lines.h"

#include <string.h>

enum {
    MOST_STATES = 1 << 16,
    MOST_STEPS = 1 << 16, /* of frames, shims among them */
    MOST_CODE = 1 << 26,  /* bytes of code that one function may have */
    MOST_TABLE = 1 << 22, /* bytes of a line table */
    LONGEST = 1 << 16,    /* characters of a name */
    FIRST_SHIM = 3,       /* this owner of a frame and those behind: it runs no code */
    TAGS = 7,             /* bits of a pointer that 3.14 marks it with */
};

static bool read_memory(const struct dlw_python_reader *python, uint64_t address, void *out,
                        size_t size)
{
    return address >= 4096 && python->memory.read(python->memory.context, address, out, size);
}

static bool read_pointer(const struct dlw_python_reader *python, uint64_t address, uint64_t *out)
{
    return address % 8 == 0 && read_memory(python, address, out, sizeof *out);
}

bool dlw_python_next(const struct dlw_python_reader *python, struct dlw_python_walk *walk,
                     struct dlw_python_state *out)
{
    const struct dlw_python_layout *layout = python->layout;
    bool is_fresh = !walk->interpreter && !walk->steps;
    if (is_fresh &&
        !read_pointer(python, python->runtime + layout->interpreters_head, &walk->interpreter))
        return false;
    if (walk->state && !read_pointer(python, walk->state + layout->thread_next, &walk->state))
        return false;
    if (is_fresh && walk->interpreter &&
        !read_pointer(python, walk->interpreter + layout->interpreter_threads, &walk->state))
        return false;
    while (!walk->state && walk->interpreter && walk->steps++ < MOST_STATES)
        if (!read_pointer(python, walk->interpreter + layout->interpreter_next,
                          &walk->interpreter) ||
            (walk->interpreter &&
             !read_pointer(python, walk->interpreter + layout->interpreter_threads, &walk->state)))
            return false;
    if (!walk->state || walk->steps++ >= MOST_STATES)
        return false;
    *out = (struct dlw_python_state){.address = walk->state};
    return read_pointer(python, walk->state + layout->thread_id, &out->thread) &&
           (!layout->native_id ||
            read_pointer(python, walk->state + layout->native_id, &out->native));
}

/* One step of a walk over frames. */
struct step {
    const struct dlw_python_reader *python;
    uint64_t frame, anchor;
    size_t unanchored; /* the first frame in `out` whose anchor is a shim still to come */
};

static bool begin(struct step *step, uint64_t state)
{
    const struct dlw_python_layout *layout = step->python->layout;
    if (layout->thread_cframe &&
        !read_pointer(step->python, state + layout->thread_cframe, &step->anchor))
        return false;
    if (!layout->has_cframe)
        return read_pointer(step->python, state + layout->thread_frame, &step->frame);
    return !step->anchor ||
           read_pointer(step->python, step->anchor + layout->cframe_frame, &step->frame);
}

static bool is_shim(const struct step *step, bool *out)
{
    uint8_t owner = 0;
    if (step->python->layout->frame_owner &&
        !read_memory(step->python, step->frame + step->python->layout->frame_owner, &owner, 1))
        return false;
    *out = owner >= FIRST_SHIM;
    return true;
}

/* Before the first instruction stands a call that has only begun; elsewhere, code of which a
 * free-threaded thread has a copy. */
static uint32_t distance(uint64_t address, uint64_t first)
{
    if (address + 2 == first)
        return 0;
    return address >= first && address - first < MOST_CODE ? (uint32_t)(address - first)
                                                           : DLW_PYTHON_NOWHERE;
}

struct dlw_python_frame dlw_python_frame_of_words(const struct dlw_python_layout *layout,
                                                  uint64_t address, uint64_t code,
                                                  uint64_t instruction)
{
    struct dlw_python_frame frame = {.address = address, .code = code & ~(uint64_t)TAGS};
    int32_t number = (int32_t)instruction;
    if (layout->version >= 0x030b)
        frame.instruction = distance(instruction, frame.code + layout->code_instructions);
    else if (number > 0)
        frame.instruction = (uint32_t)number * (layout->version == 0x030a ? 2 : 1);
    return frame;
}

static bool read_frame(const struct step *step, struct dlw_python_frame *out)
{
    const struct dlw_python_layout *layout = step->python->layout;
    uint64_t code, instruction;
    if (!read_pointer(step->python, step->frame + layout->frame_code, &code) ||
        !read_pointer(step->python, step->frame + layout->frame_instruction, &instruction))
        return false;
    *out = dlw_python_frame_of_words(layout, step->frame, code, instruction);
    out->anchor = step->anchor;
    return out->code != 0;
}

/* 3.10: each frame has an anchor. 3.11: the outermost of an anchor is marked. From 3.12 a shim, on
 * the C stack itself, stands outside of them. */
static bool go_on(struct step *step, struct dlw_python_frame *out, size_t n, bool was_shim)
{
    const struct dlw_python_layout *layout = step->python->layout;
    uint8_t is_last = layout->version < 0x030b;
    if (was_shim)
        for (; step->unanchored < n; step->unanchored++)
            out[step->unanchored].anchor = step->frame;
    else if (layout->frame_is_entry &&
             !read_memory(step->python, step->frame + layout->frame_is_entry, &is_last, 1))
        return false;
    if (is_last && step->anchor &&
        !read_pointer(step->python, step->anchor + layout->cframe_previous, &step->anchor))
        return false;
    return read_pointer(step->python, step->frame + layout->frame_previous, &step->frame);
}

bool dlw_python_frames(const struct dlw_python_reader *python, uint64_t state,
                       struct dlw_python_frame *out, size_t room, size_t *n, bool *is_cut)
{
    struct step step = {.python = python};
    *n = 0;
    *is_cut = false;
    if (!begin(&step, state))
        return false;
    for (unsigned steps = 0; step.frame; steps++) {
        bool shim;
        *is_cut = *n == room || steps == MOST_STEPS;
        if (*is_cut)
            return true;
        if (!is_shim(&step, &shim) || (!shim && !read_frame(&step, &out[*n])))
            return false;
        *n += !shim;
        if (!go_on(&step, out, *n, shim))
            return false;
    }
    return true;
}

bool dlw_python_outermost(const struct dlw_python_reader *python, uint64_t state,
                          struct dlw_python_frame *out)
{
    enum { MOST = 1024 };
    struct step step = {.python = python};
    struct dlw_python_frame frame;
    bool is_there = false, shim;
    if (!begin(&step, state))
        return false;
    for (unsigned steps = 0; step.frame; steps++) {
        if (steps == MOST || !is_shim(&step, &shim) || (!shim && !read_frame(&step, &frame)))
            return false;
        if (!shim)
            *out = frame;
        is_there |= !shim;
        if (!read_pointer(python, step.frame + python->layout->frame_previous, &step.frame))
            return false;
    }
    return is_there;
}

static size_t put_utf8(char *out, size_t room, uint32_t c)
{
    unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};
    if (more >= room)
        return 0;
    out[0] = (char)(first[more] | c >> 6 * more);
    for (unsigned i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (c >> 6 * (more - i) & 0x3f));
    return more + 1;
}

static uint32_t character(const unsigned char *bytes, unsigned width)
{
    uint32_t c = 0;
    memcpy(&c, bytes, width); /* little-endian, as the processors are that dlwatch knows */
    return c < 0x110000 ? c : '?';
}

/* Characters from the first on, as many as there is room for. */
static bool copy_text(const struct dlw_python_reader *python, uint64_t at, size_t n, unsigned width,
                      char *out, size_t room)
{
    unsigned char bytes[256];
    size_t used = 0, step = sizeof bytes / width;
    for (size_t i = 0; i < n; i += step) {
        size_t now = n - i < step ? n - i : step;
        if (!read_memory(python, at + i * width, bytes, now * width))
            return false;
        for (size_t k = 0; k < now; k++) {
            size_t put = put_utf8(out + used, room - used - 1, character(bytes + k * width, width));
            used += put;
            if (!put) {
                out[used] = '\0';
                return true;
            }
        }
    }
    out[used] = '\0';
    return true;
}

/* How the characters of a str lie. */
struct shape {
    unsigned width;
    bool is_ascii;
};

/*
 * Where width and flags stand depends on the build, not on the version alone: behind two bits that
 * say how the text is interned, or eight (free-threaded) or sixteen, of which but two are ever set.
 * So in no other place stands a width. False: in none, or the characters lie elsewhere.
 */
static bool shape_of(unsigned version, uint32_t state, struct shape *out)
{
    static const unsigned char shifts[] = {2, 8, 16};
    size_t n = version >= 0x030d ? sizeof shifts : 1;
    for (size_t i = 0; i < n; i++) {
        uint32_t flags = state >> shifts[i];
        bool is_compact = flags >> 3 & 1;
        out->width = flags & 7;
        out->is_ascii = flags >> 4 & 1;
        if (out->width)
            return is_compact &&
                   (out->width == 1 || (!out->is_ascii && out->width != 3 && out->width <= 4));
    }
    return false;
}

bool dlw_python_text(const struct dlw_python_reader *python, uint64_t text, char *out, size_t room)
{
    const struct dlw_python_layout *layout = python->layout;
    struct shape shape;
    uint64_t n;
    uint32_t state;
    if (!read_pointer(python, text + layout->text_length, &n) || n > LONGEST ||
        !read_memory(python, text + layout->text_state, &state, sizeof state) ||
        !shape_of(layout->version, state, &shape))
        return false;
    unsigned width = shape.width;
    uint64_t at = text + (shape.is_ascii ? layout->ascii_size : layout->compact_size);
    size_t longest = (room - 1) / (shape.is_ascii ? 1 : width == 1 ? 2 : width == 2 ? 3 : 4);
    size_t skipped = n > longest ? n - longest : 0;
    return copy_text(python, at + skipped * width, n - skipped, width, out, room);
}

static bool read_text_at(const struct dlw_python_reader *python, uint64_t field, char *out,
                         size_t room)
{
    uint64_t text;
    return read_pointer(python, field, &text) && dlw_python_text(python, text, out, room);
}

/* 0: not known, which is no reason to leave the frame out. */
static unsigned line_of(const struct dlw_python_reader *python,
                        const struct dlw_python_frame *frame)
{
    const struct dlw_python_layout *layout = python->layout;
    unsigned char table[1024];
    uint64_t bytes, size;
    int32_t first;
    if (frame->instruction == DLW_PYTHON_NOWHERE ||
        !read_memory(python, frame->code + layout->code_first_line, &first, sizeof first) ||
        first < 0 || !read_pointer(python, frame->code + layout->code_lines, &bytes) ||
        !read_pointer(python, bytes + layout->bytes_size, &size) || size > MOST_TABLE)
        return 0;
    struct dlw_python_line_search search;
    dlw_python_line_begin(&search, layout->version, (unsigned)first, frame->instruction);
    for (uint64_t at = 0; at < size; at += sizeof table) {
        size_t now = size - at < sizeof table ? (size_t)(size - at) : sizeof table;
        if (!read_memory(python, bytes + layout->bytes_data + at, table, now))
            return 0;
        if (dlw_python_line_feed(&search, table, now))
            break;
    }
    return dlw_python_line_end(&search);
}

bool dlw_python_describe(const struct dlw_python_reader *python,
                         const struct dlw_python_frame *frame, struct dlw_python_place *out)
{
    const struct dlw_python_layout *layout = python->layout;
    uint32_t name = layout->code_qualified_name ? layout->code_qualified_name : layout->code_name;
    *out = (struct dlw_python_place){0};
    if (!read_text_at(python, frame->code + layout->code_filename, out->file, sizeof out->file) ||
        !read_text_at(python, frame->code + name, out->function, sizeof out->function))
        return false;
    out->line = line_of(python, frame);
    return true;
}
