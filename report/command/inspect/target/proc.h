/*
 * What /proc says about a process: read without stopping or disturbing anything. Files of a thread
 * are read through its own folder, since those of the process are empty once its main thread has
 * ended.
 */
#ifndef DLW_COMMAND_INSPECT_TARGET_PROC_H
#define DLW_COMMAND_INSPECT_TARGET_PROC_H

#include "report/command/inspect/target/target.h"

/* The numbers of all threads now, in the region. */
size_t dlw_proc_list(struct dlw_target *target, uint32_t **out);
/* Name, state, call, counters of one thread; false: it has ended. */
bool dlw_proc_thread(struct dlw_target *target, uint32_t tid, struct dlw_seen_thread *out);
/* The call it is in now. errno EPERM or EACCES: not ours to ask. */
bool dlw_proc_call(uint32_t pid, uint32_t tid, struct dlw_call *out);
bool dlw_proc_parse_call(const char *text, struct dlw_call *out);
/* Mappings, program, arguments, start, signals. `tid` is a thread that lives. */
/* A line of maps, without its path: that begins at line[*path], if *path is not 0. */
bool dlw_proc_parse_mapping(const char *line, struct dlw_mapping *out, int *path);
bool dlw_proc_mappings(struct dlw_target *target, uint32_t tid);
void dlw_proc_describe(struct dlw_target *target, uint32_t tid);
/* Gives each thread that stood still the time since it last ran. */
void dlw_proc_since(struct dlw_target *target);
/* How often the thread has been switched away from; 0: it has ended. */
uint64_t dlw_proc_switches(const struct dlw_target *target, uint32_t tid);
/* The last of the numbers that a thread has, one in each nested namespace: the thread's own view.
 * 0: it has ended (and may wait for its parent to take note), or is not shown. */
uint32_t dlw_proc_inner(uint32_t pid, uint32_t tid);
/* The field "Name:\t" of /proc/PID/status as text; NULL: none. In the region. */
char *dlw_proc_status(struct dlw_target *target, uint32_t tid, const char *field);

#endif
