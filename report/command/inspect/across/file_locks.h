/*
 * Waits for the lock of a file: flock, and fcntl with locks of an open file (F_OFD_SETLKW) or of a
 * process (F_SETLKW). Who has what is in the way is told by the descriptors of all processes
 * (/proc/PID/fdinfo): /proc/locks names no holder of an open file's lock, and of a flock the
 * process that took it, which may have ended and left it to others.
 */
#ifndef DLW_COMMAND_INSPECT_ACROSS_FILE_LOCKS_H
#define DLW_COMMAND_INSPECT_ACROSS_FILE_LOCKS_H

#include "report/command/inspect/target/target.h"

/* A request and a lock, as far as they have to do with each other. */
struct dlw_file_lock {
    char type[8]; /* FLOCK POSIX OFDLCK, as the kernel writes it */
    bool is_write;
    int64_t owner; /* the process that took it; -1: an open file's */
    uint64_t device, inode;
    uint64_t start, end; /* bytes, both inclusive */
};

/* "1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF"; false: none of these. */
bool dlw_file_lock_parse(const char *line, struct dlw_file_lock *out);
/* Do they keep each other out, if they belong to different open files? */
bool dlw_file_locks_conflict(const struct dlw_file_lock *a, const struct dlw_file_lock *b);

/* After the waits were read: those that are in such a call get their file and its holders. */
void dlw_file_locks_read(struct dlw_target *target);

#endif
