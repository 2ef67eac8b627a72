/*
 * The report as one page that needs nothing else: the contents are the findings' own first lines,
 * each opens below it (<details>). Pictures are laid out here; the script filters, moves by arrow
 * keys and opens what a link names. However many findings there are, the page has a limit: what of
 * each is told in detail is measured out as they are written.
 */
#include "report/command/format/html/page.h"
#include "report/command/format/html/script.h"
#include "report/command/format/html/style.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALWAYS_FULL = 8,   /* as many are told in full, however many there are */
    ROOM = 280 * 1024, /* bytes for findings and threads: a page for a phone */
};

/* ---- a page that a phone can hold ---- */

typedef void part(struct page *page, const void *subject);

static void part_article(struct page *page, const void *finding)
{
    dlw_html_article(page, finding);
}

/* Thread by thread, folded where there are many. */
static void part_state(struct page *page, const void *one)
{
    dlw_html_state(page, NULL, one);
}

/* Writes it in as much detail as its share of the page allows. `n_left`: parts like it, with it. */
static void write_part(struct page *page, part *write, const void *subject, size_t n_left)
{
    FILE *out = page->out;
    size_t share = page->room / n_left;
    bool is_written = false;
    for (int detail = DETAIL_ALL; detail >= DETAIL_HEADING && !is_written; detail--) {
        char *bytes = NULL;
        size_t size = 0;
        page->out = open_memstream(&bytes, &size);
        page->detail = (enum detail)detail;
        if (!page->out)
            break;
        write(page, subject);
        fclose(page->out);
        size_t most = detail == DETAIL_ALL ? DLW_HTML_OPEN : ALWAYS_FULL;
        is_written = size <= share || detail == DETAIL_HEADING || page->n_full < most;
        if (is_written) {
            fwrite(bytes, 1, size, out);
            page->room -= size < page->room ? size : page->room;
            page->n_full += detail >= DETAIL_STACKS;
            page->n_short += detail < DETAIL_STACKS;
        }
        free(bytes);
    }
    page->out = out;
    page->detail = DETAIL_ALL;
}

static void articles(struct page *page)
{
    size_t left = page->n_listed;
    for (size_t i = 0; i < page->doc->n_findings; i++)
        if (dlw_doc_is_listed(page->doc->findings[i]))
            write_part(page, part_article, page->doc->findings[i], left--);
    if (page->n_short)
        fprintf(page->out,
                "<p class=\"soft\">%zu of these are told in short, so that the page stays small: "
                "<code>dlwatch report --format=text</code> tells all.</p>\n",
                page->n_short);
    page->n_short = page->n_full = 0;
}

static void filter(struct page *page)
{
    if (page->n_listed < 2)
        return;
    /* The script fills the lists, and shows it: without one it would do nothing. */
    fputs("<form id=\"filter\" role=\"search\" hidden>\n"
          "<input type=\"search\" placeholder=\"any text\" aria-label=\"any text\">\n"
          "<select aria-label=\"kind\"><option value=\"\">all kinds</option></select>\n"
          "<select aria-label=\"file\"><option value=\"\">all files</option></select>\n"
          "<select aria-label=\"thread\"><option value=\"\">all threads</option></select>\n"
          "<output></output> <button type=\"button\">open all</button>\n</form>\n",
          page->out);
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static void counts(struct page *page)
{
    const struct dlw_doc_summary *counts = &page->doc->summary;
    const struct {
        uint64_t n;
        const char *word;
    } words[] = {{counts->errors, "error"}, {counts->warnings, "warning"}, {counts->notes, "note"}};
    const char *separator = "";
    for (size_t i = 0; i < 3; i++)
        if (words[i].n) {
            fprintf(page->out, "%s%llu %s%s", separator, (unsigned long long)words[i].n,
                    words[i].word, plural(words[i].n));
            separator = ", ";
        }
    if (!*separator)
        fputs("Nothing found", page->out);
    fprintf(page->out, " in %zu process%s", page->doc->n_processes,
            page->doc->n_processes == 1 ? "" : "es");
    if (counts->suppressed)
        fprintf(page->out, "; %llu suppressed", (unsigned long long)counts->suppressed);
    if (counts->known)
        fprintf(page->out, "; %llu known from the baseline", (unsigned long long)counts->known);
    if (counts->hidden)
        fprintf(page->out, "; %llu proved harmless by the run (--show=all lists them)",
                (unsigned long long)counts->hidden);
}

static void summary(struct page *page)
{
    fputs("<header><h1>dlwatch report</h1>\n<p>", page->out);
    counts(page);
    fputs(".</p>\n", page->out);
    for (size_t i = 0; i < page->doc->n_unwatched && i < DLW_HTML_ROWS; i++) {
        dlw_html_element(page, i ? ", " : "<p>Ran unwatched: ", page->doc->unwatched[i].exe, " (");
        dlw_html_element(page, "", page->doc->unwatched[i].why, ")");
    }
    if (page->doc->n_unwatched)
        fputs(".</p>\n", page->out);
    for (size_t i = 0; i < page->doc->n_answers; i++)
        dlw_html_element(page, "<p>", page->doc->answers[i], "</p>\n");
    for (size_t i = 0; i < page->doc->n_notes; i++)
        dlw_html_element(page, "<p class=\"soft\">", page->doc->notes[i], "</p>\n");
    fputs("</header>\n", page->out);
}

static void document_threads(struct page *page)
{
    if (!page->doc->n_threads)
        return;
    fputs("<section class=\"card\"><h2>Threads</h2>\n", page->out);
    struct dlw_picture picture = dlw_picture_threads(page->doc);
    dlw_html_figure(page, &picture, "threads and what they wait for", true);
    for (size_t i = 0; i < page->doc->n_threads; i++)
        write_part(page, part_state, &page->doc->threads[i], page->doc->n_threads - i);
    fputs("</section>\n", page->out);
}

int dlw_format_html(FILE *out, struct dlw_doc *doc, const struct dlw_format_options *options)
{
    struct page page = {
        .out = out, .doc = doc, .options = options, .room = ROOM, .detail = DETAIL_ALL};
    for (size_t i = 0; i < doc->n_findings; i++)
        page.n_listed += dlw_doc_is_listed(doc->findings[i]);
    fprintf(out,
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta "
            "name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>dlwatch: "
            "%llu error%s</title>\n<style>\n%s</style></head>\n<body>\n",
            (unsigned long long)doc->summary.errors, plural(doc->summary.errors), html_style);
    fputs("<svg class=\"heads\" aria-hidden=\"true\">", out);
    dlw_picture_arrows(out);
    fputs("</svg>\n", out);
    summary(&page);
    filter(&page);
    fputs("<main>\n", out);
    articles(&page);
    document_threads(&page);
    dlw_html_costs(&page);
    dlw_html_order(&page);
    dlw_html_processes(&page);
    fprintf(out, "</main>\n<script>\n%s</script></body></html>\n", html_script);
    return 0;
}
