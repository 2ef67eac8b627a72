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
#include "tests/unit/graph_model.h"
#include "tests/unit/graph_random.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *graph_model_suite(void);

struct model model;

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
    cycle_turn(&cycle);
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
            naive_compare_bounded();
        else
            naive_compare(fresh, n);
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
        if (!cycle_has_lock(&model.told[i], lock->serial))
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
