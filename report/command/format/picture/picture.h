/*
 * Pictures of who waits for whom: nodes with places, edges between them. The layout is made when
 * the report is: by Graphviz where it is installed, else by ourselves; a picture needs no script.
 */
#ifndef DLW_COMMAND_FORMAT_PICTURE_PICTURE_H
#define DLW_COMMAND_FORMAT_PICTURE_PICTURE_H

#include "report/command/format/format.h"

struct dlw_picture_point {
    double x, y;
};

struct dlw_picture_node {
    const char *lines[2]; /* the label, broken and cut so that it fits; [1]: NULL or the rest */
    const char *title;    /* the whole of what the label may cut */
    bool is_thread, is_marked;
    double x, y; /* of its middle */
    double half_width, half_height;
};

struct dlw_picture_edge {
    size_t from, to;
    const char *label, *title;
    bool is_marked;
    struct dlw_picture_point *points; /* a Bezier curve of 3k + 1 points; NULL: a bow */
    size_t n_points;
    struct dlw_picture_point words; /* with `points`: the label's middle */
};

struct dlw_picture {
    struct dlw_region *region;
    struct dlw_picture_node *nodes;
    size_t n_nodes;
    struct dlw_picture_edge *edges;
    size_t n_edges;
    double width, height;
    size_t left_out; /* nodes that would have made it unreadable */
};

/* A finding's locks and threads; cycles stand in a circle. */
struct dlw_picture dlw_picture_finding(struct dlw_doc *doc, const struct dlw_doc_finding *finding);
/* The document's threads and their locks. */
struct dlw_picture dlw_picture_threads(struct dlw_doc *doc);
/* The lock order, around the cycles that were found, in layers from first to last. */
struct dlw_picture dlw_picture_order(struct dlw_doc *doc);

/* The heads of the arrows, once for all pictures of a file, where they are not hidden. */
void dlw_picture_arrows(FILE *out);
void dlw_picture_svg(FILE *out, const struct dlw_picture *picture, const char *title);
/* The nodes and edges as part of a dot graph; `prefix` keeps the names of several apart. */
void dlw_picture_dot(FILE *out, const struct dlw_picture *picture, const char *prefix);

/* layout.c: gives places to nodes that stand in layers, and ways around them to edges. */
void dlw_picture_layout(struct dlw_picture *picture);

/* ---- graphviz.c ---- */

enum dlw_graphviz { DLW_GRAPHVIZ_DONE, DLW_GRAPHVIZ_NONE, DLW_GRAPHVIZ_FAILED, DLW_GRAPHVIZ_LATE };
/* Runs dot on `graph` (a file, from its start); what it makes goes into the file `out`. */
enum dlw_graphviz dlw_graphviz_run(FILE *graph, FILE *out, const char *format);
/* What dlw_picture_layout does, by Graphviz. False: it is not to be had, nothing has changed. */
bool dlw_graphviz_layout(struct dlw_picture *picture);

/* label.c: fills `lines` and the size from the title. */
void dlw_picture_label(struct dlw_region *region, struct dlw_picture_node *node);

#endif
