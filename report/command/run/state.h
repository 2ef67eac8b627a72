/* One run, and what its parts do with it. */
#ifndef DLW_COMMAND_RUN_STATE_H
#define DLW_COMMAND_RUN_STATE_H

#include "report/command/run/run.h"

#include <signal.h>
#include <uthash.h>

struct dlw_run_printed {
    char fingerprint[17];
    enum dlw_severity severity;
    UT_hash_handle hh;
};

struct dlw_run_end {
    pid_t pid;
    int status; /* as waitpid gives it */
    UT_hash_handle hh;
};

struct dlw_run {
    struct dlw_run_request request;
    struct dlw_program program;
    const char *folder;  /* temporary, or NULL: the user chose where journals go */
    const char *pattern; /* of the journals */
    const char *tally;   /* file (tally.c), or NULL */
    const char *id;      /* that they bear; one inside another run's: "outer.inner" */
    struct dlw_symbols *symbols;
    struct dlw_doc *doc;
    struct dlw_doc_rules rules;
    struct dlw_reading reading;
    bool wants_edges;
    struct dlw_journals *journals;
    FILE *log; /* NULL: none */
    size_t n_looked_at;
    size_t n_empty; /* journals without a line */
    size_t n_lost;  /* processes that could not make one */
    struct dlw_run_printed *printed;
    uint64_t n_printed;
    bool shows_progress;
    time_t progress_at;
    sigset_t old_mask;
    char **environment; /* as it was before it was made the watched command's */
    int signals;
    pid_t child;
    int status;
    bool has_ended, timed_out;
    double deadline; /* 0: none */
    double next_look, next_stall_look;
    bool is_reading;    /* journals: between two lines of one, at times */
    double busy_since;  /* reading; 0: not */
    double attended_at; /* when signals and the deadline were last looked at meanwhile */
    struct dlw_run_process *processes; /* of outside.c */
    struct dlw_run_end *ends;          /* of ends.c */
};

/* ---- ends.c: how processes ended whose journals don't say it ---- */

/* Of the command, and of orphans, which become children of `run`. */
void dlw_run_note_end(struct dlw_run *run, pid_t pid, int status);
/* Once all journals were read: what no library could write any more. */
void dlw_run_settle_ends(struct dlw_run *run);
void dlw_run_forget_ends(struct dlw_run *run);

/* ---- outside.c: what processes can't say themselves: stalls, circles over several ---- */

/* The monotonic clock, seconds. */
double dlw_run_now(void);
/* Does nothing before `next_look`; `time` is that of the monotonic clock. */
void dlw_run_look_outside(struct dlw_run *run, double time);
/* Is a process of the tree left that was ended here? `is_late`: it is killed. */
bool dlw_run_is_ending_some(struct dlw_run *run, bool is_late);
void dlw_run_forget_processes(struct dlw_run *run);
/* Is the process one of those that the option exe names? */
bool dlw_run_watches(const struct dlw_run *run, pid_t pid);

/* ---- prepare.c: rules, log, place of the journals, environment of the child ---- */

/* False after a message. */
bool dlw_run_prepare(struct dlw_run *run);

/* ---- print.c: blocks as they come, the summary ---- */

void dlw_run_print_new(struct dlw_run *run);
/* Once more, after what was said of it has changed. */
void dlw_run_print_again(struct dlw_run *run, struct dlw_doc_finding *finding);
void dlw_run_print_summary(struct dlw_run *run);
/* A line that is overwritten, on a terminal and where there is more than one process to tell of. */
void dlw_run_print_progress(struct dlw_run *run);

#endif
