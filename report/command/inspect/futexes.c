/* Futexes of a library's own: what they are is told by the functions that wait there. */
#include "report/command/inspect/build_parts.h"

void dlw_builder_name_futex(struct builder *builder, const struct dlw_seen_wait *wait,
                            struct lock_list *list, struct dlw_doc_state *state)
{
    const char *name = dlw_futex_name(&state->stack);
    const struct dlw_seen_wait as_futex = {.kind = DLW_WAIT_FUTEX,
                                           .object = dlw_lock_kind_word(DLW_LOCK_FUTEX),
                                           .address = wait->word};
    bool is_unknown = wait->kind == DLW_WAIT_SYSCALL && wait->word;
    if (!name || (wait->kind != DLW_WAIT_FUTEX && !is_unknown))
        return;
    if (is_unknown) {
        state->waits = DLW_WAIT_FUTEX;
        state->on = dlw_builder_lock(builder, list, &as_futex);
    }
    if (!state->on)
        return;
    state->note = state->on->name && state->on->name != name ? name : NULL;
    if (!state->on->name)
        state->on->name = name;
}

void dlw_builder_say_unowned(struct builder *builder, const struct dlw_doc_state *states, size_t n)
{
    const char *whose = dlw_unowned_locks(&builder->doc->region, states, n);
    if (whose && !builder->target->is_rust) /* of which that was said */
        dlw_doc_note(builder->doc,
                     "locks of %s are futexes that name no holder: who has them can't be known",
                     whose);
}
