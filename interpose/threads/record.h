/*
 * A record for each thread: what it holds, what it waits for, what it has already validated.
 *
 * Found through one initial-exec TLS pointer. Records are mapped, never malloc'd,
 * and their memory is never given back while the process lives (a walker may be reading one): a
 * record of a thread that ended is used again, and its sequence number tells.
 *
 * Who touches what: the fields under "owner" only the thread itself; those under "published" the
 * thread writes and walkers read, believing them only between two equal reads of wait.sequence.
 */
#ifndef DLW_THREADS_RECORD_H
#define DLW_THREADS_RECORD_H

#include "graph/base/arena.h"
#include "graph/finding.h"
#include "graph/life.h"
#include "interpose/base/signals.h"
#include "interpose/python/frames.h"
#include "interpose/stacks/rules.h"
#include "interpose/threads/outermost.h"
#include "report/emit/trail.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define DLW_FIRST_HELD 32
#define DLW_FIRST_CACHE 256
#define DLW_NAME_BYTES 16
#define DLW_OUTLIVING 4
#define DLW_YIELDS_TO 8

enum {
    DLW_HELD_TRY = 1,       /* taken by a try: it never waited */
    DLW_HELD_TIMED = 2,     /* asked for with a limit */
    DLW_HELD_INHERITED = 8, /* taken before the fork that made this process */
    DLW_HELD_POOL = 4,      /* one of several units of a semaphore: no order, no gate */
    DLW_HELD_TRIAL = 16,    /* its unlock tells how many levels its place needs */
    DLW_HELD_MADE = 32,     /* a semaphore that was made taken: a gate, but of no order */
    DLW_HELD_SPAN = 128,    /* held since before its thread created another (order/span.h) */
    DLW_HELD_FIRST = 64,    /* a semaphore that nobody has posted since it was made */
};

/*
 * One lock held. Written by its thread; walkers read `lock`, `mode` and `stack` while it is
 * blocked. What the hot path writes lies on one cache line.
 */
struct dlw_held_lock {
    _Alignas(64) _Atomic uintptr_t lock;
    uint64_t id;  /* its mark when taken; 0: none yet, or the address table knows */
    uint64_t key; /* of the chain up to and including this lock */
    union {
        struct {
            uint8_t kind; /* enum dlw_lock_kind */
            _Atomic uint8_t mode;
            uint8_t flags;
            uint8_t levels; /* of pc[] that are filled; the last goes with sp and fp */
        };
        _Atomic uint32_t traits; /* the four as one word: DLW_TRAITS */
        uint32_t own_traits;     /* the same for its thread, which alone writes it */
    };
    uint32_t chain; /* dlw_chain up to and including this lock, with a reference... */
    union {
        struct {
            uint32_t stack; /* interned, 0: not asked for yet */
            uint32_t node;  /* dlw_node, 0: not looked up yet */
        };
        uint64_t found; /* the two as one word */
    };
    uintptr_t sp, fp; /* in the frame of the last level */
    uintptr_t pc[DLW_LEVELS];
    uint64_t chain_key; /* ...and the key `chain` was interned for: another key means it is stale */
    /* The row of the profile that was counted here last (profile.h), of this lock or another. Never
     * NULL where the thread has a profile. */
    struct dlw_profile_entry *counted;
};
_Static_assert(offsetof(struct dlw_held_lock, pc) == 56 && sizeof(struct dlw_held_lock) == 128,
               "the first level and all before it on the first line of two");

#define DLW_TRAITS(kind, mode, flags, levels)                                                      \
    ((uint32_t)(kind) | (uint32_t)(mode) << 8 | (uint32_t)(flags) << 16 | (uint32_t)(levels) << 24)
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "order of the traits in their word");

/* What the thread waits for now. Odd sequence: it waits. */
struct dlw_wait_slot {
    _Atomic uint64_t sequence;
    _Atomic uintptr_t on;
    _Atomic uint8_t kind;      /* enum dlw_wait_kind */
    _Atomic uint8_t lock_kind; /* enum dlw_lock_kind */
    _Atomic uint8_t mode;
    _Atomic uint8_t timed;
    _Atomic uint64_t since;                /* ns, dlw_now() */
    _Atomic uintptr_t relocks;             /* the mutex a condition wait gave up */
    _Atomic(const _Atomic bool *) is_over; /* set when what it waits for has come; may be NULL */
    _Atomic bool is_endless; /* no limit, and no other process can end it: counted (motion.h) */
    _Atomic bool may_ring;   /* an interruption would not be noticed (alarm.h) */
    bool annotated;          /* owner: the program tells of it (wait.h) */
    uint32_t expected;       /* owner: of a futex, the value that it sleeps on */
    struct dlw_call call;
};

/* Of a thread's alarm (alarm.h). LEFT: the wait was over while another thread was setting it, which
 * takes it back. */
enum { DLW_ALARM_NONE, DLW_ALARM_SETTING, DLW_ALARM_SET, DLW_ALARM_LEFT };
/* Room on the stack that a thread must have left for what it does when its alarm rings. */
enum { DLW_ALARM_STACK = 96 * 1024 };

/* Kept waiting before it asks for a lock (steer/pause.h). Written by the thread while it is not
 * paused; read, and let go, under that room's lock. */
enum { DLW_PAUSE_ROLES = 8 };
struct dlw_pause {
    _Atomic uint32_t word; /* it sleeps on */
    uint32_t n;
    uintptr_t lock; /* that it is about to ask for */
    uint8_t kind, mode;
    bool is_vain; /* it stood there to the limit */
    bool met;     /* it was let go into a circle that is to be told by others than who closes it */
    uintptr_t frame; /* stack pointer of the call, 0: in none */
    uint64_t since;  /* ns */
    struct dlw_pause_role {
        const struct dlw_role *role;
        uintptr_t lock; /* by which it stands there */
        uint8_t mode;
        uint64_t arrival; /* as which, from 0 */
    } roles[DLW_PAUSE_ROLES];
};

struct dlw_thread {
    /* owner: the hot path, all on one cache line */
    uint32_t guard; /* not 0: calls leave the fast path, mostly for the real one (DLW_GUARD_*) */
    uint32_t owner; /* what libc writes as the owner into a mutex that this thread takes; 0: plain
                       mutexes are taken through libc (direct.h) */
    _Atomic uint32_t depth;
    uint32_t holes; /* entries whose lock was released out of order (lock 0) */
    struct dlw_held_lock *_Atomic held;
    _Atomic uint64_t trail_at; /* bytes: the number of its last entry, times their size (trail.h) */
    uint64_t base;             /* key of the empty chain: generation and era */
    uint64_t salt; /* sets this thread's keys apart where an edge asks for every thread */
    /* Keys of entries from here on are to be made anew before the next push. Room - 1 when all are
     * good, so that one compare tells that there is room too. */
    uint32_t stale_above;
    uint32_t generation; /* of the order graph, as this thread's keys know it */
    uint32_t room;
    uint32_t next_birth; /* of a lock (identity.c) */

    /* owner */
    uint64_t calls;      /* wrapped calls seen, but for those that its trail counts (trail.h) */
    uint64_t *validated; /* cache of keys, in sets of a cache line */
    uint32_t validated_mask;
    uint32_t interned; /* entries from here on have no interned chain */
    uint32_t misses;   /* of the cache of keys, since it last grew */
    uintptr_t stack_low, stack_high;
    size_t stack_size; /* 0: not known */
    dlw_segment segment;
    bool resync;  /* a release passed while the guard was up */
    bool foreign; /* not made by pthread_create: its stack's end is a guess */
    bool is_main;
    bool is_known; /* the reporter knows it, by the name it had then; evidence may name it */
    bool is_detached;
    bool gave_up;   /* it gave up a mutex for the condition wait that it is in */
    bool is_dead;   /* a deadlock with this thread in it was reported: its wait is told */
    bool is_ending; /* its routine has been left: no lock is on its stack any more */
    /* its end (thread_end.h) */
    bool has_left;                /* its function */
    bool is_guest;                /* the guests' key tells when it has */
    uint8_t end_rounds;           /* of destructors that are over */
    uint16_t end_key;             /* the next of this round */
    uint32_t n_objects;           /* thread-local ones, still to be destroyed */
    struct dlw_thread *woke_last; /* the thread that it had woken when it last asked (motion.c) */
    bool counts_as_semaphore;     /* its wait is counted in dlw_semaphore_waits (motion.h) */
    uint64_t began;               /* its wait, as a number among all waits (motion.h) */
    struct {
        uintptr_t object; /* the condition or semaphore that it signalled last... */
        uintptr_t under;  /* ...with this lock innermost in hand, 0: none */
        uint64_t after;   /* so many waits had begun */
    } signalled;
    uint64_t look_after; /* stall.c: ns until the next look; 0: when the stall has stood its time */
    struct {
        uintptr_t address;
        uint32_t value;
        bool compares;
    } slept_on;          /* while its alarm rings: its futex, and what it expects there (alarm.c) */
    uint32_t exit_stack; /* of the pthread_exit call, when locks were held */
    union {
        void *(*posix)(void *);
        int (*c11)(void *);
    } routine;
    void *argument;
    void (*once_routine)(void);
    void *once_control;
    struct dlw_call once_call;
    struct dlw_shield shield; /* up while the guard is, where the program has signal handlers */
    uintptr_t
        guard_frame;    /* of the function that raised the guard, 0: may not be judged by it... */
    uintptr_t guard_pc; /* ...and its return address (jump.h) */
    bool moves_held;    /* entries are being moved, under the guard */
    bool is_lost;       /* it left the guard by a jump, as it seems, and that was told */
    uint64_t *outgrown; /* mapped tables that `validated` was, the largest first (validate.c) */
    struct dlw_span *spans;     /* holds that began before it created a thread (order/span.h) */
    struct dlw_birth *births;   /* such holds of its creator that it has not had yet */
    struct dlw_was_taken *past; /* DLW_OUTERMOST of them, or NULL (outermost.h) */
    struct {
        uintptr_t mutex, condition, pc;
    } woken; /* of its last condition wait; an entry of that mutex from that place came out of it */
    struct dlw_outliving {
        uintptr_t semaphore, under; /* taken under that one, and kept when it was let go */
        uint32_t life;              /* of the semaphore (held.h) */
        bool is_told;
    } outliving[DLW_OUTLIVING];
    uint32_t n_outliving;          /* so many were noted so far */
    uint32_t outliving_filter;     /* a bit for each of them that is not told (held.h) */
    struct dlw_python_self python; /* what it knows of its own state in CPython */
    struct {
        uintptr_t semaphore; /* that it took first for a line that asked for no lock; 0: none... */
        uint32_t life;       /* ...in this life of it (held.h) */
    } python_event;
    uintptr_t python_end; /* the semaphore that it posts at its end (python_join.h), or 0 */
    uint64_t gil_chain; /* the chain under which it took a GIL last, salted; asked about (gil.c) */
    uint64_t parted_by; /* tag of a lock: the joined thread signalled, as it seems, that it ends */
    struct dlw_pause pause;
    _Atomic uint32_t n_stands;                 /* of stands[], which walkers read */
    uint64_t yield_until;                      /* of the call that it is in (steer/avoid.c) */
    _Atomic uint32_t yields_to[DLW_YIELDS_TO]; /* tids that it waits for there; 0: none */
    struct dlw_deferred *withheld;             /* findings that wait for its posts (deferred.h) */
    struct dlw_profile *profile; /* what its locks cost (profile.h); NULL: nothing counted */
    uint32_t until_timed;        /* takings until one whose hold is timed; 0: nothing is counted */
    uint64_t profile_began;      /* ns, its wait for a lock; 0: none, or not timed */
    struct dlw_profile_holder {
        uintptr_t pc; /* where the lock had been taken; 0: not known */
        char name[16];
    } profile_holder; /* of the lock, as the wait began */

    /* That it has begun, in its life: the last stand in trail_waits. */
    _Atomic uint32_t n_trail_waits;

    /* published */
    _Alignas(64) struct dlw_wait_slot wait;
    _Atomic uint32_t tid;          /* 0: not in use */
    _Atomic bool is_cancelled;     /* was asked to end, and has not been seen to heed it */
    _Atomic bool ignores_cancel;   /* PTHREAD_CANCEL_DISABLE */
    _Atomic bool cancels_anywhere; /* PTHREAD_CANCEL_ASYNCHRONOUS */
    _Atomic uint32_t alarm;        /* DLW_ALARM_* */
    _Atomic uint64_t alarm_after;  /* ns from when it is set */
    uint32_t timer;     /* the kernel's number of it, and 1; whoever sets the alarm makes it... */
    uint32_t timer_tid; /* ...for this thread: it may have ended since, and left its record */
    uint32_t id;
    uint32_t parent, created, start; /* for the journal */
    pthread_t handle;
    char name[DLW_NAME_BYTES];
    uint32_t early_names; /* dlw_threads_early_names when it was made */

    /* under the threads lock */
    struct dlw_thread *next_free;
    struct dlw_thread *next, *previous;

    struct dlw_parting parting; /* owner */

    /* from here on kept when the record is used again; what most threads touch lies on the first
     * page */
    struct dlw_outermost taken[DLW_OUTERMOST]; /* owner */
    struct dlw_trail_entry trail[DLW_TRAIL_ENTRIES];
    struct dlw_held_lock first_held[DLW_FIRST_HELD];
    struct dlw_role_stand *stands; /* roles in which it stands (steer/role.h); NULL: never did */
    struct dlw_arena scratch;      /* owner: for walks of the wait-for graph */
    struct dlw_trail_wait trail_waits[DLW_TRAIL_WAITS];
    _Alignas(64) uint64_t first_validated[DLW_FIRST_CACHE];
};

/*
 * While the guard is up, calls of the thread go straight to the real functions, and no signal
 * handler of the program runs (signals.h). So it is up before an internal lock is taken or the
 * record is half changed, and until neither is so any more.
 */
enum {
    DLW_GUARD_NESTED = 1, /* counts: inside the library itself */
    DLW_GUARD_DEPTH = (1 << 12) - 1,
    DLW_GUARD_WAITING = 1 << 12, /* its wait is published: calls now come from a signal handler */
    /* It stands in a role (steer/role.h): its calls are watched, but in the cold half of wrappers.
     */
    DLW_GUARD_STANDS = 1 << 13,
    DLW_GUARD_OFF = 1 << 16, /* the library is switched off, or this thread isn't watched */
};

/* The guard, but for whether the thread stands in a role: 0 where its calls are watched. */
static inline uint32_t dlw_thread_guard(const struct dlw_thread *self)
{
    return self->guard & ~(uint32_t)DLW_GUARD_STANDS;
}

extern __thread struct dlw_thread *dlw_self;

/*
 * The same where plain mutexes may be taken and given back without a further question: the guard is
 * down, and `owner` is not 0. NULL is always right, and leads to the cold half of a wrapper. So one
 * look answers what else were three, of which the second has to wait for the first: an atomic
 * operation begins when all before it is done.
 *
 * It closes right after the guard is up, and opens after that is down: a handler that comes in
 * between is watched, as one that came before, or takes the cold half.
 */
extern __thread struct dlw_thread *dlw_fast;

/* A record that passes everything through: before the start, after a thread's end, when switched
 * off. */
extern struct dlw_thread dlw_nobody;

/*
 * The calling thread's record, made on its first call. Never NULL: dlw_nobody when the library is
 * off or memory is out. Cold; wrappers call it when dlw_self is NULL.
 */
struct dlw_thread *dlw_thread_attach(void);

static inline struct dlw_thread *dlw_thread_self(void)
{
    struct dlw_thread *self = dlw_self;

    return __builtin_expect(self != NULL, 1) ? self : dlw_thread_attach();
}

static inline void dlw_fast_closes(void)
{
    atomic_signal_fence(memory_order_seq_cst);
    dlw_fast = NULL;
    atomic_signal_fence(memory_order_seq_cst);
}

/* Opens where it may: the calling thread's guard may be down, or its record is bound. */
static inline void dlw_fast_opens(struct dlw_thread *self)
{
    atomic_signal_fence(memory_order_seq_cst);
    if (self->guard == 0 && self->owner != 0 && self == dlw_self)
        dlw_fast = self;
    atomic_signal_fence(memory_order_seq_cst);
}

static inline void dlw_guard_set(struct dlw_thread *self, uint32_t bits)
{
    self->guard |= bits;
    dlw_fast_closes();
}

static inline void dlw_guard_clear(struct dlw_thread *self, uint32_t bits)
{
    self->guard &= ~bits;
    dlw_fast_opens(self);
}

/* Cold: is the guard really up, or was the wait that raised it left (wait.h)? */
bool dlw_thread_still_passes(struct dlw_thread *self);

static inline bool dlw_thread_passes(struct dlw_thread *self)
{
    return __builtin_expect(self->guard != 0, 0) && dlw_thread_still_passes(self);
}

/* Does the fast path apply: the thread is known, and its guard is down? Where it doesn't the cold
 * half of a wrapper asks the two above, so that the hot half needs no register over their calls. */
static inline bool dlw_thread_is_watched(const struct dlw_thread *self)
{
    return __builtin_expect(self && self->guard == 0, 1);
}

static inline __attribute__((always_inline)) void dlw_guard_note_frame(struct dlw_thread *self)
{
    self->guard_pc = DLW_RETURN_HERE();
    atomic_signal_fence(memory_order_seq_cst);
    self->guard_frame = (uintptr_t)__builtin_frame_address(0);
    atomic_signal_fence(memory_order_seq_cst);
}

/* By its frame it is seen whether the function that raised the guard is still there (jump.h). It is
 * noted twice: a handler that comes before the guard is up raises its own, and leaves none noted.
 */
static inline __attribute__((always_inline)) void dlw_guard_raise(struct dlw_thread *self)
{
    bool is_first = !(self->guard & DLW_GUARD_DEPTH);

    if (is_first)
        dlw_guard_note_frame(self);
    self->guard += DLW_GUARD_NESTED;
    dlw_fast_closes();
    if (is_first)
        dlw_guard_note_frame(self);
}

/* Signals are blocked first: a handler that runs before that runs outside the library. Inlined,
 * since the frame that is noted must be there until the guard is left: a function that returns with
 * the guard up is inlined too, or calls dlw_guard_outlives_frame(). */
static inline __attribute__((always_inline)) void dlw_guard_enter(struct dlw_thread *self)
{
    if (__builtin_expect(atomic_load_explicit(&dlw_signals_are_caught, memory_order_relaxed), 0) &&
        !(self->guard & DLW_GUARD_DEPTH) && self != &dlw_nobody)
        dlw_shield_raise(&self->shield);
    dlw_guard_raise(self);
}

/* The same where no internal lock is taken until it is left: handlers may come, and pass. */
static inline __attribute__((always_inline)) void dlw_guard_enter_briefly(struct dlw_thread *self)
{
    dlw_guard_raise(self);
}

/* The guard was raised just now, and stays up when the function that did so has returned, or while
 * code of others is called: nothing is concluded from its frame. */
static inline void dlw_guard_outlives_frame(struct dlw_thread *self)
{
    self->guard_frame = 0;
}

void dlw_guard_leave(struct dlw_thread *self);
/* The calling thread's guard stays up, but no lock is held and what follows may take its time:
 * signals come again. */
void dlw_guard_lets_signals(void);

/* A cancellation is under way, and a wait of this kind heeds it: a wait for a lock does so only
 * where it may come at any time. */
static inline bool dlw_thread_heeds_cancel(const struct dlw_thread *thread, unsigned kind)
{
    return atomic_load_explicit(&thread->is_cancelled, memory_order_seq_cst) &&
           !atomic_load_explicit(&thread->ignores_cancel, memory_order_relaxed) &&
           (kind == DLW_WAIT_CONDITION || kind == DLW_WAIT_SEMAPHORE || kind == DLW_WAIT_JOIN ||
            atomic_load_explicit(&thread->cancels_anywhere, memory_order_relaxed));
}

/* Ends of itself: it has a limit, or its thread was cancelled. */
static inline bool dlw_thread_wait_ends(const struct dlw_thread *thread, unsigned kind)
{
    return atomic_load_explicit(&thread->wait.timed, memory_order_relaxed) ||
           dlw_thread_heeds_cancel(thread, kind);
}

/* Makes a record for a thread about to be created (by the creator), and binds it (by the thread
 * itself). NULL: out of memory. */
struct dlw_thread *dlw_thread_new(uint32_t parent, uint32_t created, uint32_t start);
void dlw_thread_bind(struct dlw_thread *record, uintptr_t stack_top);
/* Names given by handle to threads that had not bound their record yet. */
extern _Atomic uint32_t dlw_threads_early_names;
/* Asks the kernel for the name of the calling thread, whose record it is. */
void dlw_thread_read_name(struct dlw_thread *self);
/* Has it held anything in this life? If not, nothing was noted as taken or validated either. */
bool dlw_thread_has_held(const struct dlw_thread *record);
/* The creation failed, or the thread has ended: the record may be used again. */
void dlw_thread_release(struct dlw_thread *record);
/* The thread runs its last code: from now on its calls pass. */
void dlw_thread_end(struct dlw_thread *record);

/* Lock-free. NULL when no live thread has this tid. */
struct dlw_thread *dlw_thread_by_tid(uint32_t tid);
/* By handle; NULL once it has ended. Takes the threads lock. */
struct dlw_thread *dlw_thread_by_handle(pthread_t handle);

/* Calls `visit` for each live record, with the threads lock held: it must not block. Stops when it
 * returns false. */
void dlw_threads_each(bool (*visit)(void *context, struct dlw_thread *thread), void *context);
uint32_t dlw_threads_alive(void);
uint32_t dlw_threads_ever(void);
/* Wrapped calls that threads made which have ended since. */
uint64_t dlw_threads_calls_of_ended(void);

void dlw_threads_start(uintptr_t main_stack_top);
/* Around fork. False: it is not to be had. */
bool dlw_threads_lock(void);
void dlw_threads_unlock(void);
/* `left_behind` is called for each thread that the child doesn't have. */
void dlw_threads_after_fork(struct dlw_thread *self,
                            void (*left_behind)(struct dlw_thread *thread));

#endif
