/*
 * fork: every internal lock is taken in rank order before, and made anew in the child, whose
 * only thread goes on holding what it held.
 */
#ifndef DLW_FORK_H
#define DLW_FORK_H

void dlw_fork_start(void);

#endif
