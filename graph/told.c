/*
 * Cycles already told: each once, and none that contains a shorter real one.
 * A record stands in an index by the hash of its edges, and each of its locks
 * in one by node, so that a lock that goes takes its cycles along.
 */
#include "graph/order_private.h"

struct record {
    uint64_t hash;
    uint32_t hash_next;
    uint32_t length;
    uint32_t places;
    uint32_t round, hits; /* of the containment test under way */
    uint32_t kind;
};

/* A lock of a record. */
struct place {
    uint32_t node;
    uint32_t record;
    uint32_t hash_next;
    uint32_t next_of_record;
};

struct told {
    struct dlw_pool records, places;
    struct dlw_index by_hash, by_node;
    uint32_t round;
};

static struct record *record_at(const struct told *told, uint32_t id)
{
    return dlw_pool_at(&told->records, id);
}

static struct place *place_at(const struct told *told, uint32_t id)
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

static uint32_t place_hash(const void *owner, uint32_t id)
{
    return (uint32_t)dlw_mix(place_at(owner, id)->node);
}

static uint32_t *place_next(const void *owner, uint32_t id)
{
    return &place_at(owner, id)->hash_next;
}

/* Made with the first cycle: a program without one pays nothing. */
static struct told *get(struct dlw_order *order)
{
    struct told *told = order->told;

    if (told)
        return told;
    told = dlw_arena_alloc(order->arena, sizeof(*told));
    if (!told)
        return NULL;
    order->told = told;
    told->by_hash = (struct dlw_index){
        .arena = order->arena, .owner = told, .hash = record_hash, .next = record_next};
    told->by_node = (struct dlw_index){
        .arena = order->arena, .owner = told, .hash = place_hash, .next = place_next};
    if (dlw_pool_init(&told->records, order->arena, sizeof(struct record)) &&
        dlw_pool_init(&told->places, order->arena, sizeof(struct place)) &&
        dlw_index_init(&told->by_hash) && dlw_index_init(&told->by_node))
        return told;
    dlw_told_destroy(order);
    return NULL;
}

void dlw_told_destroy(struct dlw_order *order)
{
    struct told *told = order->told;

    if (!told)
        return;
    dlw_pool_destroy(&told->records);
    dlw_pool_destroy(&told->places);
    dlw_index_destroy(&told->by_hash);
    dlw_index_destroy(&told->by_node);
    dlw_arena_free(order->arena, told, sizeof(*told));
    order->told = NULL;
}

uint64_t dlw_told_hash(const struct step *steps, uint32_t n)
{
    uint64_t hash = n;

    for (uint32_t i = 0; i < n; i++)
        hash += dlw_mix((uint64_t)steps[i].source << 32 | steps[(i + 1) % n].source);
    return hash;
}

static uint32_t find(const struct told *told, uint64_t hash)
{
    uint32_t id = dlw_index_first(&told->by_hash, (uint32_t)hash);

    while (id && record_at(told, id)->hash != hash)
        id = record_at(told, id)->hash_next;
    return id;
}

unsigned dlw_told_kind(const struct dlw_order *order, uint64_t hash)
{
    uint32_t id = order->told ? find(order->told, hash) : 0;

    return id ? record_at(order->told, id)->kind : 0;
}

bool dlw_told_note(struct dlw_order *order, uint64_t hash, const struct step *steps, uint32_t n,
                   unsigned kind)
{
    struct told *told = get(order);

    if (!told || !dlw_pool_reserve(&told->places, n) || !dlw_pool_reserve(&told->records, 1))
        return false;
    uint32_t id = find(told, hash);
    if (id) {
        record_at(told, id)->kind = kind;
        return true;
    }
    id = dlw_pool_alloc(&told->records);
    *record_at(told, id) = (struct record){.hash = hash, .length = n, .kind = kind};
    dlw_index_insert(&told->by_hash, id);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t place = dlw_pool_alloc(&told->places);
        *place_at(told, place) =
            (struct place){steps[i].source, id, 0, record_at(told, id)->places};
        record_at(told, id)->places = place;
        dlw_index_insert(&told->by_node, place);
    }
    return true;
}

/* Counts a lock of the cycle for each record that it is in; true when one is full. */
static bool hit(struct told *told, dlw_node node, uint32_t length)
{
    uint32_t id = dlw_index_first(&told->by_node, (uint32_t)dlw_mix(node));

    for (; id; id = place_at(told, id)->hash_next) {
        struct record *record = record_at(told, place_at(told, id)->record);
        if (place_at(told, id)->node != node || record->kind != TOLD_REAL ||
            record->length >= length)
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

static void begin_round(struct told *told)
{
    if (++told->round)
        return;
    for (uint32_t id = 0; (id = dlw_pool_next(&told->records, id));)
        record_at(told, id)->round = 0;
    told->round = 1;
}

bool dlw_told_contains(const struct dlw_order *order, const struct step *steps, uint32_t n,
                       uint32_t length)
{
    struct told *told = order->told;

    if (!told)
        return false;
    begin_round(told);
    for (uint32_t i = 0; i < n; i++) {
        if (hit(told, steps[i].source, length))
            return true;
    }
    return false;
}

static void forget_record(struct told *told, uint32_t id)
{
    uint32_t place = record_at(told, id)->places;

    while (place) {
        uint32_t next = place_at(told, place)->next_of_record;
        dlw_index_remove(&told->by_node, place);
        dlw_pool_free(&told->places, place);
        place = next;
    }
    dlw_index_remove(&told->by_hash, id);
    dlw_pool_free(&told->records, id);
}

static uint32_t find_place(const struct told *told, dlw_node node)
{
    uint32_t id = dlw_index_first(&told->by_node, (uint32_t)dlw_mix(node));

    while (id && place_at(told, id)->node != node)
        id = place_at(told, id)->hash_next;
    return id;
}

void dlw_told_forget(struct dlw_order *order, dlw_node node)
{
    struct told *told = order->told;
    uint32_t place;

    if (!told)
        return;
    while ((place = find_place(told, node)))
        forget_record(told, place_at(told, place)->record);
    if (dlw_pool_count(&told->records) == 0)
        dlw_told_destroy(order);
}
