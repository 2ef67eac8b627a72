/*
 * The lines of edges, and which edges get one. A server makes locks for ever, and takes each under
 * another: what its journal holds is bounded by the places in its code, not by the locks. An edge
 * gets a line when it differs from those before in what `merge` knows it by in another run: what
 * each lock goes by there (a name, a variable, a class, the place that made it or took it first),
 * the work of the thread, the modes, the gates that last, and the stacks. Any other is counted with
 * the one that says the same; or just passed over where both are variables or have names, of which
 * the graph keeps but so many pieces of evidence, and a program may have millions.
 *
 * Two things make up the rest of what merge takes from edges. That several threads do a work is
 * seen from a second one in some edge: that edge gets a line whatever it says. And of more variants
 * of a pair than merge can weigh, those are told still that have fewer gates than any before.
 */
#include "graph/base/index.h"
#include "graph/kinds.h"
#include "report/emit/journal/parts.h"

enum {
    MOST_VARIANTS = 64, /* of a pair that is counted; merge keeps 16, with the fewest gates */
    MOST_STACKS = 8     /* of a variant; merge keeps the one with the smallest hash */
};

/* ---- what says the same ---- */

static uint64_t mix(uint64_t key, uint64_t value)
{
    return dlw_mix(key ^ dlw_mix(value + 1));
}

uint64_t dlw_journal_mix_text(uint64_t key, const char *text)
{
    if (!text)
        return mix(key, 0);
    for (; *text; text++)
        key = (key ^ (unsigned char)*text) * 0x100000001b3ULL;
    return mix(key, 1);
}

/* Threads that do the same work, as merge has it. */
static uint64_t role_key(struct dlw_journal *journal, uint32_t id)
{
    struct dlw_journal_thread thread = {0};

    if (!id || !journal->source.thread(journal->source.context, id, &thread))
        return 0;
    uint64_t key = dlw_journal_mix_text(id == 1, thread.name);
    return mix(mix(key, thread.created), thread.start);
}

/* What the lock goes by in another run. *lasts: it is one object there, not one of a class. */
static uint64_t lock_key(struct dlw_journal *journal, uint64_t id, bool *lasts)
{
    struct dlw_journal_lock lock = {0};

    *lasts = false;
    if (!id || !journal->source.lock(journal->source.context, id, &lock))
        return id;
    uint64_t key = dlw_journal_mix_text(dlw_journal_mix_text(0, lock.kind), lock.attributes);
    if (lock.name && *lock.name) {
        *lasts = true;
        return dlw_journal_mix_text(mix(key, 1), lock.name);
    }
    if (lock.thread)
        return mix(mix(key, 2), role_key(journal, lock.thread));
    if (lock.module) {
        *lasts = true;
        return mix(mix(mix(key, 3), lock.module), lock.address);
    }
    if (lock.class_name && *lock.class_name)
        return dlw_journal_mix_text(mix(key, 4), lock.class_name);
    return lock.created ? mix(mix(key, 5), lock.created) : mix(mix(key, 6), lock.first);
}

struct keys {
    uint64_t pair, variant, role;
    uint32_t stacks;
    uint16_t n_gates; /* that last */
    bool both_last;   /* neither lock is one of many made at a place */
};

static struct keys keys_of(struct dlw_journal *journal, const struct dlw_journal_edge *edge)
{
    struct keys keys = {.role = mix(DLW_KEY_ROLE, role_key(journal, edge->thread))};
    uint64_t from, to, gates = 0;
    unsigned how = (unsigned)edge->from_mode | (unsigned)edge->to_mode << 8 |
                   (unsigned)edge->timed << 16 | (unsigned)edge->intended << 17;
    bool lasts;

    from = lock_key(journal, edge->from, &lasts);
    to = lock_key(journal, edge->to, &keys.both_last);
    keys.both_last &= lasts;
    for (uint32_t i = 0; i < edge->n_gates; i++) {
        uint64_t gate = lock_key(journal, edge->gates[i], &lasts);
        if (!lasts || gate == from || gate == to)
            continue;
        gates += dlw_mix(gate);
        keys.n_gates++;
    }
    keys.pair = mix(mix(mix(DLW_KEY_PAIR, from), to), how);
    keys.variant = mix(mix(mix(DLW_KEY_VARIANT, keys.pair), keys.role), gates);
    keys.stacks = (uint32_t)mix(edge->hold, edge->want);
    return keys;
}

/* ---- which gets a line ---- */

/* The line that says the same. NULL: there is none. */
static struct dlw_repeat *told(struct dlw_journal *journal, const struct keys *keys)
{
    struct dlw_repeat *variant = dlw_repeats_find(&journal->repeats, keys->variant);

    if (!variant || variant->first == keys->stacks)
        return variant;
    struct dlw_repeat *other =
        dlw_repeats_find(&journal->repeats, mix(keys->variant, keys->stacks));
    return other || variant->lines < MOST_STACKS ? other : variant;
}

/* Enough are told of this pair, and one of them with as few gates. */
static bool has_enough(const struct dlw_journal *journal, const struct keys *keys)
{
    const struct dlw_repeat *pair = dlw_repeats_find(&journal->repeats, keys->pair);

    return pair && pair->lines >= MOST_VARIANTS && keys->n_gates >= pair->least &&
           !dlw_repeats_find(&journal->repeats, keys->variant);
}

/* Is this the second thread that does its work? Where memory is out, always. */
static bool makes_several(struct dlw_journal *journal, const struct keys *keys, uint32_t thread)
{
    struct dlw_repeat *role = dlw_repeats_add(&journal->repeats, journal->arena, keys->role);

    if (!role)
        return true;
    if (!role->first)
        role->first = thread;
    if (role->first == thread || role->lines)
        return false;
    role->lines = 1;
    return true;
}

static void note_pair(struct dlw_journal *journal, const struct keys *keys)
{
    struct dlw_repeat *pair = dlw_repeats_add(&journal->repeats, journal->arena, keys->pair);

    if (!pair)
        return;
    if (pair->lines < MOST_VARIANTS)
        pair->lines++;
    if (pair->lines == 1 || keys->n_gates < pair->least)
        pair->least = keys->n_gates;
}

/* `line` is the id of the line it gets. */
static void note(struct dlw_journal *journal, const struct keys *keys, uint32_t line)
{
    struct dlw_repeat *variant = dlw_repeats_find(&journal->repeats, keys->variant);
    struct dlw_repeat *slot;

    if (!variant) {
        slot = dlw_repeats_add(&journal->repeats, journal->arena, keys->variant);
        if (slot)
            slot->first = keys->stacks;
    } else {
        variant->lines++;
        slot = dlw_repeats_add(&journal->repeats, journal->arena, mix(keys->variant, keys->stacks));
    }
    if (slot) {
        slot->id = line;
        slot->count = 1;
    }
    if (!variant)
        note_pair(journal, keys);
}

/* ---- how often ---- */

static void put_count(struct dlw_journal *journal, uint32_t line, uint32_t count, uint32_t more)
{
    dlw_journal_line_begin(journal, "again");
    dlw_jsonl_number_field(&journal->json, "edge", line);
    dlw_jsonl_number_field(&journal->json, "count", count);
    dlw_jsonl_number_field(&journal->json, "more", more);
    dlw_journal_line_end(journal);
}

/* The last count that was said: each power of four is. */
static uint32_t said(uint32_t count)
{
    return 1U << ((31U - (unsigned)__builtin_clz(count)) & ~1U);
}

static void count_again(struct dlw_journal *journal, struct dlw_repeat *slot)
{
    if (slot->count == UINT32_MAX)
        return;
    slot->count++;
    if (slot->count == said(slot->count))
        put_count(journal, slot->id, slot->count, slot->count - slot->count / 4);
}

/* Once: a process may end twice, where an abort is caught. */
void dlw_journal_last_counts(struct dlw_journal *journal)
{
    for (size_t i = 0; i < journal->repeats.room && !journal->dead; i++) {
        struct dlw_repeat *slot = &journal->repeats.slots[i];
        if (!slot->id || slot->count == said(slot->count))
            continue;
        put_count(journal, slot->id, slot->count, slot->count - said(slot->count));
        slot->count = said(slot->count);
    }
}

/* ---- the line ---- */

static void need_for_edge(struct dlw_journal *journal, const struct dlw_journal_edge *edge)
{
    dlw_journal_need_stack(journal, edge->hold);
    dlw_journal_need_stack(journal, edge->want);
    dlw_journal_need_thread(journal, edge->thread);
    dlw_journal_need_lock(journal, edge->from);
    dlw_journal_need_lock(journal, edge->to);
    for (uint32_t i = 0; i < edge->n_gates; i++)
        dlw_journal_need_lock(journal, edge->gates[i]);
}

static void put_gates(struct dlw_journal *journal, const struct dlw_journal_edge *edge)
{
    dlw_jsonl_open(&journal->json, "gates", '[');
    for (uint32_t i = 0; i < edge->n_gates; i++)
        if (dlw_idset_has(&journal->locks, edge->gates[i]))
            dlw_jsonl_number(&journal->json, edge->gates[i]);
    dlw_jsonl_close(&journal->json, ']');
}

static void put_edge(struct dlw_journal *journal, const struct dlw_journal_edge *edge)
{
    struct dlw_jsonl *json = &journal->json;

    journal->n_edges++;
    need_for_edge(journal, edge);
    dlw_journal_line_begin(journal, "edge");
    dlw_jsonl_number_field(json, "id", journal->n_edges);
    dlw_journal_refer(journal, "from", &journal->locks, edge->from);
    dlw_journal_refer(journal, "to", &journal->locks, edge->to);
    dlw_journal_refer(journal, "thread", &journal->threads, edge->thread);
    dlw_journal_refer(journal, "hold", &journal->stacks, edge->hold);
    dlw_journal_refer(journal, "want", &journal->stacks, edge->want);
    dlw_jsonl_text_field(json, "from_mode", dlw_mode_word(edge->from_mode));
    dlw_jsonl_text_field(json, "to_mode", dlw_mode_word(edge->to_mode));
    if (edge->n_gates)
        put_gates(journal, edge);
    if (edge->timed)
        dlw_jsonl_true_field(json, "timed");
    if (edge->intended)
        dlw_jsonl_true_field(json, "intended");
    if (edge->scope)
        dlw_jsonl_text_field(json, "scope", edge->scope);
    dlw_journal_line_end(journal);
}

void dlw_journal_edge(struct dlw_journal *journal, const struct dlw_journal_edge *edge)
{
    if (dlw_journal_is_mute(journal))
        return;
    struct keys keys = keys_of(journal, edge);

    if (keys.both_last) {
        bool is_news =
            dlw_keyset_add(&journal->told, journal->arena, mix(keys.variant, keys.stacks));
        if (makes_several(journal, &keys, edge->thread) || is_news)
            put_edge(journal, edge);
        return;
    }
    struct dlw_repeat *same = told(journal, &keys);
    if (!same && has_enough(journal, &keys))
        return;
    if (!makes_several(journal, &keys, edge->thread) && same) {
        count_again(journal, same);
        return;
    }
    if (!same)
        note(journal, &keys, journal->n_edges + 1);
    put_edge(journal, edge);
}

void dlw_journal_trait(struct dlw_journal *journal, uint64_t lock, enum dlw_journal_trait trait)
{
    static const char *const words[] = {"signal", "outlives"};
    bool lasts;

    if (dlw_journal_is_mute(journal))
        return;
    uint64_t key = mix(mix(DLW_KEY_TRAIT, lock_key(journal, lock, &lasts)), trait);
    if (!dlw_keyset_add(&journal->told, journal->arena, key))
        return;
    dlw_journal_need_lock(journal, lock);
    dlw_journal_line_begin(journal, "trait");
    dlw_journal_refer(journal, "lock", &journal->locks, lock);
    dlw_jsonl_true_field(&journal->json, words[trait]);
    dlw_journal_line_end(journal);
}
