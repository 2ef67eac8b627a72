#include "report/command/inspect/across/suspect.h"

#include "report/command/inspect/across/asleep.h"
#include "report/command/inspect/across/children.h"
#include "report/command/inspect/across/file_locks.h"
#include "report/command/inspect/target/futex.h"
#include "report/command/inspect/target/proc.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
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

static bool open_target(struct chase *chase, uint32_t tid, struct dlw_target *out)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/mem", tid);
    *out = (struct dlw_target){.region = chase->region, .pid = tid, .machine = OUR_MACHINE};
    out->memory = open(path, O_RDONLY | O_CLOEXEC);
    return out->memory >= 0 && dlw_layout_find(0, OUR_MACHINE, &out->layout);
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
        if (dlw_futex_decode(&target, &call, &futex))
            reach_holder(chase, &target, &futex);
        else
            reach_file(chase, &target, tid);
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

/* A join waits for the end of a thread of its own: the kernel clears that word, for all to see. */
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
