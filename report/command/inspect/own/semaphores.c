/* What the library's records say of semaphores that the process shares with others. */
#include "report/command/inspect/own/preloaded.h"
#include "report/emit/records.h"

#include <string.h>

/* A slot, as far as it is read. */
struct slot {
    uint64_t semaphore, pc, sp, fp;
    uint32_t holder, what;
};

static bool read_slot(const struct dlw_records_semaphores *at, const unsigned char *bytes,
                      struct slot *out)
{
    memcpy(&out->semaphore, bytes + at->semaphore, sizeof out->semaphore);
    memcpy(&out->holder, bytes + at->holder, sizeof out->holder);
    memcpy(&out->what, bytes + at->what, sizeof out->what);
    memcpy(&out->pc, bytes + at->pc, sizeof out->pc);
    memcpy(&out->sp, bytes + at->sp, sizeof out->sp);
    memcpy(&out->fp, bytes + at->fp, sizeof out->fp);
    return out->semaphore != 0;
}

static void add_hold(struct dlw_target *target, const struct slot *slot)
{
    struct dlw_seen_thread *thread = slot->holder ? dlw_target_inner(target, slot->holder) : NULL;
    if (!thread || !thread->record)
        return;
    thread->holds =
        dlw_region_grow(target->region, thread->holds, thread->n_holds, sizeof *thread->holds);
    thread->holds[thread->n_holds++] =
        (struct dlw_seen_hold){.lock = slot->semaphore,
                               .object = dlw_lock_kind_word(DLW_LOCK_SEMAPHORE),
                               .mode = DLW_EXCLUSIVE,
                               .pc = {slot->pc},
                               .sp = slot->sp,
                               .fp = slot->fp,
                               .n_pc = 1};
}

static void take_slot(struct dlw_target *target, const struct slot *slot)
{
    const struct dlw_records_semaphores *at = target->records->semaphores;
    struct dlw_seen_semaphore semaphore = {
        .address = slot->semaphore,
        .is_made_with_one = slot->what & at->made_with_one,
        .is_no_lock = slot->what & at->no_lock,
        .was_given_back = slot->what & at->given_back,
    };
    if (!semaphore.is_no_lock) {
        semaphore.holder = slot->holder;
        add_hold(target, slot);
    }
    target->semaphores =
        dlw_region_grow(target->region, target->semaphores, target->n_semaphores, sizeof semaphore);
    target->semaphores[target->n_semaphores++] = semaphore;
}

static bool read_segment(struct dlw_target *target, uint64_t there, uint32_t slots)
{
    const struct dlw_records_semaphores *at = target->records->semaphores;
    unsigned char *bytes = dlw_region_alloc(target->region, (size_t)slots * at->slot_size);
    struct slot slot;
    if (!dlw_target_read(target, there, bytes, (size_t)slots * at->slot_size))
        return false;
    for (uint32_t i = 0; i < slots; i++)
        if (read_slot(at, bytes + (size_t)i * at->slot_size, &slot))
            take_slot(target, &slot);
    return true;
}

void dlw_preloaded_semaphores(struct dlw_target *target)
{
    const struct dlw_records_semaphores *at = target->records->semaphores;
    uint32_t is_full = 1;
    target->n_semaphores = 0;
    target->semaphores = NULL;
    target->knows_semaphores =
        at && dlw_target_u32(target, (uintptr_t)at->is_full, &is_full) && !is_full;
    for (uint32_t i = 0; at && i < at->n_segments; i++) {
        uint64_t there = 0;
        if (!dlw_target_u64(target, (uintptr_t)at->segments + i * sizeof there, &there) ||
            (there && !read_segment(target, there, at->first_slots << i)))
            target->knows_semaphores = false;
    }
}
