/* The one line that says what is wrong. */
#include "report/command/document/classify.h"
#include "report/command/document/words.h"

#include <string.h>

static const char *lock(struct dlw_region *region, const struct dlw_doc_finding *finding,
                        const struct dlw_doc_lock *which)
{
    return which ? dlw_finding_lock_title(region, finding, which) : "a lock";
}

static const char *thread(struct dlw_region *region, const struct dlw_doc_finding *finding,
                          const struct dlw_doc_thread *which)
{
    return dlw_finding_thread_title(region, finding, which);
}

bool dlw_finding_holder_is_gone(const struct dlw_doc_finding *finding)
{
    return finding->n_cycle == 1 && (finding->cycle[0].holder || finding->gone);
}

bool dlw_step_is_in_line(const struct dlw_doc_finding *finding, const struct dlw_doc_step *step)
{
    return finding->n_cycle > 1 && step->holds.lock == step->wants.lock &&
           strcmp(step->wants.lock->kind, "rwlock") == 0 && step->wants.mode == DLW_EXCLUSIVE &&
           step->holds.mode == DLW_EXCLUSIVE;
}

static bool is_initialiser(const struct dlw_doc_lock *lock)
{
    return strcmp(lock->kind, "once") == 0 || strcmp(lock->kind, "guard") == 0;
}

static const char *alone(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    const struct dlw_doc_step *step = &finding->cycle[0];
    const char *who = thread(region, finding, step->thread);
    const char *what = lock(region, finding, step->wants.lock);
    if (dlw_doc_is_file(step->wants.lock))
        return dlw_region_print(region, "%s waits for the lock of %s, which its own process has",
                                who, what);
    if (finding->gone || finding->reason)
        return dlw_region_print(region, "%s waits for %s for ever: %s", who, what,
                                finding->gone ? finding->gone : finding->reason);
    if (is_initialiser(step->wants.lock))
        return dlw_region_print(region, "%s asks for %s while it still runs its initialiser", who,
                                what);
    if (dlw_doc_is_thread(step->wants.lock))
        return dlw_region_print(region, "%s waits for its own end", who);
    if (strcmp(step->wants.lock->kind, "rwlock") == 0 && step->holds.mode == DLW_SHARED)
        return dlw_region_print(region, "%s wants to write under %s while it holds it for reading",
                                who, what);
    return dlw_region_print(region, "%s waits for %s, which it holds itself", who, what);
}

/* Every step wants one more of the same semaphore. */
static bool is_pool(const struct dlw_doc_finding *finding)
{
    for (size_t i = 0; i < finding->n_cycle; i++)
        if (strcmp(finding->cycle[i].wants.lock->kind, "semaphore") != 0 ||
            finding->cycle[i].wants.lock != finding->cycle[0].wants.lock)
            return false;
    return true;
}

static const char *pool(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    const char *names = thread(region, finding, finding->cycle[0].thread);
    for (size_t i = 1; i < finding->n_cycle && i < 8; i++)
        names = dlw_region_print(region, "%s%s%s", names, i + 1 < finding->n_cycle ? ", " : " and ",
                                 thread(region, finding, finding->cycle[i].thread));
    return dlw_region_print(region,
                            "%s%s each keep one of %s and wait for another, and nobody is left to "
                            "give one back",
                            names, finding->n_cycle > 8 ? " and others" : "",
                            lock(region, finding, finding->cycle[0].wants.lock));
}

/* The writer at `i` stands between a thread and its second reading. */
static const char *in_line(struct dlw_region *region, const struct dlw_doc_finding *finding,
                           size_t i)
{
    const struct dlw_doc_step *reader = dlw_next_step(finding, i);
    return dlw_region_print(region,
                            "%s asks for %s while %s, a writer, stands in line before it and waits "
                            "for it to let go",
                            thread(region, finding, reader->thread),
                            lock(region, finding, reader->wants.lock),
                            thread(region, finding, finding->cycle[i].thread));
}

static const char *deadlock(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    if (finding->n_cycle == 1)
        return alone(region, finding);
    if (finding->n_cycle && is_pool(finding))
        return pool(region, finding);
    for (size_t i = 0; i < finding->n_cycle && finding->n_cycle == 2; i++)
        if (dlw_step_is_in_line(finding, &finding->cycle[i]))
            return in_line(region, finding, i);
    if (finding->n_cycle == 2)
        return dlw_region_print(region, "%s and %s wait for each other, and neither can go on",
                                thread(region, finding, finding->cycle[0].thread),
                                thread(region, finding, finding->cycle[1].thread));
    if (finding->n_cycle)
        return dlw_region_print(region,
                                "%zu threads wait for each other in a circle, and none can "
                                "go on",
                                finding->n_cycle);
    return dlw_region_print(region, "%zu threads wait for each other, and none can go on",
                            finding->n_threads);
}

/* One of two joins the other with a lock in hand that the other takes before its end. */
static const char *join_inversion(struct dlw_region *region, const struct dlw_doc_finding *finding,
                                  const struct dlw_doc_step *joins, const struct dlw_doc_step *ends)
{
    return dlw_region_print(
        region, "%s joins %s while it holds %s, which %s takes before it ends",
        thread(region, finding, joins->thread), thread(region, finding, ends->thread),
        lock(region, finding, joins->holds.lock), thread(region, finding, ends->thread));
}

/* In another run it was another thread of the same work. */
static bool is_one_thread(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    const struct dlw_doc_step *step = finding->cycle;
    return step[0].thread == step[1].thread ||
           (finding->across_runs && strcmp(thread(region, finding, step[0].thread),
                                           thread(region, finding, step[1].thread)) == 0);
}

static const char *inversion(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    const struct dlw_doc_step *step = finding->cycle;
    for (size_t i = 0; i < 2 && finding->n_cycle == 2; i++)
        if (dlw_doc_is_thread(step[i].wants.lock))
            return join_inversion(region, finding, &step[i], &step[1 - i]);
    if (finding->n_cycle == 1)
        return dlw_region_print(region, "%s is asked for while it is held",
                                lock(region, finding, step[0].wants.lock));
    if (finding->n_cycle == 2 && is_one_thread(region, finding))
        return dlw_region_print(region, "%s takes %s before %s %s, and the other way round %s",
                                thread(region, finding, step[0].thread),
                                lock(region, finding, step[0].holds.lock),
                                lock(region, finding, step[0].wants.lock),
                                finding->across_runs ? "in one run" : "at one time",
                                finding->across_runs ? "in another" : "at another");
    if (finding->n_cycle == 2)
        return dlw_region_print(
            region, "%s takes %s before %s, %s takes them the other way round",
            thread(region, finding, step[0].thread), lock(region, finding, step[0].holds.lock),
            lock(region, finding, step[0].wants.lock), thread(region, finding, step[1].thread));
    return dlw_region_print(region, "%zu locks are taken in an order that goes round in a circle",
                            finding->n_cycle);
}

static const char *accusation(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    const struct dlw_doc_state *state = &finding->threads[0];
    const char *who = thread(region, finding, state->thread);
    const char *what = lock(region, finding, state->on);
    const char *because = finding->reason ? finding->reason : "";
    const char *open = finding->reason ? " (" : "", *close = finding->reason ? ")" : "";
    return dlw_region_print(
        region, "%s %s%s%s%s", who,
        dlw_words_fill(region, dlw_kind_words(finding->kind)->message, what, ""), open, because,
        close);
}

static const char *stall(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    const char *halves = dlw_finding_half_circles(region, finding);
    const char *who = finding->n_threads == 1 ? "the only thread waits"
                      : finding->n_threads == 2
                          ? "both threads wait"
                          : dlw_region_print(region, "all %zu threads wait", finding->n_threads);
    return dlw_region_print(
        region, "%s, and %s left that could wake %s%s%s", who,
        finding->doubt == DLW_DOUBT_SIGNAL ? "only a signal handler is" : "nothing is",
        finding->n_threads == 1 ? "it" : "one of them", halves ? ": " : "", halves ? halves : "");
}

const char *dlw_finding_message(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    switch (dlw_kind_form(finding->kind)) {
    case DLW_FORM_CYCLE:
        return finding->kind == DLW_DEADLOCK ? deadlock(region, finding)
                                             : inversion(region, finding);
    case DLW_FORM_STALL:
        return stall(region, finding);
    default:
        return finding->n_threads ? accusation(region, finding) : dlw_kind_word(finding->kind);
    }
}

static const char *place_of(struct dlw_region *region, const struct dlw_doc_finding *finding,
                            const char *folder)
{
    const struct dlw_frame *frame = dlw_finding_frame(finding);
    if (frame && frame->file && frame->line)
        return dlw_region_print(region, "%s:%u", dlw_frame_path(region, frame, folder),
                                frame->line);
    if (frame && frame->module) {
        const char *slash = strrchr(frame->module, '/');
        return dlw_region_print(region, "%s+0x%llx", slash ? slash + 1 : frame->module,
                                (unsigned long long)frame->offset);
    }
    return finding->process && finding->process->exe ? finding->process->exe : "dlwatch";
}

const char *dlw_finding_line(struct dlw_region *region, const struct dlw_doc_finding *finding,
                             const char *folder)
{
    return dlw_region_print(region, "%s: %s: %s [%s]", place_of(region, finding, folder),
                            dlw_severity_word(finding->severity), finding->message,
                            dlw_kind_word(finding->kind));
}

bool dlw_finding_each_stack(const struct dlw_doc_finding *finding, dlw_stack_visit *visit,
                            void *context)
{
    for (size_t i = 0; i < finding->n_cycle; i++)
        if (visit(context, &finding->cycle[i].holds.stack) ||
            visit(context, &finding->cycle[i].wants.stack))
            return true;
    for (size_t i = 0; i < finding->n_threads; i++) {
        const struct dlw_doc_state *state = &finding->threads[i];
        if (visit(context, &state->stack))
            return true;
        for (size_t j = 0; j < state->n_holds; j++)
            if (visit(context, &state->holds[j].stack))
                return true;
    }
    return false;
}
