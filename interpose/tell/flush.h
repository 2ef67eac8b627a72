/* What the program has left in stdout's buffer, when it is ended by an option. */
#ifndef DLW_TELL_FLUSH_H
#define DLW_TELL_FLUSH_H

/* Writes it without ever waiting: neither for the FILE's lock nor for who reads the other end. What
 * can't be written is said in a line. Just before the process ends. */
void dlw_flush_stdout(void);

#endif
