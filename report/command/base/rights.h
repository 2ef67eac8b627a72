/*
 * Files that a program names: in its mappings, in its debug information. Whoever reports on it may
 * be allowed to read more than the program is (root, above all), and see another root folder: a
 * source called "/etc/shadow" must not end up in a report. So such files are opened with the rights
 * of the process, or of the owner of the file that names them, and in the root of the process.
 *
 * Nothing opened here can block or have a side effect: only what is a regular file with something
 * in it is opened for reading (files of /proc have a size of 0, ours must not be shown).
 */
#ifndef DLW_COMMAND_BASE_RIGHTS_H
#define DLW_COMMAND_BASE_RIGHTS_H

#include "report/command/base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

struct dlw_rights {
    bool is_limited; /* those below; else our own */
    uid_t user;
    gid_t group;
    const gid_t *groups;
    size_t n_groups;
    int root; /* descriptor of the root folder that paths begin at; -1: ours */
};

/* Our own, in our own root. */
extern const struct dlw_rights dlw_own_rights;

/* The rights of a thread of a live process and, with another root than ours, that root. NULL: not
 * to be told, and nothing may be opened for it. dlw_rights_close gives the root's descriptor back.
 */
struct dlw_rights *dlw_rights_of_thread(struct dlw_region *region, uint32_t pid, uint32_t tid);
void dlw_rights_close(const struct dlw_rights *rights);

/* Of whoever owns a file: what it names is not ours or root's own word. Lives in the region; our
 * own where it is our file or root's. */
const struct dlw_rights *dlw_rights_of_owner(struct dlw_region *region, const struct stat *file);

/* A descriptor to read from, or -1 with errno. `rights` NULL: EACCES. */
int dlw_rights_open(const struct dlw_rights *rights, const char *path);
/* The same, with our own rights and in our own root. */
int dlw_open_regular(const char *path);

#endif
