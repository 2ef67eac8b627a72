/*
 * The time line of a finding, laid out: a lane for each thread, its steps in columns from left
 * to right, the finding at the right edge.
 *
 * A thread's own steps are in order. Between threads only what has a time is: the beginnings and
 * ends of waits. These points get columns in the order of their times; a step without one stands in
 * the next free column of its lane, which says nothing about other lanes.
 */
#ifndef DLW_COMMAND_FORMAT_PICTURE_TIMELINE_H
#define DLW_COMMAND_FORMAT_PICTURE_TIMELINE_H

#include "report/command/document/model.h"

enum dlw_bar_sort { DLW_BAR_HOLD, DLW_BAR_WAIT, DLW_BAR_TRY };

struct dlw_timeline_bar {
    enum dlw_bar_sort sort;
    size_t lane;                       /* of finding->trails */
    unsigned row;                      /* locks held around it */
    unsigned from, to;                 /* columns; to: where it is over */
    bool is_open_left, is_open_right;  /* it began before the trail; it lasts */
    double from_ago, to_ago;           /* seconds before the finding; negative: not known */
    const struct dlw_doc_event *event; /* that began it; if that is not known, that ended it */
};

struct dlw_timeline_mark { /* a column whose time is known */
    unsigned column;
    double ago;
};

struct dlw_timeline {
    struct dlw_timeline_bar *bars;
    size_t n_bars;
    struct dlw_timeline_mark *marks;
    size_t n_marks;
    unsigned n_columns;
    unsigned *rows; /* of each lane, 1 at least */
};

/* Empty for a finding without trails. */
struct dlw_timeline dlw_timeline_make(struct dlw_region *region,
                                      const struct dlw_doc_finding *finding);

#endif
