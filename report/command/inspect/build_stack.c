/* Stacks of the document: the places of a thread, each named once. */
#include "report/command/inspect/build_parts.h"
#include "report/command/inspect/own/preloaded.h"
#include "report/command/inspect/target/sections.h"
#include "report/command/symbols/symbols.h"

#include <uthash.h>

/* A place that was named before: many threads stand at the same ones. */
struct named {
    struct {
        uint64_t pc;
        uint64_t is_return;
    } key;
    struct dlw_stack frames;
    UT_hash_handle hh;
};

static const struct dlw_stack *name_place(struct builder *builder, const struct dlw_place *place)
{
    struct named *named, wanted = {.key = {place->pc, place->is_return}};
    HASH_FIND(hh, builder->named, &wanted.key, sizeof wanted.key, named);
    if (named)
        return &named->frames;
    named = dlw_region_alloc(&builder->doc->region, sizeof *named);
    named->key = wanted.key;
    Dwfl_Module *module = dlw_sections_module(builder->target->dwfl, place->pc - place->is_return);
    dlw_symbols_frames_of(builder->target->tables, &builder->doc->region, module, place->pc,
                          place->is_return, &named->frames);
    HASH_ADD(hh, builder->named, key, sizeof named->key, named);
    return &named->frames;
}

static void add_unknown(struct builder *builder, struct dlw_stack *stack, const char *why)
{
    stack->frames =
        dlw_region_grow(&builder->doc->region, stack->frames, stack->n, sizeof *stack->frames);
    stack->frames[stack->n++] = (struct dlw_frame){.unknown = why};
}

static void add_frames(struct builder *builder, struct dlw_stack *stack,
                       const struct dlw_stack *more)
{
    for (size_t i = 0; i < more->n; i++) {
        stack->frames =
            dlw_region_grow(&builder->doc->region, stack->frames, stack->n, sizeof *stack->frames);
        stack->frames[stack->n++] = more->frames[i];
    }
}

static void add_line(struct builder *builder, struct dlw_stack *stack,
                     const struct dlw_seen_line *line)
{
    const struct dlw_target *target = builder->target;
    if (line->unknown) {
        add_unknown(builder, stack, line->unknown);
        return;
    }
    const struct dlw_frame frame = {
        .function = line->function,
        .file = line->file,
        .folder = *line->file == '/' || *line->file == '<' ? NULL : builder->process->folder,
        .line = line->line,
        .rights = target->source_rights,
        .language = "python",
    };
    add_frames(builder, stack, &(struct dlw_stack){.frames = (struct dlw_frame *)&frame, .n = 1});
}

struct dlw_stack dlw_builder_stack(struct builder *builder, const struct dlw_seen_thread *thread)
{
    /* Python frames whose native ones lie too deep stand behind those that were reached. */
    struct dlw_stack stack = {.cut = thread->n_lines ? thread->are_lines_cut : thread->is_cut};
    size_t line = 0;
    for (size_t i = 0; i < thread->n_places; i++) {
        const struct dlw_place *place = &thread->places[i];
        if (!place->is_folded || builder->target->shows_native)
            add_frames(builder, &stack, name_place(builder, place));
        for (size_t end = line + place->n_lines; line < end; line++)
            add_line(builder, &stack, &thread->lines[line]);
    }
    if (!thread->n_places && thread->trouble)
        add_unknown(builder, &stack, thread->trouble);
    while (line < thread->n_lines)
        add_line(builder, &stack, &thread->lines[line++]);
    return stack;
}

struct dlw_stack dlw_builder_hold_stack(struct builder *builder,
                                        const struct dlw_seen_thread *thread,
                                        const struct dlw_seen_hold *hold)
{
    struct dlw_stack stack = {0};
    struct dlw_place *places;
    size_t n = dlw_preloaded_stack(builder->target, thread, hold, &places, &stack.cut);
    for (size_t i = 0; i < n; i++)
        if (places[i].line)
            add_line(builder, &stack, places[i].line);
        else if (places[i].unknown)
            add_unknown(builder, &stack, places[i].unknown);
        else
            add_frames(builder, &stack, name_place(builder, &places[i]));
    return stack;
}

void dlw_builder_forget_places(struct builder *builder)
{
    HASH_CLEAR(hh, builder->named);
}
