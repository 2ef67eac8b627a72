/*
 * Layers from first to last, as K. Sugiyama et al. draw hierarchies ("Methods for Visual
 * Understanding of Hierarchical System Structures", IEEE Transactions SMC-11, 1981): edges that
 * close a circle are set aside, each node gets the length of the longest way to it, and within a
 * layer nodes move towards the middle of their neighbours.
 */
#include "report/command/format/picture/picture.h"

#include <stdlib.h>

enum { SWEEPS = 8, PER_ROW = 7, COLUMN = 190, ROW = 104, BORDER = 96 };

struct graph {
    struct dlw_picture *picture;
    size_t *layer, *finished; /* nodes in the order in which the walk left them */
    size_t n_finished;
    unsigned char *state; /* of the walk: 0 new, 1 open, 2 left */
    bool *is_back;        /* edges set aside */
    double *wish;
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

static void wish_for_places(struct graph *graph)
{
    const struct dlw_picture *picture = graph->picture;
    for (size_t i = 0; i < picture->n_nodes; i++) {
        double sum = 0, n = 0;
        for (size_t j = 0; j < picture->n_edges; j++) {
            const struct dlw_picture_edge *edge = &picture->edges[j];
            size_t other = edge->from == i ? edge->to : edge->to == i ? edge->from : i;
            if (other == i)
                continue;
            sum += picture->nodes[other].x;
            n++;
        }
        graph->wish[i] = n > 0 ? sum / n : picture->nodes[i].x;
    }
}

static const double *sorted_by;

static int compare_wishes(const void *a, const void *b)
{
    double x = sorted_by[*(const size_t *)a], y = sorted_by[*(const size_t *)b];
    if (x != y)
        return x < y ? -1 : 1;
    return *(const size_t *)a < *(const size_t *)b ? -1 : 1;
}

/* Returns the number of rows it took. */
static size_t place_layer(struct graph *graph, size_t *members, size_t n, size_t first_row)
{
    sorted_by = graph->wish;
    qsort(members, n, sizeof(*members), compare_wishes);
    size_t rows = (n + PER_ROW - 1) / PER_ROW, per_row = (n + rows - 1) / rows;
    for (size_t i = 0; i < n; i++) {
        struct dlw_picture_node *node = &graph->picture->nodes[members[i]];
        size_t row = i / per_row;
        size_t in_row = row + 1 < rows ? per_row : n - per_row * (rows - 1);
        /* Rows are centred, so that a layer of one stands in the middle. */
        node->x = ((double)(i % per_row) - (double)(in_row - 1) / 2) * COLUMN;
        node->y = (double)(first_row + row) * ROW;
    }
    return rows;
}

static void place_all(struct graph *graph, size_t *members)
{
    struct dlw_picture *picture = graph->picture;
    size_t row = 0, placed = 0;
    for (size_t layer = 0; placed < picture->n_nodes; layer++) {
        size_t n = 0;
        for (size_t i = 0; i < picture->n_nodes; i++)
            if (graph->layer[i] == layer)
                members[n++] = i;
        if (n)
            row += place_layer(graph, members, n, row);
        placed += n;
    }
}

static void fit(struct dlw_picture *picture)
{
    double low = 0, high = 0, bottom = 0;
    for (size_t i = 0; i < picture->n_nodes; i++) {
        low = picture->nodes[i].x < low ? picture->nodes[i].x : low;
        high = picture->nodes[i].x > high ? picture->nodes[i].x : high;
        bottom = picture->nodes[i].y > bottom ? picture->nodes[i].y : bottom;
    }
    for (size_t i = 0; i < picture->n_nodes; i++) {
        picture->nodes[i].x += BORDER - low;
        picture->nodes[i].y += BORDER / 2;
    }
    picture->width = high - low + 2 * BORDER;
    picture->height = bottom + BORDER;
}

void dlw_picture_layout(struct dlw_picture *picture)
{
    struct dlw_region *region = picture->region;
    size_t n = picture->n_nodes + 1;
    struct graph graph = {
        .picture = picture,
        .layer = dlw_region_alloc(region, n * sizeof(size_t)),
        .finished = dlw_region_alloc(region, n * sizeof(size_t)),
        .state = dlw_region_alloc(region, n),
        .is_back = dlw_region_alloc(region, (picture->n_edges + 1) * sizeof(bool)),
        .wish = dlw_region_alloc(region, n * sizeof(double)),
    };
    size_t *members = dlw_region_alloc(region, n * sizeof(size_t));
    assign_layers(&graph);
    for (int i = 0; i < SWEEPS; i++) {
        wish_for_places(&graph);
        place_all(&graph, members);
    }
    fit(picture);
}
