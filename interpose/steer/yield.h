/* A lock that was just taken is given back for a while, before its call returns. */
#ifndef DLW_STEER_YIELD_H
#define DLW_STEER_YIELD_H

#include "interpose/threads/held.h"

/* Of a kind, and taken by a call, of which nobody can tell that it was given back. */
bool dlw_yield_is_possible(struct dlw_thread *self, const struct dlw_held_lock *held);

/* It goes: its entry too. The guard is down. */
void dlw_yield_gives_back(struct dlw_thread *self, struct dlw_held_lock *held);
/* And comes back, whoever has it meanwhile: a wait like that of the call itself. NULL: the library
 * has switched itself off. */
struct dlw_held_lock *dlw_yield_takes_again(struct dlw_thread *self,
                                            const struct dlw_held_lock *was, struct dlw_call call);

/* Is a chain of waits under way from one of these threads (by tid) to this one? */
bool dlw_yield_is_waited_for(struct dlw_thread *self, const uint32_t *tids, uint32_t n);

#endif
