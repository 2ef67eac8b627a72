/* A core: the same view of a process that is no more. */
#ifndef DLW_COMMAND_INSPECT_TARGET_CORE_H
#define DLW_COMMAND_INSPECT_TARGET_CORE_H

#include "report/command/inspect/target/target.h"

/* Says why and returns false where it is no core. `path` may be compressed. */
bool dlw_core_open(struct dlw_target *target, struct dlw_doc *doc, const char *path);
bool dlw_core_read(struct dlw_target *target, uint64_t address, void *out, size_t size);
void dlw_core_close(struct dlw_target *target);

/* A descriptor of the plain file: of `path` itself, or of what its tool makes of it. Negative
 * after a message. (core_file.c) */
int dlw_core_unpack(struct dlw_target *target, struct dlw_doc *doc, const char *path);

/* What the notes say: threads, files, program. (core_notes.c) */
struct dlw_core_facts {
    uint64_t entry, vdso; /* of the auxiliary vector; 0: not there */
    struct dlw_mapping *files;
    size_t n_files;
    char name[17];
    uint32_t pid;
};
void dlw_core_read_notes(struct dlw_target *target, const unsigned char *bytes, size_t size,
                         struct dlw_core_facts *facts);

#endif
