/*
 * What the program said of its locks (dlwatch.h), by address: names, classes, levels, orders that
 * it means; and the objects that carry "happens before".
 *
 * An annotation belongs to the lock that lives at its address. It goes when the lock is destroyed
 * or initialised, and with the lock's record when another lock was found in its place; one that was
 * made before its lock had a record waits for it.
 *
 * All calls but the hints want the graph lock. Those that return bool say false when
 * memory is out. Texts are interned and never go.
 */
#ifndef DLW_LOCKS_ANNOTATION_H
#define DLW_LOCKS_ANNOTATION_H

#include "interpose/locks/identity.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

extern _Atomic uint32_t dlw_annotations, dlw_annotated_signals;

/* Was anything said of any address? A hint for those who don't hold the lock. */
static inline bool dlw_annotation_is_any(void)
{
    return atomic_load_explicit(&dlw_annotations, memory_order_relaxed) != 0;
}

/* Is any lock a signal? A hint as well. */
static inline bool dlw_annotation_is_any_signal(void)
{
    return atomic_load_explicit(&dlw_annotated_signals, memory_order_relaxed) != 0;
}

bool dlw_annotation_created_locked(uintptr_t lock, uintptr_t place);
/* A library keeps the lock for an object that the program knows, and that was made at `place` (0:
 * not known): reports speak of that object. */
bool dlw_annotation_part_of_locked(uintptr_t lock, uintptr_t object, uintptr_t place);
bool dlw_annotation_name_locked(uintptr_t lock, const char *name);
bool dlw_annotation_class_locked(uintptr_t lock, const char *name, int level);
bool dlw_annotation_intended_locked(uintptr_t outer, uintptr_t inner);
bool dlw_annotation_intended_classes_locked(const char *outer, const char *inner);
/* Another thread than its holder let go of it: it has no owner. */
bool dlw_annotation_signal_locked(uintptr_t lock);
bool dlw_annotation_is_signal_locked(uintptr_t lock);

/* enum dlw_intent of asking for `inner` while `outer` is held. */
unsigned dlw_annotation_intent_locked(uintptr_t outer, uintptr_t inner);
/* Fills in name, class and place of creation. */
void dlw_annotation_facts_locked(struct dlw_lock_facts *facts);

/* A record was made for the lock at this address, or given up. */
void dlw_annotation_bind_locked(uintptr_t lock);
void dlw_annotation_unbind_locked(uintptr_t lock);
void dlw_annotation_forget_locked(uintptr_t address);

/* The name of a scope, for dlw_life_enter: the same text has the same address. NULL: memory is out.
 */
const char *dlw_annotation_scope_locked(const char *name);

/* Everything in `segment` comes before what takes the object's segment up. */
bool dlw_annotation_publish_locked(uintptr_t object, dlw_segment segment);
/* With a reference for the caller; 0: nothing was published. */
dlw_segment dlw_annotation_published_locked(uintptr_t object);

#endif
