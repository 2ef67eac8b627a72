/*
 * The journal's inside, shared by its files: journal.c (life and buffer), file.c (where
 * lines go), refs.c (what a line refers to), edges.c (the lines of edges, and
 * which edges get one), lines.c (the other lines).
 *
 * Every function is called with the emit lock held.
 */
#ifndef DLW_EMIT_JOURNAL_PARTS_H
#define DLW_EMIT_JOURNAL_PARTS_H

#include "report/emit/fd.h"
#include "report/emit/journal/idset.h"
#include "report/emit/journal/journal.h"
#include "report/emit/journal/jsonl.h"
#include "report/emit/journal/keyset.h"
#include "report/emit/journal/repeats.h"

#include <limits.h>
#include <stdatomic.h>

enum { DLW_JOURNAL_FRAMES = 256, DLW_JOURNAL_NAME = 256, DLW_JOURNAL_SPARE = 64 };

enum dlw_journal_target { DLW_TO_NOTHING, DLW_TO_PATH, DLW_TO_DESCRIPTOR, DLW_TO_MEMORY };

struct dlw_journal {
    struct dlw_jsonl json; /* first: the one is cast to the other */
    struct dlw_arena *arena;
    struct dlw_journal_source source;
    const struct dlw_journal_process *process; /* until the target is set */
    void (*warn)(const char *line);
    bool dead;             /* writing has ended early */
    bool has_spoken;       /* something besides the process line was built */
    _Atomic bool is_ahead; /* lines wait in the buffer */

    struct dlw_idset modules, stacks, threads, locks; /* that have a line */
    struct dlw_idset renamed;                         /* threads whose line has an older name */
    struct dlw_repeats repeats; /* of edges of locks made at a place, by edges.c */
    struct dlw_keyset told;     /* other edges, and what else is said once */
    uint32_t n_edges;           /* that have a line: their ids */
    uint32_t *ancestors;        /* threads whose lines are due, youngest first */
    uint32_t ancestors_room;

    enum dlw_journal_target target;
    struct dlw_kept *kept;
    int fd; /* -1: not open */
    struct dlw_fd_identity identity;
    uint64_t spare;   /* where the process line has room for why the journal ends early */
    uint64_t written; /* bytes: the size of the file, were nobody else at it */
    uint32_t pid;
    char name[DLW_JOURNAL_NAME]; /* of the program */
    char folder[PATH_MAX];       /* "" where the pattern is absolute */
    char pattern[PATH_MAX];
    char path[PATH_MAX]; /* "" until the file is made */

    struct dlw_journal_frame frames[DLW_JOURNAL_FRAMES]; /* of the stack being written */
};

/* Says one line and is silent from then on; gives the buffer back. */
void dlw_journal_end_early(struct dlw_journal *journal, const char *why);

/* No journal, none wanted, or ended. */
bool dlw_journal_is_mute(const struct dlw_journal *journal);
void dlw_journal_line_begin(struct dlw_journal *journal, const char *type);
void dlw_journal_line_end(struct dlw_journal *journal);

/* Writes whole lines, making the file first where there is none. False: it has ended early. */
bool dlw_journal_put_out(struct dlw_journal *journal, const char *lines, size_t size);
/* Notes in the file itself why it ends early. */
void dlw_journal_mark_cut(const struct dlw_journal *journal, const char *why);
void dlw_journal_close_file(struct dlw_journal *journal);

void dlw_journal_process_line(struct dlw_journal *journal,
                              const struct dlw_journal_process *process);
void dlw_journal_thread_line(struct dlw_journal *journal, uint32_t id,
                             const struct dlw_journal_thread *thread);

/* See that the thing has its line, if it is known at all. Never called inside a line. */
void dlw_journal_need_stack(struct dlw_journal *journal, uint32_t id);
void dlw_journal_need_thread(struct dlw_journal *journal, uint32_t id);
/* False: the module is not known. Else where it is loaded. */
bool dlw_journal_need_module(struct dlw_journal *journal, uint32_t id, uint64_t *base);
void dlw_journal_need_lock(struct dlw_journal *journal, uint64_t id);

/* Before the end: the names that threads were given since, and how often edges were seen. */
void dlw_journal_last_names(struct dlw_journal *journal);
void dlw_journal_last_counts(struct dlw_journal *journal);

/* What begins the keys of `repeats`, each sort for itself. */
enum { DLW_KEY_PAIR = 1, DLW_KEY_VARIANT, DLW_KEY_ROLE, DLW_KEY_UNWATCHED, DLW_KEY_TRAIT };
/* NULL is not "". */
uint64_t dlw_journal_mix_text(uint64_t key, const char *text);

/* A field that refers to a thing; left out when that has no line. */
void dlw_journal_refer(struct dlw_journal *journal, const char *key, const struct dlw_idset *to,
                       uint64_t id);

#endif
