/* A time line as SVG, in the page's style. */
#include "report/command/format/html/timeline.h"

#include "report/command/base/xml.h"
#include "report/command/document/classify.h"
#include "report/command/format/picture/timeline.h"
#include "report/command/format/text/costs.h"
#include "report/command/format/text/parts.h"

enum { COLUMN = 24, ROW = 17, HEAD = 16, GAP = 8, LABEL_EVERY = 64, TWICE = 500 };
static const unsigned BAR = 15, TOP = 18, LEFT = 4;

struct drawing {
    FILE *out;
    struct dlw_region *region;
    const struct dlw_doc_finding *finding;
    const struct dlw_timeline *line;
    const char *folder; /* that places are relative to */
};

static void svg_marks(FILE *out, struct dlw_region *region, const struct dlw_timeline *line,
                      unsigned height)
{
    unsigned labelled = 0;
    for (size_t i = 0; i < line->n_marks; i++) {
        unsigned x = LEFT + line->marks[i].column * COLUMN;
        fprintf(out, "<path d=\"M%u %uV%u\"/>", x, TOP - 4, height);
        if (labelled && x < labelled + LABEL_EVERY)
            continue;
        labelled = x;
        fprintf(out, "<text x=\"%u\" y=\"11\">", x);
        dlw_xml_text(out, dlw_cost_time(region, (uint64_t)(line->marks[i].ago * 1e9)));
        fputs("</text>", out);
    }
}

/* What stands in a bar: the lock's short name. */
static void svg_bar(const struct drawing *drawing, const struct dlw_timeline_bar *bar, unsigned top)
{
    FILE *out = drawing->out;
    struct dlw_region *region = drawing->region;
    const struct dlw_doc_finding *finding = drawing->finding;
    static const char *const classes[] = {"h", "w", "t"};
    unsigned x = LEFT + bar->from * COLUMN, y = top + bar->row * ROW;
    unsigned width = bar->sort == DLW_BAR_TRY ? COLUMN / 3
                     : bar->to > bar->from    ? (bar->to - bar->from) * COLUMN - 2
                                              : COLUMN / 2;
    const char *place =
        bar->is_open_left ? NULL : dlw_event_place(region, bar->event, drawing->folder);
    const char *time = bar->sort == DLW_BAR_WAIT ? dlw_event_time(region, bar->event) : NULL;
    fprintf(out, "<g class=\"%s\"><title>", classes[bar->sort]);
    dlw_xml_text(out, bar->is_open_left
                          ? dlw_region_print(region, "held %s",
                                             dlw_event_lock(region, finding, bar->event, false))
                          : dlw_event_words(region, finding, bar->event, false));
    if (place || time)
        dlw_xml_text(out, dlw_region_print(region, "%s%s%s%s", place ? ", " : "",
                                           place ? place : "", time ? ", " : "", time ? time : ""));
    fprintf(out, "</title><rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\"/>", x, y, width, BAR);
    if (bar->event->lock->id && bar->sort != DLW_BAR_TRY) {
        fprintf(out, "<text x=\"%u\" y=\"%u\">", x + 3, y + 12);
        dlw_xml_text(out, bar->event->lock->id);
        fputs("</text>", out);
    }
    fputs("</g>\n", out);
}

static void svg_lane(const struct drawing *drawing, size_t lane, unsigned top)
{
    FILE *out = drawing->out;
    const struct dlw_timeline *line = drawing->line;
    const struct dlw_doc_trail *trail = &drawing->finding->trails[lane];
    const char *title = dlw_finding_thread_title(drawing->region, drawing->finding, trail->thread);
    unsigned end = LEFT + line->n_columns * COLUMN;
    /* On a phone one of the ends is seen at a time. */
    if (end > TWICE) {
        fprintf(out, "<text class=\"who end\" x=\"%u\" y=\"%u\">", end - 4, top + 12);
        dlw_xml_text(out, title);
        fputs("</text>", out);
    }
    fprintf(out, "<text class=\"who\" x=\"%u\" y=\"%u\">", LEFT, top + 12);
    dlw_xml_text(out, title);
    if (trail->is_cut)
        fputs(", after more", out);
    if (trail->is_running)
        fputs(", which went on meanwhile", out);
    fputs("</text>\n", out);
    for (size_t i = 0; i < line->n_bars; i++)
        if (line->bars[i].lane == lane)
            svg_bar(drawing, &line->bars[i], top + HEAD);
}

void dlw_html_timeline(FILE *out, struct dlw_region *region, const struct dlw_doc_finding *finding,
                       const char *folder)
{
    struct dlw_timeline line = dlw_timeline_make(region, finding);
    const struct drawing drawing = {out, region, finding, &line, folder};
    unsigned height = TOP, width = LEFT + line.n_columns * COLUMN + LEFT;
    for (size_t i = 0; i < finding->n_trails; i++)
        height += HEAD + line.rows[i] * ROW + GAP;
    if (width < 260) /* the names of the lanes */
        width = 260;
    fprintf(out,
            "<svg class=\"line\" role=\"img\" viewBox=\"0 0 %u %u\" width=\"%u\" height=\"%u\" "
            "style=\"min-width:%upx\">\n<title>the last steps of each thread</title>\n",
            width, height, width, height, width);
    svg_marks(out, region, &line, height);
    unsigned top = TOP;
    for (size_t i = 0; i < finding->n_trails; i++) {
        svg_lane(&drawing, i, top);
        top += HEAD + line.rows[i] * ROW + GAP;
    }
    unsigned end = LEFT + line.n_columns * COLUMN;
    fprintf(out, "<path class=\"now\" d=\"M%u %uV%u\"/>\n</svg>\n", end, TOP - 4, height);
}
