/* What becomes of this library when the process, or a child, starts another program. */
#ifndef DLW_PROCESS_EXEC_H
#define DLW_PROCESS_EXEC_H

/* Once, in the constructor, watched or not: the path that this library was loaded by. */
void dlw_exec_start(const char *library_path, char *const environment[]);
/* Hands on what vfork children had to say. Called without an internal lock. */
void dlw_exec_collect(void);
/* The end of a process of which only that is told (dlw_tells_starts); `ended` and `status` as of
 * dlw_report_end(). */
void dlw_exec_end(const char *ended, int status);

#endif
