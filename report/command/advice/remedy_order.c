/* What breaks a circle of locks that are taken in different orders: which step is to change, and
 * how. The step stands in the program's own code. */
#include "report/command/advice/remedy.h"
#include "report/command/document/classify.h"

#include <string.h>

/* The call that asks for this lock without waiting. */
static const char *try_of(const struct dlw_doc_hold *want)
{
    static const char *const tries[][2] = {{"mutex", "pthread_mutex_trylock"},
                                           {"spin", "pthread_spin_trylock"},
                                           {"semaphore", "sem_trywait"},
                                           {"file", "ftrylockfile"}};
    if (strcmp(want->lock->kind, "rwlock") == 0)
        return want->mode == DLW_SHARED ? "pthread_rwlock_tryrdlock" : "pthread_rwlock_trywrlock";
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
        if (strcmp(want->lock->kind, tries[i][0]) == 0)
            return tries[i][1];
    return "a call that does not wait";
}

bool dlw_remedy_is_cplusplus(const struct dlw_doc_finding *finding)
{
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_stack *stack = &finding->cycle[i].wants.stack;
        for (size_t j = 0; j < stack->n; j++)
            if (stack->frames[j].function && strchr(stack->frames[j].function, '('))
                return true;
    }
    return false;
}

static bool is_same_line(const struct dlw_frame *x, const struct dlw_frame *y)
{
    if (!x->file || !y->file)
        return x->module && y->module && x->offset == y->offset &&
               strcmp(x->module, y->module) == 0;
    return x->line == y->line && strcmp(x->file, y->file) == 0;
}

static bool is_same_place(const struct dlw_stack *a, const struct dlw_stack *b)
{
    const struct dlw_frame *x = dlw_remedy_frame(a), *y = dlw_remedy_frame(b);
    return x && y ? is_same_line(x, y) : !x && !y;
}

/* The same lines on every side: which lock comes first depends on the data. */
static bool is_one_code_path(const struct dlw_doc_finding *finding)
{
    for (size_t i = 1; i < finding->n_cycle; i++)
        if (!is_same_place(&finding->cycle[i].holds.stack, &finding->cycle[0].holds.stack) ||
            !is_same_place(&finding->cycle[i].wants.stack, &finding->cycle[0].wants.stack))
            return false;
    return true;
}

static bool is_interpreter(const struct dlw_doc_finding *finding)
{
    const struct dlw_frame *frame = dlw_remedy_frame(&finding->cycle[0].wants.stack);
    const char *name = frame && frame->module ? dlw_base_name(frame->module) : "";
    return strncmp(name, "python", 6) == 0 || strncmp(name, "libpython", 9) == 0;
}

bool dlw_remedy_is_python(const struct dlw_doc_finding *finding)
{
    const struct dlw_frame *frame = dlw_remedy_frame(&finding->cycle[0].wants.stack);
    return frame && frame->language;
}

/* The C code of the interpreter is the same whatever lines of a script stand behind it. */
static void say_interpreter(struct advising *advising)
{
    dlw_remedy_say(advising,
                   "Take these locks in one order everywhere in the script: that breaks \"circular "
                   "wait\". Its lines: python3 -X faulthandler, then SIGABRT, prints them.");
}

static void say_other_ways_in_python(struct advising *advising)
{
    dlw_remedy_say(advising, "Or hold one more lock around all of these places (a gate). That "
                             "breaks \"hold and wait\".");
    dlw_remedy_say(advising,
                   "Or back off: ask for the later lock with acquire(blocking=False) or a timeout, "
                   "and when it is busy release the first and begin again. That breaks \"no "
                   "preemption\".");
}

static void say_other_ways(struct advising *advising, const struct dlw_doc_step *step)
{
    bool is_cplusplus = dlw_remedy_is_cplusplus(advising->finding);
    dlw_remedy_say(advising,
                   "Or let one thread in at a time: %sone more lock held around all of these "
                   "places (a gate). That breaks \"hold and wait\".",
                   is_cplusplus ? "std::scoped_lock(a, b) takes any number without deadlock; or "
                                : "");
    dlw_remedy_say(advising,
                   "Or back off: ask for the later lock with %s%s, and when it is busy let go of "
                   "the first and begin again. That breaks \"no preemption\".",
                   try_of(&step->wants), is_cplusplus ? " (std::try_to_lock)" : "");
}

/* By std::mutex::lock() and its like, not by pthread's functions in a program of C++: only such
 * locks can be given to std::scoped_lock. */
static bool is_taken_by_std(const struct dlw_stack *stack)
{
    size_t place = dlw_stack_place(stack);
    for (size_t i = 0; i < place && i < stack->n; i++) {
        const char *function = stack->frames[i].function;
        if (function &&
            (strncmp(function, "std::", 5) == 0 || strncmp(function, "void std::", 10) == 0))
            return true;
    }
    return false;
}

static bool are_std_locks(const struct dlw_doc_finding *finding)
{
    for (size_t i = 0; i < finding->n_cycle; i++)
        if (!is_taken_by_std(&finding->cycle[i].wants.stack))
            return false;
    return true;
}

static void say_one_path(struct advising *advising)
{
    const struct dlw_doc_step *step = &advising->finding->cycle[0];
    /* Of a process that is only looked at, where locks were taken is not known. */
    const struct dlw_stack *known =
        dlw_remedy_frame(&step->holds.stack) ? &step->holds.stack : &step->wants.stack;
    const char *place = dlw_remedy_place(advising, known);
    if (!are_std_locks(advising->finding)) {
        dlw_remedy_say(advising,
                       "In %s the arguments decide which lock comes first: take the one with the "
                       "lower address first. That breaks \"circular wait\".",
                       place);
        return;
    }
    const char *first =
        dlw_expression_at(advising->region, advising->finding->process, &step->holds.stack);
    const char *second =
        dlw_expression_at(advising->region, advising->finding->process, &step->wants.stack);
    bool are_told = first && second && strcmp(first, second) != 0;
    dlw_remedy_say(advising,
                   "In %s the arguments decide which lock comes first: take both at once, by "
                   "\"std::scoped_lock both(%s, %s);\" in place of the two. That breaks \"hold and "
                   "wait\".",
                   place, are_told ? first : "a", are_told ? second : "b");
}

/* Locks that a library keeps for itself can't be taken before its functions are called. */
static void say_let_go(struct advising *advising, const struct dlw_doc_step *step)
{
    const struct dlw_frame *entry = dlw_stack_entry(&step->wants.stack);
    const char *held = dlw_remedy_lock(advising, step->holds.lock);
    const char *called =
        entry && entry->function ? dlw_function_title(advising->region, entry->function) : NULL;
    dlw_remedy_say(advising,
                   "Let go of %s before %s calls %s, which takes %s, a lock of its own. That "
                   "breaks \"hold and wait\".",
                   held, dlw_remedy_place(advising, &step->wants.stack),
                   called ? called : "the library", dlw_remedy_lock(advising, step->wants.lock));
}

/* Between whose two places the order can be turned round: the last such step, so that the first
 * one shows how it should be. NULL: none. */
static const struct dlw_doc_step *step_to_turn(const struct dlw_doc_finding *finding)
{
    for (size_t i = finding->n_cycle; i-- > 0;) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        if (!dlw_step_is_in_line(finding, step) && !dlw_stack_entry(&step->wants.stack) &&
            !dlw_stack_entry(&step->holds.stack))
            return step;
    }
    return NULL;
}

static const struct dlw_doc_step *step_into_library(const struct dlw_doc_finding *finding)
{
    for (size_t i = finding->n_cycle; i-- > 0;) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        if (dlw_stack_entry(&step->wants.stack) && !dlw_stack_entry(&step->holds.stack))
            return step;
    }
    return NULL;
}

/* All of them are the library's own: what is left is not to call it from where it calls. False:
 * there is no such step. */
static bool say_callback(struct advising *advising)
{
    const struct dlw_doc_finding *finding = advising->finding;
    for (size_t i = finding->n_cycle; i-- > 0;) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        const struct dlw_frame *entry = dlw_stack_entry(&step->wants.stack);
        if (!entry || dlw_step_is_in_line(finding, step))
            continue;
        dlw_remedy_say(advising,
                       "Don't let %s call %s where the library has called it with %s in hand: it "
                       "takes %s. Do that later, from outside. That breaks \"hold and wait\".",
                       dlw_remedy_place(advising, &step->wants.stack),
                       entry->function ? dlw_function_title(advising->region, entry->function)
                                       : "the library",
                       dlw_remedy_lock(advising, step->holds.lock),
                       dlw_remedy_lock(advising, step->wants.lock));
        return true;
    }
    return false;
}

/* The library's frame that takes the lock, however the program's code came there. NULL: it is the
 * program itself that does. */
static const struct dlw_frame *in_library(const struct dlw_stack *stack)
{
    const struct dlw_frame *entry = dlw_stack_entry(stack), *frame = dlw_remedy_frame(stack);
    if (entry)
        return entry;
    bool is_closed = frame && !frame->language && !dlw_frame_is_own(frame) && frame->module &&
                     strstr(dlw_base_name(frame->module), ".so");
    return is_closed ? frame : NULL;
}

static bool is_within_library(const struct dlw_doc_finding *finding)
{
    for (size_t i = 0; i < finding->n_cycle; i++)
        if (!in_library(&finding->cycle[i].holds.stack) ||
            !in_library(&finding->cycle[i].wants.stack))
            return false;
    return true;
}

/* Nobody here can turn its orders round; what calls it may be kept apart. */
static void say_makers(struct advising *advising)
{
    const struct dlw_doc_finding *finding = advising->finding;
    const char *base = dlw_base_name(in_library(&finding->cycle[0].wants.stack)->module);
    const char *library =
        dlw_region_cut(advising->region, base, (size_t)(strstr(base, ".so") - base));
    const char *locks = finding->n_cycle == 2 ? "Both locks are" : "All of these locks are";
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        const struct dlw_frame *entry = dlw_stack_entry(&step->holds.stack);
        if (!entry || !entry->function)
            continue;
        dlw_remedy_say(advising,
                       "%s %s's own, and its makers must mend the order. Until they have, don't "
                       "let %s call %s while %s can be where it stands above.",
                       locks, library, dlw_remedy_place(advising, &step->holds.stack),
                       dlw_function_title(advising->region, entry->function),
                       dlw_remedy_thread(advising, finding->cycle[i == 0].thread));
        return;
    }
    dlw_remedy_say(advising,
                   "%s %s's own: its makers must mend the order in which its functions above take "
                   "them. That breaks \"circular wait\".",
                   locks, library);
}

/* " (with a, b)", by their names in the source. */
static const char *with_both(struct advising *advising, const struct dlw_doc_lock *first,
                             const struct dlw_doc_lock *second)
{
    if (!dlw_remedy_is_python(advising->finding) || !first->taken_as || !second->taken_as)
        return "";
    return dlw_region_print(advising->region, " (with %s, %s)", first->taken_as, second->taken_as);
}

static void say_turn(struct advising *advising, const struct dlw_doc_step *step)
{
    const struct dlw_doc_finding *finding = advising->finding;
    const char *first = dlw_remedy_lock(advising, step->wants.lock);
    const char *second = dlw_remedy_lock(advising, step->holds.lock);
    const struct dlw_doc_step *other = &finding->cycle[step == finding->cycle];
    const struct dlw_frame *wants = dlw_remedy_frame(&step->wants.stack);
    const char *asked = wants ? dlw_frame_place(advising->region, wants) : "?";
    if (!dlw_remedy_frame(&step->holds.stack))
        dlw_remedy_say(advising,
                       "%s asks for %s with %s in hand: let it take %s first, or let go of %s "
                       "before. That breaks \"circular wait\".",
                       dlw_remedy_place(advising, &step->wants.stack), first, second, first,
                       second);
    else if (finding->n_cycle == 2)
        dlw_remedy_say(advising,
                       "Take %s before %s everywhere%s, as %s does: %s takes %s too early, before "
                       "%s at %s. That breaks \"circular wait\".",
                       first, second, with_both(advising, step->wants.lock, step->holds.lock),
                       dlw_remedy_thread(advising, other->thread),
                       dlw_remedy_place(advising, &step->holds.stack), second, first, asked);
    else
        dlw_remedy_say(advising,
                       "One change opens the circle: %s takes %s before %s at %s; let it take %s "
                       "first, or let go of %s in between. That breaks \"circular wait\".",
                       dlw_remedy_place(advising, &step->holds.stack), second, first, asked, first,
                       second);
}

void dlw_remedy_order(struct advising *advising)
{
    const struct dlw_doc_finding *finding = advising->finding;
    const struct dlw_doc_step *into = step_into_library(finding), *turn = step_to_turn(finding);
    if (is_interpreter(finding)) {
        say_interpreter(advising);
        say_other_ways_in_python(advising);
        return;
    }
    if (into)
        say_let_go(advising, into);
    else if (is_within_library(finding)) {
        if (!say_callback(advising))
            say_makers(advising);
    } else if (turn && is_one_code_path(finding))
        say_one_path(advising);
    else if (turn || !say_callback(advising))
        say_turn(advising, turn ? turn : &finding->cycle[finding->n_cycle - 1]);
    if (dlw_remedy_is_python(finding))
        say_other_ways_in_python(advising);
    else
        say_other_ways(advising, turn ? turn : &finding->cycle[finding->n_cycle - 1]);
}
