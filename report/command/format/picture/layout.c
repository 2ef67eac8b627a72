/*
 * Layers from first to last, as K. Sugiyama et al. draw hierarchies ("Methods for Visual
 * Understanding of Hierarchical System Structures", IEEE Transactions SMC-11, 1981): edges that
 * close a circle are set aside, each node gets the length of the longest way to it, and within a
 * layer nodes move towards the middle of their neighbours. An edge over several layers gets a place
 * of its own in each that it passes, so that no line runs through a node that it has nothing to do
 * with. Where Graphviz is installed it does all of this, and better.
 */
#include "report/command/format/picture/picture.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEPS = 8, PER_LAYER = 7, GAP = 22, LANE = 14, ROW = 104, BORDER = 16 };

/* A node, or the place of a passing edge in a layer. */
struct spot {
    size_t layer, node, edge; /* node: SIZE_MAX where an edge passes */
    double x, half;
    double wish;
};

struct graph {
    struct dlw_picture *picture;
    size_t *layer, *finished; /* nodes in the order in which the walk left them */
    size_t n_finished;
    unsigned char *state; /* of the walk: 0 new, 1 open, 2 left */
    bool *is_back;        /* edges set aside */
    struct spot *spots;   /* nodes first, then, edge by edge, its passages from low to high layer */
    size_t n_spots;
    size_t *first_passage; /* of each edge */
};

static void walk(struct graph *graph, size_t node)
{
    graph->state[node] = 1;
    for (size_t i = 0; i < graph->picture->n_edges; i++) {
        const struct dlw_picture_edge *edge = &graph->picture->edges[i];
        if (edge->from != node)
            continue;
        if (graph->state[edge->to] == 1)
            graph->is_back[i] = true;
        else if (graph->state[edge->to] == 0)
            walk(graph, edge->to);
    }
    graph->state[node] = 2;
    graph->finished[graph->n_finished++] = node;
}

static void assign_layers(struct graph *graph)
{
    const struct dlw_picture *picture = graph->picture;
    for (size_t i = 0; i < picture->n_nodes; i++)
        if (graph->state[i] == 0)
            walk(graph, i);
    /* Against the order of leaving, every edge that is left points forwards. */
    for (size_t i = picture->n_nodes; i-- > 0;)
        for (size_t j = 0; j < picture->n_edges; j++) {
            const struct dlw_picture_edge *edge = &picture->edges[j];
            if (edge->from == graph->finished[i] && !graph->is_back[j] &&
                graph->layer[edge->to] <= graph->layer[edge->from])
                graph->layer[edge->to] = graph->layer[edge->from] + 1;
        }
}

/* A layer with more nodes than can be read side by side becomes several. */
static void split_layers(struct graph *graph)
{
    size_t n = graph->picture->n_nodes, from = 0, placed = 0;
    size_t *split = dlw_region_alloc(graph->picture->region, (n + 1) * sizeof(*split));
    for (size_t layer = 0; placed < n; layer++) {
        size_t members = 0, before = 0;
        for (size_t i = 0; i < n; i++)
            members += graph->layer[i] == layer;
        size_t rows = (members + PER_LAYER - 1) / PER_LAYER;
        size_t per_row = rows ? (members + rows - 1) / rows : 1;
        for (size_t i = 0; i < n; i++)
            if (graph->layer[i] == layer)
                split[i] = from + before++ / per_row;
        from += rows;
        placed += members;
    }
    memcpy(graph->layer, split, n * sizeof(*split));
}

static size_t span(const struct graph *graph, const struct dlw_picture_edge *edge, size_t *low)
{
    size_t a = graph->layer[edge->from], b = graph->layer[edge->to];
    *low = a < b ? a : b;
    return a < b ? b - a : a - b;
}

static void make_spots(struct graph *graph)
{
    struct dlw_picture *picture = graph->picture;
    size_t low, n = picture->n_nodes;
    for (size_t i = 0; i < picture->n_edges; i++)
        n += span(graph, &picture->edges[i], &low);
    graph->spots = dlw_region_alloc(picture->region, (n + 1) * sizeof(*graph->spots));
    graph->first_passage =
        dlw_region_alloc(picture->region, (picture->n_edges + 1) * sizeof(size_t));
    for (size_t i = 0; i < picture->n_nodes; i++)
        graph->spots[graph->n_spots++] = (struct spot){
            .layer = graph->layer[i], .node = i, .half = picture->nodes[i].half_width};
    for (size_t i = 0; i < picture->n_edges; i++) {
        size_t length = span(graph, &picture->edges[i], &low);
        graph->first_passage[i] = graph->n_spots;
        for (size_t k = 1; k < length; k++)
            graph->spots[graph->n_spots++] =
                (struct spot){.layer = low + k, .node = SIZE_MAX, .edge = i, .half = LANE};
    }
}

/* The spot that stands `at` layers above the edge's lower end, which is `length` long. */
static struct spot *on_the_way(struct graph *graph, size_t index, size_t at, size_t length)
{
    const struct dlw_picture_edge *edge = &graph->picture->edges[index];
    bool is_down = graph->layer[edge->from] <= graph->layer[edge->to];
    if (at == 0)
        return &graph->spots[is_down ? edge->from : edge->to];
    if (at == length)
        return &graph->spots[is_down ? edge->to : edge->from];
    return &graph->spots[graph->first_passage[index] + at - 1];
}

static void wish_for_places(struct graph *graph)
{
    double *sums = calloc(graph->n_spots + 1, sizeof(*sums));
    size_t *counts = calloc(graph->n_spots + 1, sizeof(*counts)), low;
    for (size_t i = 0; sums && counts && i < graph->picture->n_edges; i++) {
        size_t length = span(graph, &graph->picture->edges[i], &low);
        for (size_t k = 0; k < length; k++) {
            struct spot *a = on_the_way(graph, i, k, length);
            struct spot *b = on_the_way(graph, i, k + 1, length);
            sums[a - graph->spots] += b->x;
            sums[b - graph->spots] += a->x;
            counts[a - graph->spots]++;
            counts[b - graph->spots]++;
        }
    }
    for (size_t i = 0; sums && counts && i < graph->n_spots; i++)
        graph->spots[i].wish = counts[i] ? sums[i] / (double)counts[i] : graph->spots[i].x;
    free(sums);
    free(counts);
}

static int compare_wishes(const void *a, const void *b)
{
    const struct spot *x = *(struct spot *const *)a, *y = *(struct spot *const *)b;
    if (x->wish != y->wish)
        return x->wish < y->wish ? -1 : 1;
    return x < y ? -1 : 1;
}

/* Side by side, centred, so that a layer of one stands in the middle. */
static void place_layer(struct spot **members, size_t n)
{
    double width = -GAP, x;
    qsort(members, n, sizeof(*members), compare_wishes);
    for (size_t i = 0; i < n; i++)
        width += 2 * members[i]->half + GAP;
    x = -width / 2;
    for (size_t i = 0; i < n; i++) {
        members[i]->x = x + members[i]->half;
        x += 2 * members[i]->half + GAP;
    }
}

static void place_all(struct graph *graph, struct spot **members)
{
    size_t placed = 0;
    for (size_t layer = 0; placed < graph->n_spots; layer++) {
        size_t n = 0;
        for (size_t i = 0; i < graph->n_spots; i++)
            if (graph->spots[i].layer == layer)
                members[n++] = &graph->spots[i];
        place_layer(members, n);
        placed += n;
    }
}

static void fit(struct graph *graph)
{
    struct dlw_picture *picture = graph->picture;
    double low = 0, high = 0, bottom = 0;
    for (size_t i = 0; i < graph->n_spots; i++) {
        const struct spot *spot = &graph->spots[i];
        double y = (double)spot->layer * ROW;
        low = spot->x - spot->half < low ? spot->x - spot->half : low;
        high = spot->x + spot->half > high ? spot->x + spot->half : high;
        bottom = y > bottom ? y : bottom;
    }
    for (size_t i = 0; i < graph->n_spots; i++)
        graph->spots[i].x += BORDER + LANE - low;
    for (size_t i = 0; i < picture->n_nodes; i++) {
        picture->nodes[i].x = graph->spots[i].x;
        picture->nodes[i].y = BORDER + ROW / 4.0 + (double)graph->layer[i] * ROW;
    }
    picture->width = high - low + 2 * (BORDER + LANE);
    picture->height = bottom + ROW / 2.0 + 2 * BORDER;
}

/* Straight down through each lane, in bows between the layers. */
static void draw_way(struct graph *graph, size_t index)
{
    struct dlw_picture *picture = graph->picture;
    struct dlw_picture_edge *edge = &picture->edges[index];
    size_t low, length = span(graph, edge, &low);
    if (length < 2)
        return;
    bool is_down = graph->layer[edge->from] <= graph->layer[edge->to];
    double pass = 28; /* half the height of a layer that a lane crosses */
    struct dlw_picture_point *points = dlw_region_alloc(picture->region,
                                                        (6 * length + 1) * sizeof(*points)),
                             at;
    size_t n = 0;
    for (size_t k = 0; k <= length; k++) {
        size_t step = is_down ? k : length - k;
        const struct spot *spot = on_the_way(graph, index, step, length);
        double y = BORDER + ROW / 4.0 + (double)(low + step) * ROW, down = is_down ? 1 : -1;
        double reach = spot->node == SIZE_MAX ? pass : picture->nodes[spot->node].half_height;
        if (k > 0) { /* a bow from `at` to where this layer begins */
            struct dlw_picture_point end = {spot->x, y - down * (reach + (k == length ? 3 : 0))};
            double middle = (at.y + end.y) / 2;
            points[n++] = (struct dlw_picture_point){at.x, middle};
            points[n++] = (struct dlw_picture_point){end.x, middle};
            points[n++] = at = end;
        } else {
            points[n++] = at = (struct dlw_picture_point){spot->x, y + down * reach};
        }
        if (k > 0 && k < length) {
            struct dlw_picture_point end = {spot->x, y + down * pass};
            points[n++] = at;
            points[n++] = end;
            points[n++] = at = end;
        }
    }
    edge->points = points;
    edge->n_points = n;
    edge->words = points[n / 2];
}

void dlw_picture_layout(struct dlw_picture *picture)
{
    struct dlw_region *region = picture->region;
    size_t n = picture->n_nodes + 1;
    if (picture->n_nodes && dlw_graphviz_layout(picture))
        return;
    struct graph graph = {
        .picture = picture,
        .layer = dlw_region_alloc(region, n * sizeof(size_t)),
        .finished = dlw_region_alloc(region, n * sizeof(size_t)),
        .state = dlw_region_alloc(region, n),
        .is_back = dlw_region_alloc(region, (picture->n_edges + 1) * sizeof(bool)),
    };
    assign_layers(&graph);
    split_layers(&graph);
    make_spots(&graph);
    struct spot **members = dlw_region_alloc(region, (graph.n_spots + 1) * sizeof(*members));
    for (int i = 0; i < SWEEPS; i++) {
        wish_for_places(&graph);
        place_all(&graph, members);
    }
    fit(&graph);
    for (size_t i = 0; i < picture->n_edges; i++)
        draw_way(&graph, i);
}
