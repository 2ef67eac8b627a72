/*
 * fork: every internal lock is taken in rank order before, and made anew in the child, whose
 * only thread goes on holding what it held.
 */
#ifndef DLW_FORK_H
#define DLW_FORK_H

void dlw_fork_start(void);

/*
 * Around whatever makes a process of a copy of this one's memory without the fork handlers.
 * `before` takes every internal lock, the other two give them back. All three may run in a signal
 * handler that interrupted the library itself: then the child is not watched.
 */
void dlw_fork_before(void);
void dlw_fork_in_parent(void);
void dlw_fork_in_child(void);

#endif
