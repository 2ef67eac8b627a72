#include "report/command/inspect/target/proc.h"

#include "report/command/base/proc_text.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t dlw_proc_list(struct dlw_target *target, uint32_t **out)
{
    char path[64];
    size_t n = 0;
    snprintf(path, sizeof path, "/proc/%u/task", target->pid);
    DIR *folder = opendir(path);
    *out = NULL;
    if (!folder)
        return 0;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        *out = dlw_region_grow(target->region, *out, n, sizeof **out);
        (*out)[n++] = (uint32_t)strtoul(entry->d_name, NULL, 10);
    }
    closedir(folder);
    return n;
}

/* "running", or "NR A0 … A5 SP PC" in hexadecimal, or "-1 SP PC" for a thread that is blocked
 * outside a call. */
bool dlw_proc_parse_call(const char *text, struct dlw_call *out)
{
    char *end;
    *out = (struct dlw_call){0};
    if (!strncmp(text, "running", 7)) {
        out->is_running = true;
        return true;
    }
    out->number = strtol(text, &end, 10);
    if (end == text)
        return false;
    uint64_t values[8];
    int n = 0;
    for (text = end; n < 8; text = end, n++) {
        values[n] = strtoull(text, &end, 16);
        if (end == text)
            break;
    }
    if (n != 8 && n != 2)
        return false;
    out->is_known = n == 8 && out->number >= 0;
    if (n == 8)
        memcpy(out->arguments, values, sizeof out->arguments);
    out->sp = values[n - 2];
    out->pc = values[n - 1];
    return true;
}

bool dlw_proc_call(uint32_t pid, uint32_t tid, struct dlw_call *out)
{
    char text[256];
    *out = (struct dlw_call){0};
    if (dlw_proc_text(text, sizeof text, "/proc/%u/task/%u/syscall", pid, tid) < 0)
        return false;
    return dlw_proc_parse_call(text, out);
}

static const char *status_field(const char *text, const char *field)
{
    size_t length = strlen(field);
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, field, length) && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " \t");
    }
    return NULL;
}

char *dlw_proc_status(struct dlw_target *target, uint32_t tid, const char *field)
{
    char text[8192];
    if (dlw_proc_text(text, sizeof text, "/proc/%u/task/%u/status", target->pid, tid) < 0)
        return NULL;
    const char *value = status_field(text, field);
    return value ? dlw_region_cut(target->region, value, strcspn(value, "\n")) : NULL;
}

static uint64_t status_number(const char *text, const char *field, int base)
{
    const char *value = status_field(text, field);
    return value ? strtoull(value, NULL, base) : 0;
}

/* The last number of NSpid is the one in the innermost namespace: the thread's own view. */
static uint32_t inner_number(const char *text, uint32_t tid)
{
    const char *value = status_field(text, "NSpid");
    if (!value)
        return tid;
    size_t length = strcspn(value, "\n");
    while (length && !isspace((unsigned char)value[length - 1]))
        length--;
    uint32_t number = (uint32_t)strtoul(value + length, NULL, 10);
    return number ? number : tid;
}

uint32_t dlw_proc_inner(uint32_t pid, uint32_t tid)
{
    char text[8192];
    if (dlw_proc_text(text, sizeof text, "/proc/%u/task/%u/status", pid, tid) < 0)
        return 0;
    const char *state = status_field(text, "State");
    return !state || *state == 'Z' || *state == 'X' ? 0 : inner_number(text, tid);
}

static uint64_t switches_of(const char *text)
{
    return status_number(text, "voluntary_ctxt_switches", 10) +
           status_number(text, "nonvoluntary_ctxt_switches", 10);
}

static void read_status(struct dlw_target *target, struct dlw_seen_thread *thread)
{
    char text[8192];
    thread->inner = thread->tid;
    if (dlw_proc_text(text, sizeof text, "/proc/%u/task/%u/status", target->pid, thread->tid) < 0)
        return;
    thread->inner = inner_number(text, thread->tid);
    thread->switches = switches_of(text);
}

uint64_t dlw_proc_switches(const struct dlw_target *target, uint32_t tid)
{
    char text[8192];
    if (dlw_proc_text(text, sizeof text, "/proc/%u/task/%u/status", target->pid, tid) < 0)
        return 0;
    return switches_of(text);
}

static void read_name(struct dlw_target *target, struct dlw_seen_thread *thread)
{
    ssize_t n = dlw_proc_text(thread->name, sizeof thread->name, "/proc/%u/task/%u/comm",
                              target->pid, thread->tid);
    if (n > 0 && thread->name[n - 1] == '\n')
        thread->name[n - 1] = '\0';
}

/* The name in field 2 may hold anything: the fields begin after the last parenthesis. */
static bool read_stat(struct dlw_target *target, struct dlw_seen_thread *thread)
{
    char text[2048];
    if (dlw_proc_text(text, sizeof text, "/proc/%u/task/%u/stat", target->pid, thread->tid) <= 0)
        return false;
    const char *at = strrchr(text, ')');
    if (!at || !at[1])
        return false;
    thread->state = at[2];
    thread->processor = -1;
    int field = 3;
    for (at += 2; (at = strchr(at, ' ')) != NULL; at++)
        if (++field == 39)
            thread->processor = atoi(at);
    return true;
}

static double scheduled_at(uint32_t pid, uint32_t tid)
{
    char text[4096];
    if (dlw_proc_text(text, sizeof text, "/proc/%u/task/%u/sched", pid, tid) <= 0)
        return -1;
    const char *field = strstr(text, "se.exec_start");
    field = field ? strchr(field, ':') : NULL;
    return field ? strtod(field + 1, NULL) / 1000 : -1;
}

bool dlw_proc_thread(struct dlw_target *target, uint32_t tid, struct dlw_seen_thread *out)
{
    *out = (struct dlw_seen_thread){.tid = tid, .since = -1, .ran_at = -1};
    if (!read_stat(target, out))
        return false;
    read_name(target, out);
    read_status(target, out);
    out->is_ended = out->state == 'Z' || out->state == 'X';
    if (out->is_ended)
        return true;
    if (!dlw_proc_call(target->pid, tid, &out->call) && (errno == EPERM || errno == EACCES))
        out->trouble = "not permitted";
    out->ran_at = scheduled_at(target->pid, tid);
    return true;
}

/*
 * The scheduler's clock differs between processors by the time each spent in interrupts, so the
 * "now" to subtract from is read on the processor that the thread last ran on.
 */
static double now_on(int processor)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    if (processor < 0 || processor >= CPU_SETSIZE)
        return -1;
    CPU_SET(processor, &one);
    if (sched_setaffinity(0, sizeof one, &one))
        return -1;
    return scheduled_at((uint32_t)getpid(), (uint32_t)getpid());
}

void dlw_proc_since(struct dlw_target *target)
{
    cpu_set_t before;
    if (sched_getaffinity(0, sizeof before, &before))
        return;
    double now = -1;
    for (int processor = 0, asked = -1; processor < CPU_SETSIZE; processor++) {
        for (size_t i = 0; i < target->n_threads; i++) {
            struct dlw_seen_thread *thread = &target->threads[i];
            if (thread->processor != processor || !thread->stood_still || thread->ran_at < 0)
                continue;
            if (asked != processor)
                now = now_on(processor);
            asked = processor;
            if (now >= thread->ran_at)
                thread->since = now - thread->ran_at;
        }
    }
    sched_setaffinity(0, sizeof before, &before);
}
