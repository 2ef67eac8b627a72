#include "interpose/stacks/lines.h"

#include "graph/base/lock.h"
#include "interpose/base/proc.h"
#include "interpose/python/frames.h"
#include "interpose/stacks/intern.h"
#include "interpose/threads/held.h"
#include "report/emit/records.h"

#include <stdatomic.h>
#include <string.h>

#include "interpose/base/table.h"

enum { SEGMENT = 1024, SEGMENTS = 4096 };

struct line {
    UT_hash_handle hh;
    struct {
        uint64_t code, instruction;
    } key;
    uint64_t stamp[DLW_STAMP_WORDS]; /* of the code object: another may come to lie there */
    struct line *older;              /* of the same key */
    uint32_t number;
    struct dlw_journal_line place;
};

/* RANK_LINES: the arena, the table, appending. */
static struct dlw_lock lines_lock = DLW_LOCK_INIT(DLW_RANK_LINES);
static struct line *table;
static struct line **segments[SEGMENTS];
static _Atomic uint32_t n_lines; /* released after the line is whole; readers acquire */

const struct dlw_records_lines dlw_records_lines = {
    .segments = segments,
    .n_segments = SEGMENTS,
    .per_segment = SEGMENT,
    .reason = DLW_LINE,
    .mark = DLW_LINE_MARK,
    .number = offsetof(struct line, number),
    .file = offsetof(struct line, place.file),
    .function = offsetof(struct line, place.function),
    .line = offsetof(struct line, place.line),
};

static struct line *find_locked(const struct dlw_python_frame *frame,
                                const uint64_t stamp[DLW_STAMP_WORDS])
{
    const struct line wanted = {.key = {frame->code, frame->instruction}};
    struct line *line;

    HASH_FIND(hh, table, &wanted.key, sizeof(wanted.key), line);
    while (line && memcmp(line->stamp, stamp, sizeof(line->stamp)) != 0)
        line = line->older;
    return line;
}

static const char *copy_locked(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = dlw_arena_alloc(&arena, size);

    if (copy)
        memcpy(copy, text, size);
    return copy;
}

static struct line *append_locked(const struct dlw_python_frame *frame,
                                  const uint64_t stamp[DLW_STAMP_WORDS],
                                  const struct dlw_python_place *place)
{
    uint32_t n = atomic_load_explicit(&n_lines, memory_order_relaxed);

    if (n / SEGMENT >= SEGMENTS)
        return NULL;
    if (n % SEGMENT == 0)
        segments[n / SEGMENT] = dlw_arena_alloc(&arena, SEGMENT * sizeof(struct line *));
    struct line *line = dlw_arena_alloc(&arena, sizeof(*line)), *known;
    if (!line || !segments[n / SEGMENT])
        return NULL;
    memset(line, 0, sizeof(*line));
    line->key.code = frame->code;
    line->key.instruction = frame->instruction;
    memcpy(line->stamp, stamp, sizeof(line->stamp));
    line->number = n + 1;
    line->place = (struct dlw_journal_line){copy_locked(place->file), copy_locked(place->function),
                                            place->line};
    if (!line->place.file || !line->place.function)
        return NULL;
    HASH_FIND(hh, table, &line->key, sizeof(line->key), known);
    if (known) { /* its head keeps its place in the table */
        line->older = known->older;
        known->older = line;
    } else {
        HASH_ADD(hh, table, key, sizeof(line->key), line);
    }
    segments[n / SEGMENT][n % SEGMENT] = line;
    /* Pairs with the acquire in dlw_line_get. */
    atomic_store_explicit(&n_lines, n + 1, memory_order_release);
    return line;
}

static uint32_t number_of(const struct dlw_python_frame *frame,
                          const uint64_t stamp[DLW_STAMP_WORDS])
{
    struct dlw_python_place place;
    struct line *line;

    if (!dlw_lock_acquire_or_skip(&lines_lock))
        return 0;
    line = find_locked(frame, stamp);
    dlw_lock_release(&lines_lock);
    if (line)
        return line->number;
    if (!dlw_python_place_of(frame, &place) || !dlw_lock_acquire_or_skip(&lines_lock))
        return 0;
    line = find_locked(frame, stamp); /* another thread may have been faster */
    if (!line)
        line = append_locked(frame, stamp, &place);
    uint32_t number = line ? line->number : 0;
    dlw_lock_release(&lines_lock);
    return number;
}

uint32_t dlw_line_of(const struct dlw_python_frame *frame)
{
    uint64_t stamp[1][DLW_STAMP_WORDS];

    return dlw_python_code_stamps(frame, 1, stamp) ? number_of(frame, stamp[0]) : 0;
}

unsigned dlw_lines_of(const struct dlw_python_frame *frames, unsigned n, uint32_t *out)
{
    uint64_t stamps[DLW_PROC_PIECES][DLW_STAMP_WORDS];

    n = n < DLW_PROC_PIECES ? n : DLW_PROC_PIECES;
    if (!dlw_python_code_stamps(frames, n, stamps)) { /* those before the bad one still can be */
        out[0] = dlw_line_of(frames);
        return 1;
    }
    for (unsigned i = 0; i < n; i++)
        out[i] = number_of(&frames[i], stamps[i]);
    return n;
}

const struct dlw_journal_line *dlw_line_get(uint32_t number)
{
    if (number == 0 || number > atomic_load_explicit(&n_lines, memory_order_acquire))
        return NULL;
    return &segments[(number - 1) / SEGMENT][(number - 1) % SEGMENT]->place;
}

bool dlw_lines_before_fork(void)
{
    return dlw_lock_acquire(&lines_lock);
}

void dlw_lines_after_fork(bool child)
{
    if (child)
        dlw_lock_reset(&lines_lock);
    else
        dlw_lock_release(&lines_lock);
}
