/*
 * Files of roles, as `dlwatch confirm` writes them for the library. (What `avoid` keeps has a form
 * of its own, report/emit/signature.h, and becomes roles in known.c.) Plain text, a word and what
 * belongs to it a line:
 *
 *     dlwatch-roles 1
 *     set KEY VALUE
 *     module N BUILD-ID PATH
 *     cycle FINGERPRINT
 *     role KIND MODE KIND MODE
 *     holds N+OFFSET
 *     wants N+OFFSET
 *     first FRAME
 *     second FRAME
 *
 * Settings are for who loads the file. Modules are numbered from 1 on; the build id is in hex, or
 * -; the path goes to the line's end. The roles behind a cycle are its steps: each wants what the
 * next one holds. A role says what is held and what is asked for, then which variables these are,
 * where they are some, and where the first is taken and the second asked for: a line a frame,
 * innermost first. Words are those of graph/kinds.def.
 *
 * A FRAME is N+FROM-TO[,N+FROM-TO]...: addresses that a call there may return to, in hex, from the
 * module's base (what the loader added); FROM belongs to the range, TO does not. A line that begins
 * with # says nothing. A role whose first lock is the end of its thread (kind `thread`) has no
 * `first`: every thread stands there.
 */
#ifndef DLW_STEER_ROLE_FILE_H
#define DLW_STEER_ROLE_FILE_H

#include "graph/base/arena.h"
#include "graph/finding.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DLW_ROLE_FRAMES = 16, DLW_ROLE_STEPS = 64, DLW_ROLE_BUILD_ID = 64 };

struct dlw_role_module {
    const char *path;
    uint32_t build_id_size; /* 0: not known, the path decides */
    unsigned char build_id[DLW_ROLE_BUILD_ID];
    _Atomic uintptr_t base; /* where it was seen last; 0: not yet (role.h) */
};

struct dlw_role_range {
    uint32_t module; /* index into the file's modules */
    uintptr_t from, to;
    struct dlw_role_range *next;
};

struct dlw_role_place {
    uint32_t n;
    struct dlw_role_range *frames[DLW_ROLE_FRAMES]; /* innermost first */
};

/* Held by whoever is there: the end of a thread by itself, the GIL by whoever runs Python. Where it
 * was taken says nothing, so a role has no first place. */
static inline bool dlw_role_has_no_first(unsigned kind)
{
    return kind == DLW_LOCK_THREAD || kind == DLW_LOCK_GIL;
}

/* In a module's image. */
struct dlw_role_variable {
    bool is_known;
    uint32_t module; /* index into the file's modules */
    uintptr_t offset;
};

struct dlw_role {
    struct dlw_role_cycle *cycle;
    uint32_t step;                    /* of the cycle, from 0 */
    uint8_t held_kind, held_mode;     /* enum dlw_lock_kind, enum dlw_mode */
    uint8_t wanted_kind, wanted_mode; /* of the lock that is asked for */
    struct dlw_role_variable held, wanted;
    struct dlw_role_place first, second;
    struct dlw_role *next;
};

struct dlw_role_cycle {
    const char *fingerprint;
    uint32_t n;
    struct dlw_role *roles[DLW_ROLE_STEPS];
    void *own; /* of who loaded the file */
    struct dlw_role_cycle *next;
};

struct dlw_role_setting {
    const char *key, *value;
    struct dlw_role_setting *next;
};

struct dlw_role_file {
    struct dlw_role_module **modules;
    uint32_t n_modules, room;
    struct dlw_role_cycle *cycles;
    struct dlw_role_setting *settings;
};

/*
 * `text` is changed, and pointed into: it lives as long as the file. All memory is of the arena.
 * False: `line` is the first that is wrong, and `why` says what is; what was read before stands,
 * the cycle in which it is wrong does not.
 */
bool dlw_role_file_parse(struct dlw_role_file *out, struct dlw_arena *arena, char *text,
                         unsigned *line, const char **why);

/* NULL: not set. */
const char *dlw_role_file_setting(const struct dlw_role_file *file, const char *key);
/* The same as a number; `otherwise` where it is not set, or none. */
uint64_t dlw_role_file_number(const struct dlw_role_file *file, const char *key,
                              uint64_t otherwise);

#endif
