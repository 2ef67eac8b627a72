/* What to do about a stall and about calls that were wrong by themselves; words for all advice. */
#include "report/command/advice/remedy.h"
#include "report/command/document/classify.h"
#include "report/command/document/labels.h"
#include "report/command/document/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void dlw_remedy_say(struct advising *advising, const char *format, ...)
{
    struct dlw_remedy *remedy = &advising->remedy;
    char text[2048];
    if (remedy->n == sizeof(remedy->paragraphs) / sizeof(remedy->paragraphs[0]))
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    remedy->paragraphs[remedy->n++] = dlw_region_copy(advising->region, text);
}

const char *dlw_remedy_lock(const struct advising *advising, const struct dlw_doc_lock *lock)
{
    return advising->by_labels ? dlw_lock_label(advising->region, advising->finding, lock)
                               : dlw_finding_lock_title(advising->region, advising->finding, lock);
}

const char *dlw_remedy_thread(const struct advising *advising, const struct dlw_doc_thread *thread)
{
    return advising->by_labels
               ? dlw_thread_label(advising->region, advising->finding, thread)
               : dlw_finding_thread_title(advising->region, advising->finding, thread);
}

const struct dlw_frame *dlw_remedy_frame(const struct dlw_stack *stack)
{
    size_t place = dlw_stack_place(stack);
    return place < stack->n ? &stack->frames[place] : NULL;
}

const char *dlw_remedy_place(const struct advising *advising, const struct dlw_stack *stack)
{
    struct dlw_region *region = advising->region;
    const struct dlw_frame *frame = dlw_remedy_frame(stack);
    if (!frame)
        return "a place that could not be known";
    if (!frame->function)
        return dlw_frame_place(region, frame);
    return dlw_region_print(region, "%s (%s)", dlw_function_title(region, frame->function),
                            dlw_frame_place(region, frame));
}

const char *dlw_remedy_taken(const struct advising *advising, const struct dlw_stack *stack)
{
    return dlw_remedy_frame(stack) ? dlw_region_print(advising->region, ", taken in %s,",
                                                      dlw_remedy_place(advising, stack))
                                   : "";
}

static const struct dlw_stack *taken_at(const struct dlw_doc_state *holder,
                                        const struct dlw_doc_lock *lock)
{
    static const struct dlw_stack none;
    for (size_t i = 0; i < holder->n_holds; i++)
        if (holder->holds[i].lock == lock)
            return &holder->holds[i].stack;
    return &none;
}

/* One waits for what another keeps while it sleeps: if it is the one that would wake the other,
 * that is the deadlock. */
static void say_half_circle(struct advising *advising)
{
    const struct dlw_doc_finding *finding = advising->finding;
    for (size_t i = 0; i < finding->n_threads; i++) {
        const struct dlw_doc_state *waiter = &finding->threads[i];
        const struct dlw_doc_state *holder = dlw_finding_holder(finding, waiter);
        if (!holder)
            continue;
        const struct dlw_stack *taken = taken_at(holder, waiter->on);
        dlw_remedy_say(advising,
                       "Let go of %s%s before %s waits: %s needs it, and may be the one to end "
                       "that wait.",
                       dlw_remedy_lock(advising, waiter->on), dlw_remedy_taken(advising, taken),
                       dlw_remedy_place(advising, &holder->stack),
                       dlw_remedy_thread(advising, waiter->thread));
        return;
    }
}

/* What the last signal of the condition was, as far as it is known, says what to change. */
static void say_condition(struct advising *advising, const struct dlw_doc_state *waiter)
{
    const struct dlw_doc_signal *signal = &waiter->signal;
    const struct dlw_frame *frame = dlw_remedy_frame(&signal->stack);
    const char *where =
        frame && dlw_frame_is_own(frame) ? dlw_remedy_place(advising, &signal->stack) : NULL;
    if (signal->is_known && !signal->count && waiter->on)
        dlw_remedy_say(advising,
                       "Nobody has signalled %s: see which line should, and why it was not "
                       "reached.",
                       dlw_remedy_lock(advising, waiter->on));
    else if (signal->count && where && signal->is_before)
        dlw_remedy_say(advising,
                       "The signal in %s came before the wait in %s began, and one that nobody "
                       "waits for is lost: set a variable under the mutex, then signal; wait in a "
                       "loop, while (!ready).",
                       where, dlw_remedy_place(advising, &waiter->stack));
    else if (signal->count && where)
        dlw_remedy_say(advising,
                       "A signal wakes one of those who wait: where all are to go on, %s must wake "
                       "all (pthread_cond_broadcast, notify_all).",
                       where);
    else
        dlw_remedy_say(advising,
                       "A signal that comes while nobody waits is lost: set a variable under the "
                       "mutex, then signal; wait in a loop, while (!ready).");
}

void dlw_remedy_stall(struct advising *advising)
{
    const struct dlw_doc_finding *finding = advising->finding;
    const struct dlw_doc_state *on_condition = NULL, *at_barrier = NULL;
    for (size_t i = 0; i < finding->n_threads; i++) {
        const struct dlw_doc_state *state = &finding->threads[i];
        if (state->waits == DLW_WAIT_CONDITION && !on_condition)
            on_condition = state;
        if (state->parties > state->arrived && state->on)
            at_barrier = state;
    }
    say_half_circle(advising);
    if (at_barrier)
        dlw_remedy_say(advising,
                       "%s lets nobody go before %u more come: see why they don't (they wait "
                       "elsewhere, have ended, or were never made), or make it for %u.",
                       dlw_remedy_lock(advising, at_barrier->on),
                       at_barrier->parties - at_barrier->arrived, at_barrier->arrived);
    if (on_condition)
        say_condition(advising, on_condition);
    dlw_remedy_say(advising, "%s", dlw_kind_words(DLW_STALL)->advice);
}

void dlw_remedy_accusation(struct advising *advising)
{
    const struct dlw_doc_state *state = &advising->finding->threads[0];
    const char *where = dlw_remedy_place(advising, &state->stack);
    const char *what = state->on ? dlw_remedy_lock(advising, state->on) : "the lock";
    dlw_remedy_say(advising, "%s",
                   dlw_words_fill(advising->region, dlw_kind_words(advising->finding->kind)->advice,
                                  what, where));
}
