/* One finding, or the state of one thread, in as much detail as the page has room for. */
#include "report/command/document/classify.h"
#include "report/command/format/html/page.h"
#include "report/command/format/html/timeline.h"
#include "report/command/format/text/costs.h"
#include "report/command/format/text/parts.h"

#include <stdint.h>
#include <string.h>

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
        dlw_html_element(page, "(", frame->unknown, ")\n");
        return;
    }
    dlw_html_element(page, "<b>", frame->function ? dlw_short_name(region, frame->function) : "??",
                     "</b> ");
    dlw_html_element(page, "<i>",
                     frame->file
                         ? dlw_region_print(region, "%s:%u",
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
    dlw_html_text(page, line + strspn(line, " \t"));
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
    dlw_html_element(page, "<b>", lock_title(page, finding, held->lock), "</b>");
    if (strcmp(held->lock->kind, "rwlock") == 0)
        fputs(held->mode == DLW_SHARED ? " for reading" : " for writing", page->out);
    fprintf(page->out, "%s</p>\n", held->stack.n ? how : "");
    stack(page, &held->stack, process);
}

static void thread_heading(struct page *page, const struct dlw_doc_finding *finding,
                           const struct dlw_doc_thread *thread)
{
    const char *title = thread_title(page, finding, thread);
    dlw_html_element(page, strncmp(title, "thread ", 7) == 0 ? "<h3>" : "<h3>Thread ", title, "");
    if (thread->tid && !strstr(title, "(tid "))
        fprintf(page->out, " <span class=\"soft\">(tid %u)</span>", thread->tid);
    if (finding && thread->process && thread->process != finding->process) {
        fprintf(page->out, " <span class=\"soft\">of process %u, ", thread->process->pid);
        dlw_html_element(page, "", thread->process->exe, "</span>");
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

void dlw_html_state(struct page *page, const struct dlw_doc_finding *finding,
                    const struct dlw_doc_state *one)
{
    thread_heading(page, finding, one->thread);
    if (one->waits != DLW_WAIT_NONE) {
        fprintf(page->out, "<p>waits (%s", dlw_wait_word(one->waits));
        if (one->syscall)
            dlw_html_element(page, " ", one->syscall, "");
        fputc(')', page->out);
        if (one->on)
            dlw_html_element(page, " for <b>", lock_title(page, finding, one->on), "</b>");
        if (one->since >= 0)
            fprintf(page->out, ", for %s%.1f s", one->is_least ? "at least " : "", one->since);
        fputs("</p>\n", page->out);
    } else if (one->on) {
        dlw_html_element(page, "<p>at <b>", lock_title(page, finding, one->on), "</b></p>\n");
    }
    if (page->detail > DETAIL_HEADING)
        stack(page, &one->stack, one->thread->process);
    for (size_t i = 0; i < one->n_holds && page->detail > DETAIL_HEADING; i++)
        hold(page, finding, &one->holds[i], one->thread->process, "and holds", ", taken");
}

static void advice(struct page *page, const struct dlw_doc_finding *finding)
{
    struct dlw_region *region = &page->doc->region;
    const char *confidence = dlw_finding_confidence(region, finding);
    if (page->detail < DETAIL_LINES)
        return;
    struct dlw_remedy remedy = dlw_finding_remedy(region, finding);
    if (confidence)
        dlw_html_element(page, "<p><b>How sure:</b> ", confidence, "</p>\n");
    if (!remedy.n)
        return;
    dlw_html_element(page, "<div class=\"remedy\"><p><b>", remedy.title, "</b></p>\n");
    dlw_html_element(page, "<p>", remedy.paragraphs[0], "</p>\n");
    if (remedy.n > 1 && page->detail >= DETAIL_STACKS) {
        fputs("<details><summary>Other ways</summary>\n", page->out);
        for (size_t i = 1; i < remedy.n; i++)
            dlw_html_element(page, "<p>", remedy.paragraphs[i], "</p>\n");
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
            dlw_html_element(page, before, lists[k][i]->id, " is ");
            dlw_html_text(page, k ? dlw_lock_title(region, lists[k][i])
                                  : dlw_finding_lock_title(region, finding, lists[k][i]));
            before = ", ";
        }
    fputs(*before == ',' ? ".</p>\n" : "", page->out);
}

static void steps_in_words(struct page *page, const struct dlw_doc_finding *finding,
                           const struct dlw_doc_trail *trail)
{
    struct dlw_region *region = &page->doc->region;
    dlw_html_element(page, "<p><b>", thread_title(page, finding, trail->thread), "</b></p><ol>");
    for (size_t i = 0; i < trail->n; i++) {
        const struct dlw_doc_event *event = &trail->events[i];
        const char *place = dlw_event_place(region, event, page->options->folder);
        const char *time = dlw_event_time(region, event);
        dlw_html_element(page, "<li>", dlw_event_words(region, finding, event, false), "");
        if (place)
            dlw_html_element(page, " <i>", place, "</i>");
        if (time)
            dlw_html_element(page, ", ", time, "");
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
            severity, kind, finding->fingerprint, page->n_listed <= DLW_HTML_OPEN ? " open" : "",
            severity);
    dlw_html_text(page, finding->message);
    fprintf(page->out, " <small>%s", kind);
    if (frame && frame->file)
        dlw_html_element(page, " <i>",
                         dlw_region_print(region, "%s:%u",
                                          dlw_frame_path(region, frame, page->options->folder),
                                          frame->line),
                         "</i>");
    if (finding->count > 1)
        fprintf(page->out, " %llu times", (unsigned long long)finding->count);
    fputs("</small></h2></summary>\n", page->out);
}

void dlw_html_article(struct page *page, const struct dlw_doc_finding *finding)
{
    heading(page, finding);
    fputs("<p class=\"meta\">", page->out);
    if (finding->process) {
        fprintf(page->out, "process %u, ", finding->process->pid);
        dlw_html_element(page, "", finding->process->exe, "; ");
    }
    fprintf(page->out, "<a href=\"#f-%s\">fingerprint %s</a></p>\n", finding->fingerprint,
            finding->fingerprint);
    if (page->detail >= DETAIL_STACKS) {
        struct dlw_picture picture = dlw_picture_finding(page->doc, finding);
        dlw_html_figure(page, &picture, finding->message, !finding->n_cycle);
    }
    if (page->detail > DETAIL_HEADING)
        steps(page, finding);
    for (size_t i = 0; i < finding->n_threads && page->detail > DETAIL_HEADING; i++)
        dlw_html_state(page, finding, &finding->threads[i]);
    advice(page, finding);
    timeline(page, finding);
    fputs("</details></article>\n", page->out);
}
