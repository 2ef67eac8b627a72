#include "report/command/inspect/glibc/waits.h"

#include "report/command/inspect/glibc/entry.h"
#include "report/command/inspect/glibc/runtime.h"
#include "report/command/inspect/target/instructions.h"

#include <elf.h>
#include <linux/futex.h>
#include <string.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

static bool is_inheriting(const struct dlw_futex *futex)
{
    return futex->operation == FUTEX_LOCK_PI || futex->operation == FUTEX_LOCK_PI2;
}

/* glibc's simplest lock: 2 says held, with somebody who waits. */
static bool is_plain_lock(const struct dlw_futex *futex)
{
    return futex->operation == FUTEX_WAIT && futex->value == 2;
}

static bool by_entry(struct dlw_target *target, enum dlw_entry entry, const struct dlw_futex *futex,
                     const struct dlw_seen_thread *thread, struct dlw_seen_wait *wait)
{
    switch (entry) {
    case DLW_ENTRY_MUTEX:
        return dlw_wait_on_refused_mutex(target, futex, thread, wait) ||
               dlw_wait_on_mutex(target, futex, wait);
    case DLW_ENTRY_CONDITION: /* woken up, it takes its mutex again */
        if (is_plain_lock(futex) || is_inheriting(futex))
            return dlw_wait_on_mutex(target, futex, wait);
        return dlw_wait_on_condition(target, futex, thread, wait);
    case DLW_ENTRY_READ:
        return dlw_wait_on_rwlock(target, futex, DLW_SHARED, wait);
    case DLW_ENTRY_WRITE:
        return dlw_wait_on_rwlock(target, futex, DLW_EXCLUSIVE, wait);
    case DLW_ENTRY_SEMAPHORE:
        return dlw_wait_on_semaphore(target, futex, wait);
    case DLW_ENTRY_BARRIER:
        return dlw_wait_on_barrier(target, futex, wait);
    case DLW_ENTRY_ONCE:
        return dlw_wait_on_once(target, futex, wait);
    case DLW_ENTRY_JOIN:
        return dlw_wait_on_join(target, futex, wait);
    case DLW_ENTRY_DESTROY_CONDITION:
        return dlw_wait_to_destroy(target, futex, DLW_LOCK_CONDITION, wait);
    case DLW_ENTRY_DESTROY_BARRIER:
        return dlw_wait_to_destroy(target, futex, DLW_LOCK_BARRIER, wait);
    default:
        return false;
    }
}

/* No name helps: what the object looks like decides, where only one kind looks so. */
static bool by_shape(struct dlw_target *target, const struct dlw_futex *futex,
                     const struct dlw_seen_thread *thread, struct dlw_seen_wait *wait)
{
    if (dlw_wait_on_join(target, futex, wait))
        return true;
    if (is_inheriting(futex) || (futex->operation == FUTEX_WAIT && futex->value & FUTEX_WAITERS))
        return dlw_wait_on_mutex(target, futex, wait);
    if (is_plain_lock(futex))
        return dlw_wait_on_file(target, futex, wait) ||
               (dlw_wait_on_mutex(target, futex, wait) && wait->holder == DLW_HOLDER_THREAD);
    if (futex->operation == FUTEX_WAIT && (futex->value & 3) == 1)
        return dlw_wait_on_once(target, futex, wait) && wait->holder == DLW_HOLDER_THREAD;
    if (dlw_wait_on_condition(target, futex, thread, wait) && wait->mutex)
        return true;
    return false;
}

/* libstdc++'s guard of a static variable; glibc has no say in it. */
static void wait_on_guard(const struct dlw_futex *futex, struct dlw_seen_wait *wait)
{
    wait->kind = DLW_WAIT_GUARD;
    wait->object = "guard";
    wait->address = futex->word;
    wait->note = "a static variable that another thread initialises; which one is not recorded";
}

/* Underscores, and a mark for the library's own calls, stand before the name that people know. */
static const char *plain_name(const char *function)
{
    function += strspn(function, "_");
    if (!strncmp(function, "GI_", 3))
        function += 3;
    function += strspn(function, "_");
    return strncmp(function, "libc_", 5) ? function : function + 5;
}

/* The function of the C library that waits for a lock of its own; NULL: not known. */
static const char *inner_function(struct dlw_target *target, const struct dlw_seen_thread *thread)
{
    for (size_t i = 0; i < thread->n_places; i++) {
        const struct dlw_place *place = &thread->places[i];
        if (!dlw_runtime_is_library(target, place->pc - place->is_return))
            return NULL;
        const char *name = dlw_entry_function(target, place);
        name = name ? plain_name(name) : NULL;
        if (name && strncmp(name, "lll_", 4) != 0 && strncmp(name, "futex_", 6) != 0)
            return name;
    }
    return NULL;
}

/*
 * std::future's say nothing of being private and are: their memory tells. A core does not say of
 * memory whether it is shared, but only what comes of a file can be.
 */
static bool is_in_shared_memory(const struct dlw_target *target, const struct dlw_futex *futex)
{
    const struct dlw_mapping *memory =
        futex->is_private ? NULL : dlw_target_mapping(target, futex->word);
    if (!memory)
        return !futex->is_private;
    return target->is_core ? memory->path != NULL : memory->is_shared;
}

static void wait_on_unknown(struct dlw_target *target, enum dlw_entry entry,
                            const struct dlw_seen_thread *thread, const struct dlw_futex *futex,
                            struct dlw_seen_wait *wait)
{
    const char *function = inner_function(target, thread);
    wait->kind = DLW_WAIT_SYSCALL;
    wait->object = NULL;
    wait->word = futex->word;
    wait->is_shared = is_in_shared_memory(target, futex);
    if (entry == DLW_ENTRY_UNKNOWN && target->runtime == DLW_RUNTIME_GLIBC && !target->is_static)
        wait->note = function ? dlw_region_print(target->region,
                                                 "inside the C library, in %s; its own lock names "
                                                 "no holder",
                                                 function)
                              : "inside the C library (malloc, for one); such a lock names no "
                                "holder";
    else if (target->runtime == DLW_RUNTIME_GLIBC)
        wait->note = "a futex of the program's own (std::atomic, std::latch, Rust): it names no "
                     "holder";
    else
        wait->note = "a futex; whose lock it is and who holds it can't be told";
}

static void read_futex(struct dlw_target *target, struct dlw_seen_thread *thread,
                       const struct dlw_futex *futex)
{
    struct dlw_seen_wait *wait = &thread->wait, empty = {0};
    enum dlw_entry entry = dlw_entry_find(target, thread);
    bool is_known = target->runtime == DLW_RUNTIME_GLIBC;
    empty.word = futex->word;
    empty.is_timed = futex->is_timed;
    *wait = empty;
    if (is_known && entry != DLW_ENTRY_OTHER && by_entry(target, entry, futex, thread, wait))
        return;
    *wait = empty;
    if (entry == DLW_ENTRY_GUARD) {
        wait_on_guard(futex, wait);
        return;
    }
    if (is_known && entry == DLW_ENTRY_UNKNOWN && by_shape(target, futex, thread, wait))
        return;
    *wait = empty;
    wait_on_unknown(target, entry, thread, futex, wait);
}

/* x86-64's function keeps the lock's address where its argument came in, and frees by writing 1;
 * aarch64's loads it in a loop, and 0 is free. */
static bool read_spin_lock(struct dlw_target *target, const struct dlw_registers *registers,
                           uint64_t *lock)
{
    enum { RDI = 5 }; /* in DWARF's numbers */
    uint32_t word;
    if (target->machine == EM_X86_64)
        *lock = registers->value[RDI];
    else if (!dlw_loaded_address(target, registers, lock))
        return false;
    return dlw_target_u32(target, *lock, &word) && word != (target->machine == EM_X86_64 ? 1 : 0);
}

/* A spinning thread runs: only where it runs tells. */
static bool read_spin(struct dlw_target *target, struct dlw_seen_thread *thread)
{
    const char *name = thread->n_places && !thread->call.is_known
                           ? dlw_entry_function(target, &thread->places[0])
                           : NULL;
    uint64_t lock;
    if (!name || dlw_entry_of_name(name) != DLW_ENTRY_SPIN ||
        !read_spin_lock(target, &thread->registers, &lock))
        return false;
    thread->wait.kind = DLW_WAIT_SPIN;
    thread->wait.object = "spin";
    thread->wait.address = lock;
    thread->wait.note = "a spin lock does not record its holder: unknown";
    return true;
}

/*
 * Of glibc's own objects a changed word comes with a wake-up. Others count on some word and wake
 * one of several sleepers (Rust's and GLib's conditions): there the rest sleep on by right. So do
 * the joiners of a thread that exits, but is not gone yet.
 */
static void note_missed(struct dlw_seen_thread *thread)
{
    struct dlw_seen_wait *wait = &thread->wait;
    if (!thread->is_missed || wait->kind == DLW_WAIT_SYSCALL || wait->kind == DLW_WAIT_CONDITION ||
        wait->kind == DLW_WAIT_GUARD || wait->kind == DLW_WAIT_JOIN || wait->is_refused)
        return;
    wait->is_missed = true;
    wait->holder = DLW_HOLDER_UNKNOWN;
    wait->holder_tid = 0;
    wait->note = "what it sleeps on has changed since it fell asleep: a lost wake-up";
}

static void read_wait(struct dlw_target *target, struct dlw_seen_thread *thread)
{
    struct dlw_futex futex;
    thread->wait = (struct dlw_seen_wait){0};
    if (thread->is_ended || read_spin(target, thread))
        return;
    if (dlw_futex_decode(target, &thread->call, &futex)) {
        read_futex(target, thread, &futex);
        note_missed(thread);
    } else if (thread->call.is_known) {
        thread->wait.kind = DLW_WAIT_SYSCALL;
    }
}

/* How many holders it takes from a thread to another; 0: it does not wait for that one. */
static size_t distance_to(const struct dlw_target *target, size_t from, size_t to)
{
    for (size_t steps = 1; steps <= target->n_threads; steps++) {
        const struct dlw_seen_wait *wait = &target->threads[from].wait;
        if (wait->holder != DLW_HOLDER_THREAD)
            return 0;
        from = wait->holder_index;
        if (from == to)
            return steps;
    }
    return 0;
}

/* The kernel refuses a wait only where the holder waits, by however many steps, for the asker: or
 * is the asker. The farthest of those who wait for it closes the widest circle. */
static void guess_refused_holder(struct dlw_target *target, size_t asker)
{
    size_t holder = asker, farthest = 0;
    for (size_t i = 0; i < target->n_threads; i++) {
        size_t distance = distance_to(target, i, asker);
        if (distance > farthest) {
            farthest = distance;
            holder = i;
        }
    }
    dlw_wait_set_holder(target, &target->threads[asker].wait, target->threads[holder].inner);
}

void dlw_waits_read(struct dlw_target *target)
{
    for (size_t i = 0; i < target->n_threads; i++)
        read_wait(target, &target->threads[i]);
    for (size_t i = 0; i < target->n_threads; i++)
        if (target->threads[i].wait.is_refused)
            guess_refused_holder(target, i);
}
