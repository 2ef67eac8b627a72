#include "report/command/merge/history.h"

#include "report/command/base/command.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_FIND(table, wanted, out)                                                             \
    HASH_FIND(entity.hh, table, &(wanted), sizeof(struct dlw_key), out)
#define TABLE_ADD(table, entry)                                                                    \
    HASH_ADD(entity.hh, table, entity.key, sizeof(struct dlw_key), entry)

struct dlw_history *dlw_history_new(struct dlw_symbols *symbols)
{
    struct dlw_region region = {0};
    struct dlw_history *history = dlw_region_alloc(&region, sizeof(*history));
    history->region = region;
    history->symbols = symbols;
    return history;
}

void dlw_history_free(struct dlw_history *history)
{
    struct dlw_h_edge *edge, *next;
    HASH_ITER(entity.hh, history->edges, edge, next)
    for (size_t i = 0; i < edge->n; i++)
        dlw_seen_free(&edge->variants[i].journals);
    HASH_CLEAR(entity.hh, history->journals);
    HASH_CLEAR(entity.hh, history->modules);
    HASH_CLEAR(entity.hh, history->stacks);
    HASH_CLEAR(entity.hh, history->roles);
    HASH_CLEAR(entity.hh, history->names);
    HASH_CLEAR(entity.hh, history->locks);
    HASH_CLEAR(entity.hh, history->edges);
    HASH_CLEAR(entity.hh, history->findings);
    struct dlw_region region = history->region;
    dlw_region_free(&region);
}

/* Two FNV-1a sums with different beginnings and primes. */
void dlw_key_add(struct dlw_key *key, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < n; i++) {
        key->a = (key->a ^ at[i]) * 0x100000001b3u;
        key->b = (key->b ^ at[i]) * 0x9e3779b97f4a7c15u;
    }
}

struct dlw_key dlw_key_of(const void *bytes, size_t n)
{
    struct dlw_key key = {0xcbf29ce484222325u, 0x84222325cbf29ce4u};
    dlw_key_add(&key, bytes, n);
    return key;
}

void dlw_key_add_text(struct dlw_key *key, const char *text)
{
    dlw_key_add(key, text ? text : "\x01", text ? strlen(text) + 1 : 2);
}

int dlw_key_compare(const struct dlw_key *a, const struct dlw_key *b)
{
    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    return a->b == b->b ? 0 : a->b < b->b ? -1 : 1;
}

static void add_entity(struct dlw_key *key, const struct dlw_entity *entity)
{
    static const struct dlw_key none;
    dlw_key_add(key, entity ? &entity->key : &none, sizeof(*key));
}

/* ---- the smallest of two, where NULL is larger than everything ---- */

static const char *smaller_text(const char *a, const char *b)
{
    if (!a || !b)
        return a ? a : b;
    return strcmp(a, b) <= 0 ? a : b;
}

static struct dlw_h_stack *smaller_stack(struct dlw_h_stack *a, struct dlw_h_stack *b)
{
    if (!a || !b)
        return a ? a : b;
    return dlw_key_compare(&a->entity.key, &b->entity.key) <= 0 ? a : b;
}

struct dlw_h_module *dlw_h_module(struct dlw_history *history, const char *path,
                                  const char *build_id)
{
    struct dlw_key key = dlw_key_of("module", 6);
    struct dlw_h_module *module;
    dlw_key_add_text(&key, path);
    dlw_key_add_text(&key, build_id);
    TABLE_FIND(history->modules, key, module);
    if (module)
        return module;
    module = dlw_region_alloc(&history->region, sizeof(*module));
    module->entity.key = key;
    module->path = dlw_region_copy(&history->region, path);
    module->build_id = dlw_region_copy(&history->region, build_id);
    TABLE_ADD(history->modules, module);
    return module;
}

static void add_line(struct dlw_key *key, const struct dlw_h_frame *frame)
{
    dlw_key_add_text(key, frame->language);
    dlw_key_add_text(key, frame->file);
    dlw_key_add_text(key, frame->function);
    dlw_key_add(key, &frame->line, sizeof(frame->line));
}

struct dlw_key dlw_h_stack_key(const struct dlw_h_stack *draft)
{
    struct dlw_key key = dlw_key_of("stack", 5);
    for (size_t i = 0; i < draft->n; i++) {
        add_entity(&key, draft->frames[i].module ? &draft->frames[i].module->entity : NULL);
        dlw_key_add(&key, &draft->frames[i].offset, sizeof(uint64_t));
        dlw_key_add_text(&key, draft->frames[i].unknown);
        if (draft->frames[i].language)
            add_line(&key, &draft->frames[i]);
    }
    dlw_key_add(&key, &draft->cut, sizeof(draft->cut));
    return key;
}

struct dlw_h_stack *dlw_h_stack(struct dlw_history *history, const struct dlw_h_stack *draft)
{
    struct dlw_key key = dlw_h_stack_key(draft);
    struct dlw_h_stack *stack;
    TABLE_FIND(history->stacks, key, stack);
    if (stack)
        return stack;
    stack = dlw_region_alloc(&history->region, sizeof(*stack));
    *stack = *draft;
    stack->entity = (struct dlw_entity){.key = key};
    stack->frames = dlw_region_alloc(&history->region, (draft->n + 1) * sizeof(*stack->frames));
    if (draft->n)
        memcpy(stack->frames, draft->frames, draft->n * sizeof(*stack->frames));
    for (size_t i = 0; i < stack->n; i++) {
        struct dlw_h_frame *frame = &stack->frames[i];
        frame->unknown = dlw_region_copy(&history->region, frame->unknown);
        frame->language = dlw_region_copy(&history->region, frame->language);
        frame->file = dlw_region_copy(&history->region, frame->file);
        frame->function = dlw_region_copy(&history->region, frame->function);
    }
    TABLE_ADD(history->stacks, stack);
    return stack;
}

struct dlw_h_role *dlw_h_role(struct dlw_history *history, const struct dlw_h_role *draft)
{
    struct dlw_key key = dlw_key_of("role", 4);
    struct dlw_h_role *role;
    dlw_key_add(&key, &draft->is_main, sizeof(draft->is_main));
    if (!draft->is_main) {
        const struct dlw_h_stack *by = draft->start ? draft->start : draft->created;
        add_entity(&key, by ? &by->entity : NULL);
        dlw_key_add_text(&key, by ? NULL : draft->name);
    }
    TABLE_FIND(history->roles, key, role);
    if (!role) {
        role = dlw_region_alloc(&history->region, sizeof(*role));
        role->entity.key = key;
        role->is_main = draft->is_main;
        TABLE_ADD(history->roles, role);
    }
    if (smaller_text(draft->name, role->name) != role->name)
        role->name = dlw_region_copy(&history->region, draft->name);
    role->is_several |= draft->is_several;
    role->start = smaller_stack(role->start, draft->start);
    role->created = smaller_stack(role->created, draft->created);
    return role;
}

static struct dlw_key key_of_name(const struct dlw_h_role *role, const char *program)
{
    struct dlw_key key = dlw_key_of("name", 4);
    add_entity(&key, &role->entity);
    dlw_key_add_text(&key, program);
    return key;
}

void dlw_h_name(struct dlw_history *history, struct dlw_h_role *role, const char *program,
                const char *name)
{
    struct dlw_h_name *known;
    if (!role || !program || !name)
        return;
    struct dlw_key key = key_of_name(role, program);
    TABLE_FIND(history->names, key, known);
    if (!known) {
        known = dlw_region_alloc(&history->region, sizeof(*known));
        known->entity.key = key;
        known->role = role;
        known->program = dlw_region_copy(&history->region, program);
        TABLE_ADD(history->names, known);
    }
    if (smaller_text(name, known->name) != known->name)
        known->name = dlw_region_copy(&history->region, name);
}

const char *dlw_h_name_of(struct dlw_history *history, const struct dlw_h_role *role,
                          const char *program)
{
    struct dlw_h_name *known = NULL;
    if (role && program) {
        struct dlw_key key = key_of_name(role, program);
        TABLE_FIND(history->names, key, known);
    }
    return known ? known->name : NULL;
}

static bool is_smaller_place(const struct dlw_h_lock *a, const struct dlw_h_lock *b)
{
    if (!a->module || !b->module)
        return a->module != NULL;
    int order = dlw_key_compare(&a->module->entity.key, &b->module->entity.key);
    return order < 0 || (order == 0 && a->offset < b->offset);
}

struct dlw_h_lock *dlw_h_lock(struct dlw_history *history, const struct dlw_h_lock *draft)
{
    struct dlw_region *region = &history->region;
    struct dlw_key key = dlw_key_of("lock", 4);
    struct dlw_h_lock *lock;
    dlw_key_add_text(&key, draft->lasting);
    dlw_key_add_text(&key, draft->kind);
    TABLE_FIND(history->locks, key, lock);
    if (!lock) {
        lock = dlw_region_alloc(region, sizeof(*lock));
        lock->entity.key = key;
        lock->lasting = dlw_region_copy(region, draft->lasting);
        lock->kind = dlw_region_copy(region, draft->kind);
        TABLE_ADD(history->locks, lock);
    }
    if (smaller_text(draft->attributes, lock->attributes) != lock->attributes)
        lock->attributes = dlw_region_copy(region, draft->attributes);
    if (smaller_text(draft->name, lock->name) != lock->name)
        lock->name = dlw_region_copy(region, draft->name);
    if (smaller_text(draft->class_name, lock->class_name) != lock->class_name)
        lock->class_name = dlw_region_copy(region, draft->class_name);
    if (is_smaller_place(draft, lock)) {
        lock->module = draft->module;
        lock->offset = draft->offset;
    }
    lock->is_signal |= draft->is_signal;
    lock->outlives |= draft->outlives;
    lock->created = smaller_stack(lock->created, draft->created);
    lock->first = smaller_stack(lock->first, draft->first);
    if (draft->role &&
        (!lock->role || dlw_key_compare(&draft->role->entity.key, &lock->role->entity.key) < 0))
        lock->role = draft->role;
    return lock;
}

static struct dlw_key key_of_edge(const struct dlw_h_lock *from, const struct dlw_h_lock *to)
{
    struct dlw_key key = dlw_key_of("edge", 4);
    add_entity(&key, &from->entity);
    add_entity(&key, &to->entity);
    return key;
}

struct dlw_h_edge *dlw_h_known_edge(struct dlw_history *history, const struct dlw_h_lock *from,
                                    const struct dlw_h_lock *to)
{
    struct dlw_key key = key_of_edge(from, to);
    struct dlw_h_edge *edge;
    TABLE_FIND(history->edges, key, edge);
    return edge;
}

struct dlw_h_edge *dlw_h_edge(struct dlw_history *history, struct dlw_h_lock *from,
                              struct dlw_h_lock *to)
{
    struct dlw_h_edge *edge = dlw_h_known_edge(history, from, to);
    struct dlw_key key = key_of_edge(from, to);
    if (edge)
        return edge;
    edge = dlw_region_alloc(&history->region, sizeof(*edge));
    edge->entity.key = key;
    edge->from = from;
    edge->to = to;
    TABLE_ADD(history->edges, edge);
    return edge;
}

static int compare_gates(const void *a, const void *b)
{
    return dlw_key_compare(&(*(struct dlw_h_lock *const *)a)->entity.key,
                           &(*(struct dlw_h_lock *const *)b)->entity.key);
}

static size_t sort_gates(struct dlw_h_lock **gates, size_t n)
{
    size_t kept = 0;
    qsort(gates, n, sizeof(struct dlw_h_lock *), compare_gates);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || gates[i] != gates[kept - 1])
            gates[kept++] = gates[i];
    return kept;
}

static struct dlw_key key_of_variant(const struct dlw_h_variant *variant)
{
    struct dlw_key key = dlw_key_of("variant", 7);
    add_entity(&key, variant->role ? &variant->role->entity : NULL);
    for (size_t i = 0; i < variant->n_gates; i++)
        add_entity(&key, &variant->gates[i]->entity);
    uint8_t flags[] = {variant->from_mode, variant->to_mode, variant->timed};
    dlw_key_add(&key, flags, sizeof(flags));
    /* Where there are too many, those with the fewest gates stay: what one with more could prove,
     * they do. */
    key.a = key.a >> 8 | (uint64_t)(variant->n_gates < 255 ? variant->n_gates : 255) << 56;
    return key;
}

static void smaller_stacks(struct dlw_h_variant *kept, const struct dlw_h_variant *other)
{
    static const struct dlw_key none = {UINT64_MAX, UINT64_MAX};
    const struct dlw_key *a = kept->want ? &kept->want->entity.key : &none;
    const struct dlw_key *b = other->want ? &other->want->entity.key : &none;
    int order = dlw_key_compare(a, b);
    if (order == 0) {
        a = kept->hold ? &kept->hold->entity.key : &none;
        b = other->hold ? &other->hold->entity.key : &none;
        order = dlw_key_compare(a, b);
    }
    if (order > 0) {
        kept->want = other->want;
        kept->hold = other->hold;
    }
}

/* The smallest keys stay: whichever order they come in, the same ones do. */
struct dlw_h_variant *dlw_h_variant(struct dlw_history *history, struct dlw_h_edge *edge,
                                    const struct dlw_h_variant *draft)
{
    struct dlw_h_variant fresh = *draft;
    size_t at = 0;
    fresh.n_gates = sort_gates(fresh.gates, fresh.n_gates);
    fresh.key = key_of_variant(&fresh);
    while (at < edge->n && dlw_key_compare(&edge->variants[at].key, &fresh.key) < 0)
        at++;
    if (at < edge->n && dlw_key_compare(&edge->variants[at].key, &fresh.key) == 0) {
        smaller_stacks(&edge->variants[at], &fresh);
        return &edge->variants[at];
    }
    if (at == DLW_H_VARIANTS)
        return NULL;
    if (edge->n == DLW_H_VARIANTS)
        dlw_seen_free(&edge->variants[--edge->n].journals);
    edge->variants =
        dlw_region_grow(&history->region, edge->variants, edge->n, sizeof(edge->variants[0]));
    struct dlw_h_lock **gates =
        dlw_region_alloc(&history->region, (fresh.n_gates + 1) * sizeof(*gates));
    if (fresh.n_gates)
        memcpy(gates, fresh.gates, fresh.n_gates * sizeof(*gates));
    fresh.gates = gates;
    memmove(&edge->variants[at + 1], &edge->variants[at],
            (edge->n - at) * sizeof(edge->variants[0]));
    edge->variants[at] = fresh;
    edge->n++;
    return &edge->variants[at];
}

void dlw_h_scope(struct dlw_history *history, struct dlw_h_variant *variant,
                 const struct dlw_h_journal *journal, const char *scope)
{
    if (!journal || !scope)
        return;
    int order =
        variant->teller ? dlw_key_compare(&journal->entity.key, &variant->teller->entity.key) : -1;
    if (order > 0 || (order == 0 && strcmp(variant->scope, scope) <= 0))
        return;
    variant->teller = journal;
    variant->scope = dlw_region_copy(&history->region, scope);
}

static void add_hold(struct dlw_key *key, const struct dlw_h_hold *hold)
{
    uint8_t flags[] = {hold->shared, hold->timed};
    add_entity(key, hold->lock ? &hold->lock->entity : NULL);
    add_entity(key, hold->stack ? &hold->stack->entity : NULL);
    dlw_key_add(key, flags, sizeof(flags));
}

static struct dlw_key key_of_part(const struct dlw_h_part *part)
{
    struct dlw_key key = dlw_key_of("part", 4);
    add_hold(&key, &part->wants);
    dlw_key_add_text(&key, part->waits);
    dlw_key_add_text(&key, part->scope);
    add_entity(&key, part->stack ? &part->stack->entity : NULL);
    for (size_t i = 0; i < part->n_holds; i++)
        add_hold(&key, &part->holds[i]);
    return key;
}

/* A circle has no beginning: the smallest part comes first. */
static void turn(struct dlw_h_finding *finding, struct dlw_region *region)
{
    size_t first = 0, n = finding->n_parts;
    if (!finding->is_cycle || n < 2)
        return;
    struct dlw_h_part *turned = dlw_region_alloc(region, n * sizeof(*turned));
    struct dlw_key least = key_of_part(&finding->parts[0]);
    for (size_t i = 1; i < n; i++) {
        struct dlw_key key = key_of_part(&finding->parts[i]);
        if (dlw_key_compare(&key, &least) < 0) {
            least = key;
            first = i;
        }
    }
    for (size_t i = 0; i < n; i++)
        turned[i] = finding->parts[(first + i) % n];
    finding->parts = turned;
}

struct dlw_h_finding *dlw_h_finding(struct dlw_history *history, const struct dlw_h_finding *draft)
{
    struct dlw_h_finding fresh = *draft, *finding;
    struct dlw_key key = dlw_key_of("finding", 7);
    turn(&fresh, &history->region);
    dlw_key_add_text(&key, fresh.kind);
    dlw_key_add_text(&key, fresh.harmless);
    dlw_key_add(&key, &fresh.across, sizeof(fresh.across));
    for (size_t i = 0; i < fresh.n_parts; i++) {
        struct dlw_key part = key_of_part(&fresh.parts[i]);
        dlw_key_add(&key, &part, sizeof(part));
    }
    TABLE_FIND(history->findings, key, finding);
    if (!finding) {
        finding = dlw_region_alloc(&history->region, sizeof(*finding));
        *finding = fresh;
        finding->entity = (struct dlw_entity){.key = key};
        finding->kind = dlw_region_copy(&history->region, fresh.kind);
        finding->harmless = dlw_region_copy(&history->region, fresh.harmless);
        finding->reason = dlw_region_copy(&history->region, fresh.reason);
        TABLE_ADD(history->findings, finding);
        return finding;
    }
    /* What one run has no doubt of is an error in all; a join that a condition kept apart in one
     * only is a join. */
    if (fresh.doubt < finding->doubt)
        finding->doubt = fresh.doubt;
    if (smaller_text(fresh.reason, finding->reason) != finding->reason)
        finding->reason = dlw_region_copy(&history->region, fresh.reason);
    finding->certain |= fresh.certain;
    if (fresh.time < finding->time)
        finding->time = fresh.time;
    return finding;
}

void dlw_h_count(struct dlw_history *history, struct dlw_h_finding *finding, uint32_t journal,
                 uint64_t count)
{
    for (size_t i = 0; i < finding->n_counts; i++)
        if (finding->counts[i].journal == journal) {
            if (count > finding->counts[i].count)
                finding->counts[i].count = count;
            return;
        }
    finding->counts = dlw_region_grow(&history->region, finding->counts, finding->n_counts,
                                      sizeof(*finding->counts));
    finding->counts[finding->n_counts++] = (struct dlw_h_count){journal, count};
}

struct dlw_h_journal *dlw_h_journal(struct dlw_history *history, struct dlw_key key,
                                    const char *line, unsigned rank, const char *exe)
{
    struct dlw_h_journal *journal;
    TABLE_FIND(history->journals, key, journal);
    if (!journal) {
        journal = dlw_region_alloc(&history->region, sizeof(*journal));
        journal->entity.key = key;
        journal->index = history->n_journals;
        history->by_index = dlw_region_grow(&history->region, history->by_index,
                                            history->n_journals, sizeof(struct dlw_h_journal *));
        history->by_index[history->n_journals++] = journal;
        if (exe)
            journal->program = dlw_region_copy(&history->region, dlw_base_name(exe));
        TABLE_ADD(history->journals, journal);
    }
    if (!journal->line || rank > journal->rank ||
        (rank == journal->rank && strcmp(line, journal->line) < 0)) {
        journal->line = dlw_region_copy(&history->region, line);
        journal->rank = rank;
    }
    return journal;
}
