/* What the runner says: each finding once for the whole tree, in whole blocks. */
#include "report/command/run/state.h"

#include "report/command/base/command.h"
#include "report/command/format/format.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void wipe_progress(struct dlw_run *run)
{
    if (run->shows_progress)
        fputs("\r\033[K", stderr);
    run->shows_progress = false;
}

/* What was printed as a warning and is an error after all is printed once more. */
static bool is_printed_before(struct dlw_run *run, const struct dlw_doc_finding *finding)
{
    struct dlw_run_printed *printed;
    HASH_FIND_STR(run->printed, finding->fingerprint, printed);
    if (printed && printed->severity <= finding->severity)
        return true;
    if (printed) {
        printed->severity = finding->severity;
        return false;
    }
    printed = dlw_region_alloc(&run->request.region, sizeof(*printed));
    printed->severity = finding->severity;
    memcpy(printed->fingerprint, finding->fingerprint, sizeof(printed->fingerprint));
    HASH_ADD_STR(run->printed, fingerprint, printed);
    return false;
}

/* The formats print documents: this one holds the finding alone, for as long as it takes. */
static void print_block(struct dlw_run *run, struct dlw_doc_finding *finding)
{
    struct dlw_doc *doc = run->doc;
    struct dlw_doc_finding **findings = doc->findings, *alone[] = {finding};
    struct dlw_doc_process **processes = doc->processes;
    struct dlw_doc_process *process[] = {(struct dlw_doc_process *)finding->process};
    size_t n_findings = doc->n_findings, n_processes = doc->n_processes;
    struct dlw_format_options options = {
        .color =
            dlw_format_wants_color((enum dlw_color)run->request.options.color, fileno(run->log)),
        .width = dlw_format_width(fileno(run->log)),
        .live = true,
    };
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return;
    doc->findings = alone;
    doc->processes = process;
    doc->n_findings = doc->n_processes = 1;
    dlw_format_text(memory, doc, &options);
    doc->findings = findings;
    doc->processes = processes;
    doc->n_findings = n_findings;
    doc->n_processes = n_processes;
    fclose(memory);
    wipe_progress(run);
    /* At once, so that blocks of parallel runs stay whole. */
    fflush(run->log);
    fwrite(text, 1, size, run->log);
    fflush(run->log);
    free(text);
}

void dlw_run_print_new(struct dlw_run *run)
{
    for (; run->n_looked_at < run->doc->n_findings; run->n_looked_at++) {
        struct dlw_doc_finding *finding = run->doc->findings[run->n_looked_at];
        dlw_doc_judge(run->doc, finding, &run->rules);
        if (!run->log || !dlw_doc_is_listed(finding) || is_printed_before(run, finding))
            continue;
        if (run->n_printed++ < (uint64_t)run->request.options.max_reports)
            print_block(run, finding);
    }
}

void dlw_run_print_again(struct dlw_run *run, struct dlw_doc_finding *finding)
{
    if (run->log)
        print_block(run, finding);
}

void dlw_run_print_summary(struct dlw_run *run)
{
    wipe_progress(run);
    if (!run->log)
        return;
    struct dlw_format_options options = {
        .color =
            dlw_format_wants_color((enum dlw_color)run->request.options.color, fileno(run->log)),
        .width = dlw_format_width(fileno(run->log)),
        .summary_only = true,
        .prefix = "dlwatch: ",
    };
    dlw_format_text(run->log, run->doc, &options);
    uint64_t limit = (uint64_t)run->request.options.max_reports;
    if (run->n_printed > limit)
        fprintf(run->log, "dlwatch: %llu more finding%s not printed (max_reports)\n",
                (unsigned long long)(run->n_printed - limit),
                run->n_printed - limit == 1 ? " was" : "s were");
    fflush(run->log);
}

void dlw_run_print_progress(struct dlw_run *run)
{
    enum { MANY = 8 };
    size_t n = dlw_journals_count(run->journals);
    /* The terminal is the child's: what it prints must not run into our line, so only a large tree
     * gets one, or who waits for us to read, once a second at most. */
    time_t now = time(NULL);
    bool is_waited_for = run->busy_since && run->attended_at - run->busy_since > 1;
    if ((n < MANY && !is_waited_for) || now == run->progress_at || run->log != stderr ||
        !isatty(STDERR_FILENO))
        return;
    run->progress_at = now;
    run->shows_progress = true;
    fprintf(stderr, "\r\033[Kdlwatch: %zu journals, %zu findings so far\r", n,
            run->doc->n_findings);
}
