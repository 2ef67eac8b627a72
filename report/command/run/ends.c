/* How processes ended whose journals don't say it: what their parent, `run`, saw of it. */
#include "report/command/run/state.h"

#include <string.h>
#include <sys/wait.h>

void dlw_run_note_end(struct dlw_run *run, pid_t pid, int status)
{
    struct dlw_run_end *end = NULL;

    HASH_FIND(hh, run->ends, &pid, sizeof(pid), end);
    if (!end) {
        end = dlw_region_alloc(&run->request.region, sizeof(*end));
        end->pid = pid;
        HASH_ADD(hh, run->ends, pid, sizeof(end->pid), end);
    }
    end->status = status;
}

static void settle(struct dlw_doc_process *process, int status)
{
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    if (WIFEXITED(status))
        process->ended = "exit";
    else
        process->ended = number == SIGKILL ? "killed" : number == SIGABRT ? "abort" : "signal";
    process->status = WIFEXITED(status) ? WEXITSTATUS(status) : number;
}

/* An abort may be caught: what was seen of it is the truth. */
static bool is_open(const struct dlw_doc_process *process)
{
    return !process->ended || strcmp(process->ended, "killed") == 0 ||
           strcmp(process->ended, "running") == 0 || strcmp(process->ended, "abort") == 0;
}

/* Of several with one pid the last is the one that ended. */
void dlw_run_settle_ends(struct dlw_run *run)
{
    for (size_t i = run->doc->n_processes; i-- > 0;) {
        struct dlw_doc_process *process = run->doc->processes[i];
        pid_t pid = (pid_t)process->pid;
        struct dlw_run_end *end = NULL;

        HASH_FIND(hh, run->ends, &pid, sizeof(pid), end);
        if (end) {
            if (is_open(process))
                settle(process, end->status);
            HASH_DEL(run->ends, end);
        } else if (run->timed_out && process->ended && strcmp(process->ended, "running") == 0) {
            process->ended = "killed";
        }
    }
}

void dlw_run_forget_ends(struct dlw_run *run)
{
    HASH_CLEAR(hh, run->ends);
}
