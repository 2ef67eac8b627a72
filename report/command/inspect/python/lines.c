/* The Python frames of each thread. */
#include "report/command/inspect/python/python.h"

#include "report/command/base/clean.h"
#include "report/emit/python/objects.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum { ATTEMPTS = 4 };

/* A place that was described before: many threads stand at the same ones. */
struct described {
    struct {
        uint64_t code;
        uint64_t instruction;
    } key;
    struct dlw_seen_line line;
    UT_hash_handle hh;
};

struct reading {
    struct dlw_target *target;
    struct dlw_python_seen seen;
    struct dlw_python_reader reader;
    struct described *described;
    struct dlw_python_frame *frames, *again; /* room for `depth` */
    size_t depth;
};

static const struct dlw_seen_line *describe(struct reading *reading,
                                            const struct dlw_python_frame *frame)
{
    struct dlw_region *region = reading->target->region;
    struct described *found, wanted = {.key = {frame->code, frame->instruction}};
    struct dlw_python_place place;
    HASH_FIND(hh, reading->described, &wanted.key, sizeof wanted.key, found);
    if (found)
        return &found->line;
    found = dlw_region_alloc(region, sizeof *found);
    found->key = wanted.key;
    if (dlw_python_describe(&reading->reader, frame, &place))
        found->line = (struct dlw_seen_line){.file = dlw_clean(region, place.file),
                                             .function = dlw_clean(region, place.function),
                                             .line = place.line};
    else
        found->line.unknown = "a Python frame that could not be read";
    HASH_ADD(hh, reading->described, key, sizeof found->key, found);
    return &found->line;
}

static void add(struct reading *reading, struct dlw_seen_thread *thread, struct dlw_seen_line line)
{
    thread->lines = dlw_region_grow(reading->target->region, thread->lines, thread->n_lines,
                                    sizeof *thread->lines);
    thread->lines[thread->n_lines++] = line;
}

static void add_unknown(struct reading *reading, struct dlw_seen_thread *thread, const char *why)
{
    add(reading, thread, (struct dlw_seen_line){.unknown = why});
}

/* Twice the same frames were there all the time, or came again: both are true of the thread. */
static bool read_frames(struct reading *reading, uint64_t state, size_t *n, bool *is_whole,
                        bool *is_cut)
{
    const struct dlw_python_reader *python = &reading->reader;
    size_t n_again;
    bool cut_again;
    *is_whole = dlw_python_frames(python, state, reading->frames, reading->depth, n, is_cut);
    for (int i = 0; i < ATTEMPTS; i++) {
        bool whole_again =
            dlw_python_frames(python, state, reading->again, reading->depth, &n_again, &cut_again);
        if (whole_again == *is_whole && n_again == *n && cut_again == *is_cut &&
            (!*n || !memcmp(reading->frames, reading->again, *n * sizeof *reading->frames)))
            return true;
        struct dlw_python_frame *other = reading->frames;
        reading->frames = reading->again;
        reading->again = other;
        *n = n_again;
        *is_cut = cut_again;
        *is_whole = whole_again;
    }
    return false;
}

/* The system's name of a thread that was given none is the program's; CPython passes on the
 * beginning of its own from 3.14 on. Any other was given with intent. */
static bool is_given(const struct reading *reading, const struct dlw_seen_thread *thread,
                     const char *by_python)
{
    const struct dlw_target *target = reading->target;
    const struct dlw_seen_thread *main = NULL;
    for (size_t i = 0; i < target->n_threads && !main; i++)
        if (target->threads[i].tid == target->pid)
            main = &target->threads[i];
    return *thread->name && (!main || strcmp(thread->name, main->name) != 0) &&
           strncmp(by_python, thread->name, strlen(thread->name)) != 0;
}

/* Read twice, since it may be given another at this moment. */
static void read_name(struct reading *reading, struct dlw_seen_thread *thread,
                      const struct dlw_python_frame *outermost)
{
    const struct dlw_python_reader *python = &reading->reader;
    char name[DLW_PYTHON_NAME], again[DLW_PYTHON_NAME];
    _Static_assert(sizeof name == sizeof thread->name, "it has room");
    if (dlw_python_thread_name(python, outermost, name, sizeof name) &&
        dlw_python_thread_name(python, outermost, again, sizeof again) && !strcmp(name, again) &&
        !is_given(reading, thread, name))
        memcpy(thread->name, name, sizeof name);
}

static void read_thread(struct reading *reading, struct dlw_seen_thread *thread, uint64_t state)
{
    size_t n;
    bool is_whole;
    if (!read_frames(reading, state, &n, &is_whole, &thread->are_lines_cut)) {
        add_unknown(reading, thread, "it ran on while its Python frames were read");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct dlw_seen_line line = *describe(reading, &reading->frames[i]);
        line.anchor = reading->frames[i].anchor;
        line.address = reading->frames[i].address;
        line.code = reading->frames[i].code;
        add(reading, thread, line);
    }
    if (!is_whole)
        add_unknown(reading, thread, "its Python frames could not be read on from here");
    else if (n && !thread->are_lines_cut)
        read_name(reading, thread, &reading->frames[n - 1]);
}

/* Whose state it is: by what glibc keeps in the thread's descriptor, which a fork renews, else by
 * the number that the interpreter keeps. */
static struct dlw_seen_thread *thread_of(struct dlw_target *target,
                                         const struct dlw_python_state *state)
{
    uint32_t number = 0;
    struct dlw_seen_thread *thread = NULL;
    if (target->runtime == DLW_RUNTIME_GLIBC &&
        dlw_target_u32(target, state->thread + (uint64_t)target->layout.thread_tid, &number))
        thread = dlw_target_inner(target, number);
    return thread || !state->native ? thread : dlw_target_inner(target, (uint32_t)state->native);
}

static bool read_target(void *context, uint64_t address, void *out, size_t size)
{
    return dlw_target_read(context, address, out, size);
}

/* False: there is none, or its frames can't be read, and *why says so where it does. */
static bool begin(struct reading *reading, struct dlw_target *target, const char **why)
{
    *why = NULL;
    if (!dlw_python_find(target, &reading->seen))
        return false;
    reading->target = target;
    reading->reader = (struct dlw_python_reader){
        .layout = &reading->seen.layout,
        .memory = {read_target, target},
        .runtime = reading->seen.runtime,
    };
    *why = reading->seen.why ? reading->seen.why : dlw_python_unknown;
    return reading->seen.layout.has_lines;
}

bool dlw_python_line(struct dlw_target *target, uint64_t code, uint64_t instruction,
                     struct dlw_seen_line *out)
{
    struct reading reading = {0};
    const char *why;
    if (!begin(&reading, target, &why))
        return false;
    struct dlw_python_frame frame =
        dlw_python_frame_of_words(&reading.seen.layout, 0, code, instruction);
    *out = *describe(&reading, &frame);
    out->code = frame.code;
    HASH_CLEAR(hh, reading.described);
    return true;
}

void dlw_python_read(struct dlw_target *target, struct dlw_doc *doc, size_t depth)
{
    struct reading reading = {.depth = depth};
    struct dlw_python_walk walk = {0};
    struct dlw_python_state state;
    const char *why;
    if (!begin(&reading, target, &why)) {
        if (why)
            dlw_target_trouble(target, doc, "Python's lines are not shown: %s", why);
        return;
    }
    reading.frames = dlw_region_alloc(target->region, depth * sizeof *reading.frames);
    reading.again = dlw_region_alloc(target->region, depth * sizeof *reading.again);
    while (dlw_python_next(&reading.reader, &walk, &state)) {
        struct dlw_seen_thread *thread = thread_of(target, &state);
        if (!thread || thread->is_ended || thread->n_lines)
            continue;
        read_thread(&reading, thread, state.address);
        dlw_python_pair(&reading.seen, target, thread);
    }
    HASH_CLEAR(hh, reading.described);
}
