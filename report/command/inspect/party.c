#include "report/command/inspect/party.h"

#include "report/command/inspect/across/asleep.h"
#include "report/command/inspect/across/children.h"
#include "report/command/inspect/across/file_locks.h"
#include "report/command/inspect/across/holders.h"
#include "report/command/inspect/across/mappers.h"
#include "report/command/inspect/across/readers.h"
#include "report/command/inspect/across/semaphores.h"
#include "report/command/inspect/across/suspect.h"
#include "report/command/inspect/glibc/runtime.h"
#include "report/command/inspect/glibc/waits.h"
#include "report/command/inspect/own/preloaded.h"
#include "report/command/inspect/python/python.h"
#include "report/command/inspect/target/live.h"
#include "report/command/inspect/target/modules.h"
#include "report/command/inspect/target/proc.h"
#include "report/command/inspect/walk/stacks.h"

enum { ATTEMPTS = 4 };

static void read_once(struct dlw_target *target)
{
    dlw_waits_read(target);
    dlw_python_gils_read(target);
    dlw_preloaded_read(target);
    if (!target->is_core) {
        dlw_file_locks_read(target);
        dlw_children_read(target);
    }
}

static void mark(struct dlw_target *target)
{
    dlw_live_mark(target);
    dlw_preloaded_mark(target);
}

/* All of them at once: `party` is the target and its peers. */
static void read_together(struct dlw_target **party, size_t n)
{
    size_t moved = 1;
    for (int attempt = 1; attempt <= ATTEMPTS && moved; attempt++) {
        moved = 0;
        for (size_t i = 0; i < n; i++)
            mark(party[i]);
        for (size_t i = 0; i < n; i++)
            read_once(party[i]);
        for (size_t i = 0; i < n; i++)
            moved += dlw_live_confirm(party[i], attempt == ATTEMPTS);
    }
    for (size_t i = 0; i < n; i++)
        dlw_holders_trace(party[i]);
    dlw_readers_trace(party, n);
    dlw_semaphores_trace(party, n);
    /* What was found out there belongs to waits that still stand. */
    for (size_t i = 0; i < n; i++)
        dlw_live_confirm(party[i], true);
    for (size_t i = 0; i < n; i++)
        dlw_preloaded_confirm(party[i]);
    for (size_t i = 0; i < n; i++)
        dlw_python_gils_settle(party[i]);
}

static bool is_in(struct dlw_target *const *party, size_t n, uint32_t pid)
{
    for (size_t i = 0; i < n; i++)
        if (party[i]->pid == pid)
            return true;
    return false;
}

bool dlw_party_read_one(struct dlw_target *target, struct dlw_doc *doc, size_t depth)
{
    if (!dlw_modules_report(target, doc))
        return false;
    dlw_stacks_unwind(target, depth);
    dlw_runtime_recognise(target, doc);
    if (target->is_preloaded)
        dlw_preloaded_find(target, doc);
    dlw_python_read(target, doc, depth);
    return true;
}

static struct dlw_target *open_peer(struct dlw_target *target, struct dlw_doc *doc, uint32_t pid,
                                    size_t depth)
{
    struct dlw_target *peer = dlw_region_alloc(target->region, sizeof *peer);
    *peer = (struct dlw_target){
        .region = target->region, .memory = -1, .is_quiet = true, .is_brief = target->is_brief};
    if (!dlw_live_open(peer, doc, pid)) {
        dlw_target_close(peer);
        return NULL;
    }
    dlw_live_sample(peer, doc, false);
    if (!dlw_party_read_one(peer, doc, depth)) {
        dlw_target_close(peer);
        return NULL;
    }
    read_together(&peer, 1);
    return peer;
}

struct gathering {
    struct dlw_target *target;
    struct dlw_doc *doc;
    size_t depth;
    struct dlw_target **party;
    size_t n;
};

static void invite(struct gathering *gathering, uint32_t pid)
{
    if (is_in(gathering->party, gathering->n, pid))
        return;
    struct dlw_target *peer = open_peer(gathering->target, gathering->doc, pid, gathering->depth);
    if (!peer)
        return;
    gathering->party = dlw_region_grow(gathering->target->region, gathering->party, gathering->n,
                                       sizeof *gathering->party);
    gathering->party[gathering->n++] = peer;
}

/* The holder is the main thread of a process that waits for a child. */
static bool waits_for_child(int machine, const struct dlw_seen_wait *wait)
{
    struct dlw_call call;
    return dlw_proc_inner(wait->holder_pid, wait->holder_pid) == wait->holder_tid &&
           dlw_proc_call(wait->holder_pid, wait->holder_pid, &call) &&
           dlw_child_waited_for(machine, wait->holder_pid, &call);
}

static void invite_for(struct gathering *gathering, struct dlw_target *of,
                       const struct dlw_seen_wait *wait)
{
    if (wait->holder == DLW_HOLDER_OUTSIDE && wait->holder_pid && !wait->is_timed &&
        (dlw_thread_is_asleep(of->region, of->machine, wait->holder_pid, wait->holder_tid) ||
         waits_for_child(of->machine, wait)))
        invite(gathering, wait->holder_pid);
    for (size_t i = 0; wait->file && wait->file->is_asleep && i < wait->file->n_holders; i++)
        invite(gathering, wait->file->holders[i].pid);
}

/* Any of those that have the memory may read the lock, or have taken the semaphore: all are asked,
 * where there is a sign that it closes a circle. */
static void invite_takers(struct gathering *gathering, struct dlw_target *of)
{
    const struct dlw_mapping *last = NULL, *memory;
    for (size_t i = 0; i < of->n_threads; i++) {
        const struct dlw_seen_thread *thread = &of->threads[i];
        struct dlw_mappers mappers;
        if (!thread->stood_still || (!dlw_readers_are_wanted(of, &thread->wait) &&
                                     !dlw_semaphore_is_wanted(of, &thread->wait)))
            continue;
        memory = dlw_target_mapping(of, thread->wait.address);
        if (!memory || memory == last)
            continue;
        if (!last && !dlw_suspect(of->region, of->pid))
            return;
        last = memory;
        dlw_mappers_find(of, memory, &mappers);
        for (size_t k = 0; k < mappers.n; k++)
            invite(gathering, mappers.list[k].pid);
    }
}

static void add_stops(struct dlw_target *target, const struct dlw_target *peer)
{
    target->n_stopped += peer->n_stopped;
    if (peer->longest_stop > target->longest_stop)
        target->longest_stop = peer->longest_stop;
}

void dlw_party_read(struct dlw_target *target, struct dlw_doc *doc, size_t depth)
{
    struct gathering gathering = {.target = target, .doc = doc, .depth = depth};
    if (target->is_core) {
        dlw_preloaded_mark(target);
        read_once(target);
        dlw_python_gils_settle(target);
        return;
    }
    gathering.party = dlw_region_grow(target->region, NULL, 0, sizeof *gathering.party);
    gathering.party[gathering.n++] = target;
    read_together(&target, 1);
    for (size_t i = 0; i < gathering.n; i++) {
        for (size_t k = 0; k < gathering.party[i]->n_threads; k++)
            if (gathering.party[i]->threads[k].stood_still)
                invite_for(&gathering, gathering.party[i], &gathering.party[i]->threads[k].wait);
        invite_takers(&gathering, gathering.party[i]);
    }
    if (gathering.n > 1)
        read_together(gathering.party, gathering.n);
    target->peers = gathering.party + 1;
    target->n_peers = gathering.n - 1;
    for (size_t i = 0; i < target->n_peers; i++)
        add_stops(target, target->peers[i]);
    dlw_live_settle(target);
}
