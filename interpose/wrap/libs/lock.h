/*
 * Locks that libraries make themselves, as the wrappers of all libraries see them: known by
 * address, of kind custom, without an owner word. Who holds one stands on the held stacks only.
 *
 * To add a library:
 *   1. A file here with a wrapper for each function that takes, tries, lets go of, makes or ends a
 *      lock, and for waits that give one up meanwhile (conditions). Each begins with
 *      dlw_thread_passes() and then is the real function alone; calls what it wraps through its own
 *      pointer; and is the frame that the program called (DLW_FRAME_HERE, DLW_CALL_HERE). The
 *      functions below say what happened. glib.c has every kind of them.
 *   2. A wait is told of before it begins: where a try tells that the lock is busy, else always
 *      (unless it is known that nobody has it: critical sections). Waits that the library makes
 * meanwhile, by a futex or a pthread call, then pass: they are this one.
 *   3. A table of names, wrappers and pointers, with an entry for each wrapper (DLW_ENTRY,
 *      base/arch/arch.h), and the library with the beginning of its file's
 *      name in libs.c. They are not exported: base/patch.h says how calls get there. A function
 *      that older or newer versions lack may stand in the table.
 *   4. Only what the program itself calls is seen, not what the library calls of its own; so the
 *      functions that take and let go of one lock must all be in the table.
 *   5. Cases in tests/cases, loud and quiet (glib_*, openmp_*); the library's name in README's
 *      "Libraries' locks".
 */
#ifndef DLW_WRAP_LIBS_LOCK_H
#define DLW_WRAP_LIBS_LOCK_H

#include "interpose/order/acquire.h"
#include "interpose/watch/wait.h"

static inline struct dlw_lock_ref dlw_lib_lock_ref(const void *lock)
{
    return (struct dlw_lock_ref){.address = (uintptr_t)lock, .kind = DLW_LOCK_CUSTOM};
}

/* It is busy, and the thread is about to wait for it: to be ended by dlw_wait_end. */
void dlw_lib_lock_wait(struct dlw_thread *self, const void *lock, struct dlw_call call);

/* It was taken, with DLW_HELD_TRY or 0, by a call that has counted itself. */
static DLW_HOT void dlw_lib_lock_taken(struct dlw_thread *self, const void *lock, unsigned flags,
                                       const struct dlw_frame *from)
{
    self->calls--; /* the trail counts it (threads/trail.h) */
    dlw_acquire(self, (void *)(uintptr_t)lock, dlw_lock_tenant((uintptr_t)lock, DLW_LOCK_CUSTOM),
                NULL, DLW_TRAITS(DLW_LOCK_CUSTOM, DLW_EXCLUSIVE, flags, 1), from);
}

/* What the lock's own word says, where it is known. */
enum dlw_lib_lock_word { DLW_LIB_LOCK_FREE, DLW_LIB_LOCK_TAKEN, DLW_LIB_LOCK_UNKNOWN };

/* It is about to be let go of; the thread may pass. Told if another thread holds it, or nobody. */
void dlw_lib_lock_released(struct dlw_thread *self, const void *lock, enum dlw_lib_lock_word word,
                           struct dlw_call call);

/* It begins to live here. */
void dlw_lib_lock_created(struct dlw_thread *self, const void *lock, struct dlw_call call);
/* It is about to end; told if somebody holds it. */
void dlw_lib_lock_ends(struct dlw_thread *self, const void *lock, enum dlw_lib_lock_word word,
                       struct dlw_call call);

#endif
