/* What the parts of the HTML page share (html.c). */
#ifndef DLW_COMMAND_FORMAT_HTML_PAGE_H
#define DLW_COMMAND_FORMAT_HTML_PAGE_H

#include "report/command/format/format.h"
#include "report/command/format/picture/picture.h"

enum {
    DLW_HTML_OPEN = 3,  /* as many findings stand open at once */
    DLW_HTML_ROWS = 300 /* of a table, at most */
};

/* What is told of a finding where many share the room. */
enum detail {
    DETAIL_HEADING, /* what, where */
    DETAIL_PLACES,  /* where each thread stands */
    DETAIL_LINES,   /* and the lines there, and the remedy */
    DETAIL_CALLERS, /* and who called */
    DETAIL_STACKS,  /* whole stacks, and the picture */
    DETAIL_ALL      /* and the time line */
};

struct page {
    FILE *out;
    struct dlw_doc *doc;
    const struct dlw_format_options *options;
    size_t n_listed;
    size_t room; /* left, bytes */
    enum detail detail;
    size_t n_full, n_short; /* parts that were told so */
};

/* Escaped; NULL: "?". */
void dlw_html_text(struct page *page, const char *words);
/* The words between two pieces of markup. */
void dlw_html_element(struct page *page, const char *open, const char *words, const char *close);
/* The picture, if it has edges. */
void dlw_html_figure(struct page *page, const struct dlw_picture *picture, const char *title,
                     bool is_wide);

/* finding.c: as much as page->detail says. */
void dlw_html_article(struct page *page, const struct dlw_doc_finding *finding);
/* `finding` NULL: of a document that lists threads. */
void dlw_html_state(struct page *page, const struct dlw_doc_finding *finding,
                    const struct dlw_doc_state *one);

/* sections.c: each is left out where there is nothing to tell. */
void dlw_html_order(struct page *page);
void dlw_html_costs(struct page *page);
void dlw_html_processes(struct page *page);

#endif
