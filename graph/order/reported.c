/*
 * Cycles already told: each once, and none that contains a shorter real one.
 * A record stands in an index by the hash of its edges, and in a list of each
 * of its locks, so that a lock that goes takes its cycles along.
 *
 * Of cycles that only differ in their locks, taken at the same code places, so
 * many are told and no more: they are one mistake.
 */
#include "graph/order/private.h"

struct record {
    uint64_t hash;
    uint32_t hash_next;
    uint32_t length;
    uint32_t places;
    uint32_t round, hits; /* of the containment test under way */
    uint32_t kind;
    uint32_t tally;
};

/* A lock of a record, in the list of all records of that lock. */
struct place {
    uint32_t record;
    uint32_t next_of_record;
    uint32_t holder;
    uint32_t next, previous; /* of the lock */
};

/* A lock that has records. */
struct holder {
    dlw_node node;
    uint32_t hash_next;
    uint32_t first;
};

/* How many records there are of the same code places and reason. */
struct tally {
    uint64_t places;
    uint32_t hash_next;
    uint32_t n;
};

struct reported {
    struct dlw_pool records, places, holders, tallies;
    struct dlw_index by_hash, by_node, by_places;
    uint32_t round;
    uint32_t n_possible; /* told as more than harmless */
};

enum {
    MOST_PLACES = 1 << 14, /* that one test for a shorter cycle looks at */
    MOST_PAIRED = 8        /* a cycle of so many locks has each pair of them looked up */
};

static struct record *record_at(const struct reported *told, uint32_t id)
{
    return dlw_pool_at(&told->records, id);
}

static struct place *place_at(const struct reported *told, uint32_t id)
{
    return dlw_pool_at(&told->places, id);
}

static uint32_t record_hash(const void *owner, uint32_t id)
{
    return (uint32_t)record_at(owner, id)->hash;
}

static uint32_t *record_next(const void *owner, uint32_t id)
{
    return &record_at(owner, id)->hash_next;
}

static struct holder *holder_at(const struct reported *told, uint32_t id)
{
    return dlw_pool_at(&told->holders, id);
}

static uint32_t holder_hash(const void *owner, uint32_t id)
{
    return (uint32_t)dlw_mix(holder_at(owner, id)->node);
}

static uint32_t *holder_next(const void *owner, uint32_t id)
{
    return &holder_at(owner, id)->hash_next;
}

static struct tally *tally_at(const struct reported *told, uint32_t id)
{
    return dlw_pool_at(&told->tallies, id);
}

static uint32_t tally_hash(const void *owner, uint32_t id)
{
    return (uint32_t)tally_at(owner, id)->places;
}

static uint32_t *tally_next(const void *owner, uint32_t id)
{
    return &tally_at(owner, id)->hash_next;
}

static bool init_tables(struct reported *told, struct dlw_arena *arena)
{
    told->by_hash =
        (struct dlw_index){.arena = arena, .owner = told, .hash = record_hash, .next = record_next};
    told->by_node =
        (struct dlw_index){.arena = arena, .owner = told, .hash = holder_hash, .next = holder_next};
    told->by_places =
        (struct dlw_index){.arena = arena, .owner = told, .hash = tally_hash, .next = tally_next};
    return dlw_pool_init(&told->records, arena, sizeof(struct record)) &&
           dlw_pool_init(&told->places, arena, sizeof(struct place)) &&
           dlw_pool_init(&told->holders, arena, sizeof(struct holder)) &&
           dlw_pool_init(&told->tallies, arena, sizeof(struct tally)) &&
           dlw_index_init(&told->by_hash) && dlw_index_init(&told->by_node) &&
           dlw_index_init(&told->by_places);
}

/* Made with the first cycle: a program without one pays nothing. */
static struct reported *get(struct dlw_order *order)
{
    struct reported *told = order->told;

    if (told)
        return told;
    told = dlw_arena_alloc(order->arena, sizeof(*told));
    if (!told)
        return NULL;
    order->told = told;
    if (init_tables(told, order->arena))
        return told;
    dlw_reported_destroy(order);
    return NULL;
}

void dlw_reported_destroy(struct dlw_order *order)
{
    struct reported *told = order->told;

    if (!told)
        return;
    dlw_pool_destroy(&told->records);
    dlw_pool_destroy(&told->places);
    dlw_pool_destroy(&told->holders);
    dlw_pool_destroy(&told->tallies);
    dlw_index_destroy(&told->by_hash);
    dlw_index_destroy(&told->by_node);
    dlw_index_destroy(&told->by_places);
    dlw_arena_free(order->arena, told, sizeof(*told));
    order->told = NULL;
}

uint64_t dlw_reported_hash(const struct step *steps, uint32_t n)
{
    uint64_t hash = n;

    for (uint32_t i = 0; i < n; i++)
        hash += dlw_mix((uint64_t)steps[i].source << 32 | steps[(i + 1) % n].source);
    return hash;
}

static uint32_t find(const struct reported *told, uint64_t hash)
{
    uint32_t id = dlw_index_first(&told->by_hash, (uint32_t)hash);

    while (id && record_at(told, id)->hash != hash)
        id = record_at(told, id)->hash_next;
    return id;
}

unsigned dlw_reported_kind(const struct dlw_order *order, uint64_t hash)
{
    uint32_t id = order->told ? find(order->told, hash) : 0;

    return id ? record_at(order->told, id)->kind : 0;
}

static uint32_t find_holder(const struct reported *told, dlw_node node)
{
    uint32_t id = dlw_index_first(&told->by_node, (uint32_t)dlw_mix(node));

    while (id && holder_at(told, id)->node != node)
        id = holder_at(told, id)->hash_next;
    return id;
}

/* In reserved records. */
static void add_place(struct reported *told, uint32_t record, dlw_node node)
{
    uint32_t holder = find_holder(told, node);
    uint32_t id = dlw_pool_alloc(&told->places);

    if (!holder) {
        holder = dlw_pool_alloc(&told->holders);
        *holder_at(told, holder) = (struct holder){.node = node};
        dlw_index_insert(&told->by_node, holder);
    }
    uint32_t first = holder_at(told, holder)->first;
    *place_at(told, id) = (struct place){record, record_at(told, record)->places, holder, first, 0};
    if (first)
        place_at(told, first)->previous = id;
    holder_at(told, holder)->first = id;
    record_at(told, record)->places = id;
}

uint64_t dlw_reported_place(uint32_t hold_stack, uint32_t want_stack)
{
    return dlw_mix((uint64_t)hold_stack << 32 | want_stack);
}

static uint64_t key_of(uint64_t places, unsigned kind)
{
    return dlw_mix(places + kind);
}

static uint64_t places_of(const struct dlw_order *order, const struct step *steps, uint32_t n)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum +=
            dlw_reported_place(steps[i].hold_stack, evidence_at(order, steps[i].piece)->want_stack);
    return sum;
}

static uint32_t find_tally(const struct reported *told, uint64_t places)
{
    uint32_t id = dlw_index_first(&told->by_places, (uint32_t)places);

    while (id && tally_at(told, id)->places != places)
        id = tally_at(told, id)->hash_next;
    return id;
}

static void leave_tally(struct reported *told, uint32_t id)
{
    if (!id || --tally_at(told, id)->n > 0)
        return;
    dlw_index_remove(&told->by_places, id);
    dlw_pool_free(&told->tallies, id);
}

/* In a reserved record. */
static void enter_tally(struct reported *told, struct record *record, uint32_t id, uint64_t places)
{
    if (!id) {
        id = dlw_pool_alloc(&told->tallies);
        *tally_at(told, id) = (struct tally){.places = places};
        dlw_index_insert(&told->by_places, id);
    }
    tally_at(told, id)->n++;
    record->tally = id;
}

static void set_kind(struct reported *told, struct record *record, unsigned kind)
{
    told->n_possible += (uint32_t)(kind > TOLD_HARMLESS) - (uint32_t)(record->kind > TOLD_HARMLESS);
    record->kind = kind;
}

static struct record *make_record(struct reported *told, uint64_t hash, const struct step *steps,
                                  uint32_t n)
{
    uint32_t id = dlw_pool_alloc(&told->records);

    *record_at(told, id) = (struct record){.hash = hash, .length = n};
    dlw_index_insert(&told->by_hash, id);
    for (uint32_t i = 0; i < n; i++)
        add_place(told, id, steps[i].source);
    return record_at(told, id);
}

static bool reserve(struct reported *told, uint32_t n)
{
    return dlw_pool_reserve(&told->places, n) && dlw_pool_reserve(&told->holders, n) &&
           dlw_pool_reserve(&told->records, 1) && dlw_pool_reserve(&told->tallies, 1);
}

bool dlw_reported_note(struct dlw_order *order, uint64_t hash, const struct step *steps, uint32_t n,
                       unsigned kind)
{
    struct reported *told = get(order);
    uint64_t places = key_of(places_of(order, steps, n), kind);

    if (!told || !reserve(told, n))
        return true;
    uint32_t tally = find_tally(told, places);
    if (tally && tally_at(told, tally)->n >= order->limits.alike) {
        order->untold++;
        return false;
    }
    uint32_t id = find(told, hash);
    struct record *record = id ? record_at(told, id) : make_record(told, hash, steps, n);
    uint32_t old = record->tally;
    enter_tally(told, record, tally, places);
    leave_tally(told, old);
    set_kind(told, record, kind);
    return true;
}

bool dlw_reported_often(const struct dlw_order *order, uint64_t places, unsigned kind)
{
    const struct reported *told = order->told;
    uint32_t id = told ? find_tally(told, key_of(places, kind)) : 0;

    return id && tally_at(told, id)->n >= order->limits.often;
}

bool dlw_reported_pair(const struct dlw_order *order, dlw_node a, dlw_node b, unsigned kind)
{
    const struct step ends[2] = {{.source = a}, {.source = b}};

    return order->told && order->told->n_possible &&
           dlw_reported_kind(order, dlw_reported_hash(ends, 2)) >= kind;
}

static bool has_told_pair(const struct dlw_order *order, const struct step *steps, uint32_t n,
                          unsigned kind)
{
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t k = 0; k < i; k++)
            if (dlw_reported_pair(order, steps[i].source, steps[k].source, kind))
                return true;
    return false;
}

/* Counts a lock of the cycle for each record that it is in; true when one is full. */
static bool hit(struct reported *told, dlw_node node, uint32_t length, unsigned kind,
                uint32_t *left)
{
    uint32_t holder = find_holder(told, node);
    uint32_t id = holder ? holder_at(told, holder)->first : 0;

    for (; id && *left; id = place_at(told, id)->next, (*left)--) {
        struct record *record = record_at(told, place_at(told, id)->record);
        if (record->kind < kind || record->length >= length)
            continue;
        if (record->round != told->round) {
            record->round = told->round;
            record->hits = 0;
        }
        if (++record->hits == record->length)
            return true;
    }
    return false;
}

static void begin_round(struct reported *told)
{
    if (++told->round)
        return;
    for (uint32_t id = 0; (id = dlw_pool_next(&told->records, id));)
        record_at(told, id)->round = 0;
    told->round = 1;
}

bool dlw_reported_contains(const struct dlw_order *order, const struct step *steps, uint32_t n,
                           unsigned kind)
{
    struct reported *told = order->told;
    uint32_t left = MOST_PLACES;

    if (!told || !told->n_possible || n == 2)
        return false;
    if (n <= MOST_PAIRED && has_told_pair(order, steps, n, kind))
        return true;
    if (n == 3)
        return false;
    begin_round(told);
    for (uint32_t i = 0; i < n; i++)
        if (hit(told, steps[i].source, n, kind, &left))
            return true;
    return false;
}

static void drop_place(struct reported *told, uint32_t id)
{
    const struct place *place = place_at(told, id);
    struct holder *holder = holder_at(told, place->holder);

    if (place->previous)
        place_at(told, place->previous)->next = place->next;
    else
        holder->first = place->next;
    if (place->next)
        place_at(told, place->next)->previous = place->previous;
    if (!holder->first) {
        dlw_index_remove(&told->by_node, place->holder);
        dlw_pool_free(&told->holders, place->holder);
    }
    dlw_pool_free(&told->places, id);
}

static void forget_record(struct reported *told, uint32_t id)
{
    uint32_t place = record_at(told, id)->places;

    while (place) {
        uint32_t next = place_at(told, place)->next_of_record;
        drop_place(told, place);
        place = next;
    }
    leave_tally(told, record_at(told, id)->tally);
    set_kind(told, record_at(told, id), 0);
    dlw_index_remove(&told->by_hash, id);
    dlw_pool_free(&told->records, id);
}

void dlw_reported_forget(struct dlw_order *order, dlw_node node)
{
    struct reported *told = order->told;
    uint32_t holder;

    if (!told)
        return;
    while ((holder = find_holder(told, node)))
        forget_record(told, place_at(told, holder_at(told, holder)->first)->record);
    if (dlw_pool_count(&told->records) == 0)
        dlw_reported_destroy(order);
}
