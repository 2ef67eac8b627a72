/* What to do about a stall and about calls that were wrong by themselves; words for all advice. */
#include "report/command/advice/remedy.h"
#include "report/command/document/classify.h"
#include "report/command/document/words.h"

#include <string.h>

void dlw_remedy_say(struct dlw_remedy *remedy, const char *text)
{
    if (remedy->n < sizeof(remedy->paragraphs) / sizeof(remedy->paragraphs[0]))
        remedy->paragraphs[remedy->n++] = text;
}

const struct dlw_frame *dlw_remedy_frame(const struct dlw_stack *stack)
{
    size_t place = dlw_stack_place(stack);
    return place < stack->n ? &stack->frames[place] : NULL;
}

/* "transfer (bank.c:31)" */
const char *dlw_remedy_place(struct dlw_region *region, const struct dlw_stack *stack)
{
    const struct dlw_frame *frame = dlw_remedy_frame(stack);
    if (!frame)
        return "a place that could not be known";
    if (!frame->function)
        return dlw_frame_place(region, frame);
    return dlw_region_print(region, "%s (%s)", dlw_short_name(region, frame->function),
                            dlw_frame_place(region, frame));
}

void dlw_remedy_stall(struct dlw_region *region, const struct dlw_doc_finding *finding,
                      struct dlw_remedy *remedy)
{
    bool on_condition = false;
    for (size_t i = 0; i < finding->n_threads; i++)
        on_condition |= finding->threads[i].waits == DLW_WAIT_CONDITION;
    (void)region;
    if (on_condition)
        dlw_remedy_say(
            remedy, "A condition that is signalled while nobody waits is lost. Keep what is waited "
                    "for in a variable, change it and signal while holding the mutex, and wait in "
                    "a loop: while (!ready) pthread_cond_wait(&condition, &mutex);");
    dlw_remedy_say(remedy, dlw_kind_words(DLW_STALL)->advice);
}

void dlw_remedy_accusation(struct dlw_region *region, const struct dlw_doc_finding *finding,
                           struct dlw_remedy *remedy)
{
    const struct dlw_doc_state *state = &finding->threads[0];
    const char *where = dlw_remedy_place(region, &state->stack);
    const char *what = state->on ? dlw_finding_lock_title(region, finding, state->on) : "the lock";
    dlw_remedy_say(remedy,
                   dlw_words_fill(region, dlw_kind_words(finding->kind)->advice, what, where));
}
