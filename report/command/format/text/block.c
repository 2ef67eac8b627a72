/*
 * One finding for people: a sentence, a legend with the circle in a line, each thread with what it
 * holds and what it wants, how sure it is, and what would break it.
 */
#include "report/command/document/labels.h"
#include "report/command/document/words.h"
#include "report/command/format/text/parts.h"

#include "report/command/document/classify.h"

#include <string.h>

enum { MAX_STEPS = DLW_MAX_LABELS, MAX_LIST = 40 };

/* What the legend has no line for goes by its title. */
static const char *lock(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                        const struct dlw_doc_lock *which)
{
    struct dlw_region *region = &text->doc->region;
    return finding ? dlw_lock_label(region, finding, which) : dlw_readable_lock(text, NULL, which);
}

static const char *thread(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                          const struct dlw_doc_thread *which)
{
    struct dlw_region *region = &text->doc->region;
    return finding ? dlw_thread_label(region, finding, which) : dlw_thread_title(region, which);
}

static const char *for_mode(const struct dlw_doc_hold *hold)
{
    if (strcmp(hold->lock->kind, "rwlock") != 0)
        return "";
    return hold->mode == DLW_SHARED ? " for reading" : " for writing";
}

/* T1 --waits for L2--> T2 --waits for L1--> T1 */
static const char *wait_circle(struct dlw_readable *text, const struct dlw_doc_finding *finding)
{
    struct dlw_region *region = &text->doc->region;
    const char *line = thread(text, finding, finding->cycle[0].thread);
    for (size_t i = 0; i < finding->n_cycle && i < MAX_STEPS; i++)
        line = dlw_region_print(region, "%s --waits for %s--> %s", line,
                                lock(text, finding, finding->cycle[i].wants.lock),
                                thread(text, finding, dlw_wanted_from(finding, i)));
    return line;
}

/* L1 --T1--> L2 --T2--> L1 */
static const char *order_circle(struct dlw_readable *text, const struct dlw_doc_finding *finding)
{
    struct dlw_region *region = &text->doc->region;
    const char *line = lock(text, finding, finding->cycle[0].holds.lock);
    for (size_t i = 0; i < finding->n_cycle && i < MAX_STEPS; i++)
        line = dlw_region_print(region, "%s --%s--> %s", line,
                                thread(text, finding, finding->cycle[i].thread),
                                lock(text, finding, finding->cycle[i].wants.lock));
    return line;
}

/* Of the threads that are listed: a process that is looked at from outside has more to say of one
 * by its number. */
static const char *listed_thread(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                                 const struct dlw_doc_thread *which)
{
    const char *title = thread(text, finding, which);
    bool is_elsewhere = finding ? which->process != finding->process : text->doc->n_processes > 1;
    if (!finding && which->tid && !strstr(title, "(tid "))
        title = dlw_region_print(&text->doc->region, "%s (tid %u)", title, which->tid);
    if (which->process && is_elsewhere && !dlw_readable_is_in_legend(finding, which))
        title =
            dlw_region_print(&text->doc->region, "%s of process %u, %s", title, which->process->pid,
                             which->process->exe ? which->process->exe : "?");
    return title;
}

/* "T1 holds L1 for writing, taken": the thread and what it does begin a line. */
static void hold_lines(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                       const char *who, const char *verb, const struct dlw_doc_hold *hold,
                       const struct dlw_doc_process *process)
{
    /* The interpreter drops and takes it again all the time: it is held where the thread stands. */
    bool is_gil = strcmp(hold->lock->kind, "gil") == 0;
    const char *where = is_gil          ? ""
                        : hold->stack.n ? ", taken"
                                        : " (where it was taken is not known)";
    const struct dlw_lead lead = {
        dlw_region_print(&text->doc->region, "%s%s " BOLD "%s" PLAIN "%s%s", who, verb,
                         lock(text, finding, hold->lock), for_mode(hold), where),
        ""};
    if (hold->stack.n && !is_gil)
        dlw_readable_stack(text, &lead, &hold->stack, process);
    else
        dlw_readable_prose(text, "  ", 4, lead.line);
}

/* How many outermost frames the two ways have in common, the places themselves not counted. */
static size_t common_callers(const struct dlw_stack *hold, const struct dlw_stack *want)
{
    size_t h = hold->n, w = want->n, n = 0;
    size_t hold_place = dlw_stack_place(hold), want_place = dlw_stack_place(want);
    if (hold->cut || want->cut)
        return 0;
    while (h > hold_place + 1 && w > want_place + 1 && !want->frames[w - 1].unknown &&
           hold->frames[h - 1].pc && hold->frames[h - 1].pc == want->frames[w - 1].pc &&
           hold->frames[h - 1].inlined == want->frames[w - 1].inlined) {
        h--;
        w--;
        n++;
    }
    return n;
}

/* It stood so: a deadlock, or an inversion that was confirmed by one. */
static bool is_closed(const struct dlw_doc_finding *finding)
{
    return finding->kind == DLW_DEADLOCK || (finding->confirmed && finding->confirmed->reached);
}

static void want_lines(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                       const char *who, const struct dlw_doc_step *step,
                       const struct dlw_doc_process *process)
{
    const struct dlw_doc_hold *want = &step->wants;
    const char *verb = dlw_step_is_in_line(finding, step) ? "is next in line for"
                       : is_closed(finding)               ? "waits for"
                       : dlw_doc_is_thread(want->lock)    ? "then waits for"
                                                          : "then takes";
    struct dlw_stack stack = want->stack;
    size_t common = step->holder || dlw_step_is_in_line(finding, step)
                        ? 0
                        : common_callers(&step->holds.stack, &want->stack);
    bool is_shortened = common && dlw_stack_depth(&stack) > stack.n - common;
    if (is_shortened)
        stack.n -= common;
    const struct dlw_lead lead = {dlw_region_print(&text->doc->region,
                                                   "%s%s " BOLD "%s" PLAIN "%s%s", who, verb,
                                                   lock(text, finding, want->lock), for_mode(want),
                                                   want->timed ? " (with a time limit)" : ""),
                                  is_shortened ? " (same caller)" : ""};
    dlw_readable_stack(text, &lead, &stack, process);
}

static const struct dlw_doc_process *process_of(const struct dlw_doc_finding *finding,
                                                const struct dlw_doc_thread *which)
{
    return which->process || !finding ? which->process : finding->process;
}

/* Interpreted code has no address. */
static bool is_same_line(const struct dlw_frame *a, const struct dlw_frame *b)
{
    if (!a->language || !b->language)
        return a->language == b->language;
    return a->line == b->line && strcmp(a->file ? a->file : "", b->file ? b->file : "") == 0 &&
           strcmp(a->function ? a->function : "", b->function ? b->function : "") == 0;
}

static bool is_same_stack(const struct dlw_stack *a, const struct dlw_stack *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->frames[i].pc != b->frames[i].pc || a->frames[i].inlined != b->frames[i].inlined ||
            !is_same_line(&a->frames[i], &b->frames[i]))
            return false;
    return true;
}

/* Philosophers differ by their forks alone. NULL: no step before does the same. */
static const struct dlw_doc_step *alike_before(const struct dlw_doc_finding *finding,
                                               const struct dlw_doc_step *step)
{
    if (step->holder || step->scope || !step->wants.stack.n || dlw_step_is_in_line(finding, step) ||
        dlw_doc_is_file(step->holds.lock))
        return NULL;
    for (const struct dlw_doc_step *other = finding->cycle; other < step; other++)
        if (other->holds.mode == step->holds.mode && other->wants.mode == step->wants.mode &&
            other->wants.timed == step->wants.timed &&
            dlw_doc_is_thread(other->wants.lock) == dlw_doc_is_thread(step->wants.lock) &&
            is_same_stack(&other->holds.stack, &step->holds.stack) &&
            is_same_stack(&other->wants.stack, &step->wants.stack))
            return other;
    return NULL;
}

static void alike_line(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                       const struct dlw_doc_step *step, const struct dlw_doc_step *other)
{
    dlw_readable_prose(
        text, "  ", 4,
        dlw_region_print(&text->doc->region,
                         BOLD "%s" PLAIN " holds " BOLD "%s" PLAIN " and %s " BOLD "%s" PLAIN
                              " at the same place%s as %s",
                         thread(text, finding, step->thread), lock(text, finding, step->holds.lock),
                         finding->kind == DLW_DEADLOCK ? "waits for" : "then takes",
                         lock(text, finding, step->wants.lock), step->holds.stack.n ? "s" : "",
                         thread(text, finding, other->thread)));
}

static void step_lines(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                       const struct dlw_doc_step *step)
{
    struct dlw_region *region = &text->doc->region;
    const struct dlw_doc_process *process = process_of(finding, step->thread);
    const char *in = step->scope ? dlw_region_print(region, "in test %s ", step->scope) : "";
    const char *who =
        dlw_region_print(region, BOLD "%s" PLAIN " %s", thread(text, finding, step->thread), in);
    const struct dlw_doc_step *other = alike_before(finding, step);
    if (!other || !text->is_in_list)
        fputc('\n', text->out);
    text->is_in_list = other != NULL;
    if (other) {
        alike_line(text, finding, step, other);
        return;
    }
    /* That a thread "holds its own end", or its place in the line, explains itself in what it
     * wants. */
    if (!dlw_step_is_in_line(finding, step) && !dlw_finding_holder_is_gone(finding) &&
        !dlw_doc_is_thread(step->holds.lock))
        hold_lines(text, finding, who,
                   dlw_doc_is_file(step->holds.lock) ? "is of the process that holds" : "holds",
                   &step->holds, process);
    want_lines(text, finding, who, step, process);
    if (step->holder)
        hold_lines(
            text, finding,
            dlw_region_print(region, BOLD "%s" PLAIN " ", thread(text, finding, step->holder)),
            "still holds", &step->holds, process_of(finding, step->holder));
}

static const char *wait_phrase(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                               const struct dlw_doc_state *state)
{
    struct dlw_region *region = &text->doc->region;
    const char *phrase = dlw_wait_words(state->waits)->phrase;
    if (state->waits == DLW_WAIT_SYSCALL)
        return dlw_region_print(region, "%s %s", phrase, state->syscall ? state->syscall : "?");
    if (!state->on)
        return phrase;
    const struct dlw_doc_hold want = {.lock = state->on, .mode = state->mode};
    const char *title = lock(text, finding, state->on);
    return dlw_region_print(region, "%s " BOLD "%s" PLAIN "%s",
                            dlw_wait_phrase_of(region, state, title), title, for_mode(&want));
}

/* One thread of a list: what it waits for, what it holds. */
static void state_lines(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                        const struct dlw_doc_state *state)
{
    struct dlw_region *region = &text->doc->region;
    const struct dlw_doc_process *process = process_of(finding, state->thread);
    const char *line =
        dlw_region_print(region, BOLD "%s" PLAIN " %s", listed_thread(text, finding, state->thread),
                         wait_phrase(text, finding, state));
    if (state->since >= 0)
        line =
            dlw_region_print(region, "%s, for %s%.*f s", line, state->is_least ? "at least " : "",
                             state->since < 10 ? 1 : 0, state->since);
    if (state->timed)
        line = dlw_region_print(region, "%s (with a time limit)", line);
    if (state->note)
        line = dlw_region_print(region, "%s " FAINT "(%s)" PLAIN, line, state->note);
    fputc('\n', text->out);
    if (state->stack.n || (state->waits != DLW_WAIT_NONE && state->waits != DLW_WAIT_SYSCALL))
        dlw_readable_stack(text, &(struct dlw_lead){line, ""}, &state->stack, process);
    else
        dlw_readable_prose(text, "  ", 4, line);
    const char *facts = dlw_state_facts(region, finding, state);
    if (facts)
        dlw_readable_prose(text, "    (", 4, dlw_region_print(region, "%s)", facts));
    for (size_t i = 0; i < state->n_holds; i++)
        if (!dlw_doc_is_thread(state->holds[i].lock))
            hold_lines(text, finding, "", "and holds", &state->holds[i], process);
}

/* Workers of a pool stand side by side; one of them tells it all. */
static bool is_alike(const struct dlw_doc_state *a, const struct dlw_doc_state *b)
{
    return a->waits == b->waits && a->on == b->on && a->timed == b->timed && !a->n_holds &&
           !b->n_holds && a->thread->process == b->thread->process && a->stack.n &&
           is_same_stack(&a->stack, &b->stack);
}

static void also_lines(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                       const struct dlw_doc_state *states, size_t n, size_t first, bool *is_shown)
{
    struct dlw_region *region = &text->doc->region;
    const char *names = NULL;
    size_t count = 0;
    for (size_t i = first + 1; i < n; i++) {
        if (is_shown[i] || !is_alike(&states[first], &states[i]))
            continue;
        is_shown[i] = true;
        if (count++ < 8)
            names = dlw_region_print(region, "%s%s%s", names ? names : "", names ? ", " : "",
                                     thread(text, finding, states[i].thread));
    }
    if (count)
        dlw_readable_prose(text, "    ", 4,
                           dlw_region_print(region, "(and so do%s %zu more: %s%s)",
                                            count == 1 ? "es" : "", count, names,
                                            count > 8 ? ", ..." : ""));
}

void dlw_readable_states(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                         const struct dlw_doc_state *states, size_t n)
{
    bool *is_shown = dlw_region_alloc(&text->doc->region, n + 1);
    size_t listed = 0, left = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_shown[i])
            continue;
        if (listed++ >= MAX_LIST) {
            left++;
            continue;
        }
        state_lines(text, finding, &states[i]);
        also_lines(text, finding, states, n, i, is_shown);
    }
    if (left)
        fprintf(text->out, "\n  %zu more threads are listed by --format=json.\n", left);
}

/* The first thread is the one that made the call; others hold or want the lock. */
static void accused_lines(struct dlw_readable *text, const struct dlw_doc_finding *finding)
{
    const struct dlw_doc_state *state = &finding->threads[0];
    const struct dlw_doc_process *process = process_of(finding, state->thread);
    fputc('\n', text->out);
    const struct dlw_lead lead = {
        dlw_region_print(&text->doc->region, BOLD "%s" PLAIN " %s " BOLD "%s" PLAIN,
                         listed_thread(text, finding, state->thread),
                         dlw_kind_words(finding->kind)->verb,
                         state->on ? lock(text, finding, state->on) : "a lock"),
        ""};
    if (state->stack.n)
        dlw_readable_stack(text, &lead, &state->stack, process);
    else
        dlw_readable_prose(text, "  ", 4, lead.line);
    for (size_t i = 0; i < state->n_holds; i++)
        hold_lines(text, finding, "",
                   finding->kind == DLW_EXIT_HOLDING_LOCK ? "it holds" : "and holds",
                   &state->holds[i], process);
    if (finding->n_threads > 1)
        dlw_readable_states(text, finding, finding->threads + 1, finding->n_threads - 1);
}

static void cycle_lines(struct dlw_readable *text, const struct dlw_doc_finding *finding)
{
    bool waits = is_closed(finding);
    dlw_readable_prose(
        text, "  ", 4,
        dlw_region_print(&text->doc->region, "%s %s%s", waits ? "The circle:" : "The orders:",
                         waits ? wait_circle(text, finding) : order_circle(text, finding),
                         finding->n_cycle > MAX_STEPS ? " ..." : ""));
    for (size_t i = 0; i < finding->n_cycle && i < MAX_STEPS; i++)
        step_lines(text, finding, &finding->cycle[i]);
    if (finding->n_cycle > MAX_STEPS)
        fprintf(text->out, "\n  %zu more threads of the circle are listed by --format=json.\n",
                finding->n_cycle - MAX_STEPS);
}

/* One remedy; the others, and why each works, are for who asks. */
static void remedy_lines(struct dlw_readable *text, const struct dlw_doc_finding *finding)
{
    struct dlw_region *region = &text->doc->region;
    const char *confidence = dlw_finding_certainty(region, finding)
                                 ? NULL /* the identity says it */
                                 : dlw_finding_confidence(region, finding);
    struct dlw_remedy remedy = dlw_finding_remedy_by_labels(region, finding);
    if (confidence || remedy.n)
        fputc('\n', text->out);
    if (confidence)
        dlw_readable_prose(text, "  " BOLD "How sure:" PLAIN " ", 4, confidence);
    for (size_t i = 0; i < remedy.n && (i == 0 || text->doc->explains); i++)
        dlw_readable_prose(
            text, i ? "    " : dlw_region_print(region, "  " BOLD "%s:" PLAIN " ", remedy.title), 4,
            remedy.paragraphs[i]);
}

static void identity_line(struct dlw_readable *text, const struct dlw_doc_finding *finding)
{
    const struct dlw_doc_process *process = finding->process;
    struct dlw_region *region = &text->doc->region;
    const char *line = "";
    if (process)
        line = dlw_region_print(region, "%s; ", process->exe ? dlw_base_name(process->exe) : "?");
    /* Else the prefix says it. */
    if (process && !text->options->live)
        line = dlw_region_print(region, "process %u, %s", process->pid, line);
    if (finding->count > 1)
        line = dlw_region_print(region, "%sseen %llu times; ", line,
                                (unsigned long long)finding->count);
    const char *certainty = dlw_finding_certainty(region, finding);
    if (certainty)
        line = dlw_region_print(region, "%s%s; ", line, certainty);
    dlw_readable_prose(
        text, FAINT "  (", 3,
        dlw_region_print(region, "%sfingerprint %s)" PLAIN, line, finding->fingerprint));
}

void dlw_readable_finding(struct dlw_readable *text, const struct dlw_doc_finding *finding)
{
    const char *mark = finding->severity == DLW_ERROR     ? RED
                       : finding->severity == DLW_WARNING ? YELLOW
                                                          : CYAN;
    dlw_readable_prose(text,
                       dlw_region_print(&text->doc->region, "%s%s: %s:" PLAIN " ", mark,
                                        dlw_severity_word(finding->severity),
                                        dlw_kind_word(finding->kind)),
                       2, finding->message);
    identity_line(text, finding);
    dlw_readable_legend(text, finding);
    if (finding->n_cycle)
        cycle_lines(text, finding);
    else if (dlw_kind_form(finding->kind) != DLW_FORM_CALL || !finding->n_threads)
        dlw_readable_states(text, finding, finding->threads, finding->n_threads);
    else
        accused_lines(text, finding);
    if (text->doc->has_timeline)
        dlw_readable_timeline(text, finding);
    remedy_lines(text, finding);
    fputc('\n', text->out);
}
