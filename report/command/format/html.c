/*
 * The report as one page that needs nothing else: the contents are the findings' own first lines,
 * each opens below it (<details>). Pictures are laid out here; the script filters, moves by arrow
 * keys and opens what a link names. However many findings there are, the page has a limit: what of
 * each is told in detail is measured out as they are written.
 */
#include "report/command/base/xml.h"
#include "report/command/document/classify.h"
#include "report/command/format/html_script.h"
#include "report/command/format/html_style.h"
#include "report/command/format/html_timeline.h"
#include "report/command/format/picture/picture.h"
#include "report/command/format/text/costs.h"
#include "report/command/format/text/parts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPEN = 3,          /* as many findings stand open at once */
    ALWAYS_FULL = 8,   /* as many are told in full, however many there are */
    ROOM = 280 * 1024, /* bytes for findings and threads: a page for a phone */
    MOST_ROWS = 300,
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

static void text(struct page *page, const char *words)
{
    dlw_xml_text(page->out, words ? words : "?");
}

static void element(struct page *page, const char *open, const char *words, const char *close)
{
    fputs(open, page->out);
    text(page, words);
    fputs(close, page->out);
}

/* With what tells which it is, as in the legend of the text. */
static const char *lock_title(struct page *page, const struct dlw_doc_finding *finding,
                              const struct dlw_doc_lock *lock)
{
    struct dlw_readable readable = {.doc = page->doc, .options = page->options};
    return dlw_readable_lock(&readable, finding, lock);
}

static const char *thread_title(struct page *page, const struct dlw_doc_finding *finding,
                                const struct dlw_doc_thread *thread)
{
    struct dlw_region *region = &page->doc->region;
    return finding ? dlw_finding_thread_title(region, finding, thread)
                   : dlw_thread_title(region, thread);
}

static void frame_line(struct page *page, const char *joint, const struct dlw_frame *frame)
{
    struct dlw_region *region = &page->doc->region;
    fprintf(page->out, "%s ", joint);
    if (frame->unknown) {
        element(page, "(", frame->unknown, ")\n");
        return;
    }
    element(page, "<b>", frame->function ? dlw_short_name(region, frame->function) : "??", "</b> ");
    element(page, "<i>",
            frame->file ? dlw_region_print(region, "%s:%u",
                                           dlw_frame_path(region, frame, page->options->folder),
                                           frame->line)
                        : dlw_frame_place(region, frame),
            "</i>");
    fputs(frame->inlined ? " (inlined)\n" : "\n", page->out);
}

static void source(struct page *page, const struct dlw_frame *frame,
                   const struct dlw_doc_process *process)
{
    char line[512];
    if (page->detail < DETAIL_LINES || frame->unknown ||
        !dlw_source_line(frame, process ? process->folder : NULL, line, sizeof(line)))
        return;
    fprintf(page->out, "%6u | ", frame->line);
    text(page, line + strspn(line, " \t"));
    fputc('\n', page->out);
}

/* Where to look, its line, and the way there. */
static void stack(struct page *page, const struct dlw_stack *frames,
                  const struct dlw_doc_process *process)
{
    size_t place = dlw_stack_place(frames), n = dlw_stack_depth(frames), shown = 0;
    size_t most = page->detail >= DETAIL_STACKS ? SIZE_MAX : page->detail == DETAIL_CALLERS ? 3 : 1;
    if (!frames->n) {
        fputs("<p class=\"soft\">(where is not known)</p>\n", page->out);
        return;
    }
    size_t first = place == frames->n ? 0 : place;
    while (first > 0 && frames->frames[first - 1].unknown)
        first--;
    fputs("<pre>", page->out);
    for (size_t i = first; i < n && shown < most; i++) {
        if (i > place && dlw_frame_is_plumbing(&frames->frames[i]))
            continue;
        frame_line(page, shown++ ? "by" : "at", &frames->frames[i]);
        if (i == place)
            source(page, &frames->frames[i], process);
    }
    if (frames->cut && most == SIZE_MAX)
        fputs("(deeper frames were not kept)\n", page->out);
    fputs("</pre>\n", page->out);
}

static void hold(struct page *page, const struct dlw_doc_finding *finding,
                 const struct dlw_doc_hold *held, const struct dlw_doc_process *process,
                 const char *verb, const char *how)
{
    if (dlw_doc_is_thread(held->lock) && !held->stack.n)
        return;
    fprintf(page->out, "<p class=\"does\">%s ", verb);
    element(page, "<b>", lock_title(page, finding, held->lock), "</b>");
    if (strcmp(held->lock->kind, "rwlock") == 0)
        fputs(held->mode == DLW_SHARED ? " for reading" : " for writing", page->out);
    fprintf(page->out, "%s</p>\n", held->stack.n ? how : "");
    stack(page, &held->stack, process);
}

static void thread_heading(struct page *page, const struct dlw_doc_finding *finding,
                           const struct dlw_doc_thread *thread)
{
    const char *title = thread_title(page, finding, thread);
    element(page, strncmp(title, "thread ", 7) == 0 ? "<h3>" : "<h3>Thread ", title, "");
    if (thread->tid && !strstr(title, "(tid "))
        fprintf(page->out, " <span class=\"soft\">(tid %u)</span>", thread->tid);
    if (finding && thread->process && thread->process != finding->process) {
        fprintf(page->out, " <span class=\"soft\">of process %u, ", thread->process->pid);
        element(page, "", thread->process->exe, "</span>");
    }
    fputs("</h3>\n", page->out);
}

static void steps(struct page *page, const struct dlw_doc_finding *finding)
{
    bool waits = finding->kind == DLW_DEADLOCK;
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        const struct dlw_doc_process *process = step->thread->process;
        if (step->holder) {
            thread_heading(page, finding, step->holder);
            hold(page, finding, &step->holds, process, "still holds", ", taken");
        }
        thread_heading(page, finding, step->thread);
        if (!step->holder)
            hold(page, finding, &step->holds, process, "holds", ", taken");
        hold(page, finding, &step->wants, process, waits ? "waits for" : "then takes", "");
    }
}

static void state(struct page *page, const struct dlw_doc_finding *finding,
                  const struct dlw_doc_state *one)
{
    thread_heading(page, finding, one->thread);
    if (one->waits != DLW_WAIT_NONE) {
        fprintf(page->out, "<p>waits (%s", dlw_wait_word(one->waits));
        if (one->syscall)
            element(page, " ", one->syscall, "");
        fputc(')', page->out);
        if (one->on)
            element(page, " for <b>", lock_title(page, finding, one->on), "</b>");
        if (one->since >= 0)
            fprintf(page->out, ", for %s%.1f s", one->is_least ? "at least " : "", one->since);
        fputs("</p>\n", page->out);
    } else if (one->on) {
        element(page, "<p>at <b>", lock_title(page, finding, one->on), "</b></p>\n");
    }
    if (page->detail > DETAIL_HEADING)
        stack(page, &one->stack, one->thread->process);
    for (size_t i = 0; i < one->n_holds && page->detail > DETAIL_HEADING; i++)
        hold(page, finding, &one->holds[i], one->thread->process, "and holds", ", taken");
}

static void figure(struct page *page, const struct dlw_picture *picture, const char *title,
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

static void advice(struct page *page, const struct dlw_doc_finding *finding)
{
    struct dlw_region *region = &page->doc->region;
    const char *confidence = dlw_finding_confidence(region, finding);
    if (page->detail < DETAIL_LINES)
        return;
    struct dlw_remedy remedy = dlw_finding_remedy(region, finding);
    if (confidence)
        element(page, "<p><b>How sure:</b> ", confidence, "</p>\n");
    if (!remedy.n)
        return;
    element(page, "<div class=\"remedy\"><p><b>", remedy.title, "</b></p>\n");
    element(page, "<p>", remedy.paragraphs[0], "</p>\n");
    if (remedy.n > 1 && page->detail >= DETAIL_STACKS) {
        fputs("<details><summary>Other ways</summary>\n", page->out);
        for (size_t i = 1; i < remedy.n; i++)
            element(page, "<p>", remedy.paragraphs[i], "</p>\n");
        fputs("</details>\n", page->out);
    }
    fputs("</div>\n", page->out);
}

/* What the bars are called. */
static void bar_names(struct page *page, const struct dlw_doc_finding *finding)
{
    struct dlw_region *region = &page->doc->region;
    struct dlw_doc_lock *const *lists[] = {finding->locks, finding->passing};
    const size_t sizes[] = {finding->n_locks, finding->n_passing};
    const char *before = "<p class=\"soft\">";
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < sizes[k]; i++) {
            if (dlw_doc_is_thread(lists[k][i]))
                continue;
            element(page, before, lists[k][i]->id, " is ");
            text(page, k ? dlw_lock_title(region, lists[k][i])
                         : dlw_finding_lock_title(region, finding, lists[k][i]));
            before = ", ";
        }
    fputs(*before == ',' ? ".</p>\n" : "", page->out);
}

static void steps_in_words(struct page *page, const struct dlw_doc_finding *finding,
                           const struct dlw_doc_trail *trail)
{
    struct dlw_region *region = &page->doc->region;
    element(page, "<p><b>", thread_title(page, finding, trail->thread), "</b></p><ol>");
    for (size_t i = 0; i < trail->n; i++) {
        const struct dlw_doc_event *event = &trail->events[i];
        const char *place = dlw_event_place(region, event, page->options->folder);
        const char *time = dlw_event_time(region, event);
        element(page, "<li>", dlw_event_words(region, finding, event, false), "");
        if (place)
            element(page, " <i>", place, "</i>");
        if (time)
            element(page, ", ", time, "");
    }
    fputs("</ol>\n", page->out);
}

static void timeline(struct page *page, const struct dlw_doc_finding *finding)
{
    struct dlw_region *region = &page->doc->region;
    if (!finding->n_trails || page->detail < DETAIL_STACKS)
        return;
    if (page->detail < DETAIL_ALL) { /* where even that is told, all but this is whole */
        fputs("<p class=\"soft\">(its last steps: dlwatch report --timeline)</p>\n", page->out);
        return;
    }
    fputs(
        "<h4>The last steps</h4>\n<p class=\"soft\">A lane is a thread, from left to right; at the "
        "right edge this was found. A bar is a lock that was held, a red one a wait, a dot a try "
        "in vain. ",
        page->out);
    if (finding->n_trails > 1)
        fputs("The order across lanes is known only at the dashed lines, which tell how long "
              "before. ",
              page->out);
    fputs("Times are known only of waits.</p>\n<figure class=\"wide steps\">\n", page->out);
    dlw_html_timeline(page->out, region, finding, page->options->folder);
    fputs("</figure>\n", page->out);
    bar_names(page, finding);
    fputs("<details><summary>In words</summary>\n", page->out);
    for (size_t i = 0; i < finding->n_trails; i++)
        steps_in_words(page, finding, &finding->trails[i]);
    fputs("</details>\n", page->out);
}

/* The line of the contents; the rest opens below it. */
static void heading(struct page *page, const struct dlw_doc_finding *finding)
{
    struct dlw_region *region = &page->doc->region;
    const struct dlw_frame *frame = dlw_finding_frame(finding);
    const char *severity = dlw_severity_word(finding->severity);
    const char *kind = dlw_kind_word(finding->kind);
    fprintf(page->out,
            "<article class=\"%s\" data-kind=\"%s\" id=\"f-%s\"><details%s><summary><h2><span "
            "class=\"severity\">%s</span> ",
            severity, kind, finding->fingerprint, page->n_listed <= OPEN ? " open" : "", severity);
    text(page, finding->message);
    fprintf(page->out, " <small>%s", kind);
    if (frame && frame->file)
        element(page, " <i>",
                dlw_region_print(region, "%s:%u",
                                 dlw_frame_path(region, frame, page->options->folder), frame->line),
                "</i>");
    if (finding->count > 1)
        fprintf(page->out, " %llu times", (unsigned long long)finding->count);
    fputs("</small></h2></summary>\n", page->out);
}

static void article(struct page *page, const struct dlw_doc_finding *finding)
{
    heading(page, finding);
    fputs("<p class=\"meta\">", page->out);
    if (finding->process) {
        fprintf(page->out, "process %u, ", finding->process->pid);
        element(page, "", finding->process->exe, "; ");
    }
    fprintf(page->out, "<a href=\"#f-%s\">fingerprint %s</a></p>\n", finding->fingerprint,
            finding->fingerprint);
    if (page->detail >= DETAIL_STACKS) {
        struct dlw_picture picture = dlw_picture_finding(page->doc, finding);
        figure(page, &picture, finding->message, !finding->n_cycle);
    }
    if (page->detail > DETAIL_HEADING)
        steps(page, finding);
    for (size_t i = 0; i < finding->n_threads && page->detail > DETAIL_HEADING; i++)
        state(page, finding, &finding->threads[i]);
    advice(page, finding);
    timeline(page, finding);
    fputs("</details></article>\n", page->out);
}

/* ---- a page that a phone can hold ---- */

typedef void part(struct page *page, const void *subject);

static void part_article(struct page *page, const void *finding)
{
    article(page, finding);
}

/* Thread by thread, folded where there are many. */
static void part_state(struct page *page, const void *one)
{
    state(page, NULL, one);
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
        size_t most = detail == DETAIL_ALL ? OPEN : ALWAYS_FULL;
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
    for (size_t i = 0; i < page->doc->n_unwatched && i < MOST_ROWS; i++) {
        element(page, i ? ", " : "<p>Ran unwatched: ", page->doc->unwatched[i].exe, " (");
        element(page, "", page->doc->unwatched[i].why, ")");
    }
    if (page->doc->n_unwatched)
        fputs(".</p>\n", page->out);
    for (size_t i = 0; i < page->doc->n_answers; i++)
        element(page, "<p>", page->doc->answers[i], "</p>\n");
    for (size_t i = 0; i < page->doc->n_notes; i++)
        element(page, "<p class=\"soft\">", page->doc->notes[i], "</p>\n");
    fputs("</header>\n", page->out);
}

static void document_threads(struct page *page)
{
    if (!page->doc->n_threads)
        return;
    fputs("<section class=\"card\"><h2>Threads</h2>\n", page->out);
    struct dlw_picture picture = dlw_picture_threads(page->doc);
    figure(page, &picture, "threads and what they wait for", true);
    for (size_t i = 0; i < page->doc->n_threads; i++)
        write_part(page, part_state, &page->doc->threads[i], page->doc->n_threads - i);
    fputs("</section>\n", page->out);
}

static void order(struct page *page)
{
    if (!page->doc->n_edges)
        return;
    fputs(
        "<section class=\"card\"><h2>Lock order</h2>\n<p class=\"soft\">An arrow leads from a "
        "lock that was held to one that was asked for meanwhile. Red ones close a circle; of many "
        "locks those near it are shown.</p>\n",
        page->out);
    struct dlw_picture picture = dlw_picture_order(page->doc);
    figure(page, &picture, "lock order", true);
    fputs("</section>\n", page->out);
}

static void costs(struct page *page)
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
    for (size_t i = 0; i < n && i < MOST_ROWS; i++) {
        const struct dlw_doc_cost *cost = page->doc->costs[i];
        const char *holder = dlw_cost_holder(region, cost);
        element(page, "<tr><td><b>", dlw_lock_title(region, cost->lock), "</b> ");
        element(page, "<i>", dlw_cost_place(region, &cost->place), "</i></td><td>");
        element(page, "", dlw_cost_number(region, cost->takings), "</td><td>");
        element(page, "", dlw_cost_number(region, cost->contended), "</td><td>");
        element(page, "", cost->wait ? dlw_cost_time(region, cost->wait) : "", "</td><td>");
        element(page, "", cost->wait ? dlw_cost_time(region, cost->wait_longest) : "", "");
        element(page, holder ? ", " : "", holder ? holder : "", "</td><td>");
        element(page, "", cost->holds ? dlw_cost_time(region, cost->hold / cost->holds) : "",
                "</td><td>");
        element(page, "", cost->holds ? dlw_cost_time(region, cost->hold_longest) : "",
                "</td><td>");
        element(page, "", cost->blocked ? dlw_cost_time(region, cost->blocked_time) : "",
                "</td></tr>\n");
    }
    fputs("</table></div>\n", page->out);
    if (n > MOST_ROWS)
        fprintf(page->out, "<p class=\"soft\">and %zu more (--format=json)</p>\n", n - MOST_ROWS);
    fputs("</section>\n", page->out);
}

static void processes(struct page *page)
{
    if (!page->doc->n_processes)
        return;
    fputs("<section class=\"card\"><h2>Processes</h2>\n<table><tr><th>pid</th><th>program</th><th>"
          "ended</th><th>locks</th><th>threads</th></tr>\n",
          page->out);
    size_t n = page->doc->n_processes;
    for (size_t i = 0; i < n && i < MOST_ROWS; i++) {
        const struct dlw_doc_process *process = page->doc->processes[i];
        fprintf(page->out, "<tr><td class=\"short\">%u</td><td>", process->pid);
        element(page, "", process->exe, "</td><td>");
        text(page, process->ended ? process->ended : "?");
        if (process->off)
            element(page, "; dlwatch switched itself off: ", process->off, "");
        for (size_t k = 0; k < process->n_lacks; k++) {
            if (!process->lacks[k].reduces)
                continue;
            element(page, "; not watched in full: ", process->lacks[k].why, "; ");
            text(page, process->lacks[k].effect);
        }
        fprintf(page->out, "</td><td>%llu</td><td>%llu</td></tr>\n",
                (unsigned long long)process->locks, (unsigned long long)process->threads);
    }
    fputs("</table>\n", page->out);
    if (n > MOST_ROWS)
        fprintf(page->out, "<p class=\"soft\">and %zu more</p>\n", n - MOST_ROWS);
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
    costs(&page);
    order(&page);
    processes(&page);
    fprintf(out, "</main>\n<script>\n%s</script></body></html>\n", html_script);
    return 0;
}
