/*
 * The report as one page that needs nothing else: pictures are laid out here, stacks open by
 * <details>, and the few lines of script only filter by kind.
 */
#include "report/command/base/xml.h"
#include "report/command/document/classify.h"
#include "report/command/format/html_style.h"
#include "report/command/format/picture/picture.h"
#include "report/command/format/text/parts.h"

#include <string.h>

struct page {
    FILE *out;
    struct dlw_doc *doc;
    const struct dlw_format_options *options;
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

static const char *lock_title(struct page *page, const struct dlw_doc_finding *finding,
                              const struct dlw_doc_lock *lock)
{
    struct dlw_region *region = &page->doc->region;
    const char *title =
        finding ? dlw_finding_lock_title(region, finding, lock) : dlw_lock_title(region, lock);
    if (!lock->name || !lock->expression || strcmp(lock->name, lock->expression) == 0)
        return title;
    return dlw_region_print(region, "%s (%s)", title, lock->name);
}

static const char *thread_title(struct page *page, const struct dlw_doc_finding *finding,
                                const struct dlw_doc_thread *thread)
{
    struct dlw_region *region = &page->doc->region;
    return finding ? dlw_finding_thread_title(region, finding, thread)
                   : dlw_thread_title(region, thread);
}

static void frame_item(struct page *page, const struct dlw_frame *frame)
{
    struct dlw_region *region = &page->doc->region;
    fputs("<li>", page->out);
    if (frame->unknown) {
        element(page, "<span class=\"soft\">(", frame->unknown, ")</span></li>\n");
        return;
    }
    text(page, frame->function ? dlw_short_name(region, frame->function) : "??");
    element(page, " <span class=\"place\">",
            frame->file ? dlw_region_print(region, "%s:%u",
                                           dlw_frame_path(region, frame, page->options->folder),
                                           frame->line)
                        : dlw_frame_place(region, frame),
            "</span>");
    fputs(frame->inlined ? " <span class=\"soft\">(inlined)</span></li>\n" : "</li>\n", page->out);
}

static void source(struct page *page, const struct dlw_frame *frame,
                   const struct dlw_doc_process *process)
{
    char line[512];
    if (!dlw_source_line(frame, process ? process->folder : NULL, line, sizeof(line)))
        return;
    fprintf(page->out, "<pre>%u | ", frame->line);
    text(page, line + strspn(line, " \t"));
    fputs("</pre>\n", page->out);
}

/* The place is always seen, the way to it on request. */
static void stack(struct page *page, const struct dlw_stack *frames,
                  const struct dlw_doc_process *process)
{
    struct dlw_region *region = &page->doc->region;
    size_t place = dlw_stack_place(frames);
    if (!frames->n) {
        fputs("<p class=\"soft\">(where is not known)</p>\n", page->out);
        return;
    }
    const struct dlw_frame *at = &frames->frames[place < frames->n ? place : 0];
    fputs("<details><summary><code>", page->out);
    text(page, at->function ? dlw_short_name(region, at->function) : "??");
    element(page, " <span class=\"place\">", dlw_frame_place(region, at),
            "</span></code></summary>\n<ol class=\"stack\">\n");
    size_t n = dlw_stack_depth(frames);
    for (size_t i = 0; i < n; i++)
        if (i <= place || !dlw_frame_is_plumbing(&frames->frames[i]))
            frame_item(page, &frames->frames[i]);
    if (frames->cut)
        fputs("<li class=\"soft\">(deeper frames were not kept)</li>\n", page->out);
    fputs("</ol></details>\n", page->out);
    if (place < frames->n)
        source(page, at, process);
}

static void hold(struct page *page, const struct dlw_doc_finding *finding,
                 const struct dlw_doc_hold *held, const struct dlw_doc_process *process,
                 const char *verb, const char *how)
{
    if (dlw_doc_is_thread(held->lock) && !held->stack.n)
        return;
    fprintf(page->out, "<p>%s ", verb);
    element(page, "<span class=\"lock\">", lock_title(page, finding, held->lock), "</span>");
    if (strcmp(held->lock->kind, "rwlock") == 0)
        fputs(held->mode == DLW_SHARED ? " for reading" : " for writing", page->out);
    fprintf(page->out, ", %s</p>\n", how);
    stack(page, &held->stack, process);
}

static void thread_heading(struct page *page, const struct dlw_doc_finding *finding,
                           const struct dlw_doc_thread *thread)
{
    element(page, "<h3>Thread ", thread_title(page, finding, thread), "");
    if (thread->tid)
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
            hold(page, finding, &step->holds, process, "still holds", "taken in");
        }
        thread_heading(page, finding, step->thread);
        if (!step->holder)
            hold(page, finding, &step->holds, process, "holds", "taken in");
        hold(page, finding, &step->wants, process, waits ? "waits for" : "then takes",
             "asked for in");
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
            element(page, " for <span class=\"lock\">", lock_title(page, finding, one->on),
                    "</span>");
        if (one->since >= 0)
            fprintf(page->out, ", for %s%.1f s", one->is_least ? "at least " : "", one->since);
        fputs("</p>\n", page->out);
    } else if (one->on) {
        element(page, "<p>at <span class=\"lock\">", lock_title(page, finding, one->on),
                "</span></p>\n");
    }
    stack(page, &one->stack, one->thread->process);
    for (size_t i = 0; i < one->n_holds; i++)
        hold(page, finding, &one->holds[i], one->thread->process, "and holds", "taken in");
}

static void figure(struct page *page, const struct dlw_picture *picture, const char *title,
                   bool is_wide)
{
    if (!picture->n_nodes || !picture->n_edges)
        return;
    /* What scrolls must be within reach of the keyboard. */
    fprintf(page->out, "<figure%s tabindex=\"0\">\n", is_wide ? " class=\"wide\"" : "");
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
    struct dlw_remedy remedy = dlw_finding_remedy(region, finding);
    if (confidence)
        element(page, "<p><b>How sure:</b> ", confidence, "</p>\n");
    if (!remedy.n)
        return;
    element(page, "<div class=\"remedy\"><p><b>", remedy.title, "</b></p>\n");
    for (size_t i = 0; i < remedy.n; i++)
        element(page, "<p>", remedy.paragraphs[i], "</p>\n");
    fputs("</div>\n", page->out);
}

static void article(struct page *page, const struct dlw_doc_finding *finding)
{
    const char *severity = dlw_severity_word(finding->severity);
    const char *kind = dlw_kind_word(finding->kind);
    fprintf(page->out,
            "<article class=\"%s\" data-kind=\"%s\" id=\"f-%s\">\n<h2><span "
            "class=\"severity\">%s</span> %s</h2>\n",
            severity, kind, finding->fingerprint, severity, kind);
    element(page, "<p class=\"message\">", finding->message, "</p>\n");
    fputs("<p class=\"meta\">", page->out);
    if (finding->process) {
        fprintf(page->out, "process %u, ", finding->process->pid);
        element(page, "", finding->process->exe, "; ");
    }
    if (finding->count > 1)
        fprintf(page->out, "seen %llu times; ", (unsigned long long)finding->count);
    fprintf(page->out, "fingerprint %s</p>\n", finding->fingerprint);
    struct dlw_picture picture = dlw_picture_finding(page->doc, finding);
    figure(page, &picture, finding->message, !finding->n_cycle);
    steps(page, finding);
    for (size_t i = 0; i < finding->n_threads; i++)
        state(page, finding, &finding->threads[i]);
    advice(page, finding);
    fputs("</article>\n", page->out);
}

static void filter(struct page *page)
{
    size_t counts[DLW_N_KINDS] = {0}, kinds = 0;
    for (size_t i = 0; i < page->doc->n_findings; i++)
        if (dlw_doc_is_listed(page->doc->findings[i]))
            kinds += counts[page->doc->findings[i]->kind]++ == 0;
    if (kinds < 2)
        return;
    fputs("<fieldset id=\"filter\"><legend>Show</legend>\n", page->out);
    for (int kind = 0; kind < DLW_N_KINDS; kind++)
        if (counts[kind])
            fprintf(page->out,
                    "<label><input type=\"checkbox\" value=\"%s\" checked> %s (%zu)</label>\n",
                    dlw_kind_word((enum dlw_kind)kind), dlw_kind_word((enum dlw_kind)kind),
                    counts[kind]);
    fputs("</fieldset>\n", page->out);
}

static void summary(struct page *page)
{
    const struct dlw_doc_summary *counts = &page->doc->summary;
    fprintf(page->out,
            "<header><h1>dlwatch report</h1>\n<p>%llu errors, %llu warnings, %llu notes in %zu "
            "processes",
            (unsigned long long)counts->errors, (unsigned long long)counts->warnings,
            (unsigned long long)counts->notes, page->doc->n_processes);
    if (counts->suppressed)
        fprintf(page->out, "; %llu suppressed", (unsigned long long)counts->suppressed);
    if (counts->known)
        fprintf(page->out, "; %llu known from the baseline", (unsigned long long)counts->known);
    if (counts->hidden)
        fprintf(page->out, "; %llu proved harmless by the run (--show=all lists them)",
                (unsigned long long)counts->hidden);
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
        state(page, NULL, &page->doc->threads[i]);
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

static void processes(struct page *page)
{
    if (!page->doc->n_processes)
        return;
    fputs("<section class=\"card\"><h2>Processes</h2>\n<table><tr><th>pid</th><th>program</th><th>"
          "ended</th><th>locks</th><th>threads</th></tr>\n",
          page->out);
    for (size_t i = 0; i < page->doc->n_processes; i++) {
        const struct dlw_doc_process *process = page->doc->processes[i];
        fprintf(page->out, "<tr><td>%u</td><td>", process->pid);
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
    fputs("</table></section>\n", page->out);
}

static const char script[] =
    "<script>\n"
    "document.querySelectorAll('#filter input').forEach(box=>box.addEventListener('change',()=>\n"
    "document.querySelectorAll('article[data-kind=\"'+box.value+'\"]').forEach(a=>a.hidden=!box."
    "checked)));\n"
    "</script>\n";

int dlw_format_html(FILE *out, struct dlw_doc *doc, const struct dlw_format_options *options)
{
    struct page page = {out, doc, options};
    fprintf(out,
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta "
            "name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>dlwatch: "
            "%llu errors</title>\n<style>\n%s</style></head>\n<body>\n",
            (unsigned long long)doc->summary.errors, html_style);
    fputs("<svg class=\"heads\" aria-hidden=\"true\">", out);
    dlw_picture_arrows(out);
    fputs("</svg>\n", out);
    summary(&page);
    filter(&page);
    fputs("<main>\n", out);
    for (size_t i = 0; i < doc->n_findings; i++)
        if (dlw_doc_is_listed(doc->findings[i]))
            article(&page, doc->findings[i]);
    document_threads(&page);
    order(&page);
    processes(&page);
    fprintf(out, "</main>\n%s</body></html>\n", script);
    return 0;
}
