/* Severity, message and the flags of each finding; equal ones become one; the summary. */
#include "report/command/document/classify.h"

#include "report/command/document/baseline.h"
#include "report/command/document/suppressions.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

static enum dlw_severity severity_of(const struct dlw_doc_finding *finding, enum dlw_show show)
{
    enum dlw_severity severity = dlw_kind_severity(finding->kind);
    if (severity != DLW_ERROR)
        return severity;
    if (finding->doubt == DLW_DOUBT_SIGNAL)
        return DLW_NOTE;
    /* What the program vouches for stays a note, however strict one is. */
    if (finding->harmless == DLW_INTENDED ||
        (finding->harmless != DLW_FEASIBLE && show != DLW_SHOW_STRICT))
        return DLW_NOTE;
    if (finding->doubt == DLW_DOUBT_SCOPE && show == DLW_SHOW_STRICT)
        return DLW_ERROR;
    return finding->doubt != DLW_NO_DOUBT ? DLW_WARNING : DLW_ERROR;
}

/* The library says so where it knows more; what else wants the end of a thread is a join. */
static void doubt_joins(struct dlw_doc_finding *finding)
{
    for (size_t i = 0; i < finding->n_cycle; i++)
        if (finding->kind == DLW_LOCK_ORDER_INVERSION && finding->harmless == DLW_FEASIBLE &&
            finding->doubt == DLW_NO_DOUBT && finding->cycle[i].wants.lock &&
            dlw_doc_is_thread(finding->cycle[i].wants.lock))
            finding->doubt = DLW_DOUBT_JOIN;
}

/* Whoever closed the circle came first; a reader is better served by the same beginning always. */
static void begin_with_first_thread(struct dlw_doc *doc, struct dlw_doc_finding *finding)
{
    size_t first = 0, n = finding->n_cycle;
    for (size_t i = 1; i < n; i++)
        if (finding->cycle[i].thread->id < finding->cycle[first].thread->id)
            first = i;
    if (!first)
        return;
    struct dlw_doc_step *turned = dlw_region_alloc(&doc->region, n * sizeof(*turned));
    for (size_t i = 0; i < n; i++)
        turned[i] = finding->cycle[(first + i) % n];
    finding->cycle = turned;
}

/* L1, L2, … as a reader meets them: the ends of threads, which need no line in a legend, last. */
static void number_locks(struct dlw_doc *doc, struct dlw_doc_finding *finding)
{
    size_t n_before = finding->n_locks;
    struct dlw_doc_lock **before = finding->locks;
    finding->locks = NULL;
    finding->n_locks = 0;
    for (size_t i = 0; i < finding->n_cycle; i++)
        if (!dlw_doc_is_thread(finding->cycle[i].holds.lock))
            dlw_doc_name_lock(doc, finding, finding->cycle[i].holds.lock);
    for (int ends = 0; ends < 2; ends++)
        for (size_t i = 0; i < n_before; i++)
            if (dlw_doc_is_thread(before[i]) == ends)
                dlw_doc_name_lock(doc, finding, before[i]);
    for (size_t i = 0; i < finding->n_passing; i++)
        finding->passing[i]->id = dlw_region_print(&doc->region, "L%zu", finding->n_locks + i + 1);
}

static size_t place_of(const struct dlw_doc_finding *finding, const struct dlw_doc_thread *thread)
{
    for (size_t i = 0; i < finding->n_cycle; i++)
        if (finding->cycle[i].thread == thread)
            return i;
    return finding->n_cycle;
}

/* The lanes of the time line stand as the threads do. */
static void order_trails(struct dlw_doc_finding *finding)
{
    for (size_t i = 1; i < finding->n_trails; i++)
        for (size_t k = i; k > 0; k--) {
            struct dlw_doc_trail *trail = &finding->trails[k], kept = *trail;
            if (place_of(finding, trail[-1].thread) <= place_of(finding, trail->thread))
                break;
            *trail = trail[-1];
            trail[-1] = kept;
        }
}

/* The library says why a cycle is harmless by a word; people and programs get the same line. */
static const char *harmless_reason(struct dlw_doc *doc, const struct dlw_doc_finding *finding)
{
    switch (finding->harmless) {
    case DLW_GUARDED:
        return dlw_region_print(&doc->region, "guarded by %s, a gate held around all of it",
                                finding->gate ? finding->gate->id : "another lock");
    case DLW_ORDERED:
        return "ordered by thread creation, joining or a barrier";
    case DLW_ONE_THREAD:
        return "one thread only took these orders";
    case DLW_ALL_SHARED:
        return "a reader meets only readers";
    case DLW_INTENDED:
        return "the program declares this order as intended";
    case DLW_ALL_TIMED:
        return "every step is timed";
    default:
        return NULL;
    }
}

static const char *doubt_reason(struct dlw_region *region, const struct dlw_doc_finding *finding)
{
    switch (finding->doubt) {
    case DLW_DOUBT_JOIN:
        return "a step is the end of a thread";
    case DLW_DOUBT_CONDITION:
        return "a condition seems to keep the steps apart";
    case DLW_DOUBT_SEMAPHORE:
        return "a semaphore in it may be no lock";
    case DLW_DOUBT_SCOPE:
        return dlw_region_print(region, "%s are kept apart only by running one after the other",
                                dlw_finding_scopes(region, finding));
    default:
        return NULL;
    }
}

static bool is_known(const struct dlw_baseline *baseline, const struct dlw_doc_finding *finding)
{
    char former[sizeof(finding->fingerprint)];

    if (dlw_baseline_find(baseline, finding->fingerprint))
        return true;
    dlw_former_fingerprint(finding, former);
    return dlw_baseline_find(baseline, former);
}

void dlw_doc_judge(struct dlw_doc *doc, struct dlw_doc_finding *finding,
                   const struct dlw_doc_rules *rules)
{
    enum dlw_show show = rules ? rules->show : DLW_SHOW_FEASIBLE;
    begin_with_first_thread(doc, finding);
    number_locks(doc, finding);
    order_trails(finding);
    doubt_joins(finding);
    dlw_doc_find_names(doc, finding);
    finding->severity = severity_of(finding, show);
    if (!finding->reason)
        finding->reason = harmless_reason(doc, finding);
    if (!finding->reason)
        finding->reason =
            finding->across_runs ? "seen across runs" : doubt_reason(&doc->region, finding);
    finding->message = dlw_finding_message(&doc->region, finding);
    dlw_fingerprint(finding, finding->fingerprint);
    finding->hidden = finding->harmless != DLW_FEASIBLE && show == DLW_SHOW_FEASIBLE;
    finding->suppressed =
        rules && rules->suppressions && dlw_suppressions_match(rules->suppressions, finding);
    finding->in_baseline = rules && rules->baseline && is_known(rules->baseline, finding);
}

struct seen {
    char fingerprint[sizeof(((struct dlw_doc_finding *)0)->fingerprint)];
    size_t at; /* in the document's list */
    UT_hash_handle hh;
};

static void fold_into(struct dlw_doc_finding **kept, struct dlw_doc_finding *finding)
{
    uint64_t count = (*kept)->count + finding->count;
    /* Equal now, and apart by the rules of 0.1.0: one mistake, of which the baseline knows a part.
     */
    bool known = (*kept)->in_baseline || finding->in_baseline;
    if (finding->severity < (*kept)->severity)
        *kept = finding;
    (*kept)->count = count;
    (*kept)->in_baseline = known;
}

/* The first of the worst stays, with its process and its stacks. */
static void fold_equal(struct dlw_doc *doc)
{
    struct seen *table = NULL, *seen, *next;
    struct dlw_region region = {0};
    size_t kept = 0;
    for (size_t i = 0; i < doc->n_findings; i++) {
        struct dlw_doc_finding *finding = doc->findings[i];
        HASH_FIND_STR(table, finding->fingerprint, seen);
        if (seen) {
            fold_into(&doc->findings[seen->at], finding);
            continue;
        }
        seen = dlw_region_alloc(&region, sizeof(*seen));
        memcpy(seen->fingerprint, finding->fingerprint, sizeof(seen->fingerprint));
        seen->at = kept;
        HASH_ADD_STR(table, fingerprint, seen);
        doc->findings[kept++] = finding;
    }
    doc->n_findings = kept;
    HASH_ITER(hh, table, seen, next)
    HASH_DELETE(hh, table, seen);
    dlw_region_free(&region);
}

/* Worst first; within a severity deadlocks before what only can become one; else as they came. */
static unsigned rank(const struct dlw_doc_finding *finding)
{
    return (unsigned)finding->severity * DLW_N_KINDS + (unsigned)finding->kind;
}

static void order(struct dlw_doc *doc)
{
    struct dlw_doc_finding **sorted =
        dlw_region_alloc(&doc->region, (doc->n_findings + 1) * sizeof(struct dlw_doc_finding *));
    size_t n = 0;
    for (unsigned wanted = 0; wanted < 3 * DLW_N_KINDS; wanted++)
        for (size_t i = 0; i < doc->n_findings; i++)
            if (rank(doc->findings[i]) == wanted)
                sorted[n++] = doc->findings[i];
    doc->findings = sorted;
    /* The array was not made by growing: nothing is appended after finishing. */
}

static void count(struct dlw_doc_summary *summary, const struct dlw_doc_finding *finding)
{
    if (finding->suppressed)
        summary->suppressed++;
    else if (finding->hidden)
        summary->hidden++;
    else if (finding->in_baseline)
        summary->known++;
    else if (finding->severity == DLW_ERROR)
        summary->errors++;
    else if (finding->severity == DLW_WARNING)
        summary->warnings++;
    else
        summary->notes++;
}

void dlw_doc_finish(struct dlw_doc *doc, const struct dlw_doc_rules *rules)
{
    for (size_t i = 0; i < doc->n_threads; i++)
        dlw_thread_find_begin(doc->threads[i].thread, &doc->threads[i].stack);
    dlw_doc_find_thread_names(doc);
    for (size_t i = 0; i < doc->n_findings; i++) {
        if (!doc->findings[i]->count)
            doc->findings[i]->count = 1;
        dlw_doc_judge(doc, doc->findings[i], rules);
    }
    fold_equal(doc);
    dlw_doc_summarize(doc);
}

void dlw_doc_summarize(struct dlw_doc *doc)
{
    order(doc);
    dlw_doc_finish_costs(doc);
    memset(&doc->summary, 0, sizeof(doc->summary));
    for (size_t i = 0; i < doc->n_findings; i++)
        count(&doc->summary, doc->findings[i]);
}
