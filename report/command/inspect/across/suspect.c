#include "report/command/inspect/across/suspect.h"

#include "report/command/inspect/across/asleep.h"
#include "report/command/inspect/across/children.h"
#include "report/command/inspect/across/file_locks.h"
#include "report/command/inspect/across/mappers.h"
#include "report/command/inspect/target/futex.h"
#include "report/command/inspect/target/proc.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { OUR_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { OUR_MACHINE = EM_AARCH64 };
#else
#error "add the ELF number of this processor"
#endif

/* Threads by our numbers, in the order in which they were reached: who waits, and for whom. */
struct chase {
    struct dlw_region *region;
    uint32_t start;
    uint32_t *list;
    size_t n;
    struct dlw_shared_place *taken; /* the locks whose takers were reached */
    size_t n_taken;
    bool is_closed; /* it leads back to the start, or to one that has ended */
};

static bool lives(uint32_t tid)
{
    return dlw_proc_inner(tid, tid) != 0;
}

static void reach(struct chase *chase, uint32_t tid)
{
    chase->is_closed |= tid == chase->start;
    for (size_t i = 0; i < chase->n; i++)
        if (chase->list[i] == tid)
            return;
    if (!lives(tid))
        return;
    chase->list = dlw_region_grow(chase->region, chase->list, chase->n, sizeof *chase->list);
    chase->list[chase->n++] = tid;
}

static void reach_word(struct chase *chase, struct dlw_target *target, uint64_t address)
{
    uint32_t tid;
    if (dlw_target_u32(target, address, &tid) && (tid & FUTEX_TID_MASK))
        reach(chase, tid & FUTEX_TID_MASK);
}

static bool is_mutex(const struct dlw_futex *futex)
{
    return futex->operation == FUTEX_WAIT && futex->value == 2;
}

/* Where glibc's locks name their holder, whichever it is; a word that is no number of a thread
 * leads nowhere. */
static void reach_holder(struct chase *chase, struct dlw_target *target,
                         const struct dlw_futex *futex)
{
    const struct dlw_layout *layout = &target->layout;
    uint64_t word = futex->word;
    reach_word(chase, target, is_mutex(futex) ? word + layout->mutex_owner : word);
    if (is_mutex(futex) || futex->operation == FUTEX_LOCK_PI)
        return;
    uint64_t writer = layout->rwlock_writer;
    reach_word(chase, target, word + writer - layout->rwlock_phase);
    reach_word(chase, target, word + writer - layout->rwlock_writers);
    reach_word(chase, target, word + writer);
}

static bool open_target(struct chase *chase, uint32_t tid, struct dlw_target *out)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/mem", tid);
    *out = (struct dlw_target){.region = chase->region, .pid = tid, .machine = OUR_MACHINE};
    out->memory = open(path, O_RDONLY | O_CLOEXEC);
    return out->memory >= 0 && dlw_layout_find(0, OUR_MACHINE, &out->layout);
}

/* The lock that the call waits for as a writer, while others read it; 0: it does not. */
static uint64_t lock_that_is_read(struct dlw_target *target, const struct dlw_futex *futex)
{
    enum { READERS_SHIFT = 3, FOR_READERS = 2, BEHIND_WRITER = 3 };
    const struct dlw_layout *layout = &target->layout;
    uint64_t lock =
        futex->word - (futex->value == FOR_READERS ? layout->rwlock_phase : layout->rwlock_writers);
    uint32_t readers, writer;
    return (futex->value == FOR_READERS || futex->value == BEHIND_WRITER) && !futex->is_private &&
                   dlw_target_u32(target, lock, &readers) && readers >> READERS_SHIFT &&
                   dlw_target_u32(target, lock + layout->rwlock_writer, &writer) && !writer
               ? lock
               : 0;
}

/* The semaphore of which it waits for a unit. The words of a condition look otherwise. */
static uint64_t semaphore_that_is_empty(struct dlw_target *target, const struct dlw_futex *futex)
{
    enum { BETWEEN_PROCESSES = 128, MOST_WAITERS = 1 << 22 };
    uint32_t words[3];
    return !futex->is_private && futex->is_for_all && !futex->value &&
                   dlw_target_read(target, futex->word, words, sizeof words) && !words[0] &&
                   words[1] && words[1] < MOST_WAITERS && words[2] == BETWEEN_PROCESSES
               ? futex->word
               : 0;
}

/* What names nobody, so that only the records of processes tell who has it. */
static uint64_t lock_without_name(struct dlw_target *target, const struct dlw_futex *futex)
{
    uint64_t lock = lock_that_is_read(target, futex);
    return lock ? lock : semaphore_that_is_empty(target, futex);
}

/* Waits the thread for that lock itself? Then it is none of those meant. */
static bool is_at(struct chase *chase, const struct dlw_shared_place *place, uint32_t tid)
{
    struct dlw_target target;
    struct dlw_futex futex;
    struct dlw_call call;
    bool result = false;
    if (open_target(chase, tid, &target) && dlw_proc_call(tid, tid, &call) &&
        dlw_futex_decode(&target, &call, &futex)) {
        uint64_t lock = lock_without_name(&target, &futex);
        result =
            lock && dlw_proc_mappings(&target, tid) && dlw_shared_place_is(&target, lock, place);
    }
    dlw_target_close(&target);
    return result;
}

static void reach_sleepers(struct chase *chase, const struct dlw_shared_place *place, uint32_t pid)
{
    struct dlw_target process = {.region = chase->region, .pid = pid};
    struct dlw_call call;
    uint32_t *list;
    size_t n = dlw_proc_list(&process, &list);
    for (size_t i = 0; i < n; i++)
        if (dlw_proc_call(pid, list[i], &call) && dlw_call_is_endless(OUR_MACHINE, &call) &&
            !is_at(chase, place, list[i]))
            reach(chase, list[i]);
}

/* Whether the process keeps records that name who took it. */
static bool is_preloaded(const struct dlw_target *target)
{
    for (size_t i = 0; i < target->n_mappings; i++)
        if (target->mappings[i].path && strstr(target->mappings[i].path, "libdlwatch.so"))
            return true;
    return false;
}

/* Who took it only the look can tell. Here it may be all that have it and sleep. */
static void reach_takers(struct chase *chase, struct dlw_target *target, uint32_t tid,
                         const struct dlw_futex *futex)
{
    struct dlw_shared_place place;
    struct dlw_mappers mappers;
    uint64_t lock = lock_without_name(target, futex);
    if (!lock || !dlw_proc_mappings(target, tid) || !is_preloaded(target) ||
        !dlw_shared_place(target, lock, &place))
        return;
    for (size_t i = 0; i < chase->n_taken; i++)
        if (!memcmp(&chase->taken[i], &place, sizeof place))
            return;
    chase->taken = dlw_region_grow(chase->region, chase->taken, chase->n_taken, sizeof place);
    chase->taken[chase->n_taken++] = place;
    dlw_mappers_find(target, dlw_target_mapping(target, lock), &mappers);
    for (size_t i = 0; i < mappers.n; i++)
        reach_sleepers(chase, &place, mappers.list[i].pid);
}

static void reach_file(struct chase *chase, struct dlw_target *target, uint32_t tid)
{
    struct dlw_seen_thread thread = {.tid = tid, .stood_still = true};
    if (!dlw_proc_call(tid, tid, &thread.call))
        return;
    thread.wait.kind = DLW_WAIT_SYSCALL;
    struct dlw_target alone = *target; /* with that one thread */
    alone.threads = &thread;
    alone.n_threads = 1;
    dlw_file_locks_read(&alone);
    const struct dlw_seen_file *file = thread.wait.file;
    for (size_t i = 0; file && file->is_asleep && i < file->n_holders; i++) {
        struct dlw_target holder = {.region = chase->region, .pid = file->holders[i].pid};
        uint32_t *list;
        size_t n = dlw_proc_list(&holder, &list);
        for (size_t k = 0; k < n; k++)
            reach(chase, list[k]);
    }
}

/* Goes on from a thread, if it can't go on itself. */
static void follow(struct chase *chase, uint32_t tid)
{
    struct dlw_target target;
    struct dlw_futex futex;
    struct dlw_call call;
    if (!dlw_proc_call(tid, tid, &call))
        return;
    uint32_t child = dlw_child_waited_for(OUR_MACHINE, tid, &call);
    if (child)
        reach(chase, child);
    if (!dlw_call_is_endless(OUR_MACHINE, &call))
        return;
    if (open_target(chase, tid, &target)) {
        if (dlw_futex_decode(&target, &call, &futex)) {
            reach_holder(chase, &target, &futex);
            reach_takers(chase, &target, tid, &futex);
        } else {
            reach_file(chase, &target, tid);
        }
    }
    dlw_target_close(&target);
}

/* The number that a plain mutex names is nobody's any more. */
static bool has_ended(struct chase *chase, uint32_t tid, const struct dlw_futex *futex)
{
    struct dlw_target target;
    uint32_t owner = 0;
    bool is_read = is_mutex(futex) && open_target(chase, tid, &target) &&
                   dlw_target_u32(&target, futex->word + target.layout.mutex_owner, &owner);
    if (is_mutex(futex))
        dlw_target_close(&target);
    return is_read && owner && owner <= 1u << 22 && !lives(owner);
}

/* A join waits for the end of a thread of its own: the kernel clears that word, for all to see.
 * Since glibc 2.43 it does not name the thread; such a join goes on from here, and leads nowhere.
 */
static bool is_beyond_process(uint32_t pid, const struct dlw_futex *futex)
{
    return !futex->is_private && !(futex->value && dlw_proc_inner(pid, futex->value));
}

static uint64_t mix(uint64_t sum, uint64_t number)
{
    return (sum ^ number) * 0x100000001b3; /* FNV-1a */
}

static uint64_t suspect_thread(struct dlw_region *region, uint32_t pid, uint32_t tid)
{
    struct dlw_target bare = {.machine = OUR_MACHINE, .memory = -1};
    struct chase chase = {.region = region, .start = tid};
    struct dlw_futex futex;
    struct dlw_call call;
    uint64_t sum = 0xcbf29ce484222325;
    if (!dlw_proc_call(pid, tid, &call) || !dlw_call_is_endless(OUR_MACHINE, &call))
        return 0;
    bool is_futex = dlw_futex_decode(&bare, &call, &futex);
    if (is_futex && !is_beyond_process(pid, &futex))
        return 0;
    chase.is_closed = is_futex && has_ended(&chase, tid, &futex);
    follow(&chase, tid);
    for (size_t i = 0; i < chase.n; i++)
        follow(&chase, chase.list[i]);
    if (!chase.is_closed)
        return 0;
    bare.pid = pid;
    sum = mix(mix(sum, tid), dlw_proc_switches(&bare, tid));
    for (size_t i = 0; i < chase.n; i++) {
        bare.pid = chase.list[i];
        sum = mix(mix(sum, chase.list[i]), dlw_proc_switches(&bare, chase.list[i]));
    }
    return sum | 1;
}

uint64_t dlw_suspect(struct dlw_region *region, uint32_t pid)
{
    struct dlw_target target = {.region = region, .pid = pid};
    uint32_t *list;
    uint64_t sum = 0;
    size_t n = dlw_proc_list(&target, &list);
    for (size_t i = 0; i < n; i++)
        sum += suspect_thread(region, pid, list[i]);
    return sum;
}
