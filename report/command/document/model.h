/*
 * The document: what one or many processes had to say, in the shape of `report --format=json`.
 * Journals, a live process and a core all become a document; every format is made from it.
 *
 * How it is made: fill `processes`, `findings`, `threads` (helpers below; memory comes from
 * doc->region and lives as long as the document), then dlw_doc_finish() gives each finding its
 * severity, message and fingerprint, folds equal ones into one with a count, applies suppressions
 * and the baseline, orders them, and counts the summary. Formats only read.
 *
 * Kinds, modes and kinds of wait are those of graph/kinds.def.
 */
#ifndef DLW_COMMAND_DOCUMENT_MODEL_H
#define DLW_COMMAND_DOCUMENT_MODEL_H

#include "graph/kinds.h"
#include "report/command/base/arena.h"
#include "report/emit/options.h"
#include "report/emit/trail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct dlw_rights; /* base/rights.h */

struct dlw_frame {
    uint64_t pc;          /* in that process; 0: not known */
    uint64_t offset;      /* pc - load bias; means something where `module` is set */
    const char *module;   /* path, NULL: in none */
    const char *build_id; /* of the module, hex, or NULL */
    const char *function; /* demangled, or NULL */
    const char *file;     /* as the compiler was given it, or NULL */
    const char *folder;   /* `file` is relative to it, or NULL */
    const char *named;    /* the file as the program has it, where it can't be shown so; or NULL */
    const struct dlw_rights *rights; /* that the source is read with; NULL: it is not */
    unsigned line;
    bool inlined;         /* its code stands inside the next frame's function */
    const char *language; /* "python"; NULL: native */
    const char *unknown;  /* why this frame could not be known (then nothing else is set) */
};

struct dlw_stack {
    struct dlw_frame *frames; /* innermost first */
    size_t n;
    bool cut; /* deeper frames exist */
};

struct dlw_doc_process {
    uint32_t pid, ppid;
    const char *exe, *folder; /* folder: its working directory at start */
    const char **argv;
    size_t argc;
    double start;      /* seconds since 1970, 0: not known */
    const char *ended; /* exit signal abort exec deadlock running killed; NULL: not known */
    int status;        /* exit status or signal; negative: not known */
    uint64_t edges, locks, threads, calls;
    /* So that the work stayed bounded: evidence not kept, searches for cycles of more than three
     * locks that were given up, cycles of places told often that were not told. */
    uint64_t dropped, given_up, untold;
    const char *journal;  /* file it was read from, or NULL */
    const char *off;      /* the library switched itself off, and why; or NULL */
    const char *cut;      /* why its journal ends early (a full disk); or NULL */
    struct dlw_doc_lack { /* what the library could not do there */
        const char *what, *why, *effect;
        bool reduces; /* what is found */
    } * lacks;
    size_t n_lacks;
    struct dlw_doc_avoided { /* a known deadlock that threads of it gave way to */
        const char *deadlock;
        uint64_t count, exhausted, let_go; /* see struct dlw_journal_avoided */
        bool is_off;
    } * avoided;
    size_t n_avoided;
    bool forked;
    bool is_left_alone; /* its journal only says so */
};

struct dlw_doc_thread {
    uint32_t id, tid;
    const char *name; /* or NULL */
    const struct dlw_doc_process *process;
    struct dlw_stack created;       /* the call that made it; may be empty */
    const char *start;              /* name of its start routine, or NULL */
    const struct dlw_frame *begins; /* the program's own code that it began with, or NULL */
    uint32_t parent;
    bool is_main;
};

struct dlw_doc_lock {
    const char *id; /* "L1": within its finding (or the document) */
    const char
        *kind; /* mutex rwlock spin semaphore condition barrier once guard thread file custom */
    uint64_t address;
    const char *name;       /* `accounts+40`, or given by an annotation; NULL */
    const char *expression; /* `accounts[1].lock`, where debug information tells; NULL */
    const char *attributes; /* space separated words, or NULL */
    const char *class_name; /* given by an annotation, or NULL */
    const char *sort;       /* what its language calls it ("Python lock"); NULL: as its kind says */
    struct dlw_stack created, first;     /* its init call; the first place seen to take it */
    const struct dlw_doc_thread *thread; /* kind `thread`: whose end it is */
    const char *module, *build_id;       /* of the image that the address lies in, or NULL */
    uint64_t offset;
    uint64_t source;                       /* its id in the journal it was read from */
    const struct dlw_doc_process *process; /* that it lives in, or NULL */
    const char *taken_as; /* `from->lock`: what the source calls it where it is taken; or NULL */
    const struct dlw_frame *taken_at; /* that place; NULL: nobody says */
    const char *declared;             /* "bank.c:9": where the variable is; or NULL */
    const char *lasting_name; /* survives address randomisation, for merge and graphs; or NULL */
};

/* "The end of a thread", which a join waits for. */
static inline bool dlw_doc_is_thread(const struct dlw_doc_lock *lock)
{
    return strcmp(lock->kind, "thread") == 0;
}

/* The lock of a file that the kernel keeps (flock, fcntl), not that of a FILE. */
static inline bool dlw_doc_is_file(const struct dlw_doc_lock *lock)
{
    return strcmp(lock->kind, "file") == 0 && !lock->address;
}

struct dlw_doc_hold {
    struct dlw_doc_lock *lock;
    struct dlw_stack stack; /* may be empty: not known */
    enum dlw_mode mode;
    bool timed; /* a want that ends by itself */
};

/* Entry i wants what entry i+1 holds, the last what the first holds. */
struct dlw_doc_step {
    struct dlw_doc_thread *thread;
    struct dlw_doc_thread *holder; /* who has gone with what is wanted in hand; NULL: the thread */
    const char *scope;             /* the test that it was done in, or NULL */
    struct dlw_doc_hold holds, wants;
};

/* Of the condition that a thread waits for: its last signal. */
struct dlw_doc_signal {
    bool is_known, is_before;      /* it came before the wait began */
    uint64_t count;                /* 0: none was seen */
    struct dlw_doc_thread *thread; /* or NULL: not known, or it has ended */
    struct dlw_stack stack;
};

struct dlw_doc_state {
    struct dlw_doc_thread *thread;
    enum dlw_wait_kind waits; /* DLW_WAIT_NONE: running */
    struct dlw_doc_lock *on;  /* waited for, or accused; NULL */
    enum dlw_mode mode;
    bool timed;
    double since;        /* seconds it has waited; negative: not known */
    bool is_least;       /* it may have waited longer than `since` */
    const char *syscall; /* name, with DLW_WAIT_SYSCALL */
    struct dlw_doc_signal signal;
    uint32_t arrived, parties; /* of a barrier: so many of so many have come; 0: not known */
    struct dlw_stack stack;
    struct dlw_doc_hold *holds;
    size_t n_holds;
    const char *note; /* what could not be known about it, or NULL */
};

/* What `dlwatch confirm` made of a possible finding. */
struct dlw_doc_confirmed {
    unsigned reached, of; /* tries */
    const char *why;      /* a sentence or two */
    const char *replay;   /* file of a try that reached it, or NULL */
};

/* What a thread did, before a finding was made. */
struct dlw_doc_event {
    enum dlw_trail_what what;
    struct dlw_doc_lock *lock; /* among the finding's locks or those of its time line */
    enum dlw_mode mode;
    enum dlw_wait_kind waits; /* of DLW_TRAIL_ASKED */
    struct dlw_stack place;   /* the call alone; empty: not known */
    /* Of DLW_TRAIL_ASKED: seconds before the finding that the wait began and was over; negative:
     * not known, or it was not over. No other event has a time. */
    double ago, until;
};

/* The last steps of one thread, oldest first. */
struct dlw_doc_trail {
    struct dlw_doc_thread *thread;
    struct dlw_doc_event *events;
    size_t n;
    bool is_cut;     /* there were more before */
    bool is_running; /* it went on meanwhile: the last step or two may be missing */
};

struct dlw_doc_finding {
    enum dlw_kind kind;
    bool certain;
    const char *reason; /* or NULL */
    const char *gone;   /* from outside: how the message says that the holder has gone; NULL: it has
                           not, or the journal names it */
    enum dlw_harmless harmless;
    enum dlw_doubt doubt;
    struct dlw_doc_lock *gate; /* of DLW_GUARDED, or NULL */
    const struct dlw_doc_process *process;
    struct dlw_doc_step *cycle;
    size_t n_cycle;
    struct dlw_doc_state *threads;
    size_t n_threads;
    struct dlw_doc_lock **locks; /* L1, L2, … in the order of appearance */
    size_t n_locks;
    struct dlw_doc_trail *trails; /* the time line */
    size_t n_trails;
    struct dlw_doc_lock **passing; /* locks that only the time line names: their L goes on */
    size_t n_passing;
    uint64_t count; /* 0 is taken for 1 */
    uint32_t id;    /* in its journal */
    double time;
    bool across_runs; /* made by merge: shows only when runs are put together */
    const struct dlw_doc_confirmed *confirmed; /* NULL: not tried */

    /* made by dlw_doc_finish */
    enum dlw_severity severity;
    const char *message;
    char fingerprint[17];
    bool suppressed, hidden, in_baseline; /* not listed; counted */
};

struct dlw_doc_edge {
    struct dlw_doc_lock *from, *to;
    struct dlw_doc_thread *thread;
    struct dlw_stack hold, want;
    enum dlw_mode from_mode, to_mode;
    struct dlw_doc_lock **gates;
    size_t n_gates;
    bool timed;
};

/* What a lock cost that was taken at one place (run --profile); times in ns. */
struct dlw_doc_cost {
    struct dlw_doc_lock *lock;
    const struct dlw_doc_process *process;
    struct dlw_stack place;
    uint64_t takings, contended;
    uint64_t wait, wait_longest;
    struct dlw_stack holder; /* during the longest wait: where it had been taken; may be empty */
    const char *holder_name; /* of the thread; or NULL */
    uint64_t holds, hold, hold_longest; /* those that were timed */
    uint64_t blocked, blocked_time;     /* waits of others while it was held from here */
};

struct dlw_doc_summary {
    uint64_t errors, warnings, notes, suppressed, hidden, known;
};

/* A program that ran, or may have run, without the library. */
struct dlw_doc_unwatched {
    const char *exe, *why;
};

struct dlw_doc {
    struct dlw_region region;
    struct dlw_doc_process **processes;
    size_t n_processes;
    struct dlw_doc_finding **findings;
    size_t n_findings;
    struct dlw_doc_state *threads; /* attach and core: all threads */
    size_t n_threads;
    struct dlw_doc_lock **locks; /* attach, core: locks of `threads`; journals: of `edges` */
    size_t n_locks;
    const char *verdict; /* attach, core: deadlock stall long-wait nothing; NULL: not asked */
    struct dlw_doc_edge **edges; /* the lock order, for the pictures and merge */
    size_t n_edges;
    struct dlw_doc_cost **costs; /* the dearest first, once finished */
    size_t n_costs;
    struct dlw_doc_summary summary;
    const char **answers; /* attach, core: what the waits amount to, a sentence each */
    size_t n_answers;
    struct dlw_doc_unwatched *unwatched;
    size_t n_unwatched;
    size_t n_watched;     /* processes that loaded the library, or 0: those of the journals */
    bool is_blind;        /* of a run: none did */
    bool explains;        /* text: all remedies are told, and why they work */
    bool has_timeline;    /* text: so is what the threads of each finding did last */
    struct dlw_doc *kept; /* another whose parts are in this one (dlw_doc_keep), and so on */
    const char **notes;   /* one line each, for the text and html formats: what to know besides */
    size_t n_notes;
};

struct dlw_suppressions; /* suppressions.h */
struct dlw_baseline;     /* baseline.h */

struct dlw_doc_rules {
    enum dlw_show show;
    struct dlw_suppressions *suppressions; /* NULL: none; matches are counted in it */
    const struct dlw_baseline *baseline;   /* NULL: none */
};

struct dlw_doc *dlw_doc_new(void);
void dlw_doc_free(struct dlw_doc *doc);
/* `other` lives from now on as long as the document: something of it was taken over. */
void dlw_doc_keep(struct dlw_doc *doc, struct dlw_doc *other);
/* NULL rules: show what is feasible, suppress nothing. Called once, after everything is in. */
void dlw_doc_finish(struct dlw_doc *doc, const struct dlw_doc_rules *rules);
/* Orders the findings and counts the summary anew, after some have been changed. */
void dlw_doc_summarize(struct dlw_doc *doc);
/* What finish does to one finding (message, fingerprint, severity, flags): for findings that are
 * printed as they come. */
void dlw_doc_judge(struct dlw_doc *doc, struct dlw_doc_finding *finding,
                   const struct dlw_doc_rules *rules);

struct dlw_doc_process *dlw_doc_add_process(struct dlw_doc *doc);
/* The one with that number that has not ended; NULL: none. */
struct dlw_doc_process *dlw_doc_find_living(const struct dlw_doc *doc, uint32_t pid);
struct dlw_doc_finding *dlw_doc_add_finding(struct dlw_doc *doc, enum dlw_kind kind);
struct dlw_doc_state *dlw_doc_add_thread(struct dlw_doc *doc); /* valid until the next call */
struct dlw_doc_edge *dlw_doc_add_edge(struct dlw_doc *doc);
struct dlw_doc_cost *dlw_doc_add_cost(struct dlw_doc *doc);
/* Each pair once. */
void dlw_doc_add_unwatched(struct dlw_doc *doc, const char *exe, const char *why);
void dlw_doc_note(struct dlw_doc *doc, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void dlw_doc_answer(struct dlw_doc *doc, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Adds the lock to the finding's list unless it is there, and names it "L<n>". */
void dlw_doc_name_lock(struct dlw_doc *doc, struct dlw_doc_finding *finding,
                       struct dlw_doc_lock *lock);
/* The same for the document's own list. */
void dlw_doc_name_document_lock(struct dlw_doc *doc, struct dlw_doc_lock *lock);

/* Listed: neither suppressed, hidden nor in the baseline. */
bool dlw_doc_is_listed(const struct dlw_doc_finding *finding);

/* What follows the last slash. */
static inline const char *dlw_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Words of the contract. The `_find_` ones return -1 for a word that is none. */

/*
 * The frame of a stack that a reader should look at, and may change: the innermost of the program's
 * own code, past wrappers, headers of the system and libraries without source. Where there is none,
 * dlw_stack_innermost. Returns n where that has none.
 */
size_t dlw_stack_place(const struct dlw_stack *stack);
/* The innermost frame that is not dlwatch's, libc's or the C++ library's own locking code. */
size_t dlw_stack_innermost(const struct dlw_stack *stack);
/* The function of a closed library that the place calls, and in which the lock is asked for; NULL:
 * the place asks for it itself. */
const struct dlw_frame *dlw_stack_entry(const struct dlw_stack *stack);
/* How many frames belong to the program: below stand the C library's start of the thread and the
 * C++ library's way from there. */
size_t dlw_stack_depth(const struct dlw_stack *stack);
/* The library's own code or pthread's, between frames of the program: people need not see it. */
bool dlw_frame_is_plumbing(const struct dlw_frame *frame);
/* Of a library without its source, where not even the function is known. */
bool dlw_frame_is_nameless(const struct dlw_frame *frame);
/* The program's own code, with its source: not a library's, nor a header's of the system. */
bool dlw_frame_is_own(const struct dlw_frame *frame);
/* Code that the C library calls without being asked at that moment: "exit handlers", "the thread
 * has ended: destructors of its thread-specific data". NULL: the frame is none of its functions
 * that do. */
const char *dlw_frame_caller(const struct dlw_frame *frame);
/* As people say it: "std::string", "lambda in main". */
const char *dlw_short_name(struct dlw_region *region, const char *name);
/* `from->lock`: what the line calls the lock that it takes; NULL where that can't be told. */
const char *dlw_expression_at(struct dlw_region *region, const struct dlw_doc_process *process,
                              const struct dlw_stack *stack);
/* What Python calls the lock that is taken or waited for at such a place: "Python lock", "Python
 * Queue"; NULL: no line of Python stands there. */
const char *dlw_python_sort(struct dlw_region *region, const struct dlw_stack *stack);
/* The same of a lock, by who waits for it or took it first. */
const char *dlw_lock_sort(struct dlw_region *region, const struct dlw_doc_lock *lock);
/* CPython's own code, which says nothing about the program. */
bool dlw_frame_is_interpreter(const struct dlw_frame *frame);
/* Was it made where CPython makes all of its locks? Then that place says nothing. */
bool dlw_doc_is_made_by_python(const struct dlw_doc_lock *lock);
/* The same of a function, without its parameters. */
const char *dlw_function_title(struct dlw_region *region, const char *function);
/* Finds, by the stacks and the source, what has no name of its own: locks of the finding by the
 * expression that takes them, threads by what they began with. */
void dlw_doc_find_names(struct dlw_doc *doc, struct dlw_doc_finding *finding);
/* The same for what threads of the document that run Python wait for and hold: its locks lie in no
 * variable. */
void dlw_doc_find_thread_names(struct dlw_doc *doc);
/* The same of a lock that has a cost; then the dearest come first: by what was waited for them,
 * then by takings. */
void dlw_doc_finish_costs(struct dlw_doc *doc);
/* Where a thread began that has waited since with this stack. */
void dlw_thread_find_begin(struct dlw_doc_thread *thread, const struct dlw_stack *stack);
/* What people call a lock: expression, name, what the source says where it is taken, "the mutex
 * created at bank.c:12", "… first taken at …", "the end of thread worker", or its kind. */
const char *dlw_lock_title(struct dlw_region *region, const struct dlw_doc_lock *lock);
/* What a wait on a futex is for, told by who made it: "a std::future"; NULL when nobody known. */
const char *dlw_futex_name(const struct dlw_stack *stack);
/* Whose locks some of the threads wait for that name no holder and can't be watched ("Rust's std",
 * "Rust's std and Qt"); NULL: nobody's. */
const char *dlw_unowned_locks(struct dlw_region *region, const struct dlw_doc_state *threads,
                              size_t n);
/* What tells one lock from others of its name: where the variable stands, where it was made; NULL
 * where nothing is known that the title does not say. */
const char *dlw_lock_origin(struct dlw_region *region, const struct dlw_doc_lock *lock);
/* The same of a thread without a name: where the function stands that it began with. */
const char *dlw_thread_origin(struct dlw_region *region, const struct dlw_doc_thread *thread);
/* Has it a name of its own, not just that of the program? */
bool dlw_thread_is_named(const struct dlw_doc_thread *thread);
/* "worker", "main", "serve" after its start routine, else "thread 2". */
const char *dlw_thread_title(struct dlw_region *region, const struct dlw_doc_thread *thread);
/* Titles of the finding's locks; equal ones are told apart by a number. */
const char *dlw_finding_lock_title(struct dlw_region *region, const struct dlw_doc_finding *finding,
                                   const struct dlw_doc_lock *lock);
/* The same for its threads. */
const char *dlw_finding_thread_title(struct dlw_region *region,
                                     const struct dlw_doc_finding *finding,
                                     const struct dlw_doc_thread *thread);
/* The top of the repository that the working folder lies in, else that folder; found once. */
const char *dlw_source_folder(void);
/* The source file, without "." and "..": relative to `folder` where it lies below it, else absolute
 * where that is known; NULL where there is none. `folder` NULL: the source folder. */
const char *dlw_frame_path(struct dlw_region *region, const struct dlw_frame *frame,
                           const char *folder);
/* The place that stands for the finding: where the first lock is asked for, the call that is
 * accused. NULL: none is known. */
const struct dlw_frame *dlw_finding_frame(const struct dlw_doc_finding *finding);
/* "bank.c:31", "libfoo.so+0x123", … */
const char *dlw_frame_place(struct dlw_region *region, const struct dlw_frame *frame);

#endif
