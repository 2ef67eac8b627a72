#include "interpose/locks/annotation.h"

#include "interpose/base/state.h"

#include <string.h>

#define uthash_nonfatal_oom(element) ((element)->address = 0)
#include "interpose/base/table.h"

/* All of this file under the graph lock. */

struct annotation {
    UT_hash_handle hh;
    uintptr_t address; /* 0: could not be added */
    uintptr_t created; /* place of the call */
    uintptr_t object;  /* that the program knows, and this lock is a part of; 0: the lock itself */
    const char *name, *class_name;
    int level;
    bool is_bound; /* to the lock that has a record now */
    bool is_signal;
    bool is_in_pair;
    dlw_segment published; /* with a reference */
};
static struct annotation *annotations;
_Atomic uint32_t dlw_annotations, dlw_annotated_signals;

/* A pair of locks (their addresses) or of classes (addresses of their interned names). */
struct pair_key {
    uintptr_t outer, inner;
};
struct pair {
    UT_hash_handle hh;
    struct pair_key key;
    uintptr_t address; /* 0: could not be added */
};
static struct pair *pairs;

struct word {
    UT_hash_handle hh;
    uintptr_t address; /* 0: could not be added */
    char text[];
};
static struct word *words;

/* Levels, pairs: what makes an order intended. */
static bool has_intents;

static const char *intern(const char *text)
{
    size_t length = strlen(text);
    struct word *word = NULL;

    HASH_FIND(hh, words, text, length, word);
    if (word)
        return word->text;
    word = dlw_arena_alloc(&arena, sizeof(*word) + length + 1);
    if (!word)
        return NULL;
    word->address = 1;
    memcpy(word->text, text, length + 1);
    HASH_ADD_KEYPTR(hh, words, word->text, length, word);
    if (word->address)
        return word->text;
    dlw_arena_free(&arena, word, sizeof(*word) + length + 1);
    return NULL;
}

const char *dlw_annotation_scope_locked(const char *name)
{
    return intern(name);
}

static struct annotation *find(uintptr_t address)
{
    struct annotation *found = NULL;

    HASH_FIND(hh, annotations, &address, sizeof(address), found);
    return found;
}

/* The annotation of the address, made if there is none. It is for the lock that lives there from
 * now on. */
static struct annotation *get(uintptr_t address)
{
    struct annotation *annotation = find(address);

    if (annotation) {
        annotation->is_bound = false;
        return annotation;
    }
    annotation = dlw_arena_alloc(&arena, sizeof(*annotation));
    if (!annotation)
        return NULL;
    annotation->address = address;
    HASH_ADD(hh, annotations, address, sizeof(annotation->address), annotation);
    if (!annotation->address) {
        dlw_arena_free(&arena, annotation, sizeof(*annotation));
        return NULL;
    }
    atomic_fetch_add_explicit(&dlw_annotations, 1, memory_order_relaxed);
    return annotation;
}

/* Chains that were validated before may be intended now, or no longer be: all are asked again. */
static void intents_changed(void)
{
    has_intents = true;
    atomic_fetch_add_explicit(&dlw_generation.value, 1, memory_order_relaxed);
}

/* ---- what is said ---- */

bool dlw_annotation_created_locked(uintptr_t lock, uintptr_t place)
{
    struct annotation *annotation = get(lock);

    if (annotation)
        annotation->created = place;
    return annotation != NULL;
}

bool dlw_annotation_name_locked(uintptr_t lock, const char *name)
{
    struct annotation *annotation = get(lock);

    if (!annotation)
        return false;
    annotation->name = intern(name);
    return annotation->name != NULL;
}

bool dlw_annotation_part_of_locked(uintptr_t lock, uintptr_t object, uintptr_t place)
{
    struct annotation *annotation = get(lock);

    if (annotation) {
        annotation->object = object;
        annotation->created = place;
    }
    return annotation != NULL;
}

bool dlw_annotation_class_locked(uintptr_t lock, const char *name, int level)
{
    struct annotation *annotation = get(lock);
    const char *interned = intern(name);

    if (!annotation || !interned)
        return false;
    if (annotation->class_name != interned || annotation->level != level)
        intents_changed();
    annotation->class_name = interned;
    annotation->level = level;
    return true;
}

static bool has_pair(uintptr_t outer, uintptr_t inner)
{
    struct pair_key key = {outer, inner};
    struct pair *found = NULL;

    HASH_FIND(hh, pairs, &key, sizeof(key), found); /* NOLINT: the key is read as bytes */
    return found != NULL;
}

static bool add_pair(uintptr_t outer, uintptr_t inner)
{
    if (has_pair(outer, inner))
        return true;
    struct pair *pair = dlw_arena_alloc(&arena, sizeof(*pair));
    if (!pair)
        return false;
    pair->key = (struct pair_key){outer, inner};
    pair->address = 1;
    HASH_ADD(hh, pairs, key, sizeof(pair->key), pair);
    bool is_added = pair->address != 0;
    if (!is_added)
        dlw_arena_free(&arena, pair, sizeof(*pair));
    intents_changed();
    return is_added;
}

bool dlw_annotation_intended_locked(uintptr_t outer, uintptr_t inner)
{
    struct annotation *a = get(outer);
    struct annotation *b = get(inner);

    if (!a || !b)
        return false;
    a->is_in_pair = b->is_in_pair = true;
    return add_pair(outer, inner);
}

bool dlw_annotation_intended_classes_locked(const char *outer, const char *inner)
{
    const char *a = intern(outer);
    const char *b = intern(inner);

    return a && b && add_pair((uintptr_t)a, (uintptr_t)b);
}

bool dlw_annotation_signal_locked(uintptr_t lock)
{
    struct annotation *annotation = get(lock);

    if (annotation && !annotation->is_signal) {
        annotation->is_signal = true;
        atomic_fetch_add_explicit(&dlw_annotated_signals, 1, memory_order_relaxed);
    }
    return annotation != NULL;
}

/* ---- what is asked ---- */

bool dlw_annotation_is_signal_locked(uintptr_t lock)
{
    const struct annotation *annotation = dlw_annotation_is_any_signal() ? find(lock) : NULL;

    return annotation && annotation->is_signal;
}

unsigned dlw_annotation_intent_locked(uintptr_t outer, uintptr_t inner)
{
    if (!has_intents)
        return DLW_INTENT_NONE;
    if (has_pair(outer, inner))
        return DLW_INTENT_VOUCHED;
    const struct annotation *a = find(outer);
    const struct annotation *b = a && a->class_name ? find(inner) : NULL;
    if (!b || !b->class_name)
        return DLW_INTENT_NONE;
    if (has_pair((uintptr_t)a->class_name, (uintptr_t)b->class_name))
        return DLW_INTENT_VOUCHED;
    return a->class_name == b->class_name && a->level < b->level ? DLW_INTENT_RISING
                                                                 : DLW_INTENT_NONE;
}

void dlw_annotation_facts_locked(struct dlw_lock_facts *facts)
{
    const struct annotation *annotation = dlw_annotation_is_any() ? find(facts->address) : NULL;

    if (!annotation)
        return;
    facts->name = annotation->name;
    facts->class_name = annotation->class_name;
    if (annotation->object)
        facts->address = annotation->object;
    if (!facts->created || annotation->object)
        facts->created = annotation->created;
}

/* ---- life ---- */

void dlw_annotation_bind_locked(uintptr_t lock)
{
    struct annotation *annotation = dlw_annotation_is_any() ? find(lock) : NULL;

    if (annotation)
        annotation->is_bound = true;
}

/* Drops the pairs that name this lock: they don't hold for the next lock at its address. Rare: few
 * locks are in a pair, and pairs are few. */
static void forget_pairs(uintptr_t lock)
{
    struct pair *pair = NULL;
    struct pair *next = NULL;

    HASH_ITER(hh, pairs, pair, next)
    {
        if (pair->key.outer != lock && pair->key.inner != lock)
            continue;
        HASH_DEL(pairs, pair);
        dlw_arena_free(&arena, pair, sizeof(*pair));
    }
    intents_changed();
}

static void drop(struct annotation *annotation)
{
    if (annotation->is_in_pair)
        forget_pairs(annotation->address);
    if (annotation->published)
        dlw_life_unref(dlw_life_graph, annotation->published);
    if (annotation->is_signal)
        atomic_fetch_sub_explicit(&dlw_annotated_signals, 1, memory_order_relaxed);
    HASH_DEL(annotations, annotation);
    dlw_arena_free(&arena, annotation, sizeof(*annotation));
    atomic_fetch_sub_explicit(&dlw_annotations, 1, memory_order_relaxed);
}

void dlw_annotation_forget_locked(uintptr_t address)
{
    struct annotation *annotation = dlw_annotation_is_any() ? find(address) : NULL;

    if (annotation)
        drop(annotation);
}

void dlw_annotation_unbind_locked(uintptr_t lock)
{
    struct annotation *annotation = dlw_annotation_is_any() ? find(lock) : NULL;

    if (annotation && annotation->is_bound)
        drop(annotation);
}

/* ---- happens before ---- */

bool dlw_annotation_publish_locked(uintptr_t object, dlw_segment segment)
{
    struct annotation *annotation = get(object);

    if (annotation)
        annotation->published = dlw_life_gather(dlw_life_graph, annotation->published, segment);
    return annotation != NULL;
}

dlw_segment dlw_annotation_published_locked(uintptr_t object)
{
    const struct annotation *annotation = dlw_annotation_is_any() ? find(object) : NULL;
    dlw_segment segment = annotation ? annotation->published : 0;

    if (segment)
        dlw_life_ref(dlw_life_graph, segment);
    return segment;
}
