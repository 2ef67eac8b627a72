/* Each possible finding gets its tries, and the document what came of them. */
#include "report/command/confirm/confirm.h"

#include "report/command/base/command.h"
#include "report/command/base/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool dlw_confirm_is_possible(const struct dlw_doc_finding *finding)
{
    return finding->kind == DLW_LOCK_ORDER_INVERSION && !finding->certain &&
           finding->harmless == DLW_FEASIBLE && dlw_doc_is_listed(finding);
}

bool dlw_confirm_make_folder(struct dlw_region *region, struct dlw_confirm *confirm)
{
    const char *base = getenv("TMPDIR");
    char *folder =
        dlw_region_print(region, "%s/dlwatch-confirm-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(folder)) {
        dlw_message("cannot make a folder for the tries, %s: %s", folder, strerror(errno));
        return false;
    }
    if (geteuid() == 0) /* a program that gives up root writes there too */
        chmod(folder, 0711);
    char *real = realpath(folder, NULL);
    confirm->folder = dlw_region_copy(region, real ? real : folder);
    free(real);
    return true;
}

/* The finding is the deadlock from now on: its threads, stacks and locks. The text of both lives as
 * long as the document. */
static void become(struct dlw_doc *doc, struct dlw_doc_finding *finding, struct dlw_try *one)
{
    const struct dlw_doc_finding *deadlock = one->deadlock;
    dlw_doc_keep(doc, one->doc);
    finding->certain = true;
    finding->process = deadlock->process;
    finding->cycle = deadlock->cycle;
    finding->n_cycle = deadlock->n_cycle;
    finding->locks = deadlock->locks;
    finding->n_locks = deadlock->n_locks;
    finding->time = deadlock->time;
    finding->doubt = DLW_NO_DOUBT;
    finding->across_runs = false;
    finding->reason = NULL;
    finding->severity = DLW_ERROR;
}

static void settle(struct dlw_doc *doc, struct dlw_confirm *confirm,
                   struct dlw_doc_finding *finding, const struct dlw_outcome *outcome,
                   const char *why)
{
    struct dlw_doc_confirmed *confirmed = dlw_region_alloc(&doc->region, sizeof(*confirmed));
    confirmed->reached = (unsigned)outcome->reached;
    confirmed->of = (unsigned)outcome->tries;
    confirmed->why = why;
    confirmed->replay = outcome->replay;
    finding->confirmed = confirmed;
    if (!outcome->reached && confirm->lowers && finding->severity == DLW_ERROR)
        finding->severity = DLW_WARNING;
}

/* False: no more tries of anything. */
static bool try_once(struct dlw_doc *doc, struct dlw_confirm *confirm,
                     const struct dlw_doc_finding *finding, const struct dlw_plan *plan, long n,
                     struct dlw_outcome *outcome, struct dlw_try *first)
{
    struct dlw_region *region = &doc->region;
    struct dlw_plan_try how = dlw_plan_try(confirm, finding, n, outcome->arrivals);
    const char *roles =
        dlw_region_print(region, "%s/%s-%ld.roles", confirm->folder, finding->fingerprint, n);
    const char *progress = dlw_region_print(region, "%s/progress", confirm->folder);
    struct dlw_try one;
    double timeout = confirm->timeout;
    if (timeout == 0)
        confirm->timeout = DLW_CONFIRM_TIMEOUT + 4 * (double)how.pause / 1000;
    bool goes_on = dlw_try_make_progress(progress) && dlw_plan_write(roles, plan, &how, progress) &&
                   dlw_try_run(confirm, n, roles, progress, finding, &one);
    confirm->timeout = timeout;
    unlink(progress);
    if (!goes_on)
        return false;
    dlw_outcome_add(outcome, region, &one);
    bool is_first = one.deadlock && !first->deadlock;
    if (is_first) {
        outcome->replay = roles;
        confirm->keeps_folder = true;
        dlw_plan_write(roles, plan, &how, NULL);
        *first = one;
    } else {
        unlink(roles);
        dlw_doc_free(one.doc);
    }
    return !one.interrupted;
}

/* False: no more tries of anything. */
static bool try_finding(struct dlw_doc *doc, struct dlw_confirm *confirm,
                        struct dlw_doc_finding *finding, struct dlw_progress *progress)
{
    struct dlw_region *region = &doc->region;
    struct dlw_plan plan = dlw_plan_make(region, confirm, finding);
    struct dlw_outcome outcome = {.rebuilt = plan.rebuilt};
    struct dlw_try first = {0};
    bool goes_on = true;
    for (long n = 1; n <= confirm->tries && goes_on && !plan.trouble; n++) {
        dlw_progress_show(progress, "%s: try %ld of %ld, reached %ld times so far",
                          finding->fingerprint, n, confirm->tries, outcome.reached);
        goes_on = try_once(doc, confirm, finding, &plan, n, &outcome, &first);
    }
    if (outcome.tries == 0 && !plan.trouble)
        return false;
    const char *why = plan.trouble ? plan.trouble : dlw_outcome_why(region, &outcome, finding);
    if (first.deadlock)
        become(doc, finding, &first);
    settle(doc, confirm, finding, &outcome, why);
    return goes_on;
}

int dlw_confirm_findings(struct dlw_doc *doc, struct dlw_confirm *confirm,
                         bool (*wanted)(const struct dlw_doc_finding *finding))
{
    int n_confirmed = 0;
    bool goes_on = true;
    if (!dlw_confirm_make_folder(&doc->region, confirm))
        return -1;
    struct dlw_progress progress = dlw_progress_begin();
    for (size_t i = 0; i < doc->n_findings && goes_on; i++) {
        struct dlw_doc_finding *finding = doc->findings[i];
        if (!(wanted ? wanted : dlw_confirm_is_possible)(finding))
            continue;
        goes_on = try_finding(doc, confirm, finding, &progress);
        n_confirmed += finding->confirmed && finding->confirmed->reached;
    }
    dlw_progress_end(&progress);
    if (!confirm->keeps_folder)
        rmdir(confirm->folder);
    dlw_doc_summarize(doc);
    if (confirm->trouble)
        dlw_message("%s", confirm->trouble);
    return confirm->trouble ? -1 : n_confirmed;
}
