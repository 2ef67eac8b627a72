/* The graph for Graphviz: each finding a cluster, then the lock order around them. */
#include "report/command/format/picture/picture.h"

#include <string.h>

static void cluster(FILE *out, const struct dlw_picture *picture, const char *name,
                    const char *title)
{
    if (!picture->n_nodes)
        return;
    fprintf(out, "  subgraph cluster_%s {\n    label=\"", name);
    for (; *title; title++)
        fprintf(out, *title == '"' || *title == '\\' ? "\\%c" : "%c",
                (unsigned char)*title < 0x20 ? '?' : *title);
    fputs("\";\n", out);
    dlw_picture_dot(out, picture, name);
    if (picture->left_out)
        fprintf(out, "    %s_more [shape=plaintext, label=\"%zu more are left out\"];\n", name,
                picture->left_out);
    fputs("  }\n", out);
}

int dlw_format_dot(FILE *out, struct dlw_doc *doc, const struct dlw_format_options *options)
{
    (void)options;
    fputs("digraph dlwatch {\n  graph [fontname=\"sans-serif\", rankdir=TB];\n"
          "  node [fontname=\"sans-serif\", fontsize=11];\n"
          "  edge [fontname=\"sans-serif\", fontsize=9];\n",
          out);
    for (size_t i = 0; i < doc->n_findings; i++) {
        const struct dlw_doc_finding *finding = doc->findings[i];
        if (!dlw_doc_is_listed(finding))
            continue;
        struct dlw_picture picture = dlw_picture_finding(doc, finding);
        cluster(out, &picture, dlw_region_print(&doc->region, "f%zu_", i),
                dlw_region_print(&doc->region, "%s: %s", dlw_kind_word(finding->kind),
                                 finding->message));
    }
    if (doc->n_threads) {
        struct dlw_picture threads = dlw_picture_threads(doc);
        cluster(out, &threads, "threads_", "threads and what they wait for");
    }
    if (doc->n_edges) {
        struct dlw_picture order = dlw_picture_order(doc);
        cluster(out, &order, "order_", "lock order: held -> asked for");
    }
    fputs("}\n", out);
    return 0;
}
