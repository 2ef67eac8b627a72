/* What the lines of a journal refer to, in the sets: stacks, roles, and locks by what lasts of
 * them. */
#include "report/command/merge/collect.h"

#include <inttypes.h>
#include <string.h>

enum { PLACE_FRAMES = 3 };

struct dlw_h_stack *dlw_collect_stack(struct dlw_collector *collector, struct dlw_reader *reader,
                                      uint64_t id)
{
    struct dlw_raw_stack *raw;
    DLW_BY_ID_FIND(reader->stacks, id, raw);
    if (!raw || !raw->n)
        return NULL;
    struct dlw_h_stack draft = {.n = raw->n, .cut = raw->cut};
    draft.frames = dlw_region_alloc(&collector->region, raw->n * sizeof(*draft.frames));
    for (size_t i = 0; i < raw->n; i++) {
        const struct dlw_raw_frame *frame = &raw->frames[i];
        draft.frames[i].unknown = frame->unknown;
        if (frame->language) {
            draft.frames[i].language = frame->language;
            draft.frames[i].file = frame->file;
            draft.frames[i].function = frame->function;
            draft.frames[i].line = frame->line;
        } else if (!frame->unknown && frame->module) {
            draft.frames[i].module =
                dlw_h_module(collector->history, frame->module->path, frame->module->build_id);
            draft.frames[i].offset = frame->offset;
        } else if (!frame->unknown) {
            /* Its address means nothing in another run. */
            draft.frames[i].unknown = "code outside of any module";
        }
    }
    return dlw_h_stack(collector->history, &draft);
}

static struct dlw_h_role *role_of(struct dlw_collector *collector, struct dlw_reader *reader,
                                  const struct dlw_raw_thread *raw)
{
    struct dlw_h_role draft = {.is_main = raw->is_main, .is_several = raw->is_several};
    if (dlw_thread_is_named(raw->thread))
        draft.name = raw->thread->name;
    if (!raw->is_main) {
        draft.start = dlw_collect_stack(collector, reader, raw->start);
        draft.created = dlw_collect_stack(collector, reader, raw->created);
    }
    return dlw_h_role(collector->history, &draft);
}

/* The first thread of the journal that has the role; with a second one it is several. */
static void note_thread(struct dlw_collector *collector, struct dlw_h_role *role, uint64_t id)
{
    struct own_role *own;
    HASH_FIND(hh, collector->roles, &role, sizeof(struct dlw_h_role *), own);
    if (own) {
        role->is_several |= own->thread != id;
        return;
    }
    own = dlw_region_alloc(&collector->region, sizeof(*own));
    own->role = role;
    own->thread = id;
    HASH_ADD(hh, collector->roles, role, sizeof(struct dlw_h_role *), own);
}

struct dlw_h_role *dlw_collect_role(struct dlw_collector *collector, struct dlw_reader *reader,
                                    uint64_t id)
{
    struct dlw_raw_thread *raw;
    DLW_BY_ID_FIND(reader->threads, id, raw);
    struct dlw_h_role *result = raw ? role_of(collector, reader, raw) : NULL;
    if (!result || reader->is_merged)
        return result;
    note_thread(collector, result, id);
    if (dlw_thread_is_named(raw->thread) && reader->process->exe)
        dlw_h_name(collector->history, result, dlw_base_name(reader->process->exe),
                   raw->thread->name);
    return result;
}

static const char *place_name(struct dlw_collector *collector, const char *verb,
                              const struct dlw_h_stack *full)
{
    struct dlw_h_stack part = *full;
    if (part.n > PLACE_FRAMES)
        part.n = PLACE_FRAMES;
    part.cut = false;
    struct dlw_key key = dlw_h_stack_key(&part);
    return dlw_region_print(&collector->region, "%s %016" PRIx64 "%016" PRIx64, verb, key.a, key.b);
}

/* The file and its folder: what is left of a path in another checkout, or on another machine. */
static const char *tail(const char *path)
{
    const char *slash = strrchr(path, '/');
    while (slash && slash > path && slash[-1] != '/')
        slash--;
    return slash && *slash != '/' ? slash : path;
}

static void note_unreadable(struct dlw_history *history, const struct dlw_raw_module *module)
{
    const char *why = dlw_symbols_trouble(history->symbols, module->path, module->build_id);
    if (!why)
        return;
    history->nameless_variables++;
    if (!history->unreadable)
        history->unreadable = dlw_region_print(&history->region, "%s: %s", module->path, why);
}

/* A variable is the same in every program that its file is compiled into: each test of a library
 * links its own. */
static const char *data_name(struct dlw_collector *collector, const struct dlw_raw_lock *raw)
{
    const struct dlw_raw_module *module = raw->module;
    const char *slash = strrchr(module->path, '/');
    const char *base = slash ? slash + 1 : module->path;
    struct dlw_variable variable = dlw_symbols_variable(collector->history->symbols, module->path,
                                                        module->build_id, raw->lock.offset);
    if (variable.name && variable.file)
        return dlw_region_print(&collector->region, "variable %s:%s", tail(variable.file),
                                variable.name);
    if (variable.name)
        return dlw_region_print(&collector->region, "variable %s:%s", base, variable.name);
    note_unreadable(collector->history, module);
    return dlw_region_print(&collector->region, "data %s(%s)+0x%" PRIx64, base,
                            module->build_id ? module->build_id : "?", raw->lock.offset);
}

/* What another run would call this lock; NULL: nothing about it lasts. */
static const char *lasting_name(struct dlw_collector *collector, const struct dlw_raw_lock *raw,
                                const struct dlw_h_lock *draft)
{
    if (raw->lasting)
        return raw->lasting;
    if (raw->lock.name)
        return dlw_region_print(&collector->region, "name %s", raw->lock.name);
    if (draft->role)
        return dlw_region_print(&collector->region, "end of %016" PRIx64,
                                draft->role->entity.key.a);
    if (raw->module && raw->module->path[0] == '/')
        return data_name(collector, raw);
    if (raw->lock.class_name)
        return dlw_region_print(&collector->region, "class %s", raw->lock.class_name);
    if (draft->created)
        return place_name(collector, "created", draft->created);
    if (draft->first)
        return place_name(collector, "first taken", draft->first);
    return NULL;
}

struct dlw_h_lock *dlw_collect_lock(struct dlw_collector *collector, struct dlw_reader *reader,
                                    uint64_t id)
{
    struct dlw_raw_lock *raw;
    DLW_BY_ID_FIND(reader->locks, id, raw);
    if (!raw || raw->merged)
        return raw ? raw->merged : NULL;
    struct dlw_h_lock draft = {.kind = raw->lock.kind,
                               .attributes = raw->lock.attributes,
                               .name = raw->lock.name,
                               .class_name = raw->lock.class_name,
                               .offset = raw->lock.offset,
                               .is_signal = raw->is_signal,
                               .outlives = raw->outlives};
    if (raw->module)
        draft.module = dlw_h_module(collector->history, raw->module->path, raw->module->build_id);
    draft.created = dlw_collect_stack(collector, reader, raw->created);
    draft.first = dlw_collect_stack(collector, reader, raw->first);
    if (raw->thread && dlw_doc_is_thread(&raw->lock))
        draft.role = role_of(collector, reader, raw->thread);
    draft.lasting = lasting_name(collector, raw, &draft);
    if (draft.lasting)
        raw->merged = dlw_h_lock(collector->history, &draft);
    return raw->merged;
}
