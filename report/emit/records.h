/*
 * What the library lets others read of it: the records of a live process, or of its core, for
 * whoever looks from outside (`dlwatch attach`, `dlwatch core`). Nothing in the process reads this.
 *
 * Found without symbols: libdlwatch.so carries a note in a section and segment of its own
 * (".note.dlwatch", owner "dlwatch", type DLW_RECORDS_NOTE) whose content is one signed 64-bit
 * number, the distance from that number to the `struct dlw_records` in the loaded library. It
 * points to the parts below, which are constants, made at build time. Where things stand inside
 * of the library's own structures is told by offsets, so that a command of another build can read
 * them; a change in what they mean is another DLW_RECORDS_VERSION.
 *
 * Who reads a live process sees memory that changes: a record is believed only for a thread that
 * stood still meanwhile, or where two readings are equal. Pointers are the process's own.
 */
#ifndef DLW_EMIT_RECORDS_H
#define DLW_EMIT_RECORDS_H

#include <stdint.h>

#define DLW_RECORDS_OWNER "dlwatch"
#define DLW_RECORDS_MAGIC "dlwrecs"
enum { DLW_RECORDS_NOTE = 1, DLW_RECORDS_VERSION = 2 };
/* In place of a lock up to this: there is none. */
enum { DLW_RECORDS_NO_LOCK = 2 };

/* The threads, by tid: a hash table that `table` (a pointer to a pointer, NULL before the start)
 * leads to. Its slots are NULL or point to records; a record whose tid is 0 is not in use. */
struct dlw_records_threads {
    const void *table;
    uint32_t mask, slots; /* in the table: number of slots less one (32 bits), and the first */
    /* In a record. `held` points to entries, outermost first, `depth` of them. */
    uint32_t tid, id, depth, held, name, name_size;
    /* The wait, valid while `sequence` is odd. enum dlw_wait_kind, enum dlw_lock_kind, enum
     * dlw_mode; since: nanoseconds of CLOCK_MONOTONIC; relocks: a condition's mutex. */
    uint32_t sequence, on, kind, lock_kind, mode, timed, since, relocks;
    /* In an entry. `lock` at most DLW_RECORDS_NO_LOCK: given back. `pool` is the flag for one unit
     * of several, `inherited` that of a copy that a fork made of the parent's entry. `pc` holds
     * `levels` return addresses, innermost first; sp belongs to the last. `stack`: the number of
     * the whole stack, 0: not asked for. */
    uint32_t entry_size, lock, entry_kind, entry_mode, flags, pool, inherited, levels, stack, pc,
        sp, fp;
    uint32_t most_levels;
};

/* Stacks by number, from 1: an array of pointers to arrays of `per_segment` pointers to stacks. */
struct dlw_records_stacks {
    const void *segments;
    const void *reasons; /* an array of texts: why a frame is not known */
    uint32_t n_segments, per_segment, n_reasons;
    uint32_t id, n, cut, frames;     /* in a stack: 32, 16, 8 bits; the first frame */
    uint32_t frame_size, pc, reason; /* in a frame: 64 and 32 bits */
};

/* Lines of Python by number, from 1, in the same way. A frame whose reason is `reason` has the
 * number in place of its pc; a held lock whose pc[1] is `mark` was taken for a line, and code,
 * instruction, frame, its caller and the caller's instruction follow. */
struct dlw_records_lines {
    const void *segments;
    uint32_t n_segments, per_segment, reason, mark;
    uint32_t number, file, function, line; /* in a line: 32 bits, two pointers to texts, 32 bits */
};

/*
 * What the process does with semaphores that others use too (interpose/locks/shared_semaphores.h):
 * `segments` is an array of pointers to slots, NULL where there are none yet, each for twice as
 * many as the one before. A slot is free while `semaphore` is 0; `holder` is a tid or 0, and while
 * it is not, the call that took it stands in pc, sp, fp. `is_full` points to a word, 0 as long as
 * all are there.
 */
struct dlw_records_semaphores {
    const void *segments, *is_full;
    uint32_t n_segments, first_slots, slot_size;
    uint32_t semaphore, holder, what, pc, sp, fp; /* in a slot; holder and what have 32 bits */
    uint32_t made_with_one, no_lock, given_back;  /* bits of `what` */
};

/* Lines of the journal (report/JOURNAL.md), of the findings only: `lines` points to a pointer to
 * the first chunk. */
struct dlw_records_findings {
    const void *lines;
};

struct dlw_records_chunk {
    struct dlw_records_chunk *_Atomic next;
    _Atomic uint64_t used; /* bytes of whole lines; released after they are there */
    char bytes[];
};

struct dlw_records {
    char magic[8];
    uint32_t version, size;
    const struct dlw_records_threads *threads;
    const struct dlw_records_stacks *stacks;
    const struct dlw_records_findings *findings;
    /* Where `size` says that they are there. */
    const struct dlw_records_lines *lines;
    const struct dlw_records_semaphores *semaphores;
};

/* The library's parts, where their structures are private. */
extern const struct dlw_records_threads dlw_records_threads;
extern const struct dlw_records_stacks dlw_records_stacks;
extern const struct dlw_records_findings dlw_records_findings;
extern const struct dlw_records_lines dlw_records_lines;
extern const struct dlw_records_semaphores dlw_records_semaphores;

#endif
