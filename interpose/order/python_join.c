#include "interpose/order/python_join.h"

#include "interpose/base/state.h"
#include "interpose/locks/annotation.h"
#include "interpose/locks/ref.h"
#include "interpose/order/segments.h"

#include <errno.h>

static void publish(struct dlw_thread *self, sem_t *semaphore)
{
    struct dlw_lock_ref ref = dlw_semaphore_ref(semaphore);

    dlw_lock_becomes_signal(&ref);
    if (!dlw_lock_acquire(&dlw_graph_lock))
        return;
    if (dlw_annotation_publish_locked(ref.address, self->segment))
        /* Relaxed: the post that follows orders it before what a joiner reads. */
        atomic_store_explicit(ref.id, DLW_MARK_ENDED, memory_order_relaxed);
    dlw_lock_release(&dlw_graph_lock);
}

void dlw_python_ends(struct dlw_thread *self, uint32_t index)
{
    sem_t *semaphore = (sem_t *)self->python_end; /* NOLINT(performance-no-int-to-ptr) */

    self->python_end = 0;
    /* Of the place that took it nothing is learned. */
    dlw_held_at(self, index)->flags &= (uint8_t)~DLW_HELD_TRIAL;
    dlw_guard_enter(self);
    publish(self, semaphore);
    dlw_learn_goes_on(self);
    dlw_guard_leave(self);
}

int dlw_python_joined(struct dlw_thread *self, const sem_t *semaphore)
{
    dlw_segment before = 0;
    int kept = errno;

    dlw_guard_enter(self);
    if (dlw_lock_acquire(&dlw_graph_lock)) {
        before = dlw_annotation_published_locked((uintptr_t)semaphore);
        dlw_lock_release(&dlw_graph_lock);
    }
    dlw_learn_joined(self, before); /* gives the reference back */
    dlw_guard_leave(self);
    errno = kept;
    return 0;
}
