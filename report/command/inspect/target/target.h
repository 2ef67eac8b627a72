/*
 * A process seen from outside: live, or as its core. Both give the same things: memory, mappings,
 * threads with registers. Everything after that (modules, stacks, waits, verdict) doesn't care
 * which it was.
 *
 * Nothing here runs code in the process or writes to it. All of it belongs to the region of the
 * document that is made; dlw_target_close gives back what is not memory.
 */
#ifndef DLW_COMMAND_INSPECT_TARGET_TARGET_H
#define DLW_COMMAND_INSPECT_TARGET_TARGET_H

#include "report/command/document/model.h"
#include "report/command/inspect/glibc/layouts.h"
#include "report/command/symbols/tables.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Registers by their DWARF numbers; `known` has a bit for each that is. */
struct dlw_registers {
    uint64_t value[33];
    uint64_t known;
    uint64_t pc, sp;
    uint64_t thread_pointer; /* 0: not known */
};

/* The system call that a thread is in. */
struct dlw_call {
    bool is_known; /* it is in one, and which */
    bool is_running;
    long number;
    uint64_t arguments[6];
    uint64_t sp, pc;
};

struct dlw_bytes {
    uint64_t start;
    size_t size;
    unsigned char *bytes;
};

/* A frame of an interpreted language. */
struct dlw_seen_line {
    const char *file, *function; /* clean, in the region */
    unsigned line;               /* 0: not known */
    uint64_t address, code;      /* of the frame and what it runs, in the process; 0: not known */
    uint64_t anchor;             /* lies in the native frame that runs it; 0: not known */
    const char *unknown;         /* why it could not be read; then nothing else is set */
};

struct dlw_place {
    uint64_t pc;
    uint64_t sp;                      /* at that place; 0: not known */
    bool is_return;                   /* the pc is a return address: the call stands before it */
    bool is_folded;                   /* the interpreter's: what it ran stands in its place */
    uint32_t n_lines;                 /* of the thread's `lines`, the next so many were run here */
    const struct dlw_seen_line *line; /* it is this one; then nothing else is set */
    const char *unknown;              /* why the place could not be had; then nothing else is set */
};

/* A lock that a thread holds, by the record that libdlwatch.so keeps of it in the process. */
struct dlw_seen_hold {
    uint64_t lock;
    const char *object; /* as below */
    enum dlw_mode mode;
    bool is_pool;      /* one unit of several */
    bool is_inherited; /* a fork's copy of what the parent holds */
    uint32_t stack;    /* the number of its stack there, 0: none */
    uint64_t pc[16];   /* else the innermost return addresses, */
    uint64_t sp, fp;   /* these of the last */
    uint8_t n_pc;
};

/* A semaphore that other processes use too, by such a record. */
struct dlw_seen_semaphore {
    uint64_t address;
    uint32_t holder;       /* as the process numbers it, 0: none here */
    bool is_made_with_one; /* it saw it made, with one unit */
    bool is_no_lock;       /* made with more or with none, or posted by who had not taken it */
    bool was_given_back;   /* posted by who had */
};

enum dlw_holder {
    DLW_HOLDER_UNKNOWN, /* not recorded by this kind of lock, or not readable */
    DLW_HOLDER_THREAD,
    DLW_HOLDER_GONE,    /* a thread that no longer exists */
    DLW_HOLDER_OUTSIDE, /* maybe a thread of another process: the object is shared */
};

/*
 * The lock of a file that a thread waits for (flock, fcntl). It belongs to an open file, not to a
 * thread: whoever has a descriptor of that can let it go. Of several locks in the way one is told.
 */
struct dlw_seen_file {
    uint64_t device, inode;
    const char *path;
    struct dlw_file_holder {
        uint32_t pid;
        int descriptor;
    } * holders; /* all processes that are seen to have the lock */
    size_t n_holders;
    bool is_asleep;    /* every thread of them is in an endless wait */
    const char *doubt; /* why that may not be all; NULL: it is */
};

/* What a thread waits for, as far as memory tells. */
struct dlw_seen_wait {
    enum dlw_wait_kind kind;
    const char *object; /* mutex rwlock …, the words of the document; NULL: a system call */
    enum dlw_mode mode;
    bool is_timed;
    bool is_shared;   /* another process may wake it */
    bool is_rescued;  /* the kernel passes it on when its holder ends (robust, inheriting) */
    uint64_t address; /* of the object; 0: not known */
    uint64_t word;    /* of the futex */
    enum dlw_holder holder;
    uint32_t holder_tid; /* as the process itself numbers it */
    uint32_t holder_pid; /* with DLW_HOLDER_OUTSIDE: its process, as we see it; 0: not known */
    uint32_t stayed_in;  /* with DLW_HOLDER_GONE: the process that this one was forked from, and
                            that has it; 0: not so, or not known */
    const char *doubt;   /* why the holder is not certain to be that, or to be gone; NULL: it is */
    uint32_t holder_index; /* of the thread, with DLW_HOLDER_THREAD */
    uint32_t *holders;     /* indexes of threads, where records tell of several, or of readers */
    size_t n_holders;
    struct dlw_seen_taker { /* of a lock in shared memory that names none (its readers, who took a
                               semaphore), by the records of all processes */
        uint32_t pid, inner;
    } * takers;
    size_t n_takers;
    bool is_behind;             /* they hold nothing yet: writers in front of this reader */
    bool is_refused;            /* the kernel said that to wait would be a deadlock */
    bool is_missed;             /* its word has changed, so that it should not sleep any more */
    struct dlw_seen_file *file; /* of a file's lock that the kernel keeps; else NULL */
    uint64_t mutex;             /* of a condition: the mutex it goes with; 0: not known */
    struct dlw_seen_gil {       /* of a GIL, as its holder was read */
        uint64_t state;         /* the holder's, in the interpreter */
        uint64_t switches;      /* from one thread to another, until then */
    } gil;
    const char *note; /* what can't be known, or what the object says besides */
};

struct dlw_seen_thread {
    uint32_t tid;   /* as we see it */
    uint32_t inner; /* as the process sees it: what stands in its locks */
    char name[64];
    char state; /* of /proc/PID/stat; 0: not known */
    uint64_t switches;
    int processor;
    double ran_at;       /* the scheduler's clock when it last ran, seconds; negative: not known */
    double since;        /* seconds that it has been blocked; negative: not known */
    bool is_least;       /* at least so long: who looked before may have begun the count anew */
    bool stood_still;    /* it did not run between the samples */
    bool has_changed;    /* the word that it sleeps on is not what it was found to be */
    bool has_moved;      /* it went on from its wait while memory was read */
    bool is_missed;      /* so in both samples, and it slept all the time */
    bool is_ended;       /* a main thread that has called pthread_exit */
    const char *trouble; /* why its stack could not be had, or NULL */
    struct dlw_call call;
    struct dlw_registers registers;
    struct dlw_bytes stack; /* copied while it stood */
    struct dlw_place *places;
    size_t n_places;
    bool is_cut;                 /* the stack goes deeper */
    struct dlw_seen_line *lines; /* of Python, innermost first */
    size_t n_lines;
    bool are_lines_cut;
    struct dlw_seen_wait wait;
    uint64_t record; /* of libdlwatch.so in the process; 0: none */
    uint64_t sequence;
    bool is_recorded; /* its wait is the one that the record tells of */
    uint32_t record_id;
    struct dlw_seen_hold *holds;
    size_t n_holds;
};

struct dlw_mapping {
    uint64_t start, end, offset;
    uint64_t device, inode; /* 0: anonymous */
    bool is_executable;
    bool is_shared;   /* what is written there others see who map it too */
    const char *path; /* NULL: anonymous */
};

enum dlw_runtime {
    DLW_RUNTIME_GLIBC,
    DLW_RUNTIME_MUSL,
    DLW_RUNTIME_GO,
    DLW_RUNTIME_UNKNOWN,
};

struct dlw_records;
struct dlw_symbols;

struct dlw_target {
    struct dlw_region *region;
    bool is_core;
    uint32_t pid;
    uint32_t living; /* a thread of it that has not ended: the main one may have */
    const char *exe; /* path in its own file system */
    const char *given_exe;
    const char *sysroot;                    /* of a core: put before paths; NULL: none */
    const struct dlw_rights *rights;        /* of a live process: its files are opened with them */
    const struct dlw_rights *source_rights; /* the sources that its memory names; NULL: not read */
    const char **argv;
    size_t argc;
    double start;            /* seconds since 1970, 0: not known */
    uint64_t start_ticks;    /* the same as the kernel counts it; with the pid it is unique */
    int signal;              /* that ended it (core), 0: none */
    int machine;             /* EM_… */
    bool is_narrow;          /* a 32-bit process */
    uint64_t caught_signals; /* SigCgt */
    bool signals_known;
    bool shares_memory; /* another process runs in the same memory */

    int memory;            /* /proc/PID/mem, -1 for a core */
    struct dlw_core *core; /* core.h; NULL for a live process */

    struct dlw_mapping *mappings;
    size_t n_mappings;
    struct dlw_seen_thread *threads;
    size_t n_threads;

    Dwfl *dwfl;
    struct dlw_tables *tables; /* of the session's modules */
    enum dlw_runtime runtime;
    bool is_static, is_rust, is_preloaded;
    struct dlw_records *records; /* report/emit/records.h; NULL: none to be had */
    struct dlw_symbols *symbols; /* of the findings in them */
    struct dlw_seen_semaphore *semaphores;
    size_t n_semaphores;
    bool knows_semaphores; /* those are all */
    int libc_version;      /* 2036 for 2.36; 0: not known */
    struct dlw_layout layout;

    double sampled_at;   /* CLOCK_BOOTTIME, of the second sample */
    double longest_stop; /* seconds one thread stood because of us */
    size_t n_stopped;
    struct dlw_target **peers; /* other processes that its threads wait for, looked at as well */
    size_t n_peers;
    bool is_partial;    /* something asked for could not be told: status 2 */
    bool notes_trouble; /* in the report as well as on stderr */
    bool is_quiet;      /* say nothing (repeats of --watch) */
    bool is_brief;      /* the two samples stand close: it is looked at again before it is told */
    bool shows_native;  /* an interpreter's own frames as well */
};

/* Says a line on stderr, notes it in the document, and marks the answer as partial. */
void dlw_target_trouble(struct dlw_target *target, struct dlw_doc *doc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

bool dlw_target_read(struct dlw_target *target, uint64_t address, void *out, size_t size);
bool dlw_target_u32(struct dlw_target *target, uint64_t address, uint32_t *out);
bool dlw_target_u64(struct dlw_target *target, uint64_t address, uint64_t *out);
/* A pointer of the target's own width. */
bool dlw_target_pointer(struct dlw_target *target, uint64_t address, uint64_t *out);
/* The thread's own copy of its stack first, memory as it is now otherwise. */
bool dlw_target_read_stack(struct dlw_target *target, const struct dlw_seen_thread *thread,
                           uint64_t address, void *out, size_t size);

/* NULL: in none. */
const struct dlw_mapping *dlw_target_mapping(const struct dlw_target *target, uint64_t address);
struct dlw_seen_thread *dlw_target_inner(const struct dlw_target *target, uint32_t inner);
/* The pthread_t of a thread: the address of its descriptor; 0: not known. */
uint64_t dlw_thread_handle(const struct dlw_target *target, const struct dlw_seen_thread *thread);
void dlw_target_close(struct dlw_target *target);

#endif
