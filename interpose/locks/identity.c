#include "interpose/locks/identity.h"

#include "graph/base/index.h"
#include "graph/base/sys.h"
#include "interpose/base/hash.h"
#include "interpose/base/proc.h"
#include "interpose/base/state.h"
#include "interpose/locks/annotation.h"
#include "interpose/locks/orphans.h"
#include "interpose/locks/ref.h"

#include <string.h>
#include <sys/uio.h>

/* Facts about a lock that the order graph does not keep. Its serial number is in the graph. */
struct record {
    uintptr_t address;     /* 0: free */
    uint64_t created : 48; /* place of the init call, 0: none seen */
    uint64_t kind : 4;
    uint64_t attributes : 7;
    uint64_t marked : 1; /* its id word holds our mark */
    uint32_t first;
    uint32_t next; /* next record in the same bucket of by_address */
};
_Static_assert(sizeof(struct record) == 24, "ten million of these");
_Static_assert(DLW_N_LOCK_KINDS <= 16, "four bits");

/* All under the graph lock. `records` is indexed by node. */
static struct record *records;
static uint32_t room;
static uint64_t n_ever;

/* ---- address -> node ---- */

/* Locks on one page get neighbouring buckets: they are mostly made together, and then cost one
 * cache miss, not one each. */
static uint32_t hash_address(uintptr_t address)
{
    return (uint32_t)dlw_mix(address >> 12) ^ (uint32_t)(address >> 4 & 255);
}

static uint32_t hash_of_record(const void *owner, uint32_t node)
{
    (void)owner;
    return hash_address(records[node].address);
}

static uint32_t *next_of_record(const void *owner, uint32_t node)
{
    (void)owner;
    return &records[node].next;
}

static struct dlw_index by_address = {
    .arena = &dlw_graph_arena, .hash = hash_of_record, .next = next_of_record};

static dlw_node node_at_address(uintptr_t address)
{
    dlw_node node = by_address.heads ? dlw_index_first(&by_address, hash_address(address)) : 0;

    while (node && records[node].address != address)
        node = records[node].next;
    return node;
}

/* ---- marks ---- */

static uint64_t mark_of(dlw_node node, uintptr_t address)
{
    uint64_t check = (dlw_nonce ^ address ^ (uint64_t)node << 32) * DLW_GOLDEN;

    return (check & 0xFFFFFFFF00000000ULL) | node;
}

bool dlw_lock_mark_is_good(uint64_t mark, uintptr_t address)
{
    return mark == mark_of((dlw_node)mark, address);
}

/* Is this mark ours, of this process, of this address, and of a record that says the same? */
static dlw_node mark_node(uint64_t mark, uintptr_t address)
{
    dlw_node node = (dlw_node)mark;

    if (mark == 0 || node >= room || mark != mark_of(node, address) ||
        records[node].address != address)
        return 0;
    return node;
}

/* ---- records ---- */

_Atomic uint32_t dlw_tenancies[DLW_TENANCIES];
_Static_assert(DLW_TENANCIES == 1 << (64 - 54), "the shift of dlw_tenancy_of");

static bool has_tenancies(uintptr_t address, unsigned kind)
{
    return dlw_marks_are_on && !(kind == DLW_LOCK_MUTEX && address % 8);
}

/* Keys that were validated for a lock without a mark must not fit the next lock at its address, so
 * the tenancy counter of the address changes. Where the hot paths read 0 as the id (marks=0, a
 * mutex at an odd address) the generation changes instead, and all keys are stale. */
static void end_tenancy(const struct record *record)
{
    _Atomic uint32_t *counter = has_tenancies(record->address, record->kind)
                                    ? dlw_tenancy_of(record->address)
                                    : &dlw_generation.value;

    if (!record->marked)
        atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void retire(dlw_node node)
{
    if (records[node].address == 0)
        return;
    end_tenancy(&records[node]);
    dlw_index_remove(&by_address, node);
    dlw_annotation_unbind_locked(records[node].address);
    records[node].address = 0;
    dlw_order_remove(dlw_order_graph, node);
}

void dlw_lock_retire_locked(dlw_node node)
{
    retire(node);
}

static bool records_reach(dlw_node node)
{
    uint32_t wanted = room ? room : 256;

    while (wanted <= node)
        wanted *= 2;
    if (wanted == room)
        return true;
    struct record *larger = dlw_arena_resize(&dlw_graph_arena, records, room * sizeof(*records),
                                             wanted * sizeof(*records));
    if (!larger)
        return false;
    records = larger;
    room = wanted;
    return true;
}

static dlw_node make(const struct dlw_lock_ref *ref)
{
    uint64_t serial = n_ever + 1;

    if (!by_address.heads && !dlw_index_init(&by_address))
        return 0;
    dlw_node node =
        dlw_order_add(dlw_order_graph, serial << 32, ref->attributes & DLW_ATTR_PREFER_WRITER);
    if (!node || !records_reach(node))
        return 0;
    dlw_order_rename(dlw_order_graph, node, serial << 32 | node);
    n_ever = serial;
    records[node] = (struct record){
        .address = ref->address,
        .first = ref->kind == DLW_LOCK_THREAD ? ref->thread : 0,
        .kind = ref->kind,
        .attributes = ref->attributes,
        .marked = ref->id != NULL,
    };
    dlw_index_insert(&by_address, node);
    dlw_annotation_bind_locked(ref->address);
    return node;
}

/* Until the lock is first validated its chain word holds the place of its init call. */
static void write_mark(const struct dlw_lock_ref *ref, dlw_node node)
{
    uint64_t place = atomic_load_explicit(ref->chain, memory_order_relaxed);

    if (dlw_mark_is_created(atomic_load_explicit(ref->id, memory_order_relaxed)))
        records[node].created = place >> 48 ? 0 : place;
    atomic_store_explicit(ref->id, mark_of(node, ref->address), memory_order_relaxed);
}

/* Node of a semaphore whose mark word says POOL, SIGNAL or ENDED. It is found by address; the word
 * is never overwritten. */
static dlw_node unmarked_node(uintptr_t address)
{
    dlw_node node = node_at_address(address);

    return node && records[node].kind == DLW_LOCK_SEMAPHORE && !records[node].marked ? node : 0;
}

static bool is_no_lock(uint64_t mark)
{
    return dlw_mark_is_pool(mark) || mark == DLW_MARK_SIGNAL || mark == DLW_MARK_ENDED;
}

dlw_node dlw_lock_known_locked(const struct dlw_lock_ref *ref)
{
    if (!ref->id)
        return node_at_address(ref->address);
    uint64_t mark = atomic_load_explicit(ref->id, memory_order_relaxed);
    return is_no_lock(mark) ? unmarked_node(ref->address) : mark_node(mark, ref->address);
}

dlw_node dlw_lock_of_mark_locked(uintptr_t address, uint64_t mark)
{
    dlw_node node = node_at_address(address);

    return node && mark_of(node, address) == mark ? node : 0;
}

dlw_node dlw_lock_of_tenant_locked(uintptr_t address, unsigned kind, uint64_t id)
{
    dlw_node node = node_at_address(address);

    return node && !records[node].marked && records[node].kind == kind &&
                   has_tenancies(address, kind) && dlw_lock_tenant(address, kind) == id
               ? node
               : 0;
}

/* A thread that ends may still be asked about a lock that lay on its stack. Frames of the library
 * are there now, and a mark would go into them. */
static bool was_on_this_stack(uintptr_t address)
{
    enum { BELOW = 4096 }; /* what this frame saves, and those that it calls */
    const struct dlw_thread *self = dlw_self;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0) - BELOW;

    return self && self->is_ending && address - here < self->stack_high - here;
}

static dlw_node make_anew(const struct dlw_lock_ref *ref)
{
    struct dlw_lock_ref unmarked = {.address = ref->address,
                                    .kind = ref->kind,
                                    .attributes = ref->attributes,
                                    .thread = ref->thread};
    dlw_node node = node_at_address(ref->address);

    if (ref->id && was_on_this_stack(ref->address))
        ref = &unmarked;

    if (node)
        retire(node); /* the record's lock lost its mark: another lock lives at the address now */
    node = make(ref);
    if (node && ref->id)
        write_mark(ref, node);
    if (node && n_ever % 4096 == 0)
        dlw_locks_sweep_locked();
    return node;
}

dlw_node dlw_lock_node_locked(const struct dlw_lock_ref *ref)
{
    dlw_node node = dlw_lock_known_locked(ref);
    struct dlw_lock_ref unmarked = *ref;

    if (node)
        return node;
    if (!ref->id || !is_no_lock(atomic_load_explicit(ref->id, memory_order_relaxed)))
        return make_anew(ref);
    unmarked.id = unmarked.chain = NULL;
    return make_anew(&unmarked);
}

dlw_node dlw_lock_pool_locked(uintptr_t address, uint64_t mark)
{
    struct dlw_lock_ref ref = {.address = address, .kind = DLW_LOCK_SEMAPHORE};
    uint32_t units = (uint32_t)mark;
    dlw_node node;

    if (units > DLW_ORDER_UNITS)
        return 0;
    node = unmarked_node(address);
    if (!node)
        node = make_anew(&ref);
    if (node)
        dlw_order_set_units(dlw_order_graph, node, units);
    return node;
}

void dlw_mark_draw_births(struct dlw_thread *self)
{
    static _Atomic uint32_t drawn;

    self->next_birth = atomic_fetch_add_explicit(&drawn, DLW_BIRTHS, memory_order_relaxed);
}

static void forget_annotation(uintptr_t address)
{
    if (!dlw_annotation_is_any())
        return;
    if (!dlw_lock_acquire(&dlw_graph_lock))
        return;
    dlw_annotation_forget_locked(address);
    dlw_lock_release(&dlw_graph_lock);
}

static void retire_known(const struct dlw_lock_ref *ref)
{
    if (!dlw_lock_acquire(&dlw_graph_lock))
        return;
    dlw_node node = dlw_lock_known_locked(ref);
    if (node)
        retire(node);
    else if (!ref->id && has_tenancies(ref->address, ref->kind))
        /* a thread may have noted the lock that lived here (outermost.h) */
        atomic_fetch_add_explicit(dlw_tenancy_of(ref->address), 1, memory_order_relaxed);
    dlw_lock_release(&dlw_graph_lock);
}

static bool is_known_mark(uint64_t mark)
{
    return mark != 0 && !dlw_mark_is_created(mark);
}

bool dlw_lock_rebirth_is_brief(const struct dlw_lock_ref *ref)
{
    return ref->id && !is_known_mark(atomic_load_explicit(ref->id, memory_order_relaxed)) &&
           !dlw_orphan_is_any() && !dlw_annotation_is_any();
}

void dlw_lock_reborn(const struct dlw_lock_ref *ref, uintptr_t created)
{
    dlw_orphan_forget(ref->address);
    forget_annotation(ref->address);
    if (ref->id) {
        if (is_known_mark(atomic_load_explicit(ref->id, memory_order_relaxed)))
            retire_known(ref);
        atomic_store_explicit(ref->chain, created, memory_order_relaxed);
        atomic_store_explicit(ref->id,
                              created ? dlw_mark_of_birth(dlw_self ? dlw_self : &dlw_nobody) : 0,
                              memory_order_relaxed);
        return;
    }
    retire_known(ref);
}

void dlw_lock_becomes_signal(const struct dlw_lock_ref *ref)
{
    if (!dlw_lock_acquire(&dlw_graph_lock))
        return;
    dlw_node node = dlw_lock_known_locked(ref);
    if (node) { /* a lock without an identity is in no chain */
        /* chains that hold it count it as a gate no longer */
        dlw_order_set_units(dlw_order_graph, node, 0);
        retire(node);
        atomic_fetch_add_explicit(&dlw_generation.value, 1, memory_order_relaxed);
    }
    if (ref->id)
        atomic_store_explicit(ref->id, DLW_MARK_SIGNAL, memory_order_relaxed);
    dlw_lock_release(&dlw_graph_lock);
}

bool dlw_lock_is_signal(uintptr_t lock)
{
    struct dlw_thread *self = dlw_self;

    if (!dlw_annotation_is_any_signal())
        return false;
    dlw_guard_enter(self);
    /* if the graph lock can't be had: treated as a signal, of which nothing is reported */
    bool found = true;
    if (dlw_lock_acquire(&dlw_graph_lock)) {
        found = dlw_annotation_is_signal_locked(lock);
        dlw_lock_release(&dlw_graph_lock);
    }
    dlw_guard_leave(self);
    return found;
}

/* ---- answers ---- */

bool dlw_lock_outlives(const struct dlw_lock_ref *ref)
{
    if (!dlw_lock_acquire_or_skip(&dlw_graph_lock))
        return false;
    dlw_node node = dlw_lock_known_locked(ref);
    bool is_news = node && !(records[node].attributes & DLW_ATTR_OUTLIVES);
    if (is_news)
        records[node].attributes |= DLW_ATTR_OUTLIVES;
    dlw_lock_release(&dlw_graph_lock);
    return is_news;
}

bool dlw_lock_facts_locked(uint64_t lock, struct dlw_lock_facts *out)
{
    dlw_node node = (dlw_node)lock;

    if (node == 0 || node >= room || records[node].address == 0)
        return false;
    const struct record *record = &records[node];
    *out = (struct dlw_lock_facts){
        .lock = dlw_lock_tag_locked(node),
        .address = record->address,
        .created = record->created,
        .first = record->kind == DLW_LOCK_THREAD ? 0 : record->first,
        .thread = record->kind == DLW_LOCK_THREAD ? record->first : 0,
        .kind = record->kind,
        .attributes = record->attributes,
    };
    dlw_annotation_facts_locked(out);
    return true;
}

uint64_t dlw_lock_tag_locked(dlw_node node)
{
    return dlw_order_lock_of(dlw_order_graph, node);
}

bool dlw_lock_lives_locked(uint64_t tag)
{
    dlw_node node = (dlw_node)tag;

    return node && node < room && records[node].address && dlw_lock_tag_locked(node) == tag;
}

void dlw_lock_saw_stack_locked(dlw_node node, uint32_t stack)
{
    if (!records[node].first && records[node].kind != DLW_LOCK_THREAD)
        records[node].first = stack;
}

uint64_t dlw_locks_ever(void)
{
    return n_ever;
}

/* ---- the dead ---- */

/* The address of the lock's id word, computed without reading the lock. */
static uintptr_t mark_place(const struct record *record)
{
    void *lock = (void *)record->address; /* NOLINT(performance-no-int-to-ptr) */

    switch (record->kind) {
    case DLW_LOCK_MUTEX:
        return (uintptr_t)&dlw_mutex_mark(lock)->id;
    case DLW_LOCK_RWLOCK:
        return (uintptr_t)dlw_rwlock_id(lock);
    case DLW_LOCK_SEMAPHORE:
        return (uintptr_t)dlw_semaphore_id(lock);
    default:
        return 0;
    }
}

enum { BATCH = 64, BATCH_BYTES = 2560, PAGE_SHIFT = 12 };

/* Marks to be read by one call, node by node: those that rise in one page lie in one span, since it
 * is the pages that cost. */
struct batch {
    dlw_node nodes[BATCH];
    uint16_t at[BATCH]; /* offset of each lock's mark in the bytes that were read */
    uint8_t span[BATCH];
    struct iovec spans[BATCH];
    unsigned n, n_spans, n_bytes;
};

static unsigned bytes_before(const struct batch *batch, unsigned span)
{
    unsigned n = 0;

    for (unsigned i = 0; i < span; i++)
        n += (unsigned)batch->spans[i].iov_len;
    return n;
}

static bool batch_add(struct batch *batch, dlw_node node, uintptr_t place)
{
    struct iovec *last = batch->n_spans ? &batch->spans[batch->n_spans - 1] : NULL;
    uintptr_t start = last ? (uintptr_t)last->iov_base : 0;
    size_t more = sizeof(uint64_t);

    if (last && start >> PAGE_SHIFT == place >> PAGE_SHIFT && place >= start + last->iov_len)
        more += place - start - last->iov_len;
    else
        last = NULL;
    if (batch->n == BATCH || batch->n_bytes + more > BATCH_BYTES)
        return false;
    if (last)
        last->iov_len += more;
    else
        batch->spans[batch->n_spans++] = (struct iovec){(void *)place, more}; /* NOLINT */
    batch->n_bytes += (unsigned)more;
    batch->nodes[batch->n] = node;
    batch->span[batch->n] = (uint8_t)(batch->n_spans - 1);
    batch->at[batch->n++] = (uint16_t)(batch->n_bytes - sizeof(uint64_t));
    return true;
}

/*
 * Retires the locks whose id word no longer holds their mark. The kernel copies the words, so that
 * memory that was unmapped gives an error and no fault; the copy stops at that span, which lies on
 * one page.
 */
static void retire_dead(struct batch *batch)
{
    char bytes[BATCH_BYTES];
    unsigned i = 0;
    enum { FAULT = -14 };

    while (i < batch->n) {
        unsigned span = batch->span[i];
        unsigned from = bytes_before(batch, span);
        struct iovec local = {bytes, batch->n_bytes - from};
        long got = dlw_syscall(SYS_process_vm_readv, dlw_syscall(SYS_gettid), &local, 1,
                               &batch->spans[span], batch->n_spans - span, 0);
        if (got < 0 && got != FAULT)
            break;
        for (; i < batch->n && batch->at[i] - from + (long)sizeof(uint64_t) <= got; i++) {
            dlw_node node = batch->nodes[i];
            uint64_t mark;
            memcpy(&mark, bytes + (batch->at[i] - from), sizeof(mark));
            if (mark != mark_of(node, records[node].address))
                retire(node);
        }
        for (span = i < batch->n ? batch->span[i] : 0; i < batch->n && batch->span[i] == span; i++)
            retire(batch->nodes[i]);
    }
    batch->n = batch->n_spans = batch->n_bytes = 0;
}

/* Looks at a slice of all records: twice as many as were made since the last sweep, so that dead
 * locks never outnumber living ones for long. */
void dlw_locks_sweep_locked(void)
{
    static dlw_node next = 1;
    enum { SLICE = 8192 };
    struct batch batch = {.n = 0};

    if (atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return;
    for (unsigned i = 0; i < SLICE && i < room; i++, next++) {
        if (next >= room)
            next = 1;
        const struct record *record = &records[next];
        uintptr_t place = record->address && record->marked ? mark_place(record) : 0;
        if (place && !batch_add(&batch, next, place)) {
            retire_dead(&batch);
            batch_add(&batch, next, place);
        }
    }
    retire_dead(&batch);
}
