#include "report/command/format/html/page.h"

#include "report/command/base/xml.h"

void dlw_html_text(struct page *page, const char *words)
{
    dlw_xml_text(page->out, words ? words : "?");
}

void dlw_html_element(struct page *page, const char *open, const char *words, const char *close)
{
    fputs(open, page->out);
    dlw_html_text(page, words);
    fputs(close, page->out);
}

void dlw_html_figure(struct page *page, const struct dlw_picture *picture, const char *title,
                     bool is_wide)
{
    if (!picture->n_nodes || !picture->n_edges)
        return;
    /* The script puts what scrolls within reach of the keyboard. */
    fprintf(page->out, "<figure%s>\n", is_wide ? " class=\"wide\"" : "");
    dlw_picture_svg(page->out, picture, title);
    if (picture->left_out)
        fprintf(
            page->out,
            "<figcaption class=\"soft\">%zu more %s left out to keep it readable.</figcaption>\n",
            picture->left_out, picture->left_out == 1 ? "is" : "are");
    fputs("</figure>\n", page->out);
}
