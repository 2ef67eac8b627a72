#include "graph/base/index.h"

enum { FEWEST_BUCKETS = 64 };

bool dlw_index_init(struct dlw_index *index)
{
    index->heads = dlw_arena_alloc(index->arena, FEWEST_BUCKETS * sizeof(uint32_t));
    index->n_buckets = index->room = FEWEST_BUCKETS;
    index->count = 0;
    return index->heads;
}

void dlw_index_destroy(struct dlw_index *index)
{
    dlw_arena_free(index->arena, index->heads, index->room * sizeof(uint32_t));
    index->heads = NULL;
}

static bool set_room(struct dlw_index *index, uint32_t room)
{
    uint32_t *heads =
        dlw_arena_resize(index->arena, index->heads, (size_t)index->room * sizeof(uint32_t),
                         (size_t)room * sizeof(uint32_t));
    if (!heads)
        return false;
    index->heads = heads;
    index->room = room;
    return true;
}

static void push(struct dlw_index *index, uint32_t id)
{
    uint32_t *head = &index->heads[dlw_index_bucket(index, index->hash(index->owner, id))];

    *index->next(index->owner, id) = *head;
    *head = id;
}

/* Takes a bucket's records out and puts them in again. */
static void redistribute(struct dlw_index *index, uint32_t id)
{
    while (id) {
        uint32_t following = *index->next(index->owner, id);
        push(index, id);
        id = following;
    }
}

static void split(struct dlw_index *index)
{
    if (index->n_buckets == index->room &&
        (index->room > UINT32_MAX / 4 || !set_room(index, index->room * 2)))
        return;
    uint32_t low = 1U << (31 - __builtin_clz(index->n_buckets));
    uint32_t from = index->n_buckets - low;
    uint32_t records = index->heads[from];

    index->heads[from] = 0;
    index->heads[index->n_buckets++] = 0;
    redistribute(index, records);
}

static void merge(struct dlw_index *index)
{
    uint32_t records = index->heads[--index->n_buckets];

    index->heads[index->n_buckets] = 0;
    redistribute(index, records);
    if (index->n_buckets == FEWEST_BUCKETS)
        set_room(index, FEWEST_BUCKETS);
    else if (index->n_buckets <= index->room / 4)
        set_room(index, index->room / 2);
}

void dlw_index_insert(struct dlw_index *index, uint32_t id)
{
    push(index, id);
    if (++index->count > index->n_buckets)
        split(index);
}

void dlw_index_remove(struct dlw_index *index, uint32_t id)
{
    uint32_t *at = &index->heads[dlw_index_bucket(index, index->hash(index->owner, id))];

    while (*at != id)
        at = index->next(index->owner, *at);
    *at = *index->next(index->owner, id);
    index->count--;
    /* Two, as a removal must outrun later splits: after removing all, the least is left. */
    for (int i = 0; i < 2; i++) {
        if (index->n_buckets > FEWEST_BUCKETS && index->count < index->n_buckets / 2)
            merge(index);
    }
}
