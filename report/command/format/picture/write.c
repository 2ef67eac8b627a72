/* A picture as SVG elements, and as part of a dot graph. */
#include "report/command/base/xml.h"
#include "report/command/format/picture/picture.h"

#include <math.h>
#include <string.h>

enum { BEND = 18 };

/* Smaller, its words can't be read: then it scrolls in its frame. */
#define LEAST_SCALE 0.72

/* Where the way from the middle of a node towards (x, y) leaves its border. */
static void border(const struct dlw_picture_node *node, double x, double y, double gap,
                   double *out_x, double *out_y)
{
    double dx = x - node->x, dy = y - node->y;
    double by_width = dx != 0 ? (node->half_width + gap) / fabs(dx) : INFINITY;
    double by_height = dy != 0 ? (node->half_height + gap) / fabs(dy) : INFINITY;
    double part = by_width < by_height ? by_width : by_height;
    if (!isfinite(part))
        part = 0;
    *out_x = node->x + dx * part;
    *out_y = node->y + dy * part;
}

/* The words stand beside the line, on its outer side: from there on, so that they don't cross it.
 */
static void svg_words(FILE *out, const struct dlw_picture_edge *edge, double x, double y,
                      double side)
{
    if (!*edge->label)
        return;
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\"%s>", x, y,
            side > 0.3    ? " style=\"text-anchor:start\""
            : side < -0.3 ? " style=\"text-anchor:end\""
                          : "");
    dlw_xml_text(out, edge->label);
    fputs("</text>", out);
}

/* A bend to the left keeps there and back apart, and bows out of a circle. */
static void svg_bow(FILE *out, const struct dlw_picture *picture,
                    const struct dlw_picture_edge *edge)
{
    const struct dlw_picture_node *from = &picture->nodes[edge->from];
    const struct dlw_picture_node *to = &picture->nodes[edge->to];
    double length = hypot(to->x - from->x, to->y - from->y), x1, y1, x2, y2;
    double across_x = length > 0 ? (to->y - from->y) / length : 0;
    double across_y = length > 0 ? -(to->x - from->x) / length : 0;
    double mx = (from->x + to->x) / 2 + 2 * BEND * across_x;
    double my = (from->y + to->y) / 2 + 2 * BEND * across_y;
    border(from, mx, my, 0, &x1, &y1);
    border(to, mx, my, 3, &x2, &y2);
    svg_words(out, edge, (x1 + 2 * mx + x2) / 4 + 9 * across_x,
              (y1 + 2 * my + y2) / 4 + 14 * across_y + 4, across_x);
    fprintf(out, "<path d=\"M%.1f %.1fQ%.1f %.1f %.1f %.1f\"", x1, y1, mx, my, x2, y2);
}

static void svg_way(FILE *out, const struct dlw_picture_edge *edge)
{
    svg_words(out, edge, edge->words.x, edge->words.y + 4, 0);
    for (size_t i = 0; i < edge->n_points; i++)
        fprintf(out, "%s%.1f %.1f",
                i == 0   ? "<path d=\"M"
                : i == 1 ? "C"
                         : " ",
                edge->points[i].x, edge->points[i].y);
    fputc('"', out);
}

static void svg_edge(FILE *out, const struct dlw_picture *picture,
                     const struct dlw_picture_edge *edge)
{
    fprintf(out, "<g class=\"edge%s\">", edge->is_marked ? " marked" : "");
    if (edge->n_points)
        svg_way(out, edge);
    else
        svg_bow(out, picture, edge);
    fprintf(out, " marker-end=\"url(#%s)\"/><title>",
            edge->is_marked ? "dlw-arrow-marked" : "dlw-arrow");
    dlw_xml_text(out, edge->title ? edge->title : "");
    fputs("</title></g>\n", out);
}

static void svg_node(FILE *out, const struct dlw_picture_node *node)
{
    double half = node->half_height;
    fprintf(out,
            "<g class=\"node %s%s\"><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
            "rx=\"%.0f\"/>",
            node->is_thread ? "thread" : "lock", node->is_marked ? " marked" : "",
            node->x - node->half_width, node->y - half, 2 * node->half_width, 2 * half,
            node->is_thread ? 4.0 : half);
    for (int i = 0; i < 2 && node->lines[i]; i++) {
        double y = node->y + 4.5 + (node->lines[1] ? (i ? 8.0 : -8.0) : 0);
        fprintf(out, "<text x=\"%.1f\" y=\"%.1f\">", node->x, y);
        dlw_xml_text(out, node->lines[i]);
        fputs("</text>", out);
    }
    fputs("<title>", out);
    dlw_xml_text(out, node->is_thread ? "thread " : "lock ");
    dlw_xml_text(out, node->title);
    fputs("</title></g>\n", out);
}

void dlw_picture_arrows(FILE *out)
{
    static const char *const names[] = {"dlw-arrow", "dlw-arrow-marked"};
    fputs("<defs>", out);
    for (int i = 0; i < 2; i++)
        fprintf(out,
                "<marker id=\"%s\" class=\"%s\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" "
                "markerWidth=\"7\" markerHeight=\"7\" orient=\"auto-start-reverse\"><path d=\"M0 "
                "0L10 5L0 10z\"/></marker>",
                names[i], i ? "marked" : "plain");
    fputs("</defs>\n", out);
}

void dlw_picture_svg(FILE *out, const struct dlw_picture *picture, const char *title)
{
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 %.0f %.0f\" "
            "width=\"%.0f\" height=\"%.0f\" style=\"min-width:%.0fpx\">\n<title>",
            picture->width, picture->height, picture->width, picture->height,
            LEAST_SCALE * picture->width);
    dlw_xml_text(out, title);
    fputs("</title>\n", out);
    for (size_t i = 0; i < picture->n_edges; i++)
        svg_edge(out, picture, &picture->edges[i]);
    for (size_t i = 0; i < picture->n_nodes; i++)
        svg_node(out, &picture->nodes[i]);
    fputs("</svg>\n", out);
}

static void dot_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc((unsigned char)*text < 0x20 ? '?' : *text, out);
    }
    fputc('"', out);
}

void dlw_picture_dot(FILE *out, const struct dlw_picture *picture, const char *prefix)
{
    for (size_t i = 0; i < picture->n_nodes; i++) {
        const struct dlw_picture_node *node = &picture->nodes[i];
        fprintf(out, "    %s%zu [shape=%s%s, label=", prefix, i,
                node->is_thread ? "box" : "ellipse",
                node->is_marked ? ", color=\"#c62828\", penwidth=2" : "");
        dot_text(out, node->title);
        fputs("];\n", out);
    }
    for (size_t i = 0; i < picture->n_edges; i++) {
        const struct dlw_picture_edge *edge = &picture->edges[i];
        fprintf(out, "    %s%zu -> %s%zu [%slabel=", prefix, edge->from, prefix, edge->to,
                edge->is_marked ? "color=\"#c62828\", penwidth=2, " : "");
        dot_text(out, edge->label);
        fputs(", tooltip=", out);
        dot_text(out, edge->title ? edge->title : "");
        fputs("];\n", out);
    }
}
