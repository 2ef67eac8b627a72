/* The line of a trail: what a thread of a finding did last. Its locks stand in a table of their
 * own, since most of them are in no order and have no line. */
#include "report/emit/trail.h"
#include "report/emit/journal/parts.h"

static uint32_t first_with(const struct dlw_journal_trail *trail, uint32_t i)
{
    uint32_t k = 0;

    while (trail->events[k].address != trail->events[i].address ||
           trail->events[k].kind != trail->events[i].kind)
        k++;
    return k;
}

static void put_lock(struct dlw_journal *journal, const struct dlw_journal_trail_event *event)
{
    struct dlw_jsonl *json = &journal->json;
    uint64_t base;

    dlw_jsonl_open(json, NULL, '{');
    dlw_jsonl_text_field(json, "kind", event->kind);
    dlw_jsonl_hex_field(json, "address", event->address);
    /* Its line is there already. */
    if (dlw_journal_need_module(journal, event->module, &base)) {
        dlw_jsonl_number_field(json, "module", event->module);
        dlw_jsonl_hex_field(json, "offset", event->address - base);
    }
    dlw_jsonl_close(json, '}');
}

/* Fills the number that each event's lock has in the table. */
static void put_locks(struct dlw_journal *journal, const struct dlw_journal_trail *trail,
                      uint8_t *numbers)
{
    uint8_t n = 0;

    dlw_jsonl_open(&journal->json, "locks", '[');
    for (uint32_t i = 0; i < trail->n; i++) {
        uint32_t first = first_with(trail, i);
        if (first == i)
            put_lock(journal, &trail->events[i]);
        numbers[i] = first == i ? n++ : numbers[first];
    }
    dlw_jsonl_close(&journal->json, ']');
}

static void put_event(struct dlw_journal *journal, const struct dlw_journal_trail_event *event,
                      uint64_t lock)
{
    struct dlw_jsonl *json = &journal->json;

    dlw_jsonl_open(json, NULL, '{');
    dlw_jsonl_text_field(json, "what", event->what);
    dlw_jsonl_number_field(json, "lock", lock);
    if (event->is_shared)
        dlw_jsonl_text_field(json, "mode", "shared");
    if (event->waits)
        dlw_jsonl_text_field(json, "waits", event->waits);
    dlw_journal_refer(journal, "place", &journal->stacks, event->place);
    if (event->has_times)
        dlw_jsonl_real_field(json, "ago", event->ago);
    if (event->has_times && event->is_over)
        dlw_jsonl_real_field(json, "until", event->until);
    dlw_jsonl_close(json, '}');
}

void dlw_journal_trail(struct dlw_journal *journal, const struct dlw_journal_trail *trail)
{
    uint8_t numbers[DLW_TRAIL_TOLD];
    uint64_t base;

    if (dlw_journal_is_mute(journal) || trail->n > DLW_TRAIL_TOLD)
        return;
    struct dlw_jsonl *json = &journal->json;
    dlw_journal_need_thread(journal, trail->thread);
    for (uint32_t i = 0; i < trail->n; i++) {
        dlw_journal_need_stack(journal, trail->events[i].place);
        dlw_journal_need_module(journal, trail->events[i].module, &base);
    }
    dlw_journal_line_begin(journal, "trail");
    dlw_jsonl_number_field(json, "finding", trail->finding);
    dlw_journal_refer(journal, "thread", &journal->threads, trail->thread);
    put_locks(journal, trail, numbers);
    dlw_jsonl_open(json, "events", '[');
    for (uint32_t i = 0; i < trail->n; i++)
        put_event(journal, &trail->events[i], numbers[i]);
    dlw_jsonl_close(json, ']');
    if (trail->is_cut)
        dlw_jsonl_true_field(json, "cut");
    if (trail->is_running)
        dlw_jsonl_true_field(json, "running");
    dlw_journal_line_end(journal);
}
