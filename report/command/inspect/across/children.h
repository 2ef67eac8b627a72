/* Waits of a process for the end of a child of its own (wait4, waitid without WNOHANG). */
#ifndef DLW_COMMAND_INSPECT_ACROSS_CHILDREN_H
#define DLW_COMMAND_INSPECT_ACROSS_CHILDREN_H

#include "report/command/inspect/target/target.h"

/*
 * The child that a thread of the process waits for in this call: the one that it names, or its only
 * one. 0: it waits for none, may find none, or it can't be told which. Only a child of one thread
 * counts: as long as that can't go on it does not end of itself.
 */
uint32_t dlw_child_waited_for(int machine, uint32_t pid, const struct dlw_call *call);

/* Is it a wait without limit for one child or any? */
bool dlw_call_is_for_child(int machine, const struct dlw_call *call);

/* Threads that wait for a child which waits itself, without limit, for what other processes may
 * have: that child then holds its own end. What else is waited for stays a system call. */
void dlw_children_read(struct dlw_target *target);

#endif
