/* What stands below the findings: the lock order, what the locks cost, the processes. */
#include "report/command/format/html/page.h"
#include "report/command/format/text/costs.h"

void dlw_html_order(struct page *page)
{
    if (!page->doc->n_edges)
        return;
    fputs(
        "<section class=\"card\"><h2>Lock order</h2>\n<p class=\"soft\">An arrow leads from a "
        "lock that was held to one that was asked for meanwhile. Red ones close a circle; of many "
        "locks those near it are shown.</p>\n",
        page->out);
    struct dlw_picture picture = dlw_picture_order(page->doc);
    dlw_html_figure(page, &picture, "lock order", true);
    fputs("</section>\n", page->out);
}

void dlw_html_costs(struct page *page)
{
    struct dlw_region *region = &page->doc->region;
    size_t n = page->doc->n_costs;
    if (!n)
        return;
    fputs(
        "<section class=\"card\"><h2>What the locks cost</h2>\n<p class=\"soft\">By the time that "
        "was waited for them. Holds are timed for one taking in some 128.</p>\n<div "
        "class=\"scroll\"><table><tr><th>lock, taken in</th><th>taken</th><th>busy</th><th>waited"
        "</th><th>at most, held by</th><th>held for</th><th>at most</th><th>others waited</th>"
        "</tr>\n",
        page->out);
    for (size_t i = 0; i < n && i < DLW_HTML_ROWS; i++) {
        const struct dlw_doc_cost *cost = page->doc->costs[i];
        const char *holder = dlw_cost_holder(region, cost);
        dlw_html_element(page, "<tr><td><b>", dlw_lock_title(region, cost->lock), "</b> ");
        dlw_html_element(page, "<i>", dlw_cost_place(region, &cost->place), "</i></td><td>");
        dlw_html_element(page, "", dlw_cost_number(region, cost->takings), "</td><td>");
        dlw_html_element(page, "", dlw_cost_number(region, cost->contended), "</td><td>");
        dlw_html_element(page, "", cost->wait ? dlw_cost_time(region, cost->wait) : "",
                         "</td><td>");
        dlw_html_element(page, "", cost->wait ? dlw_cost_time(region, cost->wait_longest) : "", "");
        dlw_html_element(page, holder ? ", " : "", holder ? holder : "", "</td><td>");
        dlw_html_element(page, "",
                         cost->holds ? dlw_cost_time(region, cost->hold / cost->holds) : "",
                         "</td><td>");
        dlw_html_element(page, "", cost->holds ? dlw_cost_time(region, cost->hold_longest) : "",
                         "</td><td>");
        dlw_html_element(page, "", cost->blocked ? dlw_cost_time(region, cost->blocked_time) : "",
                         "</td></tr>\n");
    }
    fputs("</table></div>\n", page->out);
    if (n > DLW_HTML_ROWS)
        fprintf(page->out, "<p class=\"soft\">and %zu more (--format=json)</p>\n",
                n - DLW_HTML_ROWS);
    fputs("</section>\n", page->out);
}

void dlw_html_processes(struct page *page)
{
    if (!page->doc->n_processes)
        return;
    fputs("<section class=\"card\"><h2>Processes</h2>\n<table><tr><th>pid</th><th>program</th><th>"
          "ended</th><th>locks</th><th>threads</th></tr>\n",
          page->out);
    size_t n = page->doc->n_processes;
    for (size_t i = 0; i < n && i < DLW_HTML_ROWS; i++) {
        const struct dlw_doc_process *process = page->doc->processes[i];
        fprintf(page->out, "<tr><td class=\"short\">%u</td><td>", process->pid);
        dlw_html_element(page, "", process->exe, "</td><td>");
        dlw_html_text(page, process->ended ? process->ended : "?");
        if (process->off)
            dlw_html_element(page, "; dlwatch switched itself off: ", process->off, "");
        for (size_t k = 0; k < process->n_lacks; k++) {
            if (!process->lacks[k].reduces)
                continue;
            dlw_html_element(page, "; not watched in full: ", process->lacks[k].why, "; ");
            dlw_html_text(page, process->lacks[k].effect);
        }
        fprintf(page->out, "</td><td>%llu</td><td>%llu</td></tr>\n",
                (unsigned long long)process->locks, (unsigned long long)process->threads);
    }
    fputs("</table>\n", page->out);
    if (n > DLW_HTML_ROWS)
        fprintf(page->out, "<p class=\"soft\">and %zu more</p>\n", n - DLW_HTML_ROWS);
    fputs("</section>\n", page->out);
}
