/*
 * What would have ended the waits of a stall: how often a condition was signalled, how many came to
 * a barrier. And its half circles: who waits for a lock that another sleeper holds, and what that
 * one waits for. A circle that closes is a deadlock; here the last step is something nobody holds.
 */
#include "report/command/document/classify.h"
#include "report/command/document/words.h"

enum { MOST = 2 }; /* told one by one: a message is a line */

struct half {
    const struct dlw_doc_lock *lock;
    const struct dlw_doc_state *waiter, *holder;
    size_t n_waiters;
};

static bool holds(const struct dlw_doc_state *state, const struct dlw_doc_lock *lock)
{
    for (size_t i = 0; i < state->n_holds; i++)
        if (state->holds[i].lock == lock)
            return true;
    return false;
}

/* The first who holds it stands for all; who waits for what it holds itself is no half circle. */
const struct dlw_doc_state *dlw_finding_holder(const struct dlw_doc_finding *finding,
                                               const struct dlw_doc_state *waiter)
{
    if (!waiter->on || holds(waiter, waiter->on))
        return NULL;
    for (size_t i = 0; i < finding->n_threads; i++)
        if (&finding->threads[i] != waiter && holds(&finding->threads[i], waiter->on))
            return &finding->threads[i];
    return NULL;
}

static const char *what_of(struct dlw_region *region, const struct dlw_doc_finding *finding,
                           const struct dlw_doc_state *state)
{
    const char *phrase = dlw_wait_words(state->waits)->phrase;
    if (state->waits == DLW_WAIT_SYSCALL)
        return dlw_region_print(region, "%s %s", phrase, state->syscall ? state->syscall : "?");
    if (!state->on)
        return phrase;
    const char *title = dlw_finding_lock_title(region, finding, state->on);
    return dlw_region_print(region, "%s %s", dlw_wait_phrase_of(region, state, title), title);
}

static const char *tell(struct dlw_region *region, const struct dlw_doc_finding *finding,
                        const struct half *half)
{
    const char *who =
        half->n_waiters == 1
            ? dlw_region_print(region, "%s waits",
                               dlw_finding_thread_title(region, finding, half->waiter->thread))
            : dlw_region_print(region, "%zu threads wait", half->n_waiters);
    return dlw_region_print(region, "%s for %s, which %s holds while it %s", who,
                            dlw_finding_lock_title(region, finding, half->lock),
                            dlw_finding_thread_title(region, finding, half->holder->thread),
                            what_of(region, finding, half->holder));
}

static void add(struct half *halves, size_t *n, const struct dlw_doc_state *waiter,
                const struct dlw_doc_state *holder)
{
    for (size_t i = 0; i < *n; i++) {
        if (halves[i].lock != waiter->on)
            continue;
        halves[i].n_waiters++;
        return;
    }
    halves[(*n)++] = (struct half){waiter->on, waiter, holder, 1};
}

const char *dlw_finding_half_circles(struct dlw_region *region,
                                     const struct dlw_doc_finding *finding)
{
    struct half *halves = dlw_region_alloc(region, (finding->n_threads + 1) * sizeof(*halves));
    const char *text = NULL;
    size_t n = 0;
    for (size_t i = 0; i < finding->n_threads; i++) {
        const struct dlw_doc_state *holder = dlw_finding_holder(finding, &finding->threads[i]);
        if (holder)
            add(halves, &n, &finding->threads[i], holder);
    }
    for (size_t i = 0; i < n && i < MOST; i++)
        text = dlw_region_print(region, "%s%s%s", text ? text : "", text ? "; " : "",
                                tell(region, finding, &halves[i]));
    return n > MOST ? dlw_region_print(region, "%s; and %zu more like that", text, n - MOST) : text;
}

static const char *signal_facts(struct dlw_region *region, const struct dlw_doc_finding *finding,
                                const struct dlw_doc_state *state)
{
    const struct dlw_doc_signal *signal = &state->signal;
    size_t place = dlw_stack_place(&signal->stack);
    const struct dlw_frame *frame = place < signal->stack.n ? &signal->stack.frames[place] : NULL;
    bool is_own = frame && dlw_frame_is_own(frame);
    if (!signal->count)
        return "it was never signalled";
    const char *often = signal->count == 1 ? "once"
                                           : dlw_region_print(region, "%llu times, last",
                                                              (unsigned long long)signal->count);
    /* Another may have lived where this one lies. */
    if (!state->on || !state->on->name)
        often = signal->count == 1 ? "once at this address"
                                   : dlw_region_print(region, "at this address %s", often);
    const char *who =
        signal->thread ? dlw_region_print(region, " by %s",
                                          dlw_finding_thread_title(region, finding, signal->thread))
                       : "";
    const char *where =
        is_own
            ? dlw_region_print(region, frame->function ? " in %s (%s)" : " at %s%s",
                               frame->function ? dlw_function_title(region, frame->function) : "",
                               dlw_frame_place(region, frame))
            : "";
    return dlw_region_print(region, "the condition was signalled %s%s%s, %s this wait began", often,
                            who, where, signal->is_before ? "before" : "after");
}

const char *dlw_state_facts(struct dlw_region *region, const struct dlw_doc_finding *finding,
                            const struct dlw_doc_state *state)
{
    if (state->parties)
        return dlw_region_print(region, "%u of %u have come to it", state->arrived, state->parties);
    return state->signal.is_known && finding ? signal_facts(region, finding, state) : NULL;
}
