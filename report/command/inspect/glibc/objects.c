/* The objects of glibc, one function each. */
#include "report/command/inspect/glibc/waits.h"

#include "report/command/inspect/glibc/runtime.h"
#include "report/command/inspect/target/registers.h"

#include <elf.h>
#include <linux/futex.h>
#include <string.h>

/* pthread_mutex_t's kind, as glibc stores it. */
enum {
    KIND_TYPE = 3,
    KIND_ROBUST = 16,
    KIND_INHERIT = 32,
    KIND_PROTECT = 64,
    KIND_SHARED = 128,
    KIND_ALL = 0x3ff,
};

/* pthread_rwlock_t's `readers`: flags, then a count. */
enum { READERS_SHIFT = 3 };

void dlw_wait_set_holder(struct dlw_target *target, struct dlw_seen_wait *wait, uint32_t tid)
{
    const struct dlw_seen_thread *holder = tid ? dlw_target_inner(target, tid) : NULL;
    wait->holder_tid = tid;
    if (holder) {
        wait->holder = DLW_HOLDER_THREAD;
        wait->holder_index = (uint32_t)(holder - target->threads);
    } else if (tid) {
        wait->holder = wait->is_shared ? DLW_HOLDER_OUTSIDE : DLW_HOLDER_GONE;
    } else {
        wait->holder = DLW_HOLDER_UNKNOWN;
    }
}

static bool read_kind(struct dlw_target *target, uint64_t mutex, uint32_t *kind)
{
    return dlw_target_u32(target, mutex + target->layout.mutex_kind, kind) &&
           !(*kind & ~(uint32_t)KIND_ALL);
}

const char *dlw_mutex_attributes(struct dlw_target *target, uint64_t mutex)
{
    static const char *const types[] = {"", "recursive ", "errorcheck ", "adaptive "};
    uint32_t kind;
    if (!read_kind(target, mutex, &kind) || !kind)
        return NULL;
    char *text = dlw_region_print(
        target->region, "%s%s%s%s%s", types[kind & KIND_TYPE], kind & KIND_ROBUST ? "robust " : "",
        kind & KIND_INHERIT ? "pi " : "", kind & KIND_PROTECT ? "ceiling " : "",
        kind & KIND_SHARED ? "pshared " : "");
    size_t length = strlen(text);
    if (!length)
        return NULL;
    text[length - 1] = '\0';
    return text;
}

/* Robust and inheriting mutexes name their holder in the word itself, all others beside it. */
bool dlw_wait_on_mutex(struct dlw_target *target, const struct dlw_futex *futex,
                       struct dlw_seen_wait *wait)
{
    uint32_t kind, word, owner, users;
    uint64_t mutex = futex->word;
    if (!read_kind(target, mutex, &kind) || !dlw_target_u32(target, mutex, &word) ||
        !dlw_target_u32(target, mutex + target->layout.mutex_owner, &owner) ||
        !dlw_target_u32(target, mutex + target->layout.mutex_users, &users))
        return false;
    bool is_in_word = kind & (KIND_ROBUST | KIND_INHERIT);
    if (is_in_word)
        owner = word & FUTEX_TID_MASK;
    if (owner > (1u << 22) || users > (1u << 24))
        return false;
    wait->kind = DLW_WAIT_LOCK;
    wait->object = "mutex";
    wait->address = mutex;
    wait->is_shared = kind & KIND_SHARED;
    wait->is_rescued = is_in_word;
    /* Between two holders the word is free, or the owner not yet written. */
    dlw_wait_set_holder(target, wait, word ? owner : 0);
    if (!owner)
        wait->note = "between two holders when it was read";
    return true;
}

/* An inheriting mutex, held by a thread of the process: its word and the owner beside it agree. */
static uint32_t inheriting_owner(struct dlw_target *target, uint64_t mutex)
{
    uint32_t kind, word, owner;
    if (!mutex || mutex % 4 || !read_kind(target, mutex, &kind) || !(kind & KIND_INHERIT) ||
        !dlw_target_u32(target, mutex, &word) ||
        !dlw_target_u32(target, mutex + target->layout.mutex_owner, &owner) ||
        (word & FUTEX_TID_MASK) != owner || !dlw_target_inner(target, owner))
        return 0;
    return owner;
}

/* The candidate where another thread holds it; one of its own is kept in `own`. */
static uint64_t likelier(struct dlw_target *target, const struct dlw_seen_thread *thread,
                         uint64_t candidate, uint64_t *own)
{
    uint32_t owner = inheriting_owner(target, candidate);
    if (owner && owner != thread->inner)
        return candidate;
    if (owner && !*own)
        *own = candidate;
    return 0;
}

/* The mutex is no argument of the call, but near: in a register that calls keep, or on the stack.
 * One that another thread holds is likelier than one of its own. */
static uint64_t nearby_mutex(struct dlw_target *target, const struct dlw_seen_thread *thread)
{
    enum { NEAR = 1024 };
    const struct dlw_register_numbers *numbers = dlw_register_numbers(target->machine);
    const struct dlw_registers *registers = &thread->registers;
    const struct dlw_bytes *copy = &thread->stack;
    uint64_t own = 0, mutex, word;
    if (!numbers)
        return 0;
    for (unsigned i = 0; i < sizeof registers->value / sizeof *registers->value; i++)
        if ((numbers->kept & registers->known) >> i & 1 &&
            (mutex = likelier(target, thread, registers->value[i], &own)))
            return mutex;
    for (size_t at = (size_t)(registers->sp - copy->start), end = at + NEAR;
         at < end && at + sizeof word <= copy->size; at += sizeof word) {
        memcpy(&word, copy->bytes + at, sizeof word);
        if ((mutex = likelier(target, thread, word, &own)))
            return mutex;
    }
    return own;
}

bool dlw_wait_on_refused_mutex(struct dlw_target *target, const struct dlw_futex *futex,
                               const struct dlw_seen_thread *thread, struct dlw_seen_wait *wait)
{
    const struct dlw_mapping *stack = dlw_target_mapping(target, thread->registers.sp);
    struct dlw_futex mutex = *futex;
    if (!stack || futex->word < stack->start || futex->word >= stack->end || futex->value)
        return false;
    mutex.word = nearby_mutex(target, thread);
    if (mutex.word && dlw_wait_on_mutex(target, &mutex, wait)) {
        wait->note = "the kernel refused it as a deadlock, and the C library sleeps since then";
        return true;
    }
    wait->kind = DLW_WAIT_LOCK;
    wait->object = "mutex";
    wait->is_refused = true;
    wait->note = "the kernel refused a priority-inheriting mutex as a deadlock, and the C library "
                 "sleeps since then; which one it was is in no register";
    return true;
}

/* Which of its words is waited on: readers wait for the phase to change with value 3, or behind a
 * writer on the count itself; writers on the phase with value 2, or on the word before the writer.
 */
static uint64_t rwlock_base(const struct dlw_target *target, const struct dlw_futex *futex,
                            enum dlw_mode mode)
{
    if (mode == DLW_SHARED)
        return futex->value == 3 ? futex->word - target->layout.rwlock_phase : futex->word;
    return futex->word -
           (futex->value == 2 ? target->layout.rwlock_phase : target->layout.rwlock_writers);
}

bool dlw_wait_on_rwlock(struct dlw_target *target, const struct dlw_futex *futex,
                        enum dlw_mode mode, struct dlw_seen_wait *wait)
{
    uint64_t base = rwlock_base(target, futex, mode);
    uint32_t readers, writer;
    if (!dlw_target_u32(target, base, &readers) ||
        !dlw_target_u32(target, base + target->layout.rwlock_writer, &writer) ||
        writer > (1u << 22))
        return false;
    wait->kind = DLW_WAIT_LOCK;
    wait->object = "rwlock";
    wait->address = base;
    wait->mode = mode;
    wait->is_shared = !futex->is_private;
    dlw_wait_set_holder(target, wait, writer);
    if (!writer)
        wait->note = readers >> READERS_SHIFT
                         ? dlw_region_print(target->region,
                                            "held by readers, or passed on to them (%u here); the "
                                            "C library does not record who they are: unknown",
                                            readers >> READERS_SHIFT)
                         : "holders unknown";
    return true;
}

/* Code may look like one, and so may the condition itself. */
static bool may_be_mutex(const struct dlw_target *target, uint64_t address, uint64_t condition)
{
    const struct dlw_mapping *mapping = dlw_target_mapping(target, address);
    bool is_apart = address + 40 <= condition || address >= condition + 48;
    return address % 8 == 0 && is_apart && mapping && !mapping->is_executable;
}

/*
 * pthread_cond_wait leaves {sequence, condition, mutex, private} on its stack for its cleanup. That
 * tells the mutex, and the condition's address without knowing the layout.
 */
static bool find_cleanup(struct dlw_target *target, const struct dlw_futex *futex,
                         const struct dlw_seen_thread *thread, struct dlw_seen_wait *wait)
{
    enum { NEAR = 1024 };
    const struct dlw_bytes *copy = &thread->stack;
    size_t begin = copy->size ? (size_t)(thread->registers.sp - copy->start) : 0;
    for (size_t at = begin; at + 16 <= copy->size && at < begin + NEAR; at += 8) {
        uint64_t pair[2];
        uint32_t kind;
        memcpy(pair, copy->bytes + at, sizeof pair);
        uint64_t distance = futex->word - pair[0];
        if ((distance != 40 && distance != 44 && distance != 32 && distance != 36) ||
            !may_be_mutex(target, pair[1], pair[0]) || !read_kind(target, pair[1], &kind))
            continue;
        wait->address = pair[0];
        wait->mutex = pair[1];
        return true;
    }
    return false;
}

bool dlw_wait_on_condition(struct dlw_target *target, const struct dlw_futex *futex,
                           const struct dlw_seen_thread *thread, struct dlw_seen_wait *wait)
{
    wait->kind = DLW_WAIT_CONDITION;
    wait->object = "condition";
    wait->is_shared = !futex->is_private;
    if (find_cleanup(target, futex, thread, wait))
        return true;
    /* Two words stand side by side, eight bytes aligned. */
    wait->address = (futex->word & ~UINT64_C(7)) - target->layout.cond_signals;
    return true;
}

bool dlw_wait_on_semaphore(struct dlw_target *target, const struct dlw_futex *futex,
                           struct dlw_seen_wait *wait)
{
    uint32_t count, waiters;
    if (!dlw_target_u32(target, futex->word, &count) ||
        !dlw_target_u32(target, futex->word + 4, &waiters) || waiters > (1u << 22))
        return false;
    wait->kind = DLW_WAIT_SEMAPHORE;
    wait->object = "semaphore";
    wait->address = futex->word;
    wait->is_shared = !futex->is_private;
    return true;
}

bool dlw_wait_on_barrier(struct dlw_target *target, const struct dlw_futex *futex,
                         struct dlw_seen_wait *wait)
{
    uint64_t base = futex->word - target->layout.barrier_round;
    uint32_t in, round, count;
    if (!dlw_target_u32(target, base, &in) || !dlw_target_u32(target, futex->word, &round) ||
        !dlw_target_u32(target, base + target->layout.barrier_count, &count) || !count)
        return false;
    wait->kind = DLW_WAIT_BARRIER;
    wait->object = "barrier";
    wait->address = base;
    wait->is_shared = !futex->is_private;
    if (in - round <= count)
        wait->note =
            dlw_region_print(target->region, "%u of %u threads have come", in - round, count);
    return true;
}

bool dlw_wait_to_destroy(struct dlw_target *target, const struct dlw_futex *futex,
                         enum dlw_lock_kind kind, struct dlw_seen_wait *wait)
{
    /* a barrier's first word, which counts who came; a condition's in front of its signals */
    uint64_t word = kind == DLW_LOCK_BARRIER ? 0 : target->layout.cond_signals - 4;
    wait->kind = DLW_WAIT_DESTROY;
    wait->object = dlw_lock_kind_word(kind);
    wait->address = futex->word - word;
    wait->is_shared = !futex->is_private;
    return true;
}

/*
 * The thread inside the routine has {handler, control} on its stack, for its cleanup, within a
 * frame of the library. Values left over from earlier calls are not within such a frame of a
 * thread that is elsewhere now.
 */
static bool runs_once(struct dlw_target *target, const struct dlw_seen_thread *thread,
                      uint64_t control)
{
    for (size_t i = 0; i + 1 < thread->n_places; i++) {
        const struct dlw_place *place = &thread->places[i];
        uint64_t pair[2], end = thread->places[i + 1].sp;
        if (!i || !place->sp || !end || end - place->sp > 4096 ||
            !dlw_runtime_is_library(target, place->pc - place->is_return))
            continue;
        for (uint64_t at = place->sp; at + sizeof pair <= end; at += 8)
            if (dlw_target_read_stack(target, thread, at, pair, sizeof pair) &&
                pair[1] == control && dlw_runtime_is_library(target, pair[0]))
                return true;
    }
    return false;
}

bool dlw_wait_on_once(struct dlw_target *target, const struct dlw_futex *futex,
                      struct dlw_seen_wait *wait)
{
    uint32_t value;
    if (!dlw_target_u32(target, futex->word, &value) || (value & 3) != 1)
        return false;
    wait->kind = DLW_WAIT_ONCE;
    wait->object = "once";
    wait->address = futex->word;
    for (size_t i = 0; i < target->n_threads; i++) {
        if (!runs_once(target, &target->threads[i], futex->word))
            continue;
        dlw_wait_set_holder(target, wait, target->threads[i].inner);
        return true;
    }
    wait->note = "the thread that runs the routine could not be found";
    return true;
}

/* The number of the thread whose descriptor that is; 0: it is none. */
static uint32_t described_thread(struct dlw_target *target, uint64_t descriptor)
{
    uint64_t self;
    uint32_t tid;
    if (!dlw_target_u32(target, descriptor + (uint64_t)target->layout.thread_tid, &tid) || !tid)
        return 0;
    const struct dlw_seen_thread *thread = dlw_target_inner(target, tid);
    if (!thread)
        return 0;
    uint64_t handle = dlw_thread_handle(target, thread);
    if (handle)
        return handle == descriptor ? tid : 0;
    /* on x86-64 it begins with its own address */
    return target->machine != EM_X86_64 ||
                   (dlw_target_u64(target, descriptor, &self) && self == descriptor)
               ? tid
               : 0;
}

/*
 * The word is in the joined thread's own descriptor: its tid, or its state. That is 2 while it
 * runs and 1 while it exits, of which nobody is told before the kernel makes it 0.
 */
bool dlw_wait_on_join(struct dlw_target *target, const struct dlw_futex *futex,
                      struct dlw_seen_wait *wait)
{
    enum { STATE_JOINABLE = 2 };
    const struct dlw_layout *layout = &target->layout;
    uint64_t descriptor =
        futex->word - (uint64_t)layout->thread_join - (uint64_t)layout->thread_tid;
    uint32_t word, tid;
    if (!dlw_target_u32(target, futex->word, &word) || !word || !futex->value)
        return false;
    if (layout->thread_join ? word > STATE_JOINABLE || futex->value > STATE_JOINABLE
                            : word != futex->value)
        return false;
    tid = described_thread(target, descriptor);
    if (!tid)
        return false;
    wait->kind = DLW_WAIT_JOIN;
    wait->object = "thread";
    wait->address = futex->word;
    dlw_wait_set_holder(target, wait, tid);
    return true;
}

/* A FILE's lock names its holder by the address of the thread's descriptor. */
bool dlw_wait_on_file(struct dlw_target *target, const struct dlw_futex *futex,
                      struct dlw_seen_wait *wait)
{
    uint64_t owner;
    uint32_t tid;
    if (!dlw_target_u64(target, futex->word + target->layout.file_owner, &owner) || !owner ||
        owner % 8)
        return false;
    tid = described_thread(target, owner);
    if (!tid)
        return false;
    wait->kind = DLW_WAIT_FILE;
    wait->object = "file";
    wait->address = futex->word;
    dlw_wait_set_holder(target, wait, tid);
    return true;
}
