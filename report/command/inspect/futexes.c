/* Futexes of a library's own: what they are is told by the functions that wait there. */
#include "report/command/inspect/build_parts.h"

bool dlw_builder_is_futex(const struct dlw_seen_wait *wait, const struct dlw_stack *stack,
                          struct dlw_seen_wait *out)
{
    if (wait->kind != DLW_WAIT_SYSCALL || !wait->word || !dlw_futex_name(stack))
        return false;
    *out = (struct dlw_seen_wait){.kind = DLW_WAIT_FUTEX,
                                  .object = dlw_lock_kind_word(DLW_LOCK_FUTEX),
                                  .address = wait->word};
    return true;
}

void dlw_builder_name_futex(struct dlw_doc_state *state)
{
    const char *name = dlw_futex_name(&state->stack);
    if (state->waits != DLW_WAIT_FUTEX || !state->on || !name)
        return;
    if (!state->on->name)
        state->on->name = name;
    else if (state->on->name != name)
        state->note = name;
}

void dlw_builder_say_unowned(struct builder *builder, const struct dlw_doc_state *states, size_t n)
{
    const char *whose = dlw_unowned_locks(&builder->doc->region, states, n);
    if (whose && !builder->target->is_rust) /* of which that was said */
        dlw_doc_note(builder->doc,
                     "locks of %s are futexes that name no holder: who has them can't be known",
                     whose);
}
