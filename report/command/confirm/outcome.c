/* What is said of the tries of a finding: how far they came, and why no further. */
#include "report/command/confirm/confirm.h"

#include "report/command/document/classify.h"

static void add_counts(struct dlw_steering *sum, const struct dlw_steering *one)
{
    sum->processes += one->processes;
    sum->met += one->met;
    sum->exhausted += one->exhausted;
    for (size_t i = 0; i < DLW_STEERING_ROLES; i++) {
        sum->roles[i].entered += one->roles[i].entered;
        sum->roles[i].reached += one->roles[i].reached;
        sum->roles[i].expired += one->roles[i].expired;
        sum->roles[i].blocked += one->roles[i].blocked;
        if (sum->roles[i].stood < one->roles[i].stood)
            sum->roles[i].stood = one->roles[i].stood;
    }
}

void dlw_outcome_add(struct dlw_outcome *outcome, struct dlw_region *region,
                     const struct dlw_try *one)
{
    outcome->tries++;
    add_counts(&outcome->sum, &one->counts);
    for (size_t i = 0; i < DLW_STEERING_ROLES; i++)
        if (outcome->arrivals < one->counts.roles[i].reached)
            outcome->arrivals = one->counts.roles[i].reached;
    if (outcome->longest < one->seconds)
        outcome->longest = one->seconds;
    if (one->deadlock) {
        outcome->reached++;
        return;
    }
    if (one->other) {
        outcome->hung++;
        outcome->other = dlw_region_copy(region, one->other->message);
    } else if (one->timed_out) {
        outcome->timed_out++;
    } else if (one->status != 0) {
        outcome->failed++;
        outcome->status = one->status;
    }
}

/* ---- sentences ---- */

static const char *thread_of(struct dlw_region *region, const struct dlw_doc_finding *finding,
                             size_t step)
{
    return dlw_finding_thread_title(region, finding, finding->cycle[step].thread);
}

static const char *lock_of(struct dlw_region *region, const struct dlw_doc_finding *finding,
                           const struct dlw_doc_lock *lock)
{
    return dlw_finding_lock_title(region, finding, lock);
}

static const char *place_of(struct dlw_region *region, const struct dlw_stack *stack)
{
    size_t i = dlw_stack_place(stack);
    return i < stack->n ? dlw_frame_place(region, &stack->frames[i]) : "a place that is not known";
}

/* " while it held accounts[1].lock" */
static const char *while_holding(struct dlw_region *region, const struct dlw_doc_finding *finding,
                                 size_t step)
{
    const struct dlw_doc_lock *lock = finding->cycle[step].holds.lock;
    return dlw_doc_is_thread(lock)
               ? ""
               : dlw_region_print(region, " while it held %s", lock_of(region, finding, lock));
}

/* The step where somebody stood longest. */
static size_t waiting_step(const struct dlw_outcome *outcome, const struct dlw_doc_finding *finding)
{
    size_t most = 0;
    for (size_t i = 1; i < finding->n_cycle; i++)
        if (outcome->sum.roles[i].stood > outcome->sum.roles[most].stood)
            most = i;
    return most;
}

/* Of a circle of two the one other; of more: the others. */
static const char *others(struct dlw_region *region, const struct dlw_doc_finding *finding,
                          size_t step)
{
    size_t next = (step + 1) % finding->n_cycle;
    if (finding->n_cycle > 2)
        return "the others never stood in their places";
    return dlw_region_print(region, "%s never came to %s%s", thread_of(region, finding, next),
                            place_of(region, &finding->cycle[next].wants.stack),
                            while_holding(region, finding, next));
}

static const char *why_missed(struct dlw_region *region, const struct dlw_outcome *outcome,
                              const struct dlw_doc_finding *finding)
{
    size_t step = waiting_step(outcome, finding);
    const struct dlw_steering_role *role = &outcome->sum.roles[step];
    const char *stood =
        dlw_region_print(region, "%s stood at %s for %llu ms%s", thread_of(region, finding, step),
                         place_of(region, &finding->cycle[step].wants.stack),
                         (unsigned long long)role->stood, while_holding(region, finding, step));
    uint64_t expired = 0, blocked = 0;
    for (size_t i = 0; i < finding->n_cycle; i++) {
        expired += outcome->sum.roles[i].expired;
        blocked += outcome->sum.roles[i].blocked;
    }
    if (expired == 0 && blocked > 0)
        return dlw_region_print(region,
                                "%s; by then all threads that could have come waited behind it, so "
                                "it went on",
                                stood);
    return dlw_region_print(region, "%s; %s meanwhile: perhaps something keeps them apart", stood,
                            others(region, finding, step));
}

/* A step that no try has come to. NULL: all were. */
static const char *why_unreached(struct dlw_region *region, const struct dlw_outcome *outcome,
                                 const struct dlw_doc_finding *finding)
{
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        const struct dlw_steering_role *role = &outcome->sum.roles[i];
        if (role->entered == 0 && !dlw_confirm_has_no_first(step->holds.lock))
            return dlw_region_print(region,
                                    "this command never took %s at %s, as %s did: a step that it "
                                    "does not reach",
                                    lock_of(region, finding, step->holds.lock),
                                    place_of(region, &step->holds.stack),
                                    thread_of(region, finding, i));
        if (role->reached == 0)
            return dlw_region_print(
                region,
                "this command never asked for %s at %s%s, as %s did: a step that it does "
                "not reach",
                lock_of(region, finding, step->wants.lock), place_of(region, &step->wants.stack),
                while_holding(region, finding, i), thread_of(region, finding, i));
    }
    return NULL;
}

static const char *count_of(struct dlw_region *region, long n, long of)
{
    return n == of ? (n == 1 ? "the try" : "all tries")
                   : dlw_region_print(region, "%ld of %ld tries", n, of);
}

/* What else went wrong, and may be why. */
static const char *troubles(struct dlw_region *region, const struct dlw_outcome *outcome)
{
    const char *text = "";
    if (outcome->failed)
        text = dlw_region_print(region, "%s; the command failed (status %d) in %s", text,
                                outcome->status, count_of(region, outcome->failed, outcome->tries));
    if (outcome->timed_out)
        text = dlw_region_print(
            region, "%s; it ran too long and was ended after %.0f seconds in %s", text,
            outcome->longest, count_of(region, outcome->timed_out, outcome->tries));
    if (outcome->hung)
        text = dlw_region_print(region, "%s; it hung for another reason in %s (%s)", text,
                                count_of(region, outcome->hung, outcome->tries), outcome->other);
    if (outcome->sum.exhausted)
        text = dlw_region_print(region,
                                "%s; pauses at a place that is passed often were given up "
                                "there, since they only delayed",
                                text);
    return text;
}

static const char *without_result(struct dlw_region *region, const struct dlw_outcome *outcome,
                                  const struct dlw_doc_finding *finding)
{
    if (outcome->sum.processes == 0)
        return "the library was not loaded, or could not read what to steer";
    const char *why = why_unreached(region, outcome, finding);
    if (!why && outcome->sum.met)
        why = dlw_region_print(
            region,
            "threads stood in all steps at once %llu times and went on: something that "
            "was not seen lets them",
            (unsigned long long)outcome->sum.met);
    return why ? why : why_missed(region, outcome, finding);
}

const char *dlw_outcome_why(struct dlw_region *region, const struct dlw_outcome *outcome,
                            const struct dlw_doc_finding *finding)
{
    if (outcome->reached)
        return dlw_region_print(
            region, "each thread was held between its two locks until the others were there%s",
            outcome->rebuilt ? "; the program was built anew since it was watched, and its places "
                               "were found by function and line"
                             : "");
    return dlw_region_print(region, "%s%s", without_result(region, outcome, finding),
                            troubles(region, outcome));
}
