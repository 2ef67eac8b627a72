/* How sure a finding is, and why: in sentences. */
#include "report/command/document/classify.h"

#include <string.h>

static const char *why_harmless(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    switch (finding->harmless) {
    case DLW_GUARDED:
        return dlw_region_print(
            region,
            "This run proves it harmless: %s was held around all of it (a gate "
            "lock), so the threads can't be in between at once. It becomes real "
            "when one place takes the locks without the gate.",
            finding->gate ? dlw_finding_lock_title(region, finding, finding->gate) : "a lock");
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

/* What stands so when somebody looks from outside has no time at which it came about. */
static const char *plainly_certain(const struct dlw_doc_finding *finding)
{
    return finding->time > 0 ? "Certain: seen as it happened." : "Certain: seen as it stands.";
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

const char *dlw_finding_certainty(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    const char *words = dlw_finding_confidence(region, finding);
    if (!words || strcmp(words, plainly_certain(finding)) != 0)
        return NULL;
    return finding->time > 0 ? "seen as it happened" : "certain";
}
