/* Graphviz, where it is installed: it lays out what stands in layers better than we do. */
#include "report/command/base/helper.h"
#include "report/command/format/picture/picture.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_MS = 20000, SLICE_MS = 5 };

static enum dlw_graphviz wait_for(pid_t pid)
{
    const struct timespec slice = {0, SLICE_MS * 1000000};
    int status = 0;
    for (int waited = 0; waited < LONGEST_MS; waited += SLICE_MS) {
        pid_t ended = waitpid(pid, &status, WNOHANG);
        if (ended == pid)
            return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? DLW_GRAPHVIZ_DONE
                                                                 : DLW_GRAPHVIZ_FAILED;
        if (ended < 0 && errno != EINTR)
            return DLW_GRAPHVIZ_FAILED;
        nanosleep(&slice, NULL);
    }
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return DLW_GRAPHVIZ_LATE;
}

enum dlw_graphviz dlw_graphviz_run(FILE *graph, FILE *out, const char *format)
{
    char *const arguments[] = {(char *)"dot", (char *)format, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    fflush(graph);
    lseek(fileno(graph), 0, SEEK_SET);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(graph), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(out), STDOUT_FILENO);
    int error = posix_spawnp(&pid, "dot", &actions, NULL, arguments, dlw_helper_environment());
    posix_spawn_file_actions_destroy(&actions);
    if (error)
        return error == ENOENT ? DLW_GRAPHVIZ_NONE : DLW_GRAPHVIZ_FAILED;
    return wait_for(pid);
}

/* ---- places for nodes and ways for edges ---- */

enum { POINTS_AN_INCH = 72, BORDER = 12 };

static void write_graph(FILE *out, const struct dlw_picture *picture)
{
    fputs("digraph g {\ngraph [nodesep=0.3,ranksep=0.55,nslimit=20,mclimit=2];\n"
          "node [shape=box,fixedsize=true];\nedge [fontsize=11,dir=none];\n", /* heads are ours */
          out);
    for (size_t i = 0; i < picture->n_nodes; i++)
        fprintf(out, "n%zu [width=%.3f,height=%.3f];\n", i,
                2 * picture->nodes[i].half_width / POINTS_AN_INCH,
                2 * picture->nodes[i].half_height / POINTS_AN_INCH);
    /* Labels are our own few words, without quotes. */
    for (size_t i = 0; i < picture->n_edges; i++)
        fprintf(out, "n%zu -> n%zu [label=\"%s\"];\n", picture->edges[i].from, picture->edges[i].to,
                picture->edges[i].label);
    fputs("}\n", out);
}

struct plain {
    struct dlw_picture *picture;
    double height; /* inches: there the y axis points up */
    size_t n_placed, n_drawn;
};

static double x_of(double inches)
{
    return BORDER + inches * POINTS_AN_INCH;
}

static double y_of(const struct plain *plain, double inches)
{
    return BORDER + (plain->height - inches) * POINTS_AN_INCH;
}

/* "node n3 X Y ..." */
static void take_node(struct plain *plain, const char *line)
{
    size_t index;
    double x, y;
    if (sscanf(line, "node n%zu %lf %lf", &index, &x, &y) != 3 || index >= plain->picture->n_nodes)
        return;
    plain->picture->nodes[index].x = x_of(x);
    plain->picture->nodes[index].y = y_of(plain, y);
    plain->n_placed++;
}

/* "edge n0 n1 N x y ... ["label" x y] style color" */
static void take_edge(struct plain *plain, const char *line)
{
    struct dlw_picture *picture = plain->picture;
    size_t from, to, n, i = 0;
    int length = 0;
    if (sscanf(line, "edge n%zu n%zu %zu%n", &from, &to, &n, &length) != 3 || n < 4 || n > 10000)
        return;
    while (i < picture->n_edges && (picture->edges[i].from != from || picture->edges[i].to != to ||
                                    picture->edges[i].n_points))
        i++;
    if (i == picture->n_edges)
        return;
    struct dlw_picture_point *points = dlw_region_alloc(picture->region, n * sizeof(*points));
    const char *at = line + length;
    for (size_t k = 0; k < n; k++, at += length) {
        double x, y;
        if (sscanf(at, "%lf %lf%n", &x, &y, &length) != 2)
            return;
        points[k] = (struct dlw_picture_point){x_of(x), y_of(plain, y)};
    }
    struct dlw_picture_edge *edge = &picture->edges[i];
    edge->points = points;
    edge->n_points = n;
    at += strspn(at, " ");
    const char *behind = *at == '"' ? strchr(at + 1, '"') : strchr(at, ' ');
    double x, y;
    if (*edge->label && behind && sscanf(behind + 1, "%lf %lf", &x, &y) == 2)
        edge->words = (struct dlw_picture_point){x_of(x), y_of(plain, y)};
    plain->n_drawn++;
}

static bool take_answer(struct dlw_picture *picture, FILE *answer)
{
    struct plain plain = {.picture = picture};
    double width = 0;
    char *line = NULL;
    size_t room = 0;
    rewind(answer);
    while (getline(&line, &room, answer) > 0) {
        double scale;
        if (sscanf(line, "graph %lf %lf %lf", &scale, &width, &plain.height) == 3)
            continue;
        take_node(&plain, line);
        take_edge(&plain, line);
    }
    free(line);
    picture->width = 2 * BORDER + width * POINTS_AN_INCH;
    picture->height = 2 * BORDER + plain.height * POINTS_AN_INCH;
    return plain.n_placed == picture->n_nodes && plain.n_drawn == picture->n_edges;
}

bool dlw_graphviz_layout(struct dlw_picture *picture)
{
    static bool is_missing;
    FILE *graph = is_missing ? NULL : tmpfile(), *answer = graph ? tmpfile() : NULL;
    bool result = false;
    if (answer) {
        write_graph(graph, picture);
        is_missing = dlw_graphviz_run(graph, answer, "-Tplain") != DLW_GRAPHVIZ_DONE;
        result = !is_missing && take_answer(picture, answer);
        fclose(answer);
    }
    if (graph)
        fclose(graph);
    for (size_t i = 0; !result && i < picture->n_edges; i++)
        picture->edges[i].n_points = 0;
    return result;
}
