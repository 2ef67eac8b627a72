/*
 * What would break it. A deadlock needs four things at once (E. G. Coffman et al., "System
 * Deadlocks", ACM Computing Surveys 3(2), 1971): locks that exclude, holding while waiting, no way
 * to take a lock away, and a circle of waits. Each advice says which one it removes.
 */
#include "report/command/judge.h"

#include <string.h>

static void say(struct dlw_remedy *remedy, const char *text)
{
    if (remedy->n < sizeof(remedy->paragraphs) / sizeof(remedy->paragraphs[0]))
        remedy->paragraphs[remedy->n++] = text;
}

static const char *lock(struct dlw_region *region, const struct dlw_doc_finding *finding,
                        const struct dlw_doc_hold *hold)
{
    return dlw_finding_lock_title(region, finding, hold->lock);
}

static const struct dlw_frame *place_of(const struct dlw_stack *stack)
{
    size_t place = dlw_stack_place(stack);
    return place < stack->n ? &stack->frames[place] : NULL;
}

/* "transfer (bank.c:31)" */
static const char *place(struct dlw_region *region, const struct dlw_stack *stack)
{
    const struct dlw_frame *frame = place_of(stack);
    if (!frame)
        return "a place that could not be known";
    if (!frame->function)
        return dlw_frame_place(region, frame);
    return dlw_region_print(region, "%s (%s)", dlw_short_name(region, frame->function),
                            dlw_frame_place(region, frame));
}

static bool is_kind(const struct dlw_doc_hold *hold, const char *kind)
{
    return strcmp(hold->lock->kind, kind) == 0;
}

static bool is_lock(const struct dlw_doc_hold *hold)
{
    return is_kind(hold, "mutex") || is_kind(hold, "rwlock") || is_kind(hold, "spin") ||
           is_kind(hold, "file") || is_kind(hold, "custom");
}

static bool are_all_locks(const struct dlw_doc_finding *finding)
{
    for (size_t i = 0; i < finding->n_cycle; i++)
        if (!is_lock(&finding->cycle[i].holds) || !is_lock(&finding->cycle[i].wants))
            return false;
    return true;
}

static bool is_cplusplus(const struct dlw_doc_finding *finding)
{
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_stack *stack = &finding->cycle[i].wants.stack;
        for (size_t j = 0; j < stack->n; j++)
            if (stack->frames[j].function && strchr(stack->frames[j].function, '('))
                return true;
    }
    return false;
}

static bool is_same_place(const struct dlw_stack *a, const struct dlw_stack *b)
{
    const struct dlw_frame *x = place_of(a), *y = place_of(b);
    return x && y && x->file && y->file && x->line == y->line && strcmp(x->file, y->file) == 0;
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

static void say_other_ways(struct dlw_region *region, const struct dlw_doc_finding *finding,
                           struct dlw_remedy *remedy)
{
    say(remedy, dlw_region_print(
                    region,
                    "Or take them together: %sone more lock held around all of these places (a "
                    "gate) lets in one thread at a time; or try the later lock "
                    "(pthread_mutex_trylock), and when it is busy let go of the first and begin "
                    "again (nobody holds one lock while waiting for another any more).",
                    is_cplusplus(finding) ? "std::scoped_lock(a, b) locks any number without "
                                            "deadlock; "
                                          : ""));
}

/* The step whose change is asked for: the last, so that the first one shows how it should be. */
static void remedy_two_paths(struct dlw_region *region, const struct dlw_doc_finding *finding,
                             struct dlw_remedy *remedy)
{
    const struct dlw_doc_step *step = &finding->cycle[finding->n_cycle - 1];
    const char *first = lock(region, finding, &step->wants);
    const char *second = lock(region, finding, &step->holds);
    if (finding->n_cycle == 2)
        say(remedy,
            dlw_region_print(region,
                             "Take them in one order everywhere: %s first, then %s, as %s "
                             "does. The place to change: %s asks for %s while it already "
                             "holds %s, taken in %s; let it take %s first. Then no circle of "
                             "waits can form.",
                             first, second, place(region, &finding->cycle[0].wants.stack),
                             place(region, &step->wants.stack), first, second,
                             place(region, &step->holds.stack), first));
    else
        say(remedy, dlw_region_print(region,
                                     "Take the locks in one order everywhere. One change is enough "
                                     "to open this circle, for example: %s asks for %s while it "
                                     "holds %s, taken in %s; let it take %s first, or let go of %s "
                                     "before it asks. Then no circle of waits can form.",
                                     place(region, &step->wants.stack), first, second,
                                     place(region, &step->holds.stack), first, second));
}

static void remedy_one_path(struct dlw_region *region, const struct dlw_doc_finding *finding,
                            struct dlw_remedy *remedy)
{
    const struct dlw_doc_step *step = &finding->cycle[0];
    say(remedy,
        dlw_region_print(region,
                         "The same lines take both locks on every side: one in %s, the next in %s. "
                         "Which lock comes first depends on the data. Choose the order there by "
                         "something that all threads agree on, such as the lower index or the "
                         "lower address first. Then no circle of waits can form.",
                         place(region, &step->holds.stack),
                         dlw_frame_place(region, place_of(&step->wants.stack))));
}

/* What ended with the lock in hand, or stayed in the parent of a fork. */
static void remedy_gone(struct dlw_region *region, const struct dlw_doc_finding *finding,
                        struct dlw_remedy *remedy)
{
    const char *what = lock(region, finding, &finding->cycle[0].wants);
    if (finding->reason && strstr(finding->reason, "fork"))
        say(remedy,
            dlw_region_print(region,
                             "A forked child has only the thread that forked; locks that others "
                             "held stay locked in it. Take %s before the fork and unlock it on "
                             "both sides (pthread_atfork), or let the child do nothing but exec "
                             "(posix_spawn does that).",
                             what));
    else
        say(remedy,
            dlw_region_print(region,
                             "Whoever takes %s must unlock it before it ends, on every way "
                             "out. In C a pthread_cleanup_push, in C++ a std::lock_guard sees "
                             "to that; a robust mutex (PTHREAD_MUTEX_ROBUST) tells the next "
                             "one instead of hanging it.",
                             what));
}

static void remedy_alone(struct dlw_region *region, const struct dlw_doc_finding *finding,
                         struct dlw_remedy *remedy)
{
    const struct dlw_doc_step *step = &finding->cycle[0];
    const char *what = lock(region, finding, &step->wants);
    const char *taken = place(region, &step->holds.stack),
               *asked = place(region, &step->wants.stack);
    if (step->holder) {
        remedy_gone(region, finding, remedy);
    } else if (is_kind(&step->wants, "thread")) {
        say(remedy, "A thread must not join itself: let another thread join it, or detach it "
                    "(pthread_detach).");
    } else if (is_kind(&step->wants, "once") || is_kind(&step->wants, "guard")) {
        say(remedy, "The initialiser needs itself to be finished: take the call that leads back "
                    "into it out of the initialiser.");
    } else if (step->holds.mode == DLW_SHARED) {
        say(remedy, dlw_region_print(region,
                                     "A read lock can't be turned into a write lock: take %s for "
                                     "writing in %s already, or let go of it before %s asks (and "
                                     "check again what was read: another writer may have been "
                                     "faster).",
                                     what, taken, asked));
    } else {
        say(remedy,
            dlw_region_print(region,
                             "%s is taken in %s and asked for again, before it is unlocked, "
                             "in %s. Unlock it in between, or split off the part that needs "
                             "no locking and call that from inside.",
                             what, taken, asked));
        say(remedy,
            dlw_region_print(region,
                             "A recursive mutex (PTHREAD_MUTEX_RECURSIVE%s) would not hang, "
                             "but the inner code then sees the data half changed.",
                             is_cplusplus(finding) ? ", std::recursive_mutex" : ""));
    }
}

/* A join, an initialiser or a semaphore is part of the circle. */
static void remedy_mixed(struct dlw_region *region, const struct dlw_doc_finding *finding,
                         struct dlw_remedy *remedy)
{
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        if (is_lock(&step->wants) || !is_lock(&step->holds))
            continue;
        const char *held = lock(region, finding, &step->holds);
        const char *asked = place(region, &step->wants.stack);
        if (is_kind(&step->wants, "thread"))
            say(remedy, dlw_region_print(region,
                                         "Let go of %s before the join in %s: the thread that is "
                                         "joined needs it to come to its end. Then nobody holds a "
                                         "lock while waiting.",
                                         held, asked));
        else
            say(remedy, dlw_region_print(region,
                                         "Let go of %s before %s waits for %s, or do what it waits "
                                         "for before %s is taken in %s. Then nobody holds a lock "
                                         "while waiting.",
                                         held, asked, lock(region, finding, &step->wants), held,
                                         place(region, &step->holds.stack)));
    }
    if (!remedy->n)
        say(remedy, "Let each thread have what it will wait for before it starts what others wait "
                    "for: one of these waits has to go.");
}

static void remedy_stall(struct dlw_region *region, const struct dlw_doc_finding *finding,
                         struct dlw_remedy *remedy)
{
    bool on_condition = false;
    for (size_t i = 0; i < finding->n_threads; i++)
        on_condition |= finding->threads[i].waits == DLW_WAIT_CONDITION;
    (void)region;
    if (on_condition)
        say(remedy, "A condition that is signalled while nobody waits is lost. Keep what is waited "
                    "for in a variable, change it and signal while holding the mutex, and wait in "
                    "a loop: while (!ready) pthread_cond_wait(&condition, &mutex);");
    say(remedy, "For each wait below ask which line should have ended it, and why that line was "
                "not reached: it usually stands behind another of these waits, or on a way out "
                "(error, early return, ended thread) that forgets to signal or post.");
}

static void remedy_accusation(struct dlw_region *region, const struct dlw_doc_finding *finding,
                              struct dlw_remedy *remedy)
{
    const struct dlw_doc_state *state = &finding->threads[0];
    const char *where = place(region, &state->stack);
    const char *what = state->on ? dlw_finding_lock_title(region, finding, state->on) : "the lock";
    switch (finding->kind) {
    case DLW_UNLOCK_NOT_OWNER:
        say(remedy,
            dlw_region_print(region,
                             "Only the thread that locked %s may unlock it, once. See which "
                             "way leads to %s without locking, or unlocks twice. To hand "
                             "something over from one thread to another use a semaphore or a "
                             "condition.",
                             what, where));
        break;
    case DLW_DESTROY_LOCKED:
        say(remedy,
            dlw_region_print(region,
                             "Before %s destroys %s, all that use it must have let go: join "
                             "those threads first, or unlock it on this way.",
                             where, what));
        break;
    case DLW_WAIT_WITHOUT_MUTEX:
        say(remedy, dlw_region_print(region,
                                     "Lock %s before %s waits, and let the one who signals lock it "
                                     "too; else a signal between the check and the wait is lost.",
                                     what, where));
        break;
    case DLW_EXIT_HOLDING_LOCK:
        say(remedy, dlw_region_print(region,
                                     "Unlock %s on every way out of the thread (return, "
                                     "pthread_exit, cancellation: pthread_cleanup_push; in C++ "
                                     "std::lock_guard). Whoever asks for it now waits for ever.",
                                     what));
        break;
    default:
        break;
    }
}

struct dlw_remedy dlw_finding_remedy(struct dlw_region *region,
                                     const struct dlw_doc_finding *finding)
{
    struct dlw_remedy remedy = {.n = 0};
    if (finding->kind == DLW_STALL || (finding->kind == DLW_DEADLOCK && !finding->n_cycle)) {
        remedy_stall(region, finding, &remedy);
    } else if (finding->n_cycle == 1) {
        remedy_alone(region, finding, &remedy);
    } else if (finding->n_cycle && !are_all_locks(finding)) {
        remedy_mixed(region, finding, &remedy);
    } else if (finding->n_cycle) {
        if (is_one_code_path(finding))
            remedy_one_path(region, finding, &remedy);
        else
            remedy_two_paths(region, finding, &remedy);
        say_other_ways(region, finding, &remedy);
    } else if (finding->n_threads) {
        remedy_accusation(region, finding, &remedy);
    }
    return remedy;
}
