/*
 * What would break it. A deadlock needs four things at once (E. G. Coffman et al., "System
 * Deadlocks", ACM Computing Surveys 3(2), 1971): mutual exclusion, hold and wait, no preemption,
 * circular wait. Each advice ends with the name of the one that it takes away.
 */
#include "report/command/advice/remedy.h"
#include "report/command/document/classify.h"

#include <string.h>

static const char *lock(struct dlw_region *region, const struct dlw_doc_finding *finding,
                        const struct dlw_doc_hold *hold)
{
    return dlw_finding_lock_title(region, finding, hold->lock);
}

/* ", taken in transfer (bank.c:30)", or nothing where that is not known. */
static const char *taken_in(struct dlw_region *region, const struct dlw_stack *stack)
{
    return dlw_remedy_frame(stack)
               ? dlw_region_print(region, ", taken in %s", dlw_remedy_place(region, stack))
               : "";
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

typedef bool is_such(const struct dlw_doc_hold *hold);

static bool are_all(const struct dlw_doc_finding *finding, is_such *is)
{
    for (size_t i = 0; i < finding->n_cycle; i++)
        if (!is(&finding->cycle[i].holds) || !is(&finding->cycle[i].wants))
            return false;
    return true;
}

/* A semaphore that is taken and given back orders like a lock. */
static bool is_taken(const struct dlw_doc_hold *hold)
{
    return is_lock(hold) || is_kind(hold, "semaphore");
}

static bool is_join(const struct dlw_doc_hold *hold)
{
    return is_kind(hold, "thread");
}

static bool is_initialiser(const struct dlw_doc_hold *hold)
{
    return is_kind(hold, "once") || is_kind(hold, "guard");
}

/* All keep one of the same semaphore and want one more. */
static bool is_pool(const struct dlw_doc_finding *finding)
{
    for (size_t i = 0; i < finding->n_cycle; i++)
        if (!is_kind(&finding->cycle[i].wants, "semaphore") ||
            finding->cycle[i].wants.lock != finding->cycle[0].wants.lock)
            return false;
    return finding->n_cycle > 1;
}

/* The call that asks for this lock without waiting. */
static const char *try_of(const struct dlw_doc_hold *want)
{
    if (is_kind(want, "mutex"))
        return "pthread_mutex_trylock";
    if (is_kind(want, "rwlock"))
        return want->mode == DLW_SHARED ? "pthread_rwlock_tryrdlock" : "pthread_rwlock_trywrlock";
    if (is_kind(want, "spin"))
        return "pthread_spin_trylock";
    if (is_kind(want, "semaphore"))
        return "sem_trywait";
    return is_kind(want, "file") ? "ftrylockfile" : "without waiting";
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
    return x && y && is_same_line(x, y);
}

/* Where the ways to one place part: ", called from a (f.c:3) and from b (f.c:9)", or nothing. */
static const char *callers(struct dlw_region *region, const struct dlw_stack *a,
                           const struct dlw_stack *b)
{
    size_t x = dlw_stack_place(a), y = dlw_stack_place(b);
    while (x < a->n && y < b->n && is_same_line(&a->frames[x], &b->frames[y])) {
        x++;
        y++;
    }
    if (x >= a->n || y >= b->n || a->frames[x].unknown || b->frames[y].unknown ||
        !a->frames[x].function || !b->frames[y].function)
        return "";
    return dlw_region_print(
        region, ", called from %s (%s) and from %s (%s)",
        dlw_short_name(region, a->frames[x].function), dlw_frame_place(region, &a->frames[x]),
        dlw_short_name(region, b->frames[y].function), dlw_frame_place(region, &b->frames[y]));
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
    const struct dlw_doc_step *step = &finding->cycle[finding->n_cycle - 1];
    dlw_remedy_say(remedy, dlw_region_print(
                               region,
                               "Or let one thread in at a time: %sone more lock held around all "
                               "of these places (a gate). That breaks \"hold and wait\".",
                               is_cplusplus(finding)
                                   ? "std::scoped_lock(a, b) takes any number without deadlock; or "
                                   : ""));
    dlw_remedy_say(
        remedy,
        dlw_region_print(region,
                         "Or back off: ask for the later lock with %s%s, and when it is "
                         "busy let go of the first and begin again. That breaks \"no preemption\".",
                         try_of(&step->wants), is_cplusplus(finding) ? " (std::try_to_lock)" : ""));
}

static bool is_python(const struct dlw_doc_finding *finding)
{
    const struct dlw_frame *frame = dlw_remedy_frame(&finding->cycle[0].wants.stack);
    const char *slash = frame && frame->module ? strrchr(frame->module, '/') : NULL;
    const char *name = slash ? slash + 1 : "";
    return strncmp(name, "python", 6) == 0 || strncmp(name, "libpython", 9) == 0;
}

/* The C code of the interpreter is the same whatever lines of a script stand behind it. */
static void remedy_python(struct dlw_remedy *remedy)
{
    dlw_remedy_say(
        remedy, "The frames are those of the Python interpreter. The lines of the script behind "
                "them Python tells itself: with python3 -X faulthandler the signal SIGABRT prints "
                "the stack of each thread, as does faulthandler.dump_traceback_later().");
    dlw_remedy_say(remedy,
                   "Take these locks in one order everywhere in the script. That breaks \"circular "
                   "wait\".");
    dlw_remedy_say(
        remedy, "Or hold one more lock around all of these places (a gate). That breaks \"hold and "
                "wait\".");
    dlw_remedy_say(remedy,
                   "Or back off: ask for the later lock with acquire(blocking=False) or a timeout, "
                   "and when it is busy release the first and begin again. That breaks \"no "
                   "preemption\".");
}

/* The step whose change is asked for: the last, so that the first one shows how it should be. */
static void remedy_two_paths(struct dlw_region *region, const struct dlw_doc_finding *finding,
                             struct dlw_remedy *remedy)
{
    const struct dlw_doc_step *step = &finding->cycle[finding->n_cycle - 1];
    const char *first = lock(region, finding, &step->wants);
    const char *second = lock(region, finding, &step->holds);
    if (finding->n_cycle == 2)
        dlw_remedy_say(remedy,
                       dlw_region_print(
                           region,
                           "Take them in one order everywhere: %s first, then %s, as %s "
                           "does. The place to change: %s asks for %s while it already "
                           "holds %s%s; let it take %s first. That breaks \"circular wait\".",
                           first, second, dlw_remedy_place(region, &finding->cycle[0].wants.stack),
                           dlw_remedy_place(region, &step->wants.stack), first, second,
                           taken_in(region, &step->holds.stack), first));
    else
        dlw_remedy_say(
            remedy, dlw_region_print(region,
                                     "Take the locks in one order everywhere. One change is enough "
                                     "to open this circle, for example: %s asks for %s while it "
                                     "holds %s%s; let it take %s first, or let go of %s "
                                     "before it asks. That breaks \"circular wait\".",
                                     dlw_remedy_place(region, &step->wants.stack), first, second,
                                     taken_in(region, &step->holds.stack), first, second));
}

static void remedy_one_path(struct dlw_region *region, const struct dlw_doc_finding *finding,
                            struct dlw_remedy *remedy)
{
    const struct dlw_doc_step *step = &finding->cycle[0];
    dlw_remedy_say(
        remedy,
        dlw_region_print(region,
                         "The same lines take both locks on every side: one in %s, the next in "
                         "%s%s. Which lock comes first depends on the data. Choose the order there "
                         "by something that all threads agree on, such as the lower index or the "
                         "lower address first. That breaks \"circular wait\".",
                         dlw_remedy_place(region, &step->holds.stack),
                         dlw_frame_place(region, dlw_remedy_frame(&step->wants.stack)),
                         callers(region, &step->wants.stack, &finding->cycle[1].wants.stack)));
}

static void remedy_alone(struct dlw_region *region, const struct dlw_doc_finding *finding,
                         struct dlw_remedy *remedy)
{
    const struct dlw_doc_step *step = &finding->cycle[0];
    const char *what = lock(region, finding, &step->wants);
    const char *taken = dlw_remedy_place(region, &step->holds.stack),
               *asked = dlw_remedy_place(region, &step->wants.stack);
    if (is_join(&step->wants)) {
        dlw_remedy_say(remedy,
                       "A thread must not join itself: let another thread join it, or detach it "
                       "(pthread_detach).");
    } else if (dlw_doc_is_file(step->wants.lock)) {
        dlw_remedy_say(
            remedy,
            dlw_region_print(region,
                             "flock and F_OFD_SETLKW lock an open file, not a thread or process: "
                             "who opens %s again is another one, and waits for the first. Keep one "
                             "descriptor and use that, or close the first before %s asks. Threads "
                             "of one process keep each other out by a mutex. That breaks \"hold "
                             "and wait\".",
                             what, asked));
        dlw_remedy_say(remedy,
                       "Or ask with LOCK_NB, or F_OFD_SETLK, and go on without it when it is "
                       "busy. That breaks \"hold and wait\" as well.");
    } else if (is_initialiser(&step->wants)) {
        dlw_remedy_say(
            remedy, dlw_region_print(region,
                                     "The initialiser needs itself to be finished: take the call "
                                     "that leads back into it, in %s, out of the initialiser. That "
                                     "breaks \"circular wait\".",
                                     asked));
    } else if (step->holds.mode == DLW_SHARED) {
        dlw_remedy_say(
            remedy, dlw_region_print(region,
                                     "A read lock can't be turned into a write lock: take %s for "
                                     "writing in %s already, or let go of it before %s asks (and "
                                     "check again what was read: another writer may have been "
                                     "faster). That breaks \"hold and wait\".",
                                     what, taken, asked));
    } else {
        dlw_remedy_say(
            remedy,
            dlw_region_print(
                region,
                "%s is taken in %s and asked for again, before it is "
                "unlocked, in %s. Unlock it in between, or split off the part "
                "that needs no locking and call that from inside. That breaks \"hold and wait\".",
                what, taken, asked));
        dlw_remedy_say(remedy,
                       dlw_region_print(region,
                                        "A recursive mutex (PTHREAD_MUTEX_RECURSIVE%s) would not "
                                        "hang, but the inner code then sees the data half changed.",
                                        is_cplusplus(finding) ? ", std::recursive_mutex" : ""));
    }
}

static void remedy_gone(struct dlw_region *region, const struct dlw_doc_finding *finding,
                        struct dlw_remedy *remedy)
{
    const struct dlw_doc_step *step = &finding->cycle[0];
    const char *what = lock(region, finding, &step->wants);
    const char *where = step->holds.stack.n ? dlw_remedy_place(region, &step->holds.stack) : NULL;
    const char *taken = where ? dlw_region_print(region, " (taken in %s)", where) : "";
    if (step->wants.lock->attributes && strstr(step->wants.lock->attributes, "pshared")) {
        dlw_remedy_say(
            remedy,
            dlw_region_print(region,
                             "A process can be killed at any moment, with %s in hand. Make it "
                             "robust where it is made (pthread_mutexattr_setrobust, "
                             "PTHREAD_MUTEX_ROBUST): the next one that asks gets it, told by "
                             "EOWNERDEAD, mends what it guards and calls "
                             "pthread_mutex_consistent. That breaks \"no preemption\".",
                             what));
        return;
    }
    if (finding->reason && strstr(finding->reason, "parent")) {
        dlw_remedy_say(
            remedy, dlw_region_print(region,
                                     "After fork the child has only the thread that called it; "
                                     "%s%s stays locked there for ever. Fork before the threads "
                                     "are made, or take the lock around fork and give it back in "
                                     "parent and child (pthread_atfork); between fork and exec "
                                     "call only what is async-signal-safe.",
                                     what, taken));
        return;
    }
    dlw_remedy_say(
        remedy, dlw_region_print(region,
                                 "Whoever takes %s%s must unlock it before it ends, on every way "
                                 "out (return, pthread_exit, cancellation). In C a "
                                 "pthread_cleanup_push, in C++ a std::lock_guard sees to that. "
                                 "That breaks \"hold and wait\".",
                                 what, taken));
    dlw_remedy_say(
        remedy, "Or make it robust (PTHREAD_MUTEX_ROBUST): the next one that asks gets it, told by "
                "EOWNERDEAD. That breaks \"no preemption\".");
}

/* Each keeps a unit of one semaphore and asks for another. */
static void remedy_pool(struct dlw_region *region, const struct dlw_doc_finding *finding,
                        struct dlw_remedy *remedy)
{
    const struct dlw_doc_step *step = &finding->cycle[0];
    const char *what = lock(region, finding, &step->wants);
    const char *asked = dlw_remedy_place(region, &step->wants.stack);
    dlw_remedy_say(remedy, dlw_region_print(
                               region,
                               "Give the first of %s back before %s asks for one more, or take "
                               "all that the work needs in one go where it begins, in %s, with a "
                               "mutex held around the taking only. That breaks \"hold and wait\".",
                               what, asked, dlw_remedy_place(region, &step->holds.stack)));
    dlw_remedy_say(
        remedy,
        dlw_region_print(
            region,
            "Or let fewer threads begin at once than %s has units: then one "
            "of them always gets its second and gives both back. That breaks \"circular wait\".",
            what));
    dlw_remedy_say(
        remedy,
        dlw_region_print(region,
                         "Or back off: ask with sem_trywait in %s, and when none is left "
                         "give the first back and begin again. That breaks \"no preemption\".",
                         asked));
}

/* A reader asks once more for what it reads already, and a writer came in between. */
static void remedy_in_line(struct dlw_region *region, const struct dlw_doc_finding *finding,
                           const struct dlw_doc_step *reader, struct dlw_remedy *remedy)
{
    const char *what = lock(region, finding, &reader->wants);
    dlw_remedy_say(remedy,
                   dlw_region_print(region,
                                    "Take %s for reading once: it is held since %s already when %s "
                                    "asks again. Let the inner code rely on that, or let go in "
                                    "between. That breaks \"hold and wait\".",
                                    what, dlw_remedy_place(region, &reader->holds.stack),
                                    dlw_remedy_place(region, &reader->wants.stack)));
    dlw_remedy_say(remedy,
                   dlw_region_print(region,
                                    "Or let readers pass waiting writers: "
                                    "PTHREAD_RWLOCK_PREFER_READER_NP when %s is made. That breaks "
                                    "\"circular wait\", and writers may wait long.",
                                    what));
}

static const struct dlw_doc_step *second_reader(const struct dlw_doc_finding *finding)
{
    for (size_t i = 0; i < finding->n_cycle && finding->n_cycle == 2; i++)
        if (dlw_step_is_in_line(finding, &finding->cycle[i]) &&
            dlw_next_step(finding, i)->holds.lock == dlw_next_step(finding, i)->wants.lock)
            return dlw_next_step(finding, i);
    return NULL;
}

static void remedy_joins(struct dlw_region *region, const struct dlw_doc_finding *finding,
                         struct dlw_remedy *remedy)
{
    dlw_remedy_say(
        remedy, dlw_region_print(region,
                                 "Threads that join each other can none of them end. Take one of "
                                 "the joins out, for example the one in %s: let a thread that is "
                                 "not in the circle, such as the one that created them, join them "
                                 "all. That breaks \"circular wait\".",
                                 dlw_remedy_place(region, &finding->cycle[0].wants.stack)));
}

static void say_let_go(struct dlw_region *region, const struct dlw_doc_finding *finding,
                       const struct dlw_doc_step *step, struct dlw_remedy *remedy)
{
    const char *held = lock(region, finding, &step->holds);
    const char *taken = dlw_remedy_place(region, &step->holds.stack);
    const char *asked = dlw_remedy_place(region, &step->wants.stack);
    if (is_join(&step->wants))
        dlw_remedy_say(
            remedy,
            dlw_region_print(
                region,
                "Let go of %s, taken in %s, before the join in %s: the thread "
                "that is joined needs it to come to its end. That breaks \"hold and wait\".",
                held, taken, asked));
    else
        dlw_remedy_say(remedy, dlw_region_print(
                                   region,
                                   "Let go of %s before %s waits for %s, or have that done "
                                   "before %s is taken in %s. That breaks \"hold and wait\".",
                                   held, asked, lock(region, finding, &step->wants), held, taken));
}

/* A join or an initialiser is part of the circle. */
static void remedy_mixed(struct dlw_region *region, const struct dlw_doc_finding *finding,
                         struct dlw_remedy *remedy)
{
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        if (!is_lock(&step->wants) && is_taken(&step->holds))
            say_let_go(region, finding, step, remedy);
    }
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        if (is_initialiser(&step->holds) && !is_initialiser(&step->wants))
            dlw_remedy_say(remedy,
                           dlw_region_print(region,
                                            "Or keep %s out of what the initialiser calls (%s asks "
                                            "for it). That breaks \"circular wait\".",
                                            lock(region, finding, &step->wants),
                                            dlw_remedy_place(region, &step->wants.stack)));
    }
    if (!remedy->n)
        dlw_remedy_say(
            remedy,
            dlw_region_print(
                region,
                "One of these waits has to go: do what the others need from this "
                "thread before it waits, for example before %s. That breaks \"circular wait\".",
                dlw_remedy_place(region, &finding->cycle[0].wants.stack)));
}

/* Locks that are taken in a circle. */
static void remedy_order(struct dlw_region *region, const struct dlw_doc_finding *finding,
                         struct dlw_remedy *remedy)
{
    if (is_python(finding)) {
        remedy_python(remedy);
        return;
    }
    if (is_one_code_path(finding))
        remedy_one_path(region, finding, remedy);
    else
        remedy_two_paths(region, finding, remedy);
    say_other_ways(region, finding, remedy);
}

static void remedy_cycle(struct dlw_region *region, const struct dlw_doc_finding *finding,
                         struct dlw_remedy *remedy)
{
    if (dlw_finding_holder_is_gone(finding))
        remedy_gone(region, finding, remedy);
    else if (finding->n_cycle == 1)
        remedy_alone(region, finding, remedy);
    else if (second_reader(finding))
        remedy_in_line(region, finding, second_reader(finding), remedy);
    else if (is_pool(finding))
        remedy_pool(region, finding, remedy);
    else if (are_all(finding, is_join))
        remedy_joins(region, finding, remedy);
    else if (are_all(finding, is_taken))
        remedy_order(region, finding, remedy);
    else
        remedy_mixed(region, finding, remedy);
}

struct dlw_remedy dlw_finding_remedy(struct dlw_region *region,
                                     const struct dlw_doc_finding *finding)
{
    struct dlw_remedy remedy = {.title = "What breaks it"};
    if (finding->n_cycle) {
        remedy_cycle(region, finding, &remedy);
        if (remedy.n < sizeof(remedy.paragraphs) / sizeof(remedy.paragraphs[0]))
            dlw_remedy_say(&remedy,
                           "(A deadlock needs four things at once: mutual exclusion, hold and "
                           "wait, no preemption, circular wait. One less, and there is none.)");
        return remedy;
    }
    remedy.title = "What to do";
    if (dlw_kind_form(finding->kind) != DLW_FORM_CALL)
        dlw_remedy_stall(region, finding, &remedy);
    else if (finding->n_threads)
        dlw_remedy_accusation(region, finding, &remedy);
    return remedy;
}
