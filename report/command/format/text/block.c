/*
 * One finding for people: a sentence, the circle in a line, each thread with what it holds and what
 * it wants, how sure it is, and what would break it.
 */
#include "report/command/document/words.h"
#include "report/command/format/text/parts.h"

#include "report/command/document/classify.h"

#include <string.h>

enum { MAX_STEPS = 12, MAX_LIST = 40 };

static const char *lock(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                        const struct dlw_doc_lock *which)
{
    struct dlw_region *region = &text->doc->region;
    return finding ? dlw_finding_lock_title(region, finding, which) : dlw_lock_title(region, which);
}

static const char *thread(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                          const struct dlw_doc_thread *which)
{
    struct dlw_region *region = &text->doc->region;
    return finding ? dlw_finding_thread_title(region, finding, which)
                   : dlw_thread_title(region, which);
}

/* The contract's word, or plainer ones. */
static const char *kind_of(const struct dlw_doc_lock *which)
{
    static const char *const plain[][2] = {
        {"spin", "spin lock"},    {"rwlock", "read-write lock"},           {"once", "once-routine"},
        {"file", "stdio's lock"}, {"guard", "initialisation of a static"}, {"custom", "lock"}};
    if (dlw_doc_is_file(which))
        return "lock of a file";
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (strcmp(which->kind, plain[i][0]) == 0)
            return plain[i][1];
    return which->kind;
}

/* "forks[1] (mutex, forks+40)": the title, with what else identifies it. */
static const char *full_lock(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                             const struct dlw_doc_lock *which)
{
    const char *title = lock(text, finding, which);
    if (which->thread || dlw_doc_is_thread(which))
        return title;
    bool names_kind = strncmp(title, "the ", 4) == 0;
    bool has_other_name =
        which->name && which->expression && strcmp(which->name, which->expression) != 0;
    if (names_kind && !has_other_name)
        return title;
    return dlw_region_print(&text->doc->region, "%s (%s%s%s)", title,
                            names_kind ? "" : kind_of(which), has_other_name ? ", " : "",
                            has_other_name ? which->name : "");
}

static const char *for_mode(const struct dlw_doc_hold *hold)
{
    if (strcmp(hold->lock->kind, "rwlock") != 0)
        return "";
    return hold->mode == DLW_SHARED ? " for reading" : " for writing";
}

/* worker-1 --wants b--> worker-2 --wants a--> worker-1 */
static const char *wait_circle(struct dlw_readable *text, const struct dlw_doc_finding *finding)
{
    struct dlw_region *region = &text->doc->region;
    const char *line = thread(text, finding, finding->cycle[0].thread);
    for (size_t i = 0; i < finding->n_cycle; i++)
        line = dlw_region_print(region, "%s --waits for %s--> %s", line,
                                lock(text, finding, finding->cycle[i].wants.lock),
                                thread(text, finding, dlw_wanted_from(finding, i)));
    return line;
}

/* a --then--> b (worker-1), b --then--> a (worker-2) */
static const char *order_circle(struct dlw_readable *text, const struct dlw_doc_finding *finding)
{
    struct dlw_region *region = &text->doc->region;
    const char *line = lock(text, finding, finding->cycle[0].holds.lock);
    for (size_t i = 0; i < finding->n_cycle; i++)
        line = dlw_region_print(region, "%s --%s--> %s", line,
                                thread(text, finding, finding->cycle[i].thread),
                                lock(text, finding, finding->cycle[i].wants.lock));
    return line;
}

static void thread_heading(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                           const struct dlw_doc_thread *which, const char *scope)
{
    const char *title = thread(text, finding, which);
    bool is_number = strncmp(title, "thread ", 7) == 0;
    fprintf(text->out, "\n  " BOLD "Thread %s" PLAIN, title + (is_number ? 7 : 0));
    if (which->tid && which->name && !strstr(title, "(tid "))
        fprintf(text->out, " (tid %u)", which->tid);
    bool is_elsewhere = finding ? which->process != finding->process : text->doc->n_processes > 1;
    if (which->process && is_elsewhere)
        fprintf(text->out, " of process %u, %s", which->process->pid,
                which->process->exe ? which->process->exe : "?");
    if (scope)
        fprintf(text->out, ", in test %s", scope);
    fputc('\n', text->out);
}

static void hold_lines(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                       const struct dlw_doc_hold *hold, const struct dlw_doc_process *process,
                       const char *verb)
{
    /* That a thread "holds its own end" explains itself in what it wants. */
    if (dlw_doc_is_thread(hold->lock))
        return;
    const char *where = hold->stack.n ? ", taken" : " (where it was taken is not known)";
    dlw_readable_prose(text, "    ", 6,
                       dlw_region_print(&text->doc->region, "%s " BOLD "%s" PLAIN "%s%s", verb,
                                        full_lock(text, finding, hold->lock), for_mode(hold),
                                        where));
    if (hold->stack.n)
        dlw_readable_stack(text, 6, &hold->stack, process);
}

static void want_lines(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                       const struct dlw_doc_hold *want, const struct dlw_doc_process *process)
{
    const char *verb = finding->kind == DLW_DEADLOCK   ? "waits for"
                       : dlw_doc_is_thread(want->lock) ? "then waits for"
                                                       : "then takes";
    dlw_readable_prose(text, "    ", 6,
                       dlw_region_print(&text->doc->region, "%s " BOLD "%s" PLAIN "%s%s, asked for",
                                        verb, full_lock(text, finding, want->lock), for_mode(want),
                                        want->timed ? " (with a time limit)" : ""));
    dlw_readable_stack(text, 6, &want->stack, process);
}

static const struct dlw_doc_process *process_of(const struct dlw_doc_finding *finding,
                                                const struct dlw_doc_thread *which)
{
    return which->process || !finding ? which->process : finding->process;
}

static void step_lines(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                       const struct dlw_doc_step *step)
{
    const struct dlw_doc_process *process = process_of(finding, step->thread);
    thread_heading(text, finding, step->thread, step->scope);
    if (dlw_step_is_in_line(finding, step))
        fprintf(text->out, "    is next in line for " BOLD "%s" PLAIN "\n",
                lock(text, finding, step->holds.lock));
    else if (!dlw_finding_holder_is_gone(finding))
        hold_lines(text, finding, &step->holds, process,
                   dlw_doc_is_file(step->holds.lock) ? "is of the process that holds" : "holds");
    want_lines(text, finding, &step->wants, process);
    if (!step->holder)
        return;
    thread_heading(text, finding, step->holder, NULL);
    hold_lines(text, finding, &step->holds, process_of(finding, step->holder), "still holds");
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
    const char *title = full_lock(text, finding, state->on);
    return dlw_region_print(region, "%s " BOLD "%s" PLAIN "%s",
                            dlw_wait_phrase_for(region, phrase, title), title, for_mode(&want));
}

void dlw_readable_state(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                        const struct dlw_doc_state *state)
{
    const struct dlw_doc_process *process = process_of(finding, state->thread);
    const char *line = wait_phrase(text, finding, state);
    if (state->since >= 0)
        line = dlw_region_print(&text->doc->region, "%s, for %s%.*f s", line,
                                state->is_least ? "at least " : "", state->since < 10 ? 1 : 0,
                                state->since);
    dlw_readable_prose(text, "    ", 6,
                       dlw_region_print(&text->doc->region, "%s%s", line,
                                        state->timed ? " (with a time limit)" : ""));
    if (state->note)
        fprintf(text->out, "    " FAINT "(%s)" PLAIN "\n", state->note);
    if (state->stack.n || (state->waits != DLW_WAIT_NONE && state->waits != DLW_WAIT_SYSCALL))
        dlw_readable_stack(text, 6, &state->stack, process);
    for (size_t i = 0; i < state->n_holds; i++)
        hold_lines(text, finding, &state->holds[i], process, "and holds");
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
        thread_heading(text, finding, states[i].thread, NULL);
        dlw_readable_state(text, finding, &states[i]);
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
    thread_heading(text, finding, state->thread, NULL);
    fprintf(text->out, "    %s " BOLD "%s" PLAIN "\n", dlw_kind_words(finding->kind)->verb,
            state->on ? full_lock(text, finding, state->on) : "a lock");
    if (state->stack.n)
        dlw_readable_stack(text, 6, &state->stack, process);
    for (size_t i = 0; i < state->n_holds; i++)
        hold_lines(text, finding, &state->holds[i], process,
                   finding->kind == DLW_EXIT_HOLDING_LOCK ? "it holds" : "and holds");
    if (finding->n_threads > 1)
        dlw_readable_states(text, finding, finding->threads + 1, finding->n_threads - 1);
}

static void cycle_lines(struct dlw_readable *text, const struct dlw_doc_finding *finding)
{
    bool waits = finding->kind == DLW_DEADLOCK;
    dlw_readable_prose(
        text, "\n  ", 4,
        dlw_region_print(&text->doc->region, "%s %s", waits ? "The circle:" : "The orders:",
                         waits ? wait_circle(text, finding) : order_circle(text, finding)));
    for (size_t i = 0; i < finding->n_cycle && i < MAX_STEPS; i++)
        step_lines(text, finding, &finding->cycle[i]);
    if (finding->n_cycle > MAX_STEPS)
        fprintf(text->out, "\n  %zu more threads of the circle are listed by --format=json.\n",
                finding->n_cycle - MAX_STEPS);
}

static void lock_origins(struct dlw_readable *text, const struct dlw_doc_finding *finding)
{
    bool is_headed = false;
    for (size_t i = 0; i < finding->n_locks; i++) {
        const struct dlw_doc_lock *which = finding->locks[i];
        /* A variable's name says it already. */
        if (which->name || !which->created.n || dlw_doc_is_thread(which))
            continue;
        fprintf(text->out, "%s  %s:\n", is_headed ? "" : "\n", lock(text, finding, which));
        dlw_readable_stack(text, 6, &which->created, finding->process);
        is_headed = true;
    }
}

static void remedy_lines(struct dlw_readable *text, const struct dlw_doc_finding *finding)
{
    struct dlw_region *region = &text->doc->region;
    const char *confidence = dlw_finding_confidence(region, finding);
    if (confidence)
        dlw_readable_prose(text, "\n  " BOLD "How sure:" PLAIN " ", 4, confidence);
    struct dlw_remedy remedy = dlw_finding_remedy(region, finding);
    for (size_t i = 0; i < remedy.n; i++)
        dlw_readable_prose(
            text, i ? "    " : dlw_region_print(region, "\n  " BOLD "%s:" PLAIN " ", remedy.title),
            4, remedy.paragraphs[i]);
}

static void identity_line(struct dlw_readable *text, const struct dlw_doc_finding *finding)
{
    const struct dlw_doc_process *process = finding->process;
    struct dlw_region *region = &text->doc->region;
    const char *line = "";
    if (process)
        line = dlw_region_print(region, "process %u, %s; ", process->pid,
                                process->exe ? process->exe : "?");
    if (finding->count > 1)
        line = dlw_region_print(region, "%sseen %llu times; ", line,
                                (unsigned long long)finding->count);
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
    if (finding->n_cycle)
        cycle_lines(text, finding);
    else if (dlw_kind_form(finding->kind) != DLW_FORM_CALL || !finding->n_threads)
        dlw_readable_states(text, finding, finding->threads, finding->n_threads);
    else
        accused_lines(text, finding);
    lock_origins(text, finding);
    remedy_lines(text, finding);
    fputc('\n', text->out);
}
