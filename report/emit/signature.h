/*
 * A certain deadlock as the file of the option `avoid` keeps it: one line of words apart by one
 * space, so that a person can read it, delete it, and move it to another machine with the same
 * build.
 *
 *   avoid 1 NUMBER module PATH BUILD-ID ... step KIND LOCK MODE FRAMES MODE FRAMES ... # comment
 *
 * NUMBER (16 hexadecimal digits) is a hash of all that follows but paths, LOCK numbers and the
 * comment: it names the deadlock, and shows a line that was damaged. A step is the lock that its
 * thread held (two steps with equal LOCK numbers held the same one), how and where it was taken,
 * and how and where the next step's lock was asked for. FRAMES is "MODULE+OFFSET,..." innermost
 * first: return addresses as offsets (hexadecimal) in the module of that number, counted from 0. In
 * PATH, blanks, '%', '#' and control characters are "%XX".
 *
 * Only memory: no system call, no malloc. The command may use it as well.
 */
#ifndef DLW_EMIT_SIGNATURE_H
#define DLW_EMIT_SIGNATURE_H

#include "graph/base/arena.h"
#include "report/emit/line.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DLW_SIGNATURE_FRAMES = 7, /* as many as are noted with a lock */
    DLW_SIGNATURE_STEPS = 64, /* of longer cycles none is kept */
    DLW_SIGNATURE_BUILD_ID = 64,
    DLW_SIGNATURE_LINE = 64 * 1024,
};

struct dlw_signature_module {
    const char *path;
    unsigned char build_id[DLW_SIGNATURE_BUILD_ID];
    uint32_t build_id_size;
};

struct dlw_signature_frame {
    uint32_t module; /* index */
    uint64_t offset;
};

struct dlw_signature_place {
    uint8_t mode; /* enum dlw_mode */
    uint32_t n;
    struct dlw_signature_frame frames[DLW_SIGNATURE_FRAMES];
};

struct dlw_signature_step {
    uint8_t kind;  /* enum dlw_lock_kind of the lock held */
    uint32_t lock; /* its number in this cycle */
    struct dlw_signature_place hold, want;
};

struct dlw_signature {
    uint64_t number;
    uint32_t n_modules, n_steps;
    struct dlw_signature_module *modules;
    struct dlw_signature_step *steps;
};

/* The same wherever the cycle is entered, and whatever the paths and numbers of its modules. */
uint64_t dlw_signature_number(const struct dlw_signature *signature);

/* Appends the line, without a newline; false: it does not fit, or a module has no build id. */
bool dlw_signature_write(const struct dlw_signature *signature, struct dlw_line *line);

/*
 * Reads a line (terminated, no newline; it is written over, and paths point into it). What is made
 * comes from the arena. Returns NULL when it is whole, else what is wrong with it in words that
 * follow "line N: ". An empty line and a comment are whole and leave n_steps 0.
 */
const char *dlw_signature_read(char *line, struct dlw_arena *arena, struct dlw_signature *out);

#endif
