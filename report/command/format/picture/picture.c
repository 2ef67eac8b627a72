/* Which nodes and edges a picture has. */
#include "report/command/format/picture/picture.h"

#include "report/command/document/classify.h"

#include <math.h>
#include <string.h>
#include <uthash.h>

enum { MAX_NODES = 120, MAX_NEAR = 40, NODE_WIDTH = 215, MARGIN = 120 };

/* Nodes by what they stand for. */
struct named {
    const char *key;
    size_t node;
    UT_hash_handle hh;
};

struct builder {
    struct dlw_picture picture;
    size_t room; /* nodes */
    struct named *table;
};

static bool has_room(const struct builder *builder)
{
    return builder->picture.n_nodes < builder->room;
}

static size_t find_node(struct builder *builder, const char *key)
{
    struct named *named;
    HASH_FIND_STR(builder->table, key, named);
    return named ? named->node : SIZE_MAX;
}

/* SIZE_MAX: there are too many already. */
static size_t node(struct builder *builder, const char *key, const char *title, bool is_thread)
{
    struct dlw_picture *picture = &builder->picture;
    size_t known = find_node(builder, key);
    if (known != SIZE_MAX)
        return known;
    if (!has_room(builder)) {
        picture->left_out++;
        return SIZE_MAX;
    }
    struct named *named = dlw_region_alloc(picture->region, sizeof(*named));
    named->key = key;
    named->node = picture->n_nodes;
    HASH_ADD_KEYPTR(hh, builder->table, key, strlen(key), named);
    picture->nodes =
        dlw_region_grow(picture->region, picture->nodes, picture->n_nodes, sizeof(*picture->nodes));
    picture->nodes[picture->n_nodes] =
        (struct dlw_picture_node){.title = title, .is_thread = is_thread};
    dlw_picture_label(picture->region, &picture->nodes[picture->n_nodes]);
    return picture->n_nodes++;
}

static void edge(struct builder *builder, size_t from, size_t to, const char *label,
                 const char *title, bool is_marked)
{
    struct dlw_picture *picture = &builder->picture;
    if (from == SIZE_MAX || to == SIZE_MAX)
        return;
    picture->edges =
        dlw_region_grow(picture->region, picture->edges, picture->n_edges, sizeof(*picture->edges));
    picture->edges[picture->n_edges++] = (struct dlw_picture_edge){
        .from = from, .to = to, .label = label, .title = title, .is_marked = is_marked};
    picture->nodes[from].is_marked |= is_marked;
    picture->nodes[to].is_marked |= is_marked;
}

static struct dlw_picture finished(struct builder *builder)
{
    HASH_CLEAR(hh, builder->table);
    return builder->picture;
}

static size_t thread_node(struct builder *builder, const struct dlw_doc_finding *finding,
                          const struct dlw_doc_thread *thread)
{
    struct dlw_region *region = builder->picture.region;
    const char *title = finding ? dlw_finding_thread_title(region, finding, thread)
                                : dlw_thread_title(region, thread);
    return node(builder,
                dlw_region_print(region, "t%p/%u", (const void *)thread->process, thread->id),
                title, true);
}

static size_t lock_node(struct builder *builder, const struct dlw_doc_finding *finding,
                        const struct dlw_doc_lock *lock)
{
    struct dlw_region *region = builder->picture.region;
    if (!lock)
        return SIZE_MAX;
    return node(builder, dlw_region_print(region, "l%p", (const void *)lock),
                finding ? dlw_finding_lock_title(region, finding, lock)
                        : dlw_lock_title(region, lock),
                false);
}

static const char *where(struct dlw_region *region, const char *verb, const struct dlw_stack *stack)
{
    size_t place = dlw_stack_place(stack);
    if (place == stack->n)
        return verb;
    const struct dlw_frame *frame = &stack->frames[place];
    return dlw_region_print(region, "%s in %s, %s", verb, frame->function ? frame->function : "?",
                            dlw_frame_place(region, frame));
}

static void add_state(struct builder *builder, const struct dlw_doc_finding *finding,
                      const struct dlw_doc_state *state)
{
    struct dlw_region *region = builder->picture.region;
    size_t self = thread_node(builder, finding, state->thread);
    if (state->on)
        edge(builder, self, lock_node(builder, finding, state->on),
             state->waits == DLW_WAIT_NONE ? "" : "waits for",
             where(region, "waits", &state->stack), false);
    for (size_t i = 0; i < state->n_holds; i++)
        edge(builder, lock_node(builder, finding, state->holds[i].lock), self, "held by",
             where(region, "taken", &state->holds[i].stack), false);
}

/* From the middle of the circle to what stands farthest out at its sides: a node, or the words of
 * an edge, which begin beside the line. */
static double half_width_of(const struct dlw_picture *picture, double radius)
{
    enum { WORDS = 95, EDGE = 8 };
    double n = (double)picture->n_nodes, most = 0;
    for (size_t i = 0; i < picture->n_nodes; i++) {
        double at = 2 * M_PI * (double)i / n - M_PI / 2, between = at + M_PI / n;
        most = fmax(most, radius * fabs(cos(at)) + picture->nodes[i].half_width);
        most = fmax(most, radius * fabs(cos(between)) + WORDS);
    }
    return most + EDGE;
}

/* Threads and locks in turn, round the circle, clockwise from the top. */
static void place_in_circle(struct dlw_picture *picture)
{
    double n = (double)picture->n_nodes, radius = n * NODE_WIDTH / (2 * M_PI);
    double least = picture->n_nodes == 2 ? 75 : 135;
    if (radius < least || picture->n_nodes == 2)
        radius = least;
    double middle = picture->n_nodes == 2 ? MARGIN + radius : half_width_of(picture, radius);
    for (size_t i = 0; i < picture->n_nodes; i++) {
        double angle = 2 * M_PI * (double)i / n - M_PI / 2;
        picture->nodes[i].x = middle + radius * cos(angle);
        picture->nodes[i].y = MARGIN / 2.0 + radius + radius * sin(angle);
    }
    picture->width = 2 * middle;
    picture->height = MARGIN + 2 * radius;
    if (picture->n_nodes == 2) {
        picture->nodes[0].x = picture->nodes[1].x = picture->width / 2;
    }
}

static void add_cycle(struct builder *builder, const struct dlw_doc_finding *finding)
{
    struct dlw_region *region = builder->picture.region;
    bool waits = finding->kind == DLW_DEADLOCK;
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_doc_step *step = &finding->cycle[i], *next = dlw_next_step(finding, i);
        size_t from = thread_node(builder, finding, step->thread);
        size_t lock = lock_node(builder, finding, step->wants.lock);
        edge(builder, from, lock, waits ? "waits for" : "then takes",
             where(region, "asks", &step->wants.stack), true);
        edge(builder, lock, thread_node(builder, finding, dlw_wanted_from(finding, i)),
             waits ? "held by" : "first taken by", where(region, "taken", &next->holds.stack),
             true);
    }
}

struct dlw_picture dlw_picture_finding(struct dlw_doc *doc, const struct dlw_doc_finding *finding)
{
    struct builder builder = {.picture = {.region = &doc->region}, .room = MAX_NODES};
    if (finding->n_cycle) {
        add_cycle(&builder, finding);
        place_in_circle(&builder.picture);
    } else {
        for (size_t i = 0; i < finding->n_threads; i++)
            add_state(&builder, finding, &finding->threads[i]);
        dlw_picture_layout(&builder.picture);
    }
    return finished(&builder);
}

struct dlw_picture dlw_picture_threads(struct dlw_doc *doc)
{
    struct builder builder = {.picture = {.region = &doc->region}, .room = MAX_NODES};
    for (size_t i = 0; i < doc->n_threads; i++)
        add_state(&builder, NULL, &doc->threads[i]);
    dlw_picture_layout(&builder.picture);
    return finished(&builder);
}

/* ---- the lock order ---- */

/* One node for what has one name: objects made at one place, and one variable in many processes. */
static const char *order_key(struct dlw_region *region, const struct dlw_doc_lock *lock)
{
    return dlw_region_print(region, "%s\n%s", dlw_lock_title(region, lock),
                            lock->module ? lock->module : "");
}

struct order_edge {
    const char *key; /* both ends */
    const char *from, *to, *from_title, *to_title;
    const struct dlw_doc_edge *evidence;
    bool is_marked;
    UT_hash_handle hh;
};

static const char *pair_key(struct dlw_region *region, const char *from, const char *to)
{
    return dlw_region_print(region, "%s\n\n%s", from, to);
}

static struct order_edge *collect(struct dlw_doc *doc)
{
    struct order_edge *table = NULL, *known;
    struct dlw_region *region = &doc->region;
    for (size_t i = 0; i < doc->n_edges; i++) {
        const struct dlw_doc_edge *evidence = doc->edges[i];
        const char *from = order_key(region, evidence->from), *to = order_key(region, evidence->to);
        const char *key = pair_key(region, from, to);
        HASH_FIND_STR(table, key, known);
        if (known || strcmp(from, to) == 0)
            continue;
        known = dlw_region_alloc(region, sizeof(*known));
        *known = (struct order_edge){.key = key,
                                     .from = from,
                                     .to = to,
                                     .from_title = dlw_lock_title(region, evidence->from),
                                     .to_title = dlw_lock_title(region, evidence->to),
                                     .evidence = evidence};
        HASH_ADD_KEYPTR(hh, table, known->key, strlen(key), known);
    }
    return table;
}

static void mark_cycles(struct dlw_doc *doc, struct order_edge *table)
{
    struct dlw_region *region = &doc->region;
    for (size_t i = 0; i < doc->n_findings; i++) {
        const struct dlw_doc_finding *finding = doc->findings[i];
        for (size_t j = 0; dlw_doc_is_listed(finding) && j < finding->n_cycle; j++) {
            const char *key = pair_key(region, order_key(region, finding->cycle[j].holds.lock),
                                       order_key(region, finding->cycle[j].wants.lock));
            struct order_edge *known;
            HASH_FIND_STR(table, key, known);
            if (known)
                known->is_marked = true;
        }
    }
}

/* What touches a node that is already in the picture, ring by ring until it is full. */
static void grow_neighbourhood(struct builder *builder, struct order_edge *table)
{
    struct order_edge *at = NULL, *next = NULL;
    size_t before;
    do {
        before = builder->picture.n_nodes;
        HASH_ITER(hh, table, at, next)
        {
            bool has_from = find_node(builder, at->from) != SIZE_MAX;
            bool has_to = find_node(builder, at->to) != SIZE_MAX;
            if (has_from == has_to || !has_room(builder))
                continue;
            node(builder, at->from, at->from_title, false);
            node(builder, at->to, at->to_title, false);
        }
    } while (builder->picture.n_nodes > before && has_room(builder));
}

static void add_order_nodes(struct builder *builder, struct order_edge *table)
{
    struct order_edge *at = NULL, *next = NULL;
    for (int marked = 1; marked >= 0; marked--) {
        HASH_ITER(hh, table, at, next)
        {
            if (at->is_marked != marked || !has_room(builder))
                continue;
            node(builder, at->from, at->from_title, false);
            node(builder, at->to, at->to_title, false);
        }
        if (marked)
            grow_neighbourhood(builder, table);
    }
}

struct dlw_picture dlw_picture_order(struct dlw_doc *doc)
{
    struct builder builder = {.picture = {.region = &doc->region}, .room = MAX_NODES};
    struct order_edge *table = collect(doc), *at = NULL, *next = NULL;
    struct dlw_region *region = &doc->region;
    mark_cycles(doc, table);
    /* Of a large graph only what is near the circles: a page of lines tells nothing. */
    if (HASH_COUNT(table) > 2 * MAX_NODES)
        builder.room = MAX_NEAR;
    add_order_nodes(&builder, table);
    HASH_ITER(hh, table, at, next)
    {
        size_t from = find_node(&builder, at->from), to = find_node(&builder, at->to);
        if (from == SIZE_MAX || to == SIZE_MAX)
            builder.picture.left_out++;
        else
            edge(&builder, from, to, "",
                 dlw_region_print(region, "%s; %s", dlw_thread_title(region, at->evidence->thread),
                                  where(region, "asks", &at->evidence->want)),
                 at->is_marked);
    }
    HASH_CLEAR(hh, table);
    dlw_picture_layout(&builder.picture);
    return finished(&builder);
}
