/* What a lock's own word says of its holder. */
#ifndef DLW_LOCKS_OWNERSHIP_H
#define DLW_LOCKS_OWNERSHIP_H

#include "interpose/threads/record.h"

/* The tid that a mutex names as its owner. Its memory is read. */
uint32_t dlw_mutex_owner_at(uintptr_t mutex);
/* Does the lock's own word agree that this thread holds it? */
bool dlw_held_is_owned(struct dlw_thread *self, const struct dlw_held_lock *held);
/* Drops entries that the locks themselves deny (another thread unlocked them). */
void dlw_held_purge(struct dlw_thread *self);

#endif
