/*
 * Turns a possible inversion into a certain one: runs the command again and steers its threads into
 * the deadlock (interpose/steer/pause.h). Each try is a `dlwatch run` of its own with a file of
 * roles; what it found is read from its journals.
 */
#ifndef DLW_COMMAND_CONFIRM_CONFIRM_H
#define DLW_COMMAND_CONFIRM_CONFIRM_H

#include "report/command/document/model.h"
#include "report/command/symbols/symbols.h"
#include "report/emit/steering.h"

#include <signal.h>
#include <stdbool.h>

enum { DLW_CONFIRM_TRIES = 20, DLW_CONFIRM_TIMEOUT = 60 };

struct dlw_confirm {
    long tries;
    long pause;     /* ms of a full pause; 0: chosen from what was seen */
    double timeout; /* seconds for one try; 0: chosen */
    bool lowers;    /* what was not reached becomes a warning */
    char **command;
    char **environment;   /* for the command: as it was before a run changed it */
    const sigset_t *mask; /* of signals, for the command; NULL: as it is */
    struct dlw_symbols *symbols;

    /* made by confirm.c */
    const char *folder; /* temporary */
    bool keeps_folder;
    const char *trouble; /* why it can't be started, NULL: it can */
};

/* Where it was taken says nothing: the end of a thread, the GIL. */
static inline bool dlw_confirm_has_no_first(const struct dlw_doc_lock *lock)
{
    return dlw_doc_is_thread(lock) || strcmp(lock->kind, "gil") == 0;
}

/* Does it make sense to try it: an inversion that could happen and has not? */
bool dlw_confirm_is_possible(const struct dlw_doc_finding *finding);

/*
 * Tries the findings of the finished document of which `wanted` (NULL: dlw_confirm_is_possible) is
 * true, and says of each what became of it (`confirmed`). Severities and the summary are made anew.
 * Returns how many were confirmed; negative, after a message, where the command can't be tried.
 */
int dlw_confirm_findings(struct dlw_doc *doc, struct dlw_confirm *confirm,
                         bool (*wanted)(const struct dlw_doc_finding *finding));

/* A temporary folder, confirm->folder. False after a message. */
bool dlw_confirm_make_folder(struct dlw_region *region, struct dlw_confirm *confirm);

/* ---- plan.c: from a finding to a file of roles ---- */

struct dlw_plan {
    const char *modules; /* lines of the file */
    const char *cycle;
    bool rebuilt;        /* a binary is another than the one that was watched */
    const char *trouble; /* why there is none: a part of a sentence; NULL: there is one */
};

struct dlw_plan dlw_plan_make(struct dlw_region *region, const struct dlw_confirm *confirm,
                              const struct dlw_doc_finding *finding);
/* Settings of the n'th try, from 1 on: how long, which role leads, how many arrivals pass first (of
 * as many as there were in one try), whether only the finding's own locks count. */
struct dlw_plan_try {
    long pause, leader, skip;
    bool is_strict;
};
struct dlw_plan_try dlw_plan_try(const struct dlw_confirm *confirm,
                                 const struct dlw_doc_finding *finding, long n, uint64_t arrivals);
/* False after a message. */
bool dlw_plan_write(const char *path, const struct dlw_plan *plan, const struct dlw_plan_try *how,
                    const char *progress);

/* ---- try.c: one run ---- */

struct dlw_try {
    struct dlw_doc *doc;              /* what it found; the caller frees it */
    struct dlw_doc_finding *deadlock; /* that closed the cycle, or NULL */
    struct dlw_doc_finding *other;    /* another certain deadlock or stall, or NULL */
    struct dlw_steering counts;
    bool timed_out, interrupted;
    int status; /* of the command, as a shell says it */
    double seconds;
};

/* `n` names its files; `finding` NULL: any deadlock will do. False: it can't be run at all. */
bool dlw_try_run(struct dlw_confirm *confirm, long n, const char *roles, const char *progress,
                 const struct dlw_doc_finding *finding, struct dlw_try *out);
/* An empty file for the counts of a try. False after a message. */
bool dlw_try_make_progress(const char *path);

/* ---- outcome.c: what is said of it ---- */

/* Of all tries of one finding. */
struct dlw_outcome {
    long tries, reached, failed, hung, timed_out;
    int status; /* of the last that failed */
    double longest;
    uint64_t arrivals;       /* at one role, in one try: the most */
    struct dlw_steering sum; /* `stood` is the longest */
    const char *replay;      /* file of a try that reached it */
    const char *other;       /* message of another deadlock that came in between */
    bool rebuilt;
};

void dlw_outcome_add(struct dlw_outcome *outcome, struct dlw_region *region,
                     const struct dlw_try *one);
/* Why it was not reached, or what it took: one sentence or two. */
const char *dlw_outcome_why(struct dlw_region *region, const struct dlw_outcome *outcome,
                            const struct dlw_doc_finding *finding);

#endif
