#include "interpose/tell/source.h"

#include "graph/kinds.h"
#include "interpose/stacks/capture.h"
#include "interpose/tell/thread_names.h"

#include <string.h>

/* What is being written, guarded by the emit lock. */
static const struct dlw_pending *current;
static const struct dlw_resolved *current_resolved;

static bool source_module(void *context, uint32_t id, struct dlw_journal_module *out)
{
    (void)context;
    return dlw_module_get(id, out);
}

static uint32_t source_stack(void *context, uint32_t id, struct dlw_journal_frame *out,
                             uint32_t room, bool *cut)
{
    (void)context;
    return dlw_stack_get(id, out, room, cut);
}

static bool source_thread(void *context, uint32_t id, struct dlw_journal_thread *out)
{
    (void)context;
    return dlw_thread_names_find_locked(id, out);
}

static const char *attribute_text(unsigned attributes)
{
    static char text[80]; /* guarded by the emit lock */
    static const char *const words[] = {"recursive", "errorcheck", "adaptive",     "robust",
                                        "pi",        "pshared",    "prefer-writer"};
    size_t n = 0;

    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!(attributes & 1U << i))
            continue;
        if (n)
            text[n++] = ' ';
        size_t length = strlen(words[i]);
        memcpy(text + n, words[i], length);
        n += length;
    }
    text[n] = 0;
    return n ? text : NULL;
}

static bool source_lock(void *context, uint64_t id, struct dlw_journal_lock *out)
{
    (void)context;
    for (uint32_t i = 0; current && i < current->n_facts; i++) {
        const struct dlw_lock_facts *facts = &current->facts[i];
        if (dlw_lock_serial(facts->lock) != id)
            continue;
        *out = (struct dlw_journal_lock){
            .kind = dlw_lock_kind_word(facts->kind),
            .attributes = attribute_text(facts->kind == DLW_LOCK_SEMAPHORE ? 0 : facts->attributes),
            .name = facts->name,
            .class_name = facts->class_name,
            .address = dlw_lock_is_end(facts->address) ? 0 : facts->address,
            .module = current_resolved[i].module,
            .created = current_resolved[i].created,
            .first = facts->first,
            .thread = facts->kind == DLW_LOCK_THREAD ? facts->thread : 0,
        };
        return true;
    }
    return false;
}

const struct dlw_journal_source dlw_source = {NULL, source_module, source_stack, source_thread,
                                              source_lock};

void dlw_source_resolve(const struct dlw_pending *pending, struct dlw_resolved *out)
{
    for (uint32_t i = 0; out && i < pending->n_facts; i++) {
        const struct dlw_lock_facts *facts = &pending->facts[i];
        out[i].created = facts->created ? dlw_stack_of_pc(facts->created) : 0;
        out[i].module = dlw_module_of(facts->address);
    }
}

void dlw_source_begin_locked(const struct dlw_pending *pending, const struct dlw_resolved *resolved)
{
    current = resolved ? pending : NULL;
    current_resolved = resolved;
}

void dlw_source_end_locked(void)
{
    current = NULL;
}
