/*
 * Who signalled a condition last, where and how often: what one asks first when a thread waits for
 * it for ever. Kept per address in a table of fixed size, by plain stores: a signal is cheap, and
 * the table is read when nobody moves any more.
 */
#ifndef DLW_WATCH_LAST_SIGNAL_H
#define DLW_WATCH_LAST_SIGNAL_H

#include "graph/finding.h"
#include "interpose/threads/record.h"

/* The calling thread signals the condition; `pc` is where it was called from. No lock is taken. */
void dlw_last_signal_note(const struct dlw_thread *self, const void *condition, uintptr_t pc);
/* The condition is no more; another may come to live at its address. */
void dlw_last_signal_forget(const void *condition);

/* What is known of a condition's signals. */
struct dlw_signal_facts {
    uint64_t count;  /* 0: none was seen */
    uint32_t thread; /* the last; 0: not known */
    uintptr_t pc;
    uint64_t after; /* waits begun by then (motion.h) */
};
/* False: nothing is known, since another condition took the place in the table. */
bool dlw_last_signal_find(uintptr_t condition, struct dlw_signal_facts *out);

#endif
