/* The one line that says what is wrong, how sure it is, and the names that it uses. */
#include "report/command/document/classify.h"
#include "report/command/document/words.h"

#include <string.h>

const char *dlw_finding_lock_title(struct dlw_region *region, const struct dlw_doc_finding *finding,
                                   const struct dlw_doc_lock *lock)
{
    const char *title = dlw_lock_title(region, lock);
    size_t before = 0, equal = 0;
    for (size_t i = 0; i < finding->n_locks; i++) {
        if (strcmp(dlw_lock_title(region, finding->locks[i]), title) != 0)
            continue;
        equal++;
        if (finding->locks[i] == lock)
            before = equal;
    }
    return equal > 1 ? dlw_region_print(region, "%s (no. %zu)", title, before) : title;
}

static bool is_equal_title(struct dlw_region *region, const struct dlw_doc_thread *a,
                           const struct dlw_doc_thread *b)
{
    return a && b && a != b && (a->id != b->id || a->process != b->process) &&
           strcmp(dlw_thread_title(region, a), dlw_thread_title(region, b)) == 0;
}

/* Processes have no name that tells them apart and is the same in every run: they get letters, in
 * the order of the circle. NULL: all its threads are of one. */
static const char *process_letter(struct dlw_region *region, const struct dlw_doc_finding *finding,
                                  const struct dlw_doc_process *process)
{
    const struct dlw_doc_process *before[26];
    size_t n = 0, at = SIZE_MAX;
    for (size_t i = 0; i < finding->n_cycle && n < sizeof before / sizeof *before; i++) {
        const struct dlw_doc_process *other = finding->cycle[i].thread->process;
        size_t k = 0;
        while (k < n && before[k] != other)
            k++;
        if (k == n)
            before[n++] = other;
        if (other == process)
            at = k;
    }
    return n > 1 && at < n ? dlw_region_print(region, " in process %c", (int)('A' + at)) : NULL;
}

/* " of inv": threads of different programs are told apart by these. NULL: it is all one. */
static const char *program_of(struct dlw_region *region, const struct dlw_doc_finding *finding,
                              const struct dlw_doc_process *process)
{
    for (size_t i = 0; process && process->exe && i < finding->n_cycle; i++) {
        const struct dlw_doc_process *other = finding->cycle[i].thread->process;
        const char *name = dlw_base_name(process->exe);
        if (other && other->exe && strcmp(dlw_base_name(other->exe), name) != 0)
            return dlw_region_print(region, " of %s", name);
    }
    return NULL;
}

/* Its number among those of its title, in the order of the finding: their own numbers are others in
 * every run. */
static size_t number_of(struct dlw_region *region, const struct dlw_doc_finding *finding,
                        const struct dlw_doc_thread *thread)
{
    size_t n = 1;
    for (size_t i = 0; i < finding->n_cycle; i++) {
        if (finding->cycle[i].thread->id == thread->id)
            return n;
        n += is_equal_title(region, thread, finding->cycle[i].thread);
    }
    for (size_t i = 0; i < finding->n_threads; i++) {
        if (finding->threads[i].thread->id == thread->id)
            return n;
        n += is_equal_title(region, thread, finding->threads[i].thread);
    }
    return n;
}

const char *dlw_finding_thread_title(struct dlw_region *region,
                                     const struct dlw_doc_finding *finding,
                                     const struct dlw_doc_thread *thread)
{
    bool is_shared = false;
    for (size_t i = 0; i < finding->n_cycle; i++)
        is_shared |= is_equal_title(region, thread, finding->cycle[i].thread);
    for (size_t i = 0; i < finding->n_threads; i++)
        is_shared |= is_equal_title(region, thread, finding->threads[i].thread);
    const char *title = dlw_thread_title(region, thread);
    const char *letter = is_shared ? program_of(region, finding, thread->process) : NULL;
    if (is_shared && !letter && !finding->across_runs)
        letter = process_letter(region, finding, thread->process);
    if (letter)
        return dlw_region_print(region, "%s%s", title, letter);
    return is_shared && !finding->across_runs && (thread->name || thread->start || thread->begins)
               ? dlw_region_print(region, "%s #%zu", title, number_of(region, finding, thread))
               : title;
}

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

static const char *why_harmless(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    switch (finding->harmless) {
    case DLW_GUARDED:
        return dlw_region_print(
            region,
            "This run proves it harmless: %s was held around all of it (a gate "
            "lock), so the threads can't be in between at once. It becomes real "
            "when one place takes the locks without the gate.",
            lock(region, finding, finding->gate));
    case DLW_ORDERED:
        return "This run proves it harmless: thread creation, joining or a barrier puts one side "
               "before the other, so they never run at once.";
    case DLW_ONE_THREAD:
        return "This run proves it harmless: one and the same thread took the locks in these "
               "orders. It becomes real when a second thread runs one of these places.";
    case DLW_ALL_SHARED:
        return "This run proves it harmless: somewhere in the circle a reader only meets readers, "
               "and they do not exclude each other.";
    case DLW_INTENDED:
        return "The program says that it means one of these orders (dlwatch.h), so this is no "
               "error. Whether it can hang is for whoever said so to know.";
    case DLW_ALL_TIMED:
        return "Every step of the circle is asked for with a time limit, so nobody waits for ever: "
               "a thread gives up after its time. It becomes real when one place asks without a "
               "limit.";
    default:
        return NULL;
    }
}

static bool has_scope_before(const struct dlw_doc_finding *finding, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (finding->cycle[k].scope &&
            strcmp(finding->cycle[k].scope, finding->cycle[i].scope) == 0)
            return true;
    return false;
}

const char *dlw_finding_scopes(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    const char *list = NULL;
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const char *scope = finding->cycle[i].scope;
        if (scope && !has_scope_before(finding, i))
            list = list ? dlw_region_print(region, "%s and test %s", list, scope)
                        : dlw_region_print(region, "test %s", scope);
    }
    return list ? list : "two tests";
}

/* What an inversion that is a warning stands on. NULL: it is none. */
static const char *why_doubtful(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    const char *join = "It did not hang this time: the thread that is joined did not come to that "
                       "lock any more. It hangs when it still has to take it. ";
    switch (finding->doubt) {
    case DLW_DOUBT_JOIN:
        return dlw_region_print(
            region,
            "%sA flag under that lock may tell the joiner that it won't; dlwatch "
            "does not see flags, so this is a warning.",
            join);
    case DLW_DOUBT_CONDITION:
        return dlw_region_print(
            region,
            "%sA condition seems to keep the two apart: the thread signalled it the last time that "
            "it held the lock, and the joiner came to its hold by waiting for it. That is no "
            "proof: "
            "woken by another signal, or with one more taking of the lock, it hangs.",
            join);
    case DLW_DOUBT_SEMAPHORE:
        return "A semaphore in the circle may be no lock: it was taken under another lock, kept "
               "when "
               "that was let go, and posted under it later, as the first and the last of several "
               "readers do for all of them. Then a count keeps the steps apart, which dlwatch does "
               "not see. If it does not, it hangs when the threads are between their locks at "
               "once.";
    case DLW_DOUBT_SCOPE:
        return dlw_region_print(
            region,
            "It can't hang in this run: %s run one after the other, each with its own threads, and "
            "the joins between them are all that keeps the orders apart. Where one program runs "
            "both pieces of code at once, it hangs when the threads are between their locks.",
            dlw_finding_scopes(region, finding));
    default:
        return NULL;
    }
}

static bool has_time_limit(const struct dlw_doc_finding *finding)
{
    for (size_t i = 0; i < finding->n_cycle; i++)
        if (finding->cycle[i].wants.timed)
            return true;
    return false;
}

static const char *confirmed_words(struct dlw_region *region,
                                   const struct dlw_doc_confirmed *confirmed)
{
    const char *replay = confirmed->replay
                             ? dlw_region_print(region,
                                                " To play that again: dlwatch confirm --replay=%s "
                                                "-- COMMAND",
                                                confirmed->replay)
                             : "";
    return dlw_region_print(
        region,
        "Certain: it deadlocked, confirmed in %u of %u tries, and these are the threads and "
        "stacks of the deadlock. In a try %s; nothing else was changed.%s",
        confirmed->reached, confirmed->of, confirmed->why, replay);
}

static const char *unconfirmed_words(struct dlw_region *region,
                                     const struct dlw_doc_confirmed *confirmed)
{
    if (confirmed->of == 0)
        return dlw_region_print(region, " It could not be tried: %s.", confirmed->why);
    return dlw_region_print(region, " Not reached in %u tr%s: %s.", confirmed->of,
                            confirmed->of == 1 ? "y" : "ies", confirmed->why);
}

static const char *confidence_of(struct dlw_region *region, const struct dlw_doc_finding *finding);

/* What stands so when somebody looks from outside has no time at which it came about. */
static const char *plainly_certain(const struct dlw_doc_finding *finding)
{
    return finding->time > 0 ? "Certain: seen as it happened." : "Certain: seen as it stands.";
}

const char *dlw_finding_certainty(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    const char *words = dlw_finding_confidence(region, finding);
    if (!words || strcmp(words, plainly_certain(finding)) != 0)
        return NULL;
    return finding->time > 0 ? "seen as it happened" : "certain";
}

const char *dlw_finding_confidence(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    const char *words = finding->confirmed && finding->confirmed->reached
                            ? confirmed_words(region, finding->confirmed)
                            : confidence_of(region, finding);
    if (finding->confirmed && !finding->confirmed->reached)
        return dlw_region_print(region, "%s%s", words ? words : "",
                                unconfirmed_words(region, finding->confirmed));
    return words;
}

static const char *confidence_of(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    const char *harmless = why_harmless(region, finding);
    if (harmless)
        return harmless;
    const char *doubtful = finding->across_runs ? NULL : why_doubtful(region, finding);
    if (doubtful)
        return doubtful;
    const char *reason = finding->reason ? finding->reason : "";
    const char *limit = has_time_limit(finding)
                            ? " Where the time limit stands, the wait ends by itself, late; the "
                              "other side stands still until then."
                            : "";
    const char *open = finding->reason ? " Note: " : "", *stop = finding->reason ? "." : "";
    if (finding->kind == DLW_LOCK_ORDER_INVERSION && finding->across_runs)
        return dlw_region_print(
            region,
            "It did not hang: the orders come from different runs or processes. If one program "
            "runs both at once, it can hang.%s%s%s",
            open, reason, stop);
    if (finding->kind == DLW_LOCK_ORDER_INVERSION && !finding->certain)
        return dlw_region_print(
            region,
            "It did not hang, but can: no common lock, create, join or barrier keeps the threads "
            "apart, unless something unseen does, such as a flag.%s%s%s%s",
            open, reason, stop, limit);
    if (finding->doubt == DLW_DOUBT_SIGNAL)
        return dlw_region_print(
            region,
            "Possible: every thread of the process waits without a time limit, and %s. A service "
            "that has nothing to do looks the same, so this is a note.",
            reason);
    if (finding->kind == DLW_STALL && finding->certain) {
        const char *unowned = dlw_unowned_locks(region, finding->threads, finding->n_threads);
        return dlw_region_print(
            region,
            "Certain: every thread waits without a time limit, and no signal handler is set that "
            "could wake one.%s%s%s%s%s%s",
            open, reason, stop, unowned ? " Locks of " : "", unowned ? unowned : "",
            unowned ? " are futexes that name no holder: who has them can't be known." : "");
    }
    if (finding->kind == DLW_DEADLOCK && finding->certain)
        return finding->reason && (finding->n_cycle != 1 || finding->gone)
                   ? dlw_region_print(region, "%s%s%s%s", plainly_certain(finding), open, reason,
                                      stop)
                   : plainly_certain(finding);
    if (finding->kind == DLW_DEADLOCK)
        return dlw_region_print(region, "Possible: the %s seen waiting%s.%s%s%s",
                                finding->n_cycle == 1 ? "thread was" : "threads were",
                                finding->n_cycle == 1 ? "" : " for each other", open, reason, stop);
    return finding->reason && !(finding->n_threads && !finding->n_cycle)
               ? dlw_region_print(region, "Note: %s.", reason)
               : NULL;
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
