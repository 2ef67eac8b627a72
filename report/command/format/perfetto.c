/*
 * The findings as a trace that Perfetto's viewer (ui.perfetto.dev) and Chrome open: JSON in the
 * Chrome trace event format. A thread is a track; a slice is a lock that it holds or waits for, and
 * an arrow leads from a wait to the hold that it waits for.
 *
 * Findings stand one behind the other, each in a window of its own, and behind it one with what its
 * threads did last. Where it is known how long a thread has waited the slices have that length;
 * else they show an order and no time.
 */
#include "report/command/document/classify.h"
#include "report/command/format/format.h"
#include "report/command/format/picture/timeline.h"
#include "report/command/format/text/parts.h"

#include <jansson.h>

enum { STEP_US = 1000, GAP_US = 5000 };

struct writer {
    struct dlw_doc *doc;
    json_t *events;
    const struct dlw_doc_finding *finding; /* NULL: the document's threads */
    double from, until;                    /* its window, us */
    json_int_t arrows;
};

static json_int_t pid_of(const struct dlw_doc_thread *thread)
{
    return thread->process ? thread->process->pid : 0;
}

static json_int_t tid_of(const struct dlw_doc_thread *thread)
{
    return thread->tid ? thread->tid : thread->id;
}

static json_t *event(struct writer *writer, const char *phase, const char *name,
                     const struct dlw_doc_thread *thread, double time)
{
    json_t *json = json_pack("{ss,ss,ss,sf,sI,sI}", "ph", phase, "name", name, "cat", "dlwatch",
                             "ts", time, "pid", pid_of(thread), "tid", tid_of(thread));
    json_array_append_new(writer->events, json);
    return json;
}

static const char *lock_title(struct writer *writer, const struct dlw_doc_lock *lock)
{
    struct dlw_region *region = &writer->doc->region;
    return writer->finding ? dlw_finding_lock_title(region, writer->finding, lock)
                           : dlw_lock_title(region, lock);
}

/* Innermost first, as people read a stack. */
static json_t *stack_json(struct writer *writer, const struct dlw_stack *stack)
{
    struct dlw_region *region = &writer->doc->region;
    json_t *frames = json_array();
    size_t place = dlw_stack_place(stack), n = dlw_stack_depth(stack);
    for (size_t i = place == stack->n ? 0 : place; i < n; i++) {
        const struct dlw_frame *frame = &stack->frames[i];
        if (i > place && dlw_frame_is_plumbing(frame))
            continue;
        const char *text =
            frame->unknown ? frame->unknown
            : frame->function
                ? dlw_region_print(region, "%s  %s", dlw_short_name(region, frame->function),
                                   dlw_frame_place(region, frame))
                : dlw_frame_place(region, frame);
        json_array_append_new(frames, json_string(text));
    }
    return frames;
}

static void slice(struct writer *writer, const struct dlw_doc_thread *thread, const char *verb,
                  const struct dlw_doc_lock *lock, const struct dlw_stack *stack, double from)
{
    struct dlw_region *region = &writer->doc->region;
    const char *name =
        lock ? dlw_region_print(region, "%s %s", verb, lock_title(writer, lock)) : verb;
    json_t *json = event(writer, "X", name, thread, from);
    json_t *arguments = json_object();
    json_object_set_new(json, "dur", json_real(writer->until - from));
    json_object_set_new(arguments, "stack", stack_json(writer, stack));
    if (writer->finding) {
        json_object_set_new(arguments, "finding", json_string(writer->finding->message));
        json_object_set_new(arguments, "fingerprint", json_string(writer->finding->fingerprint));
    }
    json_object_set_new(json, "args", arguments);
}

/* From one slice to another: each end lies inside its slice. */
static void arrow(struct writer *writer, const struct dlw_doc_thread *from, double from_time,
                  const struct dlw_doc_thread *to, double to_time)
{
    const char *name = "held by";
    json_int_t id = ++writer->arrows;
    json_object_set_new(event(writer, "s", name, from, from_time), "id", json_integer(id));
    json_t *end = event(writer, "f", name, to, to_time > from_time ? to_time : from_time);
    json_object_set_new(end, "id", json_integer(id));
    json_object_set_new(end, "bp", json_string("e"));
}

/* All hold first, then all ask: that is how a circle closes. */
static void cycle(struct writer *writer)
{
    const struct dlw_doc_finding *finding = writer->finding;
    bool waits = finding->kind == DLW_DEADLOCK;
    double asks = writer->from + STEP_US;
    writer->until = asks + STEP_US;
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        slice(writer, step->holder ? step->holder : step->thread, "holds", step->holds.lock,
              &step->holds.stack, writer->from);
    }
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        slice(writer, step->thread, waits ? "waits for" : "then takes", step->wants.lock,
              &step->wants.stack, asks);
        arrow(writer, step->thread, asks, dlw_wanted_from(finding, i), asks);
    }
}

static double waited_us(const struct dlw_doc_state *states, size_t n)
{
    double longest = 0;
    for (size_t i = 0; i < n; i++)
        longest = states[i].since > longest ? states[i].since : longest;
    return longest * 1e6;
}

/* What they hold they took before the first of them fell asleep. */
static void states(struct writer *writer, const struct dlw_doc_state *list, size_t n)
{
    double longest = waited_us(list, n);
    writer->until = writer->from + STEP_US + (longest > STEP_US ? longest : STEP_US);
    for (size_t i = 0; i < n; i++) {
        const struct dlw_doc_state *state = &list[i];
        double began =
            state->since > 0 ? writer->until - state->since * 1e6 : writer->from + STEP_US;
        for (size_t k = 0; k < state->n_holds; k++)
            slice(writer, state->thread, "holds", state->holds[k].lock, &state->holds[k].stack,
                  writer->from);
        const char *verb = state->waits == DLW_WAIT_NONE ? "runs"
                           : state->on                   ? "waits for"
                                       : dlw_region_print(&writer->doc->region, "waits (%s)",
                                                          dlw_wait_word(state->waits));
        slice(writer, state->thread, verb, state->waits == DLW_WAIT_NONE ? NULL : state->on,
              &state->stack, began);
    }
}

/* The window's name stands on the track of the first thread. */
static void title(struct writer *writer, const struct dlw_doc_thread *thread, const char *text)
{
    json_object_set_new(event(writer, "i", text, thread, writer->from), "s", json_string("p"));
}

/* ---- the time line ---- */

/* A part of a bar. */
static void bar_slice(struct writer *writer, const struct dlw_doc_thread *thread,
                      const struct dlw_timeline_bar *bar, double from, double to, bool goes_on)
{
    struct dlw_region *region = &writer->doc->region;
    const char *title = dlw_event_lock(region, writer->finding, bar->event, false);
    const char *name = bar->sort == DLW_BAR_HOLD ? dlw_region_print(region, "held %s", title)
                       : bar->sort == DLW_BAR_WAIT
                           ? dlw_region_print(region, "waited for %s", title)
                           : dlw_region_print(region, "tried for %s in vain", title);
    json_t *json = event(writer, "X", name, thread, from), *arguments = json_object();
    json_object_set_new(json, "dur", json_real(to - from));
    json_object_set_new(arguments, "stack", stack_json(writer, &bar->event->place));
    if (goes_on)
        json_object_set_new(arguments, "goes on", json_true());
    if (bar->from_ago >= 0)
        json_object_set_new(arguments, "seconds before the finding", json_real(bar->from_ago));
    json_object_set_new(arguments, "finding", json_string(writer->finding->message));
    json_object_set_new(arguments, "fingerprint", json_string(writer->finding->fingerprint));
    json_object_set_new(json, "args", arguments);
}

/* Where a bar of the lane ends that began before this one and ends within it: the first such. */
static unsigned cut_of(const struct dlw_timeline *line, const struct dlw_timeline_bar *bar,
                       unsigned from, unsigned to)
{
    for (size_t i = 0; i < line->n_bars; i++) {
        const struct dlw_timeline_bar *around = &line->bars[i];
        if (around != bar && around->lane == bar->lane && around->from < bar->from &&
            around->to > from && around->to < to)
            to = around->to;
    }
    return to;
}

/* The slices of a track must lie within each other: one that outlives the one around it ends with
 * that, and goes on behind it. `columns`: their times, us. */
static void lane_slices(struct writer *writer, const struct dlw_timeline *line, size_t lane,
                        const double *columns)
{
    const struct dlw_doc_thread *thread = writer->finding->trails[lane].thread;
    for (size_t i = 0; i < line->n_bars; i++) {
        const struct dlw_timeline_bar *bar = &line->bars[i];
        if (bar->lane != lane || bar->to <= bar->from)
            continue;
        for (unsigned from = bar->from; from < bar->to;) {
            unsigned to = cut_of(line, bar, from, bar->to);
            bar_slice(writer, thread, bar, columns[from], columns[to], to < bar->to);
            from = to;
        }
    }
}

/* Times of the columns: those of marks are what they are, to the microsecond at least; the columns
 * between two of them share what lies there. */
static double *column_times(struct writer *writer, const struct dlw_timeline *line)
{
    double *times = dlw_region_alloc(&writer->doc->region, (line->n_columns + 1) * sizeof(*times));
    double longest = line->n_marks ? line->marks[0].ago * 1e6 : 0, last_time = writer->from;
    unsigned last = 0;
    for (size_t i = 0; i <= line->n_marks; i++) {
        bool is_end = i == line->n_marks;
        unsigned column = is_end ? line->n_columns : line->marks[i].column;
        /* What comes before the first has no time at all. */
        double time = i == 0 ? writer->from + column * (double)STEP_US
                             : times[line->marks[0].column] + longest -
                                   (is_end ? 0 : line->marks[i].ago * 1e6);
        if (time < last_time + (column - last))
            time = last_time + (column - last);
        for (unsigned k = last; k < column; k++)
            times[k] = last_time + (time - last_time) * (k - last) / (column - last);
        times[column] = last_time = time;
        last = column;
    }
    return times;
}

static void last_steps(struct writer *writer)
{
    const struct dlw_doc_finding *finding = writer->finding;
    struct dlw_region *region = &writer->doc->region;
    if (!finding->n_trails)
        return;
    struct dlw_timeline line = dlw_timeline_make(region, finding);
    double *times = column_times(writer, &line);
    title(writer, finding->trails[0].thread,
          dlw_region_print(region, "the last steps (only waits have times) before: %s",
                           finding->message));
    for (size_t i = 0; i < finding->n_trails; i++)
        lane_slices(writer, &line, i, times);
    writer->from = times[line.n_columns] + GAP_US;
}

/* As Chrome writes them. */
static void meta(struct writer *writer, const char *what, json_int_t pid, json_int_t tid,
                 const char *name)
{
    json_array_append_new(writer->events, json_pack("{ss,ss,ss,si,sI,sI,s{ss}}", "ph", "M", "name",
                                                    what, "cat", "__metadata", "ts", 0, "pid", pid,
                                                    "tid", tid, "args", "name", name));
}

static void thread_name(struct writer *writer, const struct dlw_doc_thread *thread)
{
    meta(writer, "thread_name", pid_of(thread), tid_of(thread),
         dlw_thread_title(&writer->doc->region, thread));
}

static void names(struct writer *writer)
{
    struct dlw_doc *doc = writer->doc;
    for (size_t i = 0; i < doc->n_processes; i++)
        meta(writer, "process_name", doc->processes[i]->pid, 0,
             doc->processes[i]->exe ? dlw_base_name(doc->processes[i]->exe) : "?");
    for (size_t i = 0; i < doc->n_findings; i++) {
        const struct dlw_doc_finding *finding = doc->findings[i];
        if (!dlw_doc_is_listed(finding))
            continue;
        for (size_t k = 0; k < finding->n_cycle; k++) {
            thread_name(writer, finding->cycle[k].thread);
            if (finding->cycle[k].holder)
                thread_name(writer, finding->cycle[k].holder);
        }
        for (size_t k = 0; k < finding->n_threads; k++)
            thread_name(writer, finding->threads[k].thread);
        for (size_t k = 0; k < finding->n_trails; k++)
            thread_name(writer, finding->trails[k].thread);
    }
    for (size_t i = 0; i < doc->n_threads; i++)
        thread_name(writer, doc->threads[i].thread);
}

static void finding(struct writer *writer, const struct dlw_doc_finding *which)
{
    writer->finding = which;
    if (which->n_cycle || which->n_threads)
        title(writer, which->n_cycle ? which->cycle[0].thread : which->threads[0].thread,
              which->message);
    if (which->n_cycle)
        cycle(writer);
    else
        states(writer, which->threads, which->n_threads);
    writer->from = writer->until + GAP_US;
    last_steps(writer);
}

int dlw_format_perfetto(FILE *out, struct dlw_doc *doc, const struct dlw_format_options *options)
{
    struct writer writer = {.doc = doc, .events = json_array()};
    (void)options;
    names(&writer);
    for (size_t i = 0; i < doc->n_findings; i++)
        if (dlw_doc_is_listed(doc->findings[i]))
            finding(&writer, doc->findings[i]);
    writer.finding = NULL;
    if (doc->n_threads) {
        title(&writer, doc->threads[0].thread, "all threads");
        states(&writer, doc->threads, doc->n_threads);
    }
    json_t *json =
        json_pack("{so,ss,s{ss,ss}}", "traceEvents", writer.events, "displayTimeUnit", "ms",
                  "otherData", "made by", "dlwatch " DLW_VERSION, "times",
                  "findings stand one behind the other, and behind each the last steps of its "
                  "threads; a wait "
                  "is as long as it is known to have been, all else shows an order and no time");
    json_dumpf(json, out, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
    fputc('\n', out);
    json_decref(json);
    return 0;
}
