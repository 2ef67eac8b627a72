/* Names for what has none: a lock by the expression that takes it, a thread by its first code. */
#include "report/command/document/model.h"
#include "report/command/document/names/expression.h"
#include "report/command/symbols/source.h"

#include <stdlib.h>
#include <string.h>

const char *dlw_expression_at(struct dlw_region *region, const struct dlw_doc_process *process,
                              const struct dlw_stack *stack)
{
    char line[512];
    size_t place = dlw_stack_place(stack);
    /* A library's own lock is not what the call of the library names. */
    if (place == stack->n || dlw_stack_entry(stack) ||
        !dlw_source_line(&stack->frames[place], process ? process->folder : NULL, line,
                         sizeof(line)))
        return NULL;
    return stack->frames[place].language ? dlw_python_expression(region, line)
                                         : dlw_lock_expression(region, line);
}

static bool has_name(const struct dlw_doc_lock *lock)
{
    static const char *const kinds[] = {"mutex", "rwlock", "spin", "semaphore", "custom"};
    if (lock->name || lock->expression || lock->taken_as)
        return true;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(lock->kind, kinds[i]) == 0)
            return false;
    return true;
}

static void name_lock(struct dlw_doc *doc, const struct dlw_doc_finding *finding,
                      struct dlw_doc_lock *lock, const struct dlw_stack *stack)
{
    if (lock && !has_name(lock)) { /* after one of several takings */
        lock->taken_as = dlw_expression_at(&doc->region, finding->process, stack);
        lock->taken_at = lock->taken_as ? &stack->frames[dlw_stack_place(stack)] : NULL;
    }
    /* Only who waits for it may say what it is: the end of a thread, to 3.12. */
    if (lock && !lock->sort && !dlw_lock_sort(&doc->region, lock) &&
        strcmp(lock->kind, "semaphore") == 0)
        lock->sort = dlw_python_sort(&doc->region, stack);
}

/* The outermost place with a source line: below stand the libraries that made the thread. */
void dlw_thread_find_begin(struct dlw_doc_thread *thread, const struct dlw_stack *stack)
{
    size_t place = dlw_stack_place(stack);
    if (!thread || thread->begins || stack->cut)
        return;
    for (size_t i = dlw_stack_depth(stack); i-- > place;)
        if (dlw_frame_is_own(&stack->frames[i])) {
            thread->begins = &stack->frames[i];
            return;
        }
}

/* Before 3.11 a function's name stands without its class: of the outermost of the library's own
 * frames, and the one that it called. NULL: it may be of several. */
static const char *class_by_function(const struct dlw_frame *frame, const struct dlw_frame *inner)
{
    const char *calls = inner && inner->function ? inner->function : "";
    if (strcmp(dlw_base_name(frame->file), "queue.py") == 0)
        return "Queue";
    if (strcmp(frame->function, "join") == 0 || strcmp(frame->function, "_set_tstate_lock") == 0 ||
        strncmp(frame->function, "_bootstrap", strlen("_bootstrap")) == 0)
        return "Thread";
    if (strcmp(frame->function, "wait_for") == 0 || strcmp(frame->function, "__enter__") == 0)
        return "Condition";
    if (strcmp(frame->function, "wait") != 0)
        return NULL;
    if (strcmp(calls, "wait") == 0)
        return "Event";
    return strcmp(calls, "_wait") == 0 || strcmp(calls, "_enter") == 0 ? "Barrier" : "Condition";
}

/* The outermost of the library's own frames names the class that the program used. */
const char *dlw_python_sort(struct dlw_region *region, const struct dlw_stack *stack)
{
    static const char *const classes[] = {"Queue",   "LifoQueue", "PriorityQueue", "Event",
                                          "Barrier", "Condition", "Semaphore",     "Thread"};
    size_t place = dlw_stack_place(stack), i = place;
    while (i > 0 && !stack->frames[i - 1].language)
        i--;
    const struct dlw_frame *frame = i > 0 ? &stack->frames[i - 1] : NULL;
    if (!frame && (place == stack->n || !stack->frames[place].language))
        return NULL;
    for (size_t k = 0; frame && frame->function && k < sizeof(classes) / sizeof(classes[0]); k++) {
        size_t n = strlen(classes[k]);
        if (strncmp(frame->function, classes[k], n) == 0 && frame->function[n] == '.')
            return dlw_region_print(region, "Python %s", classes[k]);
    }
    const char *class = NULL;
    if (frame && frame->function && frame->file && !strchr(frame->function, '.'))
        class = class_by_function(frame, i > 1 && frame[-1].language ? frame - 1 : NULL);
    return class ? dlw_region_print(region, "Python %s", class) : "Python lock";
}

static bool is_python(const struct dlw_stack *stack)
{
    size_t place = dlw_stack_place(stack);
    return place < stack->n && stack->frames[place].language;
}

void dlw_doc_find_thread_names(struct dlw_doc *doc)
{
    for (size_t i = 0; i < doc->n_threads; i++) {
        struct dlw_doc_state *state = &doc->threads[i];
        const struct dlw_doc_finding of = {.process = state->thread->process};
        for (size_t k = 0; k < state->n_holds; k++)
            if (is_python(&state->holds[k].stack))
                name_lock(doc, &of, state->holds[k].lock, &state->holds[k].stack);
        if (state->waits == DLW_WAIT_SEMAPHORE && is_python(&state->stack))
            name_lock(doc, &of, state->on, &state->stack);
    }
}

void dlw_doc_find_names(struct dlw_doc *doc, struct dlw_doc_finding *finding)
{
    for (size_t i = 0; i < finding->n_cycle; i++) {
        struct dlw_doc_step *step = &finding->cycle[i];
        dlw_thread_find_begin(step->thread, &step->wants.stack);
        name_lock(doc, finding, step->holds.lock, &step->holds.stack);
    }
    for (size_t i = 0; i < finding->n_cycle; i++)
        name_lock(doc, finding, finding->cycle[i].wants.lock, &finding->cycle[i].wants.stack);
    for (size_t i = 0; i < finding->n_threads; i++) {
        struct dlw_doc_state *state = &finding->threads[i];
        dlw_thread_find_begin(state->thread, &state->stack);
        for (size_t k = 0; k < state->n_holds; k++)
            name_lock(doc, finding, state->holds[k].lock, &state->holds[k].stack);
        if (state->waits == DLW_WAIT_LOCK || state->waits == DLW_WAIT_SEMAPHORE)
            name_lock(doc, finding, state->on, &state->stack);
    }
    for (size_t i = 0; i < finding->n_passing; i++)
        name_lock(doc, finding, finding->passing[i], &finding->passing[i]->first);
}

static int dearest_first(const void *a, const void *b)
{
    const struct dlw_doc_cost *x = *(struct dlw_doc_cost *const *)a;
    const struct dlw_doc_cost *y = *(struct dlw_doc_cost *const *)b;
    if (x->wait != y->wait)
        return x->wait > y->wait ? -1 : 1;
    if (x->contended != y->contended)
        return x->contended > y->contended ? -1 : 1;
    if (x->takings != y->takings)
        return x->takings > y->takings ? -1 : 1;
    return x->lock->address < y->lock->address ? -1 : x->lock->address > y->lock->address;
}

void dlw_doc_finish_costs(struct dlw_doc *doc)
{
    for (size_t i = 0; i < doc->n_costs; i++) {
        struct dlw_doc_cost *cost = doc->costs[i];
        if (!has_name(cost->lock))
            cost->lock->taken_as = dlw_expression_at(&doc->region, cost->process, &cost->place);
    }
    if (doc->n_costs)
        qsort(doc->costs, doc->n_costs, sizeof(struct dlw_doc_cost *), dearest_first);
}
