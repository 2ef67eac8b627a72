/*
 * The naive model: keeps every piece of evidence, tries all cycles and all choices of pieces, and
 * holds what the lock-order graph has told to that.
 */
#include "tests/unit/graph_model.h"

#include <check.h>
#include <string.h>

/* Cycles by name, turned so that the smallest lock is first. */

void cycle_turn(struct cycle *cycle)
{
    struct cycle turned = {.n = cycle->n, .level = cycle->level};
    uint32_t least = 0;

    for (uint32_t i = 1; i < cycle->n; i++) {
        if (cycle->locks[i] < cycle->locks[least])
            least = i;
    }
    for (uint32_t i = 0; i < cycle->n; i++)
        turned.locks[i] = cycle->locks[(least + i) % cycle->n];
    *cycle = turned;
}

static bool is_same(const struct cycle *a, const struct cycle *b)
{
    return a->n == b->n && memcmp(a->locks, b->locks, a->n * sizeof(a->locks[0])) == 0;
}

bool cycle_has_lock(const struct cycle *cycle, uint64_t serial)
{
    for (uint32_t i = 0; i < cycle->n; i++) {
        if (cycle->locks[i] == serial)
            return true;
    }
    return false;
}

static bool contains(const struct cycle *large, const struct cycle *small)
{
    for (uint32_t i = 0; i < small->n; i++) {
        if (!cycle_has_lock(large, small->locks[i]))
            return false;
    }
    return small->n < large->n;
}

static struct cycle *find_told(const struct cycle *cycle)
{
    for (uint32_t i = 0; i < model.n_told; i++) {
        if (is_same(&model.told[i], cycle))
            return &model.told[i];
    }
    return NULL;
}

static bool contains_told(const struct cycle *cycle, enum level level)
{
    for (uint32_t i = 0; i < model.n_told; i++) {
        if (model.told[i].level >= level && contains(cycle, &model.told[i]))
            return true;
    }
    return false;
}

static void note_told(const struct cycle *cycle)
{
    struct cycle *told = find_told(cycle);

    if (told) {
        told->level = cycle->level > told->level ? cycle->level : told->level;
        return;
    }
    ck_assert_uint_lt(model.n_told, MOST_TOLD);
    model.told[model.n_told++] = *cycle;
}

/* Conditions, straight from order.h. */

static const struct model_lock *lock_named(uint64_t serial)
{
    for (uint32_t i = 0; i < LOCKS; i++) {
        if (model.locks[i].serial == serial)
            return &model.locks[i];
    }
    return NULL;
}

static bool share_gate(const struct piece *a, const struct piece *b)
{
    for (uint32_t i = 0; i < a->n_held; i++) {
        for (uint32_t j = 0; j < b->n_held; j++) {
            if (a->held[i].serial == b->held[j].serial &&
                (a->held[i].mode == DLW_EXCLUSIVE || b->held[j].mode == DLW_EXCLUSIVE))
                return true;
        }
    }
    return false;
}

static bool are_ordered(const struct piece *a, const struct piece *b, enum level level)
{
    const char *scope = dlw_life_scope(model.life, a->segment);
    const char *other = dlw_life_scope(model.life, b->segment);

    if (level == APART && scope && other && scope != other)
        return false;
    return dlw_life_is_before(model.life, a->segment, b->segment) ||
           dlw_life_is_before(model.life, b->segment, a->segment);
}

static bool excludes(const struct piece *asker, const struct piece *holder)
{
    const struct model_hold *hold = &holder->held[holder->source];

    return asker->mode == DLW_EXCLUSIVE || hold->mode == DLW_EXCLUSIVE ||
           lock_named(hold->serial)->prefers_writers;
}

/* What a choice of pieces breaks, by reason; as APART, scopes that differ are never ordered. */
static uint32_t count_breaks(const struct piece *const *chosen, uint32_t n, enum level level,
                             uint32_t *of)
{
    memset(of, 0, (DLW_ALL_SHARED + 1) * sizeof(*of));
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (chosen[i]->thread == chosen[j]->thread) {
                of[DLW_ONE_THREAD]++;
            } else {
                of[DLW_GUARDED] += share_gate(chosen[i], chosen[j]);
                of[DLW_ORDERED] += are_ordered(chosen[i], chosen[j], level);
            }
        }
        of[DLW_ALL_SHARED] += !excludes(chosen[i], chosen[(i + 1) % n]);
    }
    return of[DLW_GUARDED] + of[DLW_ORDERED] + of[DLW_ONE_THREAD] + of[DLW_ALL_SHARED];
}

/* All cycles through one new piece. */

struct naive {
    const struct piece *pieces; /* to choose from */
    uint32_t n_pieces;
    const struct piece *chosen[LOCKS];
    uint32_t depth;
    uint32_t length;           /* only cycles of this many */
    struct cycle cycles[1024]; /* seen, with the level of the best choice of pieces */
    uint32_t n;
};

static void naive_close(struct naive *naive)
{
    struct cycle cycle = {.n = naive->depth};
    uint32_t of[DLW_ALL_SHARED + 1];
    uint32_t i = 0;

    for (uint32_t k = 0; k < naive->depth; k++)
        cycle.locks[k] = naive->chosen[k]->held[naive->chosen[k]->source].serial;
    cycle_turn(&cycle);
    for (enum level level = APART; level <= REAL; level++)
        if (count_breaks(naive->chosen, naive->depth, level, of) == 0)
            cycle.level = level;
    while (i < naive->n && !is_same(&naive->cycles[i], &cycle))
        i++;
    if (i == naive->n) {
        ck_assert_uint_lt(naive->n, 1024);
        naive->cycles[naive->n++] = cycle;
    }
    if (cycle.level > naive->cycles[i].level)
        naive->cycles[i].level = cycle.level;
}

static bool is_on_path(const struct naive *naive, uint64_t serial)
{
    for (uint32_t i = 0; i < naive->depth; i++) {
        if (naive->chosen[i]->held[naive->chosen[i]->source].serial == serial)
            return true;
    }
    return false;
}

static void naive_extend(struct naive *naive)
{
    uint64_t at = naive->chosen[naive->depth - 1]->want;
    uint64_t start = naive->chosen[0]->held[naive->chosen[0]->source].serial;

    if (at == start) {
        if (naive->depth == naive->length)
            naive_close(naive);
        return;
    }
    if (naive->depth == naive->length || is_on_path(naive, at))
        return;
    for (uint32_t i = 0; i < naive->n_pieces; i++) {
        const struct piece *piece = &naive->pieces[i];
        if (piece->held[piece->source].serial != at)
            continue;
        naive->chosen[naive->depth++] = piece;
        naive_extend(naive);
        naive->depth--;
    }
}

static bool was_found(const struct cycle *cycle, enum level level)
{
    for (uint32_t i = 0; i < model.n_found; i++) {
        if (is_same(&model.found[i], cycle) && model.found[i].level == level)
            return true;
    }
    return false;
}

static void expect_told(const struct cycle *cycle, enum level level, uint32_t *n_expected)
{
    const struct cycle *told = find_told(cycle);
    struct cycle now = *cycle;

    if ((told && told->level >= level) || contains_told(cycle, level))
        return;
    ck_assert_msg(was_found(cycle, level), "a cycle of %u was missed at level %u", cycle->n, level);
    now.level = level;
    note_told(&now);
    (*n_expected)++;
}

/* Of the shortest cycles, real or not, one was told, now or before. */
static void expect_harmless(const struct cycle *cycles, uint32_t n)
{
    bool is_fine = n == 0;

    for (uint32_t i = 0; i < n; i++)
        is_fine |= find_told(&cycles[i]) || contains_told(&cycles[i], APART) ||
                   was_found(&cycles[i], HARMLESS);
    ck_assert_msg(is_fine, "a harmless cycle was not told");
}

static void find_cycles(struct naive *naive, const struct piece *piece, uint32_t length)
{
    naive->pieces = model.is_bounded ? model.kept : model.pieces;
    naive->n_pieces = model.is_bounded ? model.n_kept : model.n_pieces;
    naive->chosen[0] = piece;
    naive->depth = 1;
    naive->length = length;
    naive->n = 0;
    naive_extend(naive);
}

static struct naive naive;

static void expect_through(const struct piece *piece, uint32_t length, enum level level,
                           uint32_t *n_expected)
{
    find_cycles(&naive, piece, length);
    for (uint32_t i = 0; i < naive.n; i++) {
        if (naive.cycles[i].level >= level)
            expect_told(&naive.cycles[i], level, n_expected);
    }
}

/* A harmless cycle is new when its last edge is. */
static bool is_of_known_edge(const struct piece *piece)
{
    for (uint32_t i = 0; i < model.n_pieces; i++) {
        const struct piece *old = &model.pieces[i];
        if (old != piece && old->want == piece->want &&
            old->held[old->source].serial == piece->held[piece->source].serial)
            return true;
    }
    return false;
}

static void expect_shortest_through(const struct piece *piece)
{
    if (is_of_known_edge(piece))
        return;
    for (uint32_t length = 2; length <= LOCKS; length++) {
        find_cycles(&naive, piece, length);
        if (naive.n) {
            expect_harmless(naive.cycles, naive.n);
            return;
        }
    }
}

/* The reason given must be a main one of a choice that breaks the fewest. */

struct choice {
    const struct cycle *cycle;
    enum level level; /* at which breaks count */
    const struct piece *chosen[LOCKS];
    uint32_t least;
    uint32_t reasons; /* bits */
};

static void try_choices(struct choice *choice, uint32_t depth)
{
    const struct cycle *cycle = choice->cycle;
    uint32_t of[DLW_ALL_SHARED + 1];

    if (depth == cycle->n) {
        uint32_t cost = count_breaks(choice->chosen, depth, choice->level, of);
        uint32_t most = 0;
        for (uint32_t i = 1; i <= DLW_ALL_SHARED; i++)
            most = of[i] > most ? of[i] : most;
        if (cost < choice->least)
            choice->reasons = 0;
        if (cost <= choice->least) {
            choice->least = cost;
            for (uint32_t i = 1; i <= DLW_ALL_SHARED; i++)
                choice->reasons |= (uint32_t)(of[i] == most) << i;
        }
        return;
    }
    for (uint32_t i = 0; i < model.n_pieces; i++) {
        const struct piece *piece = &model.pieces[i];
        if (piece->held[piece->source].serial != cycle->locks[depth] ||
            piece->want != cycle->locks[(depth + 1) % cycle->n])
            continue;
        choice->chosen[depth] = piece;
        try_choices(choice, depth + 1);
    }
}

static void check_harmless(const struct cycle *cycle, uint8_t reason)
{
    struct choice choice = {.cycle = cycle, .level = REAL, .least = UINT32_MAX};

    ck_assert_msg(!find_told(cycle), "a harmless cycle was told twice");
    try_choices(&choice, 0);
    ck_assert_uint_ne(choice.least, 0);
    /* Only the choices with the new piece count for the graph; with few pieces they are the same.
     */
    if (cycle->n == 2)
        ck_assert_uint_ne(reason, DLW_FEASIBLE);
    ck_assert_uint_ne(choice.reasons, 0);
    note_told(cycle);
}

static void check_real(const struct cycle *cycle)
{
    struct choice choice = {.cycle = cycle, .level = cycle->level, .least = UINT32_MAX};

    try_choices(&choice, 0);
    ck_assert_msg(choice.least == 0, "a cycle of %u is not real", cycle->n);
    ck_assert_msg(!find_told(cycle) || find_told(cycle)->level < cycle->level, "told twice");
    note_told(cycle);
}

/* What the graph has kept, and what it must have told of that. */

static void note_kept(void *context, dlw_node from, dlw_node to,
                      const struct dlw_order_ask *evidence, uint32_t held_index)
{
    (void)context;
    (void)from;
    ck_assert_uint_lt(model.n_kept, MOST_PIECES);
    struct piece *piece = &model.kept[model.n_kept++];
    *piece = (struct piece){.thread = evidence->thread,
                            .segment = evidence->segment,
                            .n_held = evidence->n_held,
                            .source = held_index,
                            .want = model.serial_of[to],
                            .mode = evidence->mode};
    for (uint32_t i = 0; i < evidence->n_held; i++)
        piece->held[i] =
            (struct model_hold){model.serial_of[evidence->held[i].node], evidence->held[i].mode};
}

static void expect_short_ones(void)
{
    uint32_t n_missed = 0;

    model.n_kept = 0;
    dlw_order_each(model.order, note_kept, NULL);
    for (enum level level = REAL; level >= APART; level--)
        for (uint32_t length = 2; length <= 3; length++)
            for (uint32_t i = 0; i < model.n_kept; i++)
                expect_through(&model.kept[i], length, level, &n_missed);
    ck_assert_uint_eq(n_missed, 0);
}

void naive_compare_bounded(void)
{
    for (uint32_t i = 0; i < model.n_found; i++) {
        if (model.found[i].level != HARMLESS)
            check_real(&model.found[i]);
        else
            note_told(&model.found[i]);
        model.real += model.found[i].level == REAL;
        model.apart += model.found[i].level == APART;
        model.harmless += model.found[i].level == HARMLESS;
    }
    expect_short_ones();
}

void naive_compare(const struct piece **fresh, uint32_t n)
{
    uint32_t n_expected[REAL + 1] = {0};
    uint32_t n_found[REAL + 1] = {0};

    for (enum level level = REAL; level >= APART; level--) {
        for (uint32_t length = 2; length <= LOCKS; length++) {
            for (uint32_t i = 0; i < n; i++)
                expect_through(fresh[i], length, level, &n_expected[level]);
        }
    }
    for (uint32_t i = 0; i < n; i++)
        expect_shortest_through(fresh[i]);
    for (uint32_t i = 0; i < model.n_found; i++) {
        n_found[model.found[i].level]++;
        if (model.found[i].level == HARMLESS)
            check_harmless(&model.found[i], model.reasons[i]);
    }
    ck_assert_uint_eq(n_expected[REAL], n_found[REAL]);
    ck_assert_uint_eq(n_expected[APART], n_found[APART]);
    model.real += n_found[REAL];
    model.apart += n_found[APART];
    model.harmless += n_found[HARMLESS];
}
