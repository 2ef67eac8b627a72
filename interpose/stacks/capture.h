/*
 * Where threads are and where they took what they hold, as interned stacks (intern.h). Called with
 * no internal lock held and the caller's guard up. 0 is "not known".
 */
#ifndef DLW_STACKS_CAPTURE_H
#define DLW_STACKS_CAPTURE_H

#include "interpose/stacks/intern.h"
#include "interpose/threads/record.h"

/* A thread's stack, walked once and used for several captures. */
struct dlw_live {
    unsigned n, room;
    enum dlw_walk_end end;
    struct dlw_walked *frames;      /* `room` of them */
    uintptr_t sp;                   /* where the first begins */
    struct dlw_python_frame *lines; /* of Python; `room_of_lines` of them */
    uint32_t *numbers;              /* theirs (lines.h), as far as they were asked for... */
    unsigned *n_numbers;            /* ...from the first on */
    unsigned n_lines, room_of_lines;
    bool lines_are_cut;
};

/* Lies on the caller's stack, which may be small: no larger than the frames that are kept. Without
 * a Python there is no room for lines, also where one is found by the walk itself. */
#define DLW_LIVE_ON_STACK(name)                                                                    \
    struct dlw_walked name##_frames[dlw_options.stack_depth + 1];                                  \
    const unsigned name##_room_of_lines =                                                          \
        dlw_python() ? (unsigned)dlw_options.stack_depth + 1 : 0;                                  \
    struct dlw_python_frame name##_lines[name##_room_of_lines + 1];                                \
    uint32_t name##_numbers[name##_room_of_lines + 1];                                             \
    unsigned name##_n_numbers = 0;                                                                 \
    struct dlw_live name = {.room = (unsigned)dlw_options.stack_depth + 1,                         \
                            .end = DLW_WALK_LOST,                                                  \
                            .frames = name##_frames,                                               \
                            .lines = name##_lines,                                                 \
                            .numbers = name##_numbers,                                             \
                            .n_numbers = &name##_n_numbers,                                        \
                            .room_of_lines = name##_room_of_lines}

void dlw_live_walk(struct dlw_thread *self, const struct dlw_call *call, struct dlw_live *out);
uint32_t dlw_stack_of_live(const struct dlw_live *live);
/* Where a held lock was taken; `live` is the same thread's stack now. Kept in the entry. */
uint32_t dlw_stack_of_held(struct dlw_thread *self, struct dlw_held_lock *held,
                           const struct dlw_live *live);
/* Is the call still on in which the calling thread took this, and did it run nothing of Python's
 * since? `live` is its stack now. */
bool dlw_stack_is_in_native_call(const struct dlw_thread *self, const struct dlw_held_lock *held,
                                 const struct dlw_live *live);
/*
 * The stack of another thread that waits; copied first, then walked. 0 when its wait's sequence is
 * no longer `sequence` afterwards.
 */
uint32_t dlw_stack_of_waiting(struct dlw_thread *thread, uint64_t sequence);
/* As above for what a waiting thread holds. */
uint32_t dlw_stack_of_waiting_held(struct dlw_thread *thread, uint64_t sequence,
                                   const struct dlw_held_lock *held);
/* Of any thread: exact while it waits, else what was noted at the lock and nothing further out. */
uint32_t dlw_stack_of_others_held(struct dlw_thread *thread, uintptr_t lock);
uint32_t dlw_stack_of_pc(uintptr_t pc);
/* The innermost return addresses of a thread that has ended. */
uint32_t dlw_stack_of_ended(const uintptr_t *pc, uint32_t n);

#endif
