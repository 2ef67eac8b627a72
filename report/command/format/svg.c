/* A picture by Graphviz where it is installed, else by ourselves. */
#include "report/command/base/command.h"
#include "report/command/format/picture/picture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool copy(FILE *from, FILE *to)
{
    char buffer[16 * 1024];
    size_t n, total = 0;
    rewind(from);
    while ((n = fread(buffer, 1, sizeof(buffer), from)) > 0) {
        fwrite(buffer, 1, n, to);
        total += n;
    }
    return total > 0;
}

static bool by_graphviz(FILE *out, struct dlw_doc *doc, const struct dlw_format_options *options)
{
    FILE *graph = tmpfile(), *picture = tmpfile();
    bool drawn = false;
    if (graph && picture) {
        dlw_format_dot(graph, doc, options);
        fflush(graph);
        lseek(fileno(graph), 0, SEEK_SET);
        enum dlw_graphviz result = dlw_graphviz_run(graph, picture, "-Tsvg");
        if (result != DLW_GRAPHVIZ_DONE)
            dlw_message("Graphviz (dot) %s; the picture is drawn without it",
                        result == DLW_GRAPHVIZ_NONE     ? "is not installed"
                        : result == DLW_GRAPHVIZ_FAILED ? "failed"
                                                        : "took too long");
        drawn = result == DLW_GRAPHVIZ_DONE && copy(picture, out);
    }
    if (graph)
        fclose(graph);
    if (picture)
        fclose(picture);
    return drawn;
}

static const char style[] =
    "<style>text{font:13px sans-serif;text-anchor:middle}.edge text{font-size:11px;fill:#555}"
    ".node rect{fill:#f4f6f8;stroke:#667}.thread rect{fill:#e8f0fe}.edge path{fill:none;"
    "stroke:#889}.plain path{fill:#889}.marked path{fill:#c62828}.edge.marked path{fill:none;"
    "stroke:#c62828;stroke-width:2}.node.marked rect{stroke:#c62828;stroke-width:2}</style>\n";

struct sheet {
    FILE *out;
    double width, height;
    char *body;
};

static void add(struct sheet *sheet, FILE *body, const struct dlw_picture *picture,
                const char *title)
{
    if (!picture->n_nodes)
        return;
    fprintf(body, "<text x=\"12\" y=\"%.0f\" style=\"text-anchor:start;font-weight:bold\">",
            sheet->height + 24);
    fprintf(body, "%s</text>\n<svg y=\"%.0f\" width=\"%.0f\" height=\"%.0f\">", title,
            sheet->height + 32, picture->width, picture->height);
    dlw_picture_svg(body, picture, title);
    fputs("</svg>\n", body);
    sheet->height += 40 + picture->height;
    if (picture->width > sheet->width)
        sheet->width = picture->width;
}

static int by_ourselves(FILE *out, struct dlw_doc *doc)
{
    struct sheet sheet = {.out = out, .width = 420};
    size_t size;
    FILE *body = open_memstream(&sheet.body, &size);
    if (!body)
        return DLW_STATUS_TROUBLE;
    for (size_t i = 0; i < doc->n_findings; i++) {
        if (!dlw_doc_is_listed(doc->findings[i]))
            continue;
        struct dlw_picture picture = dlw_picture_finding(doc, doc->findings[i]);
        add(&sheet, body, &picture, dlw_kind_word(doc->findings[i]->kind));
    }
    struct dlw_picture threads = dlw_picture_threads(doc), order = dlw_picture_order(doc);
    add(&sheet, body, &threads, "threads and what they wait for");
    add(&sheet, body, &order, "lock order");
    fclose(body);
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
            "height=\"%.0f\">\n%s",
            sheet.width, sheet.height + 20, sheet.width, sheet.height + 20, style);
    dlw_picture_arrows(out);
    fprintf(out, "%s</svg>\n", sheet.body);
    free(sheet.body);
    return 0;
}

int dlw_format_svg(FILE *out, struct dlw_doc *doc, const struct dlw_format_options *options)
{
    if (by_graphviz(out, doc, options))
        return 0;
    return by_ourselves(out, doc);
}
