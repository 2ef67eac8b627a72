/* What the threads of a live process wait for, by what the kernel shows of them: enough to say
 * where a hung tree stood. The outside view tells more, where it may look. */
#include "report/command/run/run.h"

#include "report/command/base/clean.h"
#include "report/command/base/proc_text.h"
#include "report/command/inspect/view.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool read_line(pid_t pid, const char *task, const char *file, char *buffer, size_t size)
{
    ssize_t n = dlw_proc_text(buffer, size, "/proc/%d/task/%s/%s", (int)pid, task, file);
    buffer[strcspn(buffer, "\n")] = '\0';
    return n > 0;
}

static struct dlw_doc_process *find_process(struct dlw_doc *doc, pid_t pid)
{
    for (size_t i = doc->n_processes; i-- > 0;)
        if (doc->processes[i]->pid == (uint32_t)pid)
            return doc->processes[i];
    struct dlw_doc_process *process = dlw_doc_add_process(doc);
    char exe[4096];
    ssize_t n =
        readlink(dlw_region_print(&doc->region, "/proc/%d/exe", (int)pid), exe, sizeof(exe) - 1);
    process->pid = (uint32_t)pid;
    exe[n > 0 ? n : 0] = '\0';
    process->exe = n > 0 ? dlw_clean(&doc->region, exe) : NULL;
    return process;
}

static const char *name_of_call(struct dlw_region *region, const char *line)
{
    long number = atol(line);
    switch (number) {
    case SYS_futex:
        return "futex (a lock, condition, semaphore or join)";
    case SYS_wait4:
        return "wait4 (a child process)";
    case SYS_read:
        return "read";
    case SYS_write:
        return "write";
    case SYS_clock_nanosleep:
        return "clock_nanosleep";
    default:
        return dlw_region_print(region, "number %ld", number);
    }
}

static void describe_task(struct dlw_doc *doc, const struct dlw_doc_process *process, pid_t pid,
                          const char *task)
{
    char line[256];
    struct dlw_doc_state *state = dlw_doc_add_thread(doc);
    struct dlw_doc_thread *thread = dlw_region_alloc(&doc->region, sizeof(*thread));
    state->thread = thread;
    thread->tid = (uint32_t)atol(task);
    thread->id = thread->tid;
    thread->process = process;
    if (read_line(pid, task, "comm", line, sizeof(line)))
        thread->name = dlw_clean(&doc->region, line);
    if (!read_line(pid, task, "syscall", line, sizeof(line)) || strncmp(line, "running", 7) == 0)
        return;
    state->waits = DLW_WAIT_SYSCALL;
    state->syscall = name_of_call(&doc->region, line);
}

void dlw_tree_describe(struct dlw_doc *doc, pid_t pid)
{
    bool is_seen = dlw_outside_add_process(doc, (uint32_t)pid);
    struct dlw_doc_process *process = find_process(doc, pid);
    process->ended = "killed"; /* as it will be */
    if (is_seen)
        return;
    DIR *folder = opendir(dlw_region_print(&doc->region, "/proc/%d/task", (int)pid));
    struct dirent *item;
    while (folder && (item = readdir(folder)))
        if (item->d_name[0] != '.')
            describe_task(doc, process, pid, item->d_name);
    if (folder)
        closedir(folder);
}
