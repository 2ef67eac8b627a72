#include "report/emit/text.h"

#include "report/emit/say.h"

#include <string.h>

static const char *const kind_text[] = {
    "DEADLOCK: these threads wait for each other and can't go on",
    "STALL: every thread waits, and nothing is left that could wake one",
    "LOCK ORDER INVERSION: these code paths can deadlock one day",
    "UNLOCK BY A THREAD THAT DOESN'T HOLD THE LOCK",
    "DESTROYED WHILE LOCKED OR WAITED FOR",
    "CONDITION WAIT WITHOUT HOLDING ITS MUTEX",
    "A THREAD ENDED HOLDING A LOCK",
};
_Static_assert(sizeof(kind_text) / sizeof(kind_text[0]) == DLW_N_KINDS, "each kind has a title");

static void say_stack(const struct dlw_journal_source *source, uint32_t id)
{
    struct dlw_journal_frame frames[16];
    char offset[24];
    bool cut = false;
    uint32_t n = source->stack(source->context, id, frames, 16, &cut);

    if (n == 0)
        dlw_say("      (stack not known)", NULL);
    for (uint32_t i = 0; i < n && i < 16; i++) {
        struct dlw_journal_module module;
        if (frames[i].unknown)
            dlw_say("      ", frames[i].unknown, NULL);
        else if (source->module(source->context, frames[i].module, &module))
            dlw_say("      ", module.path, "+", dlw_say_hex(offset, frames[i].pc - module.base),
                    NULL);
        else
            dlw_say("      ", dlw_say_hex(offset, frames[i].pc), NULL);
    }
}

static void say_lock(const struct dlw_journal_source *source, const char *what, uint64_t id,
                     uint32_t stack)
{
    struct dlw_journal_lock lock;
    char number[24];
    char address[24];

    if (source->lock(source->context, id, &lock))
        dlw_say("    ", what, " ", lock.kind, " L", dlw_say_number(number, id), " at ",
                dlw_say_hex(address, lock.address), NULL);
    else
        dlw_say("    ", what, " lock L", dlw_say_number(number, id), NULL);
    say_stack(source, stack);
}

static void say_thread(const struct dlw_journal_source *source, uint32_t id)
{
    struct dlw_journal_thread thread;
    char number[24];
    char tid[24];

    if (source->thread(source->context, id, &thread))
        dlw_say("  thread ", dlw_say_number(number, id), " (", thread.name ? thread.name : "",
                ", tid ", dlw_say_number(tid, thread.tid), ")", NULL);
    else
        dlw_say("  thread ", dlw_say_number(number, id), NULL);
}

void dlw_text_finding(const struct dlw_journal_source *source, const struct dlw_finding *finding)
{
    dlw_say(kind_text[finding->kind], NULL);
    if (finding->reason)
        dlw_say("  ", finding->reason, NULL);
    for (uint32_t i = 0; i < finding->n_cycle; i++) {
        say_thread(source, finding->cycle[i].thread);
        if (finding->cycle[i].scope)
            dlw_say("    in test ", finding->cycle[i].scope, NULL);
        say_lock(source, "holds", finding->cycle[i].holds.lock, finding->cycle[i].holds.stack);
        say_lock(source, "wants", finding->cycle[i].wants.lock, finding->cycle[i].wants.stack);
    }
    for (uint32_t i = 0; i < finding->n_threads; i++) {
        const struct dlw_thread_state *state = &finding->threads[i];
        say_thread(source, state->thread);
        say_lock(source, state->waits ? "waits for" : "at", state->on, state->stack);
        for (uint32_t k = 0; k < state->n_holds; k++)
            say_lock(source, "holds", state->holds[k].lock, state->holds[k].stack);
    }
    dlw_say("  names, files and lines: dlwatch report JOURNAL (set report=PATH)", NULL);
}

void dlw_text_totals(const struct dlw_journal_totals *totals)
{
    char calls[24];
    char locks[24];
    char edges[24];
    char threads[24];
    char errors[24];

    dlw_say("wrapped calls: ", dlw_say_number(calls, totals->calls),
            ", locks with an order: ", dlw_say_number(locks, totals->locks),
            ", edges: ", dlw_say_number(edges, totals->edges),
            ", threads: ", dlw_say_number(threads, totals->threads),
            ", errors: ", dlw_say_number(errors, totals->errors), NULL);
}
