/*
 * What would break it. A deadlock needs four things at once (E. G. Coffman et al., "System
 * Deadlocks", ACM Computing Surveys 3(2), 1971): mutual exclusion, hold and wait, no preemption,
 * circular wait. Each advice ends with the name of the one that it takes away.
 */
#include "report/command/advice/remedy.h"
#include "report/command/document/classify.h"

#include <string.h>

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

static bool is_gil(const struct dlw_doc_hold *hold)
{
    return is_kind(hold, "gil");
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

static void remedy_alone(struct advising *advising)
{
    const struct dlw_doc_step *step = &advising->finding->cycle[0];
    const char *what = dlw_remedy_lock(advising, step->wants.lock);
    const char *asked = dlw_remedy_place(advising, &step->wants.stack);
    const char *in = dlw_remedy_frame(&step->holds.stack)
                         ? dlw_region_print(advising->region, " in %s",
                                            dlw_remedy_place(advising, &step->holds.stack))
                         : "";
    if (is_join(&step->wants)) {
        dlw_remedy_say(advising, "A thread must not join itself: let another thread join it, or "
                                 "detach it (pthread_detach).");
    } else if (dlw_doc_is_file(step->wants.lock)) {
        dlw_remedy_say(advising,
                       "flock and F_OFD_SETLKW lock an open file, not a thread or process: who "
                       "opens %s again is another one. Keep one descriptor, or close the first "
                       "before %s asks. That breaks \"hold and wait\".",
                       what, asked);
        dlw_remedy_say(advising,
                       "Or ask with LOCK_NB, or F_OFD_SETLK, and go on without it when it is busy. "
                       "That breaks \"hold and wait\" as well. Threads of one process keep each "
                       "other out by a mutex.");
    } else if (is_initialiser(&step->wants)) {
        dlw_remedy_say(advising,
                       "The initialiser needs itself to be finished: take the call that leads back "
                       "into it, in %s, out of the initialiser. That breaks \"circular wait\".",
                       asked);
    } else if (step->holds.mode == DLW_SHARED) {
        dlw_remedy_say(advising,
                       "A read lock can't become a write lock: take %s for writing%s already, or "
                       "let go before %s asks and check again what was read. That breaks \"hold "
                       "and wait\".",
                       what, in, asked);
    } else {
        dlw_remedy_say(advising,
                       "Unlock %s%s before %s asks again, or split off the part that needs no "
                       "locking. That breaks \"hold and wait\".",
                       what, dlw_remedy_taken(advising, &step->holds.stack), asked);
        dlw_remedy_say(advising,
                       "A recursive %s would not hang, but the inner code then sees the data half "
                       "changed.",
                       dlw_remedy_is_python(advising->finding) ? "lock (threading.RLock)"
                       : dlw_remedy_is_cplusplus(advising->finding)
                           ? "mutex (PTHREAD_MUTEX_RECURSIVE, std::recursive_mutex)"
                           : "mutex (PTHREAD_MUTEX_RECURSIVE)");
    }
}

static void remedy_gone(struct advising *advising)
{
    const struct dlw_doc_finding *finding = advising->finding;
    const struct dlw_doc_step *step = &finding->cycle[0];
    const char *what = dlw_remedy_lock(advising, step->wants.lock);
    const char *where = step->holds.stack.n ? dlw_remedy_place(advising, &step->holds.stack) : NULL;
    const char *taken = where ? dlw_region_print(advising->region, " (taken in %s)", where) : "";
    if (step->wants.lock->attributes && strstr(step->wants.lock->attributes, "pshared")) {
        dlw_remedy_say(
            advising,
            "A process can be killed at any moment, with %s in hand: make it robust "
            "(PTHREAD_MUTEX_ROBUST). The next one that asks gets it with EOWNERDEAD, and "
            "calls pthread_mutex_consistent. That breaks \"no preemption\".",
            what);
        return;
    }
    if (finding->reason && strstr(finding->reason, "parent")) {
        dlw_remedy_say(advising,
                       "fork copies the thread that calls it alone; %s%s stays locked in the child "
                       "for ever. Fork before threads are made, or take it around fork "
                       "(pthread_atfork).",
                       what, taken);
        dlw_remedy_say(advising, "Between fork and exec call only what is async-signal-safe.");
        return;
    }
    dlw_remedy_say(advising,
                   "Whoever takes %s%s must unlock it before it ends, on every way out (return, "
                   "pthread_exit, cancellation)%s. That breaks \"hold and wait\".",
                   what, taken,
                   dlw_remedy_is_cplusplus(finding) ? ": std::lock_guard sees to that" : "");
    dlw_remedy_say(advising,
                   "In C a pthread_cleanup_push sees to that. Or make it robust "
                   "(PTHREAD_MUTEX_ROBUST): the next one that asks gets it, told by EOWNERDEAD. "
                   "That breaks \"no preemption\".");
}

/* Each keeps a unit of one semaphore and asks for another. */
static void remedy_pool(struct advising *advising)
{
    const struct dlw_doc_step *step = &advising->finding->cycle[0];
    const char *what = dlw_remedy_lock(advising, step->wants.lock);
    const char *asked = dlw_remedy_place(advising, &step->wants.stack);
    dlw_remedy_say(advising,
                   "Give the first of %s back before %s asks for one more, or take all at once in "
                   "%s, under a mutex. That breaks \"hold and wait\".",
                   what, asked, dlw_remedy_place(advising, &step->holds.stack));
    dlw_remedy_say(advising,
                   "Or let fewer threads begin at once than %s has units: then one of them always "
                   "gets its second and gives both back. That breaks \"circular wait\".",
                   what);
    dlw_remedy_say(advising,
                   "Or back off: ask with sem_trywait in %s, and when none is left give the first "
                   "back and begin again. That breaks \"no preemption\".",
                   asked);
}

/* A reader asks once more for what it reads already, and a writer came in between. */
static void remedy_in_line(struct advising *advising, const struct dlw_doc_step *reader)
{
    const char *what = dlw_remedy_lock(advising, reader->wants.lock);
    bool has_place = dlw_remedy_frame(&reader->holds.stack) != NULL;
    dlw_remedy_say(advising,
                   "Take %s for reading once: it is held%s%s when %s asks again. Rely on that, or "
                   "let go in between. That breaks \"hold and wait\".",
                   what, has_place ? " since " : " already",
                   has_place ? dlw_remedy_place(advising, &reader->holds.stack) : "",
                   dlw_remedy_place(advising, &reader->wants.stack));
    dlw_remedy_say(advising,
                   "Or let readers pass waiting writers: PTHREAD_RWLOCK_PREFER_READER_NP when %s "
                   "is made. That breaks \"circular wait\", and writers may wait long.",
                   what);
}

static const struct dlw_doc_step *second_reader(const struct dlw_doc_finding *finding)
{
    for (size_t i = 0; i < finding->n_cycle && finding->n_cycle == 2; i++)
        if (dlw_step_is_in_line(finding, &finding->cycle[i]) &&
            dlw_next_step(finding, i)->holds.lock == dlw_next_step(finding, i)->wants.lock)
            return dlw_next_step(finding, i);
    return NULL;
}

static void remedy_joins(struct advising *advising)
{
    dlw_remedy_say(advising,
                   "Threads that join each other can none of them end: take a join out, such as "
                   "the one in %s, and let who created them join them all. That breaks \"circular "
                   "wait\".",
                   dlw_remedy_place(advising, &advising->finding->cycle[0].wants.stack));
}

static void say_let_go(struct advising *advising, const struct dlw_doc_step *step)
{
    const char *held = dlw_remedy_lock(advising, step->holds.lock);
    const char *taken = dlw_remedy_taken(advising, &step->holds.stack);
    const char *asked = dlw_remedy_place(advising, &step->wants.stack);
    if (is_join(&step->wants))
        dlw_remedy_say(advising,
                       "Let go of %s%s before the join in %s: the thread that is joined needs it "
                       "to end. That breaks \"hold and wait\".",
                       held, taken, asked);
    else
        dlw_remedy_say(advising,
                       "Let go of %s%s before %s waits for %s. That breaks \"hold and wait\".",
                       held, taken, asked, dlw_remedy_lock(advising, step->wants.lock));
}

/* Who has CPython's global lock drops it before it waits for anything: the interpreter has calls
 * for that. */
static void remedy_gil(struct advising *advising)
{
    const struct dlw_doc_finding *finding = advising->finding;
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        if (is_gil(&step->holds))
            dlw_remedy_say(advising,
                           "Drop the GIL in %s before it waits for %s: Py_BEGIN_ALLOW_THREADS "
                           "ahead of it, and Py_END_ALLOW_THREADS %s (pybind11: "
                           "py::gil_scoped_release ahead of it; ctypes: load the library as CDLL, "
                           "not PyDLL). That breaks \"hold and wait\".",
                           dlw_remedy_place(advising, &step->wants.stack),
                           dlw_remedy_lock(advising, step->wants.lock),
                           is_join(&step->wants) ? "behind it" : "once that lock is let go again");
    }
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        if (is_gil(&step->wants) && !is_join(&step->holds))
            dlw_remedy_say(advising,
                           "Or let go of %s in %s before it calls into Python, which takes %s. "
                           "That breaks \"hold and wait\" as well.",
                           dlw_remedy_lock(advising, step->holds.lock),
                           dlw_remedy_place(advising, &step->wants.stack),
                           dlw_remedy_lock(advising, step->wants.lock));
    }
}

static bool joins_in_python(struct advising *advising, const struct dlw_doc_step *step)
{
    const char *sort = dlw_lock_sort(advising->region, step->wants.lock);
    return sort && strcmp(sort, "Python Thread") == 0;
}

/* A lock that the joined thread holds as long as it lives stands for its end. */
static bool remedy_python_join(struct advising *advising)
{
    const struct dlw_doc_finding *finding = advising->finding;
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        if (joins_in_python(advising, step) &&
            !joins_in_python(advising, dlw_next_step(finding, i)))
            dlw_remedy_say(advising,
                           "Let go of %s%s before the join in %s: the thread that is joined needs "
                           "it to end. That breaks \"hold and wait\".",
                           dlw_remedy_lock(advising, step->holds.lock),
                           dlw_remedy_taken(advising, &step->holds.stack),
                           dlw_remedy_place(advising, &step->wants.stack));
    }
    return advising->remedy.n > 0;
}

static bool is_about_gil(const struct dlw_doc_finding *finding)
{
    for (size_t i = 0; i < finding->n_cycle; i++)
        if (is_gil(&finding->cycle[i].holds))
            return true;
    return false;
}

/* It takes what it has. */
static void remedy_gil_alone(struct advising *advising)
{
    const struct dlw_doc_step *step = &advising->finding->cycle[0];
    dlw_remedy_say(advising,
                   "Where it may have %s already, as in %s, call PyGILState_Ensure (pybind11: "
                   "py::gil_scoped_acquire): it sees that. PyEval_RestoreThread and "
                   "PyEval_AcquireThread are for a thread that has dropped it. That breaks \"hold "
                   "and wait\".",
                   dlw_remedy_lock(advising, step->wants.lock),
                   dlw_remedy_place(advising, &step->wants.stack));
}

/* A join or an initialiser is part of the circle. */
static void remedy_mixed(struct advising *advising)
{
    const struct dlw_doc_finding *finding = advising->finding;
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        if (!is_lock(&step->wants) && is_taken(&step->holds))
            say_let_go(advising, step);
    }
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_doc_step *step = &finding->cycle[i];
        if (is_initialiser(&step->holds) && !is_initialiser(&step->wants))
            dlw_remedy_say(advising,
                           "%s %s out of what the initialiser calls (%s asks for it). That breaks "
                           "\"circular wait\".",
                           advising->remedy.n ? "Or keep" : "Keep",
                           dlw_remedy_lock(advising, step->wants.lock),
                           dlw_remedy_place(advising, &step->wants.stack));
    }
    if (!advising->remedy.n)
        dlw_remedy_say(advising,
                       "One of these waits has to go: do what the others need from this thread "
                       "before it waits, for example before %s. That breaks \"circular wait\".",
                       dlw_remedy_place(advising, &finding->cycle[0].wants.stack));
}

static void remedy_cycle(struct advising *advising)
{
    const struct dlw_doc_finding *finding = advising->finding;
    if (dlw_finding_holder_is_gone(finding))
        remedy_gone(advising);
    else if (is_about_gil(finding) && finding->n_cycle == 1)
        remedy_gil_alone(advising);
    else if (is_about_gil(finding))
        remedy_gil(advising);
    else if (remedy_python_join(advising))
        return;
    else if (finding->n_cycle == 1)
        remedy_alone(advising);
    else if (second_reader(finding))
        remedy_in_line(advising, second_reader(finding));
    else if (is_pool(finding))
        remedy_pool(advising);
    else if (are_all(finding, is_join))
        remedy_joins(advising);
    else if (are_all(finding, is_taken))
        dlw_remedy_order(advising);
    else
        remedy_mixed(advising);
}

static struct dlw_remedy advise(struct dlw_region *region, const struct dlw_doc_finding *finding,
                                bool by_labels)
{
    struct advising advising = {.region = region,
                                .finding = finding,
                                .by_labels = by_labels,
                                .remedy = {.title = "What breaks it"}};
    if (finding->n_cycle) {
        remedy_cycle(&advising);
        return advising.remedy;
    }
    advising.remedy.title = "What to do";
    if (dlw_kind_form(finding->kind) != DLW_FORM_CALL)
        dlw_remedy_stall(&advising);
    else if (finding->n_threads)
        dlw_remedy_accusation(&advising);
    return advising.remedy;
}

struct dlw_remedy dlw_finding_remedy(struct dlw_region *region,
                                     const struct dlw_doc_finding *finding)
{
    return advise(region, finding, false);
}

struct dlw_remedy dlw_finding_remedy_by_labels(struct dlw_region *region,
                                               const struct dlw_doc_finding *finding)
{
    return advise(region, finding, true);
}

const char *dlw_remedy_lecture(void)
{
    return "A deadlock needs four things at once: a lock that only one can have (mutual "
           "exclusion), a thread that keeps one while it asks for another (hold and wait), nobody "
           "who takes it away (no preemption), and threads that wait in a circle (circular wait). "
           "Take one of them away, and there is none. One order for all locks breaks the circle; "
           "asking only with empty hands, or for all locks at once, breaks hold and wait; trying, "
           "and letting go when it is busy, breaks no preemption; a copy for each thread, or "
           "atomic "
           "operations, need no exclusion.";
}
