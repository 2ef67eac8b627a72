/*
 * The lock-order graph against a naive model that keeps every piece of evidence
 * and tries all cycles and all choices. Random programs of a few locks and
 * threads, some with habits that keep most of their cycles from closing; after
 * each acquisition both must have told the same cycles: as real, or as real but for the scopes that
 * its threads were in.
 *
 * Then once more with a graph that may keep little and may search for nothing: of
 * the evidence that it does keep, every real cycle of two and three must be told.
 * DLW_SEED=N repeats a run, DLW_OPERATIONS=N makes it longer.
 */
#include "graph/order/order.h"
#include "tests/unit/graph_random.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *graph_model_suite(void);

enum { LOCKS = 6, THREADS = 4, MOST_HELD = 4, MOST_PIECES = 4096, MOST_TOLD = 4096 };

struct model_lock {
    dlw_node node;
    uint64_t serial; /* the name in findings; 0: no such lock now */
    bool prefers_writers;
};

struct model_hold {
    uint64_t serial;
    uint8_t mode;
};

/* One edge's evidence. */
struct piece {
    uint32_t thread;
    dlw_segment segment;
    struct model_hold held[MOST_HELD];
    uint32_t n_held;
    uint32_t source; /* index in held */
    uint64_t want;
    uint8_t mode;
};

enum level { HARMLESS, APART, REAL }; /* APART: only that the scopes are others keeps it open */

struct cycle {
    uint32_t n;
    enum level level;
    uint64_t locks[LOCKS]; /* from the smallest on */
};

struct model_thread {
    uint32_t id;
    dlw_segment segment;
    struct dlw_order_hold held[MOST_HELD];
    uint64_t serials[MOST_HELD];
    dlw_chain chains[MOST_HELD + 1]; /* of the first i locks held; references */
    uint32_t n_held;
};

/* What the threads of an episode are used to. */
enum habit {
    NONE,
    GATED,           /* the first lock is taken around the others, nearly always */
    ALONE,           /* nearly all is done by one thread */
    ONE_AFTER_OTHER, /* nearly all by threads each of which is joined before the next */
    N_HABITS
};

struct model {
    struct dlw_arena arena;
    struct dlw_life *life;
    struct dlw_order *order;
    uint32_t window;
    struct model_lock locks[LOCKS];
    struct model_thread threads[THREADS];
    struct piece pieces[MOST_PIECES];
    uint32_t n_pieces;
    struct piece kept[MOST_PIECES]; /* those that the graph has, when it may keep few */
    uint32_t n_kept;
    uint64_t serial_of[256]; /* by node; the last one of that number */
    bool is_bounded;
    enum habit habit;
    struct cycle told[MOST_TOLD];
    uint32_t n_told;
    struct cycle found[MOST_TOLD]; /* by the graph, in the call under way */
    uint8_t reasons[MOST_TOLD];
    uint32_t n_found;
    uint64_t serial;
    uint32_t next_thread;
    bool has_scopes;
    uint64_t real, apart, harmless, learned;
};

static struct model model;

/* Cycles by name, turned so that the smallest lock is first. */

static void turn(struct cycle *cycle)
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

static bool has_lock(const struct cycle *cycle, uint64_t serial)
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
        if (!has_lock(large, small->locks[i]))
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
    turn(&cycle);
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

static void compare_bounded(void)
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

/* One acquisition in both. */

static void on_found(void *context, const struct dlw_finding *finding)
{
    struct cycle cycle = {.n = finding->n_cycle,
                          .level = finding->harmless != DLW_FEASIBLE   ? HARMLESS
                                   : finding->doubt == DLW_DOUBT_SCOPE ? APART
                                                                       : REAL};

    (void)context;
    ck_assert_uint_le(finding->n_cycle, LOCKS);
    ck_assert_uint_ge(finding->n_cycle, 2);
    for (uint32_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_cycle_entry *entry = &finding->cycle[i];
        const struct dlw_cycle_entry *next = &finding->cycle[(i + 1) % finding->n_cycle];
        ck_assert_uint_eq(entry->wants.lock, next->holds.lock);
        cycle.locks[i] = entry->holds.lock;
    }
    turn(&cycle);
    model.reasons[model.n_found] = finding->harmless;
    model.found[model.n_found++] = cycle;
}

static bool is_same_piece(const struct piece *a, const struct piece *b)
{
    return a->thread == b->thread && a->segment == b->segment && a->want == b->want &&
           a->mode == b->mode && a->n_held == b->n_held && a->source == b->source &&
           memcmp(a->held, b->held, sizeof(a->held)) == 0;
}

static const struct piece *keep(const struct piece *piece)
{
    for (uint32_t i = 0; i < model.n_pieces; i++) {
        if (is_same_piece(&model.pieces[i], piece))
            return NULL;
    }
    ck_assert_uint_lt(model.n_pieces, MOST_PIECES);
    model.pieces[model.n_pieces] = *piece;
    dlw_life_ref(model.life, piece->segment);
    return &model.pieces[model.n_pieces++];
}

static uint32_t keep_all(const struct model_thread *thread, const struct model_lock *want,
                         uint8_t mode, const struct piece **fresh)
{
    uint32_t n = 0;
    struct piece piece = {.thread = thread->id,
                          .segment = thread->segment,
                          .n_held = thread->n_held,
                          .want = want->serial,
                          .mode = mode};

    for (uint32_t i = 0; i < thread->n_held; i++) {
        memset(&piece.held[i], 0, sizeof(piece.held[i]));
        piece.held[i].serial = thread->serials[i];
        piece.held[i].mode = thread->held[i].mode;
    }
    for (uint32_t i = 0; i < thread->n_held; i++) {
        piece.source = i;
        if ((fresh[n] = keep(&piece)))
            n++;
    }
    return n;
}

static void compare(const struct piece **fresh, uint32_t n)
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

/* The chain of one lock more, for entry `i`. */
static void push_chain(struct model_thread *thread, uint32_t i)
{
    thread->chains[i + 1] = dlw_order_chain_push(model.order, thread->chains[i],
                                                 thread->held[i].node, thread->held[i].mode);
    ck_assert_uint_ne(thread->chains[i + 1], 0);
}

static void pop_chains(struct model_thread *thread, uint32_t from)
{
    for (uint32_t i = from; i < thread->n_held; i++)
        dlw_order_chain_unref(model.order, thread->chains[i + 1]);
}

static void acquire(struct model_thread *thread, const struct model_lock *lock, uint8_t mode,
                    bool is_try)
{
    const struct piece *fresh[MOST_HELD];
    struct dlw_order_ask ask = {.thread = thread->id,
                                .segment = thread->segment,
                                .held = thread->held,
                                .n_held = thread->n_held,
                                .want = lock->node,
                                .mode = mode};
    const struct dlw_order_sink sink = {.found = on_found};

    if (thread->n_held && !is_try) {
        if (random_below(2))
            ask.chain = thread->chains[thread->n_held];
        unsigned probed = dlw_order_probe(model.order, &ask);
        model.n_found = 0;
        unsigned verdict = dlw_order_learn(model.order, &ask, &sink);
        ck_assert(verdict == probed || (!ask.chain && probed == DLW_ORDER_NEWS));
        if (!model.is_bounded)
            ck_assert_uint_eq(dlw_order_learn(model.order, &ask, &sink) & DLW_ORDER_NEWS, 0);
        model.learned += (verdict & DLW_ORDER_NEWS) != 0;
        uint32_t n = keep_all(thread, lock, mode, fresh);
        if (model.is_bounded)
            compare_bounded();
        else
            compare(fresh, n);
    }
    thread->held[thread->n_held] = (struct dlw_order_hold){.node = lock->node, .mode = mode};
    thread->serials[thread->n_held] = lock->serial;
    push_chain(thread, thread->n_held++);
}

/* The random program. */

static bool is_held_by(const struct model_thread *thread, uint64_t serial)
{
    for (uint32_t i = 0; i < thread->n_held; i++) {
        if (thread->serials[i] == serial)
            return true;
    }
    return false;
}

static bool is_held(uint64_t serial)
{
    for (uint32_t i = 0; i < THREADS; i++) {
        if (is_held_by(&model.threads[i], serial))
            return true;
    }
    return false;
}

static void make_lock(struct model_lock *lock)
{
    lock->serial = ++model.serial;
    lock->prefers_writers = random_below(4) == 0;
    lock->node = dlw_order_add(model.order, lock->serial, lock->prefers_writers);
    ck_assert_uint_ne(lock->node, 0);
    ck_assert_uint_lt(lock->node, sizeof(model.serial_of) / sizeof(model.serial_of[0]));
    model.serial_of[lock->node] = lock->serial;
}

static void forget_pieces(uint64_t serial)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < model.n_pieces; i++) {
        struct piece *piece = &model.pieces[i];
        if (piece->want == serial || piece->held[piece->source].serial == serial)
            dlw_life_unref(model.life, piece->segment);
        else
            model.pieces[kept++] = *piece;
    }
    model.n_pieces = kept;
}

static void remove_lock(struct model_lock *lock)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < model.n_told; i++) {
        if (!has_lock(&model.told[i], lock->serial))
            model.told[kept++] = model.told[i];
    }
    model.n_told = kept;
    forget_pieces(lock->serial);
    dlw_order_remove(model.order, lock->node);
    lock->serial = 0;
}

static void release(struct model_thread *thread)
{
    uint32_t at = random_below(4) ? thread->n_held - 1 : random_below(thread->n_held);

    pop_chains(thread, at);
    thread->n_held--;
    for (uint32_t i = at; i < thread->n_held; i++) {
        thread->held[i] = thread->held[i + 1];
        thread->serials[i] = thread->serials[i + 1];
        push_chain(thread, i);
    }
}

static void release_all(struct model_thread *thread)
{
    pop_chains(thread, 0);
    thread->n_held = 0;
}

/* `thread` ends, `other` joins it, and a new one is created in its place. */
static void join_and_create(struct model_thread *thread, struct model_thread *other,
                            struct model_thread *creator)
{
    release_all(thread);
    other->segment = dlw_life_join(model.life, other->segment, thread->segment);
    dlw_life_unref(model.life, thread->segment);
    dlw_segment before = creator->segment;
    dlw_life_ref(model.life, before);
    creator->segment = dlw_life_advance(model.life, creator->segment);
    thread->id = ++model.next_thread;
    thread->segment = dlw_life_start(model.life, thread->id, before);
    dlw_life_unref(model.life, before);
}

static void meet_at_barrier(struct model_thread *a, struct model_thread *b)
{
    dlw_segment round = dlw_life_gather(model.life, 0, a->segment);

    round = dlw_life_gather(model.life, round, b->segment);
    a->segment = dlw_life_join(model.life, a->segment, round);
    b->segment = dlw_life_join(model.life, b->segment, round);
    dlw_life_unref(model.life, round);
}

/* Of three tests, or of none. */
static void enter_scope(struct model_thread *thread)
{
    static const char *const scopes[] = {"one", "two", "three", NULL};

    thread->segment = dlw_life_enter(model.life, thread->segment, scopes[random_below(4)]);
    ck_assert_uint_ne(thread->segment, 0);
}

static void step_locks(struct model_thread *thread)
{
    bool is_gate = model.habit == GATED && thread->n_held == 0 && random_below(60);
    struct model_lock *lock = &model.locks[is_gate ? 0 : random_below(LOCKS)];

    if (!lock->serial)
        make_lock(lock);
    if (thread->n_held == MOST_HELD || (thread->n_held && random_below(3) == 0))
        release(thread);
    else if (!is_held_by(thread, lock->serial))
        acquire(thread, lock, random_below(3) == 0 ? DLW_SHARED : DLW_EXCLUSIVE,
                random_below(8) == 0);
}

static void step(void)
{
    bool is_alone = model.habit >= ALONE && random_below(60);
    struct model_thread *thread = &model.threads[is_alone ? 0 : random_below(THREADS)];
    struct model_thread *other = &model.threads[random_below(THREADS)];
    struct model_lock *lock = &model.locks[random_below(LOCKS)];

    if (model.habit == ONE_AFTER_OTHER && random_below(12) == 0) {
        if (model.has_scopes)
            enter_scope(&model.threads[1]);
        join_and_create(&model.threads[0], &model.threads[1], &model.threads[1]);
    }
    switch (random_below(40)) {
    case 0:
        if (lock->serial && !is_held(lock->serial))
            remove_lock(lock);
        break;
    case 1:
        if (other != thread)
            join_and_create(thread, other, other);
        break;
    case 2:
        if (other != thread && random_below(4) == 0)
            meet_at_barrier(thread, other);
        break;
    case 3:
        if (model.has_scopes)
            enter_scope(thread);
        break;
    default:
        step_locks(thread);
    }
}

static void episode(uint32_t operations)
{
    model.habit = (enum habit)random_below(N_HABITS);
    model.has_scopes = random_below(2);
    for (uint32_t i = 0; i < THREADS; i++) {
        struct model_thread *thread = &model.threads[i];
        memset(thread, 0, sizeof(*thread));
        thread->id = ++model.next_thread;
        thread->segment = dlw_life_start(model.life, thread->id, i ? model.threads[0].segment : 0);
    }
    for (uint32_t i = 0; i < operations; i++)
        step();
    dlw_order_check_invariants(model.order);
    dlw_life_check_invariants(model.life);
    for (uint32_t i = 0; i < THREADS; i++)
        release_all(&model.threads[i]);
    for (uint32_t i = 0; i < LOCKS; i++) {
        if (model.locks[i].serial)
            remove_lock(&model.locks[i]);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        dlw_life_unref(model.life, model.threads[i].segment);
    ck_assert_uint_eq(dlw_life_count(model.life), 0);
    dlw_order_check_invariants(model.order);
}

static void compare_all(const struct dlw_order_limits *limits, bool is_bounded, uint64_t usual)
{
    uint64_t operations = random_start("DLW_OPERATIONS", usual);

    memset(&model, 0, sizeof(model));
    model.is_bounded = is_bounded;
    model.life = dlw_life_new(&model.arena);
    model.order = dlw_order_new(&model.arena, model.life, limits);
    size_t in_use = model.arena.in_use;
    for (uint64_t done = 0; done < operations; done += 60) {
        episode(60);
        ck_assert_uint_eq(model.arena.in_use, in_use);
    }
    printf("graph_model: %llu learned, %llu real, %llu apart, %llu harmless\n",
           (unsigned long long)model.learned, (unsigned long long)model.real,
           (unsigned long long)model.apart, (unsigned long long)model.harmless);
    dlw_order_free(model.order);
    dlw_life_free(model.life);
    ck_assert_uint_eq(model.arena.in_use, 0);
}

START_TEST(test_order_tells_what_the_naive_model_tells)
{
    const struct dlw_order_limits limits = {.evidence_per_edge = 1000,
                                            .window = 16,
                                            .search_steps = 100000000,
                                            .reserve_steps = 4000000000U,
                                            .saturate_threads = 1000,
                                            .alike = 1000000,
                                            .often = 1000000};

    compare_all(&limits, false, 1000000);
}
END_TEST

START_TEST(test_two_and_three_are_told_when_budgets_are_spent)
{
    struct dlw_order_limits limits = {.window = 16,
                                      .search_steps = 1,
                                      .reserve_steps = 1,
                                      .saturate_threads = 1000,
                                      .alike = 1000000,
                                      .often = 1000000};

    for (limits.evidence_per_edge = 1; limits.evidence_per_edge <= 4; limits.evidence_per_edge++)
        compare_all(&limits, true, 100000);
}
END_TEST

Suite *graph_model_suite(void)
{
    Suite *suite = suite_create("graph_model");
    TCase *model_case = tcase_create("model");

    tcase_set_timeout(model_case, 600);
    tcase_add_test(model_case, test_order_tells_what_the_naive_model_tells);
    tcase_add_test(model_case, test_two_and_three_are_told_when_budgets_are_spent);
    suite_add_tcase(suite, model_case);
    return suite;
}
