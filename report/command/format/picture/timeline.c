#include "report/command/format/picture/timeline.h"

/* ---- columns ---- */

/* A step of a lane, or the end of its wait. */
struct point {
    size_t event;
    bool is_end;
    double ago; /* negative: not known */
    unsigned column;
};

struct lane {
    struct point *points;
    size_t n, next;
    unsigned free; /* the next column without a point */
};

/* A wait that ends with the lock in hand ends where the lock is taken. */
static bool ends_taking(const struct dlw_doc_trail *trail, size_t i)
{
    const struct dlw_doc_event *event = &trail->events[i], *next = event + 1;
    return i + 1 < trail->n && next->what == DLW_TRAIL_TOOK && next->lock == event->lock;
}

static void make_points(struct dlw_region *region, const struct dlw_doc_trail *trail,
                        struct lane *lane)
{
    lane->points = dlw_region_alloc(region, (2 * trail->n + 1) * sizeof(*lane->points));
    double taken_ago = -1; /* of the next taking: a wait ended by it */
    for (size_t i = 0; i < trail->n; i++) {
        const struct dlw_doc_event *event = &trail->events[i];
        double ago = event->what == DLW_TRAIL_ASKED ? event->ago : taken_ago;
        taken_ago = -1;
        lane->points[lane->n++] = (struct point){.event = i, .ago = ago};
        if (event->what != DLW_TRAIL_ASKED || event->until < 0)
            continue;
        if (ends_taking(trail, i))
            taken_ago = event->until;
        else
            lane->points[lane->n++] =
                (struct point){.event = i, .is_end = true, .ago = event->until};
    }
}

static void place_untimed(struct lane *lane)
{
    for (; lane->next < lane->n && lane->points[lane->next].ago < 0; lane->next++)
        lane->points[lane->next].column = lane->free++;
}

static void mark(struct dlw_region *region, struct dlw_timeline *line, unsigned column, double ago)
{
    line->marks = dlw_region_grow(region, line->marks, line->n_marks, sizeof(*line->marks));
    line->marks[line->n_marks++] = (struct dlw_timeline_mark){column, ago};
}

/* The longest ago first. */
static struct lane *earliest(struct lane *lanes, size_t n)
{
    struct lane *found = NULL;
    for (size_t i = 0; i < n; i++)
        if (lanes[i].next < lanes[i].n &&
            (!found || lanes[i].points[lanes[i].next].ago > found->points[found->next].ago))
            found = &lanes[i];
    return found;
}

static void place(struct dlw_region *region, struct dlw_timeline *line, struct lane *lanes,
                  size_t n)
{
    unsigned timed = 0; /* behind the last point with a time */
    for (;;) {
        for (size_t i = 0; i < n; i++)
            place_untimed(&lanes[i]);
        struct lane *lane = earliest(lanes, n);
        if (!lane)
            break;
        struct point *point = &lane->points[lane->next++];
        point->column = lane->free > timed ? lane->free : timed;
        lane->free = timed = point->column + 1;
        mark(region, line, point->column, point->ago);
    }
    for (size_t i = 0; i < n; i++)
        line->n_columns = lanes[i].free > line->n_columns ? lanes[i].free : line->n_columns;
    line->n_columns++; /* what lasts is seen to */
}

/* ---- bars ---- */

struct open {
    size_t bars[2 * DLW_TRAIL_ENTRIES]; /* what is held, outermost first, as bars */
    size_t n;
    unsigned below; /* locks held since before the trail that it gives back */
};

static unsigned next_row(const struct dlw_timeline *line, const struct open *open)
{
    unsigned row = open->below;
    for (size_t i = 0; i < open->n; i++)
        if (line->bars[open->bars[i]].row >= row)
            row = line->bars[open->bars[i]].row + 1;
    return row;
}

/* What is given back without being taken. */
static unsigned count_below(const struct dlw_doc_trail *trail)
{
    unsigned n = 0;
    for (size_t i = 0; i < trail->n; i++) {
        size_t held = 0;
        if (trail->events[i].what != DLW_TRAIL_GAVE)
            continue;
        for (size_t k = 0; k < i; k++)
            if (trail->events[k].lock == trail->events[i].lock) {
                held += trail->events[k].what <= DLW_TRAIL_TOOK_BY_TRY;
                held -= trail->events[k].what == DLW_TRAIL_GAVE && held;
            }
        n += !held;
    }
    return n;
}

static struct dlw_timeline_bar *add_bar(struct dlw_region *region, struct dlw_timeline *line,
                                        struct dlw_timeline_bar bar)
{
    line->bars = dlw_region_grow(region, line->bars, line->n_bars, sizeof(*line->bars));
    line->bars[line->n_bars] = bar;
    if (bar.row + 1 > line->rows[bar.lane])
        line->rows[bar.lane] = bar.row + 1;
    return &line->bars[line->n_bars++];
}

static void give_back(struct dlw_region *region, struct dlw_timeline *line, struct open *open,
                      size_t lane, const struct dlw_doc_event *event, unsigned column)
{
    for (size_t i = open->n; i-- > 0;) {
        struct dlw_timeline_bar *bar = &line->bars[open->bars[i]];
        if (bar->event->lock != event->lock)
            continue;
        bar->to = column;
        bar->is_open_right = false;
        for (open->n--; i < open->n; i++)
            open->bars[i] = open->bars[i + 1];
        return;
    }
    open->below -= open->below > 0;
    add_bar(region, line,
            (struct dlw_timeline_bar){.lane = lane,
                                      .row = open->below,
                                      .to = column,
                                      .is_open_left = true,
                                      .from_ago = -1,
                                      .to_ago = -1,
                                      .event = event});
}

static void take_point(struct dlw_region *region, struct dlw_timeline *line, struct open *open,
                       const struct dlw_doc_trail *trail, size_t lane, const struct lane *points,
                       size_t i)
{
    const struct point *point = &points->points[i];
    const struct dlw_doc_event *event = &trail->events[point->event];
    struct dlw_timeline_bar bar = {.lane = lane,
                                   .row = next_row(line, open),
                                   .from = point->column,
                                   .to = line->n_columns,
                                   .is_open_right = true,
                                   .from_ago = point->ago,
                                   .to_ago = -1,
                                   .event = event};
    if (point->is_end)
        return;
    switch (event->what) {
    case DLW_TRAIL_TOOK:
    case DLW_TRAIL_TOOK_BY_TRY:
        if (open->n < sizeof(open->bars) / sizeof(*open->bars))
            open->bars[open->n++] = line->n_bars;
        add_bar(region, line, bar);
        break;
    case DLW_TRAIL_GAVE:
        give_back(region, line, open, lane, event, point->column);
        break;
    case DLW_TRAIL_ASKED:
        bar.sort = DLW_BAR_WAIT;
        if (i + 1 < points->n) { /* else it lasts */
            bar.to = points->points[i + 1].column;
            bar.to_ago = event->until;
            bar.is_open_right = false;
        }
        add_bar(region, line, bar);
        break;
    case DLW_TRAIL_TRIED:
        bar.sort = DLW_BAR_TRY;
        bar.to = point->column + 1;
        bar.is_open_right = false;
        add_bar(region, line, bar);
        break;
    case DLW_TRAIL_CONFUSED:
        break;
    }
}

struct dlw_timeline dlw_timeline_make(struct dlw_region *region,
                                      const struct dlw_doc_finding *finding)
{
    struct dlw_timeline line = {0};
    size_t n = finding->n_trails;
    struct lane *lanes = dlw_region_alloc(region, (n + 1) * sizeof(*lanes));
    line.rows = dlw_region_alloc(region, (n + 1) * sizeof(*line.rows));
    for (size_t i = 0; i < n; i++)
        make_points(region, &finding->trails[i], &lanes[i]);
    place(region, &line, lanes, n);
    for (size_t i = 0; i < n; i++) {
        struct open open = {.n = 0, .below = count_below(&finding->trails[i])};
        line.rows[i] = 1;
        for (size_t k = 0; k < lanes[i].n; k++)
            take_point(region, &line, &open, &finding->trails[i], i, &lanes[i], k);
    }
    return line;
}
