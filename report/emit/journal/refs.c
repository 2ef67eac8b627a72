/*
 * What a line refers to must stand before it: modules before the stacks in them, stacks before
 * threads and locks, a thread's parent before the thread. An id that its owner does not know gets
 * no line, and no field refers to it.
 */
#include "report/emit/journal/parts.h"

#include <string.h>

static void add(struct dlw_journal *journal, struct dlw_idset *set, uint64_t id)
{
    if (!dlw_idset_add(set, journal->arena, id))
        dlw_journal_end_early(journal, "out of memory");
}

static bool is_due(const struct dlw_journal *journal, const struct dlw_idset *set, uint64_t id)
{
    return id && !journal->dead && !dlw_idset_has(set, id);
}

void dlw_journal_refer(struct dlw_journal *journal, const char *key, const struct dlw_idset *to,
                       uint64_t id)
{
    if (id && dlw_idset_has(to, id))
        dlw_jsonl_number_field(&journal->json, key, id);
}

/* ---- modules ---- */

static void need_module(struct dlw_journal *journal, uint32_t id)
{
    struct dlw_jsonl *json = &journal->json;
    struct dlw_journal_module module = {0};

    if (!is_due(journal, &journal->modules, id) ||
        !journal->source.module(journal->source.context, id, &module))
        return;
    add(journal, &journal->modules, id);
    dlw_journal_line_begin(journal, "module");
    dlw_jsonl_number_field(json, "id", id);
    if (module.path)
        dlw_jsonl_text_field(json, "path", module.path);
    if (module.build_id && module.build_id_size)
        dlw_jsonl_bytes_field(json, "build_id", module.build_id, module.build_id_size);
    dlw_jsonl_hex_field(json, "base", module.base);
    dlw_jsonl_hex_field(json, "start", module.start);
    dlw_jsonl_hex_field(json, "end", module.end);
    dlw_journal_line_end(journal);
}

/* False: in no module that has a line. */
static bool module_base(struct dlw_journal *journal, uint32_t id, uint64_t *base)
{
    struct dlw_journal_module module = {0};

    if (!id || !dlw_idset_has(&journal->modules, id) ||
        !journal->source.module(journal->source.context, id, &module))
        return false;
    *base = module.base;
    return true;
}

bool dlw_journal_need_module(struct dlw_journal *journal, uint32_t id, uint64_t *base)
{
    need_module(journal, id);
    return module_base(journal, id, base);
}

/* ---- stacks ---- */

static void put_frame(struct dlw_journal *journal, const struct dlw_journal_frame *frame)
{
    struct dlw_jsonl *json = &journal->json;
    uint64_t base = 0;

    dlw_jsonl_open(json, NULL, '[');
    if (frame->line) {
        dlw_jsonl_text(json, "python");
        dlw_jsonl_text(json, frame->line->file);
        dlw_jsonl_number(json, frame->line->line);
        dlw_jsonl_text(json, frame->line->function);
    } else if (frame->unknown) {
        dlw_jsonl_text(json, frame->unknown);
    } else {
        bool has_module = module_base(journal, frame->module, &base);
        dlw_jsonl_number(json, has_module ? frame->module : 0);
        dlw_jsonl_hex(json, frame->pc - base);
    }
    dlw_jsonl_close(json, ']');
}

void dlw_journal_need_stack(struct dlw_journal *journal, uint32_t id)
{
    struct dlw_jsonl *json = &journal->json;
    bool cut = false;

    if (!is_due(journal, &journal->stacks, id))
        return;
    uint32_t n = journal->source.stack(journal->source.context, id, journal->frames,
                                       DLW_JOURNAL_FRAMES, &cut);
    if (n == 0)
        return;
    if (n > DLW_JOURNAL_FRAMES) {
        n = DLW_JOURNAL_FRAMES;
        cut = true;
    }
    for (uint32_t i = 0; i < n; i++)
        if (!journal->frames[i].unknown && !journal->frames[i].line)
            need_module(journal, journal->frames[i].module);
    add(journal, &journal->stacks, id);
    dlw_journal_line_begin(journal, "stack");
    dlw_jsonl_number_field(json, "id", id);
    dlw_jsonl_open(json, "frames", '[');
    for (uint32_t i = 0; i < n; i++)
        put_frame(journal, &journal->frames[i]);
    dlw_jsonl_close(json, ']');
    if (cut)
        dlw_jsonl_true_field(json, "cut");
    dlw_journal_line_end(journal);
}

/* ---- threads ---- */

void dlw_journal_thread_line(struct dlw_journal *journal, uint32_t id,
                             const struct dlw_journal_thread *thread)
{
    struct dlw_jsonl *json = &journal->json;

    dlw_journal_need_stack(journal, thread->created);
    dlw_journal_need_stack(journal, thread->start);
    dlw_journal_line_begin(journal, "thread");
    dlw_jsonl_number_field(json, "id", id);
    dlw_jsonl_number_field(json, "tid", thread->tid);
    if (thread->name)
        dlw_jsonl_text_field(json, "name", thread->name);
    dlw_journal_refer(journal, "created", &journal->stacks, thread->created);
    dlw_journal_refer(journal, "parent", &journal->threads, thread->parent);
    dlw_journal_refer(journal, "start", &journal->stacks, thread->start);
    dlw_journal_line_end(journal);
}

static bool push_ancestor(struct dlw_journal *journal, uint32_t at, uint32_t id)
{
    if (at == journal->ancestors_room) {
        uint32_t room = at ? 2 * at : 16;
        uint32_t *more = dlw_arena_resize(journal->arena, journal->ancestors, at * sizeof *more,
                                          room * sizeof *more);
        if (!more) {
            dlw_journal_end_early(journal, "out of memory");
            return false;
        }
        journal->ancestors = more;
        journal->ancestors_room = room;
    }
    journal->ancestors[at] = id;
    return true;
}

/* A thread that takes a name for each thing it does would fill the disk with them: the line is
 * written when another refers to the thread, and at the end. */
void dlw_journal_thread_renamed(struct dlw_journal *journal, uint32_t id)
{
    if (!dlw_journal_is_mute(journal) && dlw_idset_has(&journal->threads, id))
        add(journal, &journal->renamed, id);
}

static void tell_name(void *context, uint64_t id)
{
    struct dlw_journal *journal = context;
    struct dlw_journal_thread thread = {0};

    if (!journal->dead && journal->source.thread(journal->source.context, (uint32_t)id, &thread))
        dlw_journal_thread_line(journal, (uint32_t)id, &thread);
}

void dlw_journal_last_names(struct dlw_journal *journal)
{
    dlw_idset_each(&journal->renamed, tell_name, journal);
    dlw_idset_clear(&journal->renamed);
}

/* No recursion: in a program where every thread creates the next, the line of descent is long and
 * this stack may be small. A thread counts as written once it is pushed, which ends a circle. */
void dlw_journal_need_thread(struct dlw_journal *journal, uint32_t id)
{
    struct dlw_journal_thread thread = {0};
    uint32_t n = 0;

    if (dlw_idset_has(&journal->renamed, id)) {
        dlw_idset_remove(&journal->renamed, id);
        tell_name(journal, id);
    }
    while (is_due(journal, &journal->threads, id) &&
           journal->source.thread(journal->source.context, id, &thread) &&
           push_ancestor(journal, n, id)) {
        add(journal, &journal->threads, id);
        n++;
        id = thread.parent;
    }
    while (n-- > 0 && !journal->dead)
        if (journal->source.thread(journal->source.context, journal->ancestors[n], &thread))
            dlw_journal_thread_line(journal, journal->ancestors[n], &thread);
}

/* ---- locks ---- */

static void put_lock(struct dlw_journal *journal, const struct dlw_journal_lock *lock)
{
    struct dlw_jsonl *json = &journal->json;
    uint64_t base;

    if (lock->kind)
        dlw_jsonl_text_field(json, "kind", lock->kind);
    dlw_jsonl_hex_field(json, "address", lock->address);
    if (module_base(journal, lock->module, &base)) {
        dlw_jsonl_number_field(json, "module", lock->module);
        dlw_jsonl_hex_field(json, "offset", lock->address - base);
    }
    dlw_journal_refer(journal, "created", &journal->stacks, lock->created);
    dlw_journal_refer(journal, "first", &journal->stacks, lock->first);
    if (lock->attributes && *lock->attributes)
        dlw_jsonl_text_field(json, "attr", lock->attributes);
    if (lock->name && *lock->name)
        dlw_jsonl_text_field(json, "name", lock->name);
    if (lock->class_name && *lock->class_name)
        dlw_jsonl_text_field(json, "class", lock->class_name);
    dlw_journal_refer(journal, "thread", &journal->threads, lock->thread);
}

void dlw_journal_need_lock(struct dlw_journal *journal, uint64_t id)
{
    struct dlw_journal_lock lock = {0};

    if (!is_due(journal, &journal->locks, id) ||
        !journal->source.lock(journal->source.context, id, &lock))
        return;
    need_module(journal, lock.module);
    dlw_journal_need_stack(journal, lock.created);
    dlw_journal_need_stack(journal, lock.first);
    dlw_journal_need_thread(journal, lock.thread);
    add(journal, &journal->locks, id);
    dlw_journal_line_begin(journal, "lock");
    dlw_jsonl_number_field(&journal->json, "id", id);
    put_lock(journal, &lock);
    dlw_journal_line_end(journal);
}
