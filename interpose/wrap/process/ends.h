/* How the process ends: told in the journal as what it is, with the status that an option asks for.
 */
#ifndef DLW_WRAP_PROCESS_ENDS_H
#define DLW_WRAP_PROCESS_ENDS_H

/* Once, in the constructor, before any other handler of exit() or fork() is registered. */
void dlw_ends_start(void);
/* The calling process ends itself now. Returns the status to do it with: `status`, or the option's
 * when errors were found. */
int dlw_process_ends(int status);

#endif
