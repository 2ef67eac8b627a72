/*
 * Writes the journal (report/JOURNAL.md) from inside the watched process: lines are built in
 * mapped memory and leave by single writes. No malloc, no stdio, no errno, nothing of pthread.
 *
 * Not thread-safe: called with the emit lock held, except where said. A journal that can't be
 * written any more (disk full, file gone) says one line and becomes silent; nothing here ever fails
 * towards its caller.
 *
 * Two instances are used: the process's journal on a file, and a throw-away one on a memory file
 * that carries one finding to the command which prints it. Each remembers what it has already
 * written (modules, stacks, threads, locks), and asks for what is missing through `struct
 * dlw_journal_source` before it writes a line that refers to it.
 */
#ifndef DLW_EMIT_JOURNAL_JOURNAL_H
#define DLW_EMIT_JOURNAL_JOURNAL_H

#include "graph/base/arena.h"
#include "graph/finding.h"
#include "report/emit/journal/keep.h"

#include <stdbool.h>
#include <stdint.h>

struct dlw_journal_module {
    const char *path;
    const unsigned char *build_id;
    uint32_t build_id_size;
    uint64_t base, start, end;
};

struct dlw_journal_frame {
    uint64_t pc;         /* return address; with `module` 0 the whole truth */
    uint32_t module;     /* id, 0: in none */
    const char *unknown; /* set: this frame could not be known, and why */
    const struct dlw_journal_line
        *line; /* set: it is one of Python, and pc and module mean nothing */
};

/* A place in a source that an interpreter runs. Lasts as long as the process. */
struct dlw_journal_line {
    const char *file, *function;
    uint32_t line; /* 0: not known */
};

struct dlw_journal_thread {
    uint32_t tid, parent, created, start; /* stack ids */
    const char *name;
};

struct dlw_journal_lock {
    const char *kind, *attributes, *name, *class_name;
    uint64_t address;
    uint32_t module;         /* that holds the address, or 0 */
    uint32_t created, first; /* stack ids */
    uint32_t thread;         /* kind "thread" */
};

/* What the journal asks its owner. Each fills `out` and returns true, or false when the id means
 * nothing (the reference is then written as absent). Pointers stay valid until the same function is
 * called again. Called with the emit lock held. */
struct dlw_journal_source {
    void *context;
    bool (*module)(void *context, uint32_t id, struct dlw_journal_module *out);
    /* Returns the number of frames, writes at most `room`; sets *cut. */
    uint32_t (*stack)(void *context, uint32_t id, struct dlw_journal_frame *out, uint32_t room,
                      bool *cut);
    bool (*thread)(void *context, uint32_t id, struct dlw_journal_thread *out);
    bool (*lock)(void *context, uint64_t id, struct dlw_journal_lock *out);
};

struct dlw_journal_process {
    uint32_t pid, ppid;
    const char *exe, *cwd;
    const char *const *argv; /* NULL-terminated */
    double start;
    const char *run; /* of the `dlwatch run` above it; NULL: none */
    bool forked;
};

struct dlw_journal_edge {
    uint64_t from, to;
    uint32_t thread, hold, want; /* stack ids */
    uint8_t from_mode, to_mode;
    bool timed, intended;
    const uint64_t *gates;
    uint32_t n_gates;
    const char *scope; /* the test that showed it, lives for ever; or NULL */
};

/* What a lock cost, taken at one place; times in ns. */
struct dlw_journal_profile {
    uint64_t address;
    const char *kind;
    uint32_t module, place, holder; /* module that holds the address; stack ids */
    const char *holder_name;        /* of the thread, or "" */
    uint64_t takings, contended, wait, wait_longest;
    uint64_t holds, hold, hold_longest, blocked, blocked_time;
};

/* What a thread of a finding did last (trail.h). */
struct dlw_journal_trail_event {
    const char *what, *kind; /* kind: of the lock */
    const char *waits;       /* where it asked; else NULL */
    bool is_shared;
    uint64_t address;       /* of the lock */
    uint32_t module, place; /* that holds the address, or 0; stack id */
    bool has_times;         /* these two are known */
    bool is_over;           /* the wait: `until` is known */
    double ago, until;      /* seconds before the finding that the wait began and ended */
};

struct dlw_journal_trail {
    uint32_t finding, thread;
    bool is_cut;     /* there was more before */
    bool is_running; /* the thread went on while it was read: the last step or two may be missing */
    const struct dlw_journal_trail_event *events; /* oldest first */
    uint32_t n;
};

struct dlw_journal_totals {
    const char *ended;
    int status; /* negative: not known */
    uint64_t edges, locks, threads, calls, errors;
};

/* What was not looked at, or not kept, so that the work stays bounded: see struct dlw_order_totals.
 */
struct dlw_journal_bounds {
    uint64_t dropped, given_up, untold;
};

/* How often threads gave way to a known deadlock (the option avoid), of those how often until the
 * limit, and how often they were let go since the others waited for them. */
struct dlw_journal_avoided {
    const char *name; /* of the deadlock */
    uint64_t count, exhausted, let_go;
    bool is_off; /* it is not avoided any more */
};

/* What a lock has shown to be: let go of by others than its holder, so that it is none; or kept
 * beyond the lock that it was taken under, so that it may be none. */
enum dlw_journal_trait { DLW_TRAIT_SIGNAL, DLW_TRAIT_OUTLIVES };

struct dlw_journal; /* opaque, in the arena */

/* Opened by path pattern at the first flush that has something to say (the file is made then:
 * O_EXCL, numbers tried), or on a descriptor at once. `warn` gets the one line when writing ends
 * early. `process` and what it points to are read when the target is set, and not kept. NULL when
 * there is no memory: every function here takes a NULL journal and does nothing. The arena is the
 * caller's to guard: by the emit lock, if nobody else uses it. */
struct dlw_journal *dlw_journal_new(struct dlw_arena *arena,
                                    const struct dlw_journal_source *source,
                                    const struct dlw_journal_process *process,
                                    void (*warn)(const char *line));
void dlw_journal_to_path(struct dlw_journal *journal, const char *pattern,
                         const char *start_folder);
/* Kept in memory, for who looks from outside. */
void dlw_journal_to_memory(struct dlw_journal *journal, struct dlw_kept *kept);
void dlw_journal_to_descriptor(struct dlw_journal *journal, int descriptor);
void dlw_journal_free(struct dlw_journal *journal);

/* Buffered. One that says what another did, but for which of the locks made at one place it was, is
 * counted and gets no line: edges.c. */
void dlw_journal_edge(struct dlw_journal *journal, const struct dlw_journal_edge *edge);
/* Buffered; once for all locks that merge takes for one. */
void dlw_journal_trait(struct dlw_journal *journal, uint64_t lock, enum dlw_journal_trait trait);
/* If it was written before: its line is written again when another refers to it, and at the end. */
void dlw_journal_thread_renamed(struct dlw_journal *journal, uint32_t thread);
void dlw_journal_finding(struct dlw_journal *journal, uint32_t id, double time,
                         const struct dlw_finding *finding); /* flushes */
/* One that may yet show itself as none: a reader believes it while no `void` line follows. Both
 * flush. */
void dlw_journal_withheld(struct dlw_journal *journal, uint32_t id, double time,
                          const struct dlw_finding *finding);
void dlw_journal_void(struct dlw_journal *journal, uint32_t finding);
/* After the finding. Buffered. */
void dlw_journal_trail(struct dlw_journal *journal, const struct dlw_journal_trail *trail);
void dlw_journal_again(struct dlw_journal *journal, uint32_t finding,
                       uint64_t count); /* buffered */
void dlw_journal_bounds(struct dlw_journal *journal,
                        const struct dlw_journal_bounds *bounds); /* buffered */
/* Words for the summary. Flushes. */
void dlw_journal_note(struct dlw_journal *journal, const char *text);
void dlw_journal_avoided(struct dlw_journal *journal,
                         const struct dlw_journal_avoided *avoided); /* flushes */
void dlw_journal_waits(struct dlw_journal *journal, double time,
                       const struct dlw_thread_state *threads, uint32_t n); /* flushes */
void dlw_journal_profile(struct dlw_journal *journal,
                         const struct dlw_journal_profile *profile); /* buffered */
/* Takings that found no room in the profile. */
void dlw_journal_profile_lost(struct dlw_journal *journal, uint64_t takings); /* buffered */
void dlw_journal_off(struct dlw_journal *journal, const char *reason);        /* flushes */
/* What the library can't do in this process: a word for it, why, and what comes of it. Where that
 * `reduces` what is found it is flushed; else it is for journals that have something to say. */
void dlw_journal_lacks(struct dlw_journal *journal, const char *what, const char *why,
                       const char *effect, bool reduces);
void dlw_journal_unwatched(struct dlw_journal *journal, const char *exe, const char *why);
void dlw_journal_exec(struct dlw_journal *journal); /* flushes */
void dlw_journal_end(
    struct dlw_journal *journal,
    const struct dlw_journal_totals *totals); /* flushes, if anything was ever written */
void dlw_journal_flush(struct dlw_journal *journal);
/* Makes the file now, though there is nothing to say yet: later its folder can't be reached. */
void dlw_journal_begin(struct dlw_journal *journal);
bool dlw_journal_has_pending(const struct dlw_journal *journal); /* lock-free: one relaxed load */
/* Writing has ended early, or never could begin: what was said last may not be there. */
bool dlw_journal_has_failed(const struct dlw_journal *journal);
const char *dlw_journal_path(const struct dlw_journal *journal); /* NULL until made */

/* In a forked child: forget the file (it is the parent's) and what was written; it starts anew
 * under the child's pid. */
void dlw_journal_after_fork(struct dlw_journal *journal, const struct dlw_journal_process *child);

#endif
