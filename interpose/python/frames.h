/*
 * The Python frames of a thread of this process. All but a thread's own, noted while it has the
 * GIL, is read through the kernel, so that nothing faults: other threads end, and free their
 * states. Some µs; called with no internal lock held.
 */
#ifndef DLW_PYTHON_FRAMES_H
#define DLW_PYTHON_FRAMES_H

#include "interpose/python/runtime.h"
#include "report/emit/python/frames.h"
#include "report/emit/python/objects.h"

/* A hint, kept by each thread for itself: it is believed where memory says the same. */
struct dlw_python_self {
    uintptr_t state, gil; /* 0: not known */
    uint32_t misses;      /* it was looked for in vain */
};

/* Up to `room` frames of the thread with that handle, innermost first. `hint` may be another
 * thread's. 0: it runs no Python, or can't be read. */
unsigned dlw_python_frames_of(uintptr_t handle, const struct dlw_python_self *hint,
                              struct dlw_python_frame *out, unsigned room, bool *is_cut);

/* What `threading` calls the thread with that handle, as UTF-8. `is_hinted`: only where the hint is
 * true, since to look for its state takes the longer the more threads there are. */
bool dlw_python_name_of(uintptr_t handle, const struct dlw_python_self *hint, bool is_hinted,
                        char *out, size_t room);

/* By the calling thread, which has the GIL and makes a thread for `threading`: does this build keep
 * its locks in words of their own, of which no call tells? */
bool dlw_python_keeps_locks_inline(uintptr_t handle, const struct dlw_python_self *hint);

/* Cold: finds the calling thread's state for the hint. */
void dlw_python_find_self(struct dlw_python_self *self, uintptr_t handle);

/* File, function and line of a frame. False: it is none, or no more. */
bool dlw_python_place_of(const struct dlw_python_frame *frame, struct dlw_python_place *out);
/* What tells whether the frames' code objects are still the ones that they were: some words of
 * each. Up to DLW_PROC_PIECES (base/proc.h) at once; 0: one of them can't be read. */
enum { DLW_STAMP_WORDS = 4 };
unsigned dlw_python_code_stamps(const struct dlw_python_frame *frames, unsigned n,
                                uint64_t out[][DLW_STAMP_WORDS]);

/*
 * The calling thread's innermost frame, in some ns and without asking the kernel, as it stands
 * there: code, instruction and the frame itself; then the frame that called it (0: none) and that
 * one's instruction. False: the thread has not the GIL, as far as is known, or runs no Python.
 */
enum {
    DLW_NOTED_CODE,
    DLW_NOTED_INSTRUCTION,
    DLW_NOTED_FRAME,
    DLW_NOTED_CALLER,
    DLW_NOTED_CALL,
    DLW_NOTED_WORDS
};
static inline bool dlw_python_note(struct dlw_python_self *self, uintptr_t handle,
                                   uintptr_t out[DLW_NOTED_WORDS]);
/* The frame that such words were noted of; the first two are looked at. */
struct dlw_python_frame dlw_python_noted(const uintptr_t *words);
/* The frame that called it, when `now` is that frame as it stands now. */
struct dlw_python_frame dlw_python_noted_caller(const uintptr_t *words,
                                                const struct dlw_python_frame *now);

/* ---- open to the hot path: each `with` comes here ---- */

static inline uintptr_t dlw_python_word(uintptr_t address)
{
    return *(const volatile uintptr_t *)address; /* NOLINT(performance-no-int-to-ptr) */
}

/*
 * Locked, and last taken by this thread's state: then this thread has it, and its state, frames and
 * code live. A state that was freed is last only until another thread takes the GIL, and then it is
 * not locked; where another thread's came to lie in its place, that is of another thread.
 */
static inline bool dlw_python_self_has_gil(const struct dlw_python *python,
                                           const struct dlw_python_self *self, uintptr_t handle)
{
    return dlw_python_has(python, self->gil) &&
           (int)dlw_python_word(self->gil + DLW_GIL_LOCKED) == 1 &&
           dlw_python_word(self->gil + DLW_GIL_HOLDER) == self->state &&
           dlw_python_word(self->state + python->layout.thread_id) == handle;
}

/* Cold: the hint does not hold. True: it was found again. */
bool dlw_python_find_again(const struct dlw_python *python, struct dlw_python_self *self,
                           uintptr_t handle);

/* The frame that called this one, past what only marks the C stack. */
static inline uintptr_t dlw_python_caller(const struct dlw_python_layout *layout, uintptr_t frame)
{
    enum { FIRST_SHIM = 3 };
    uintptr_t caller = dlw_python_word(frame + layout->frame_previous);

    if (caller && layout->version >= 0x030c &&
        *(const volatile uint8_t *)(caller + layout->frame_owner) >= FIRST_SHIM) /* NOLINT */
        caller = dlw_python_word(caller + layout->frame_previous);
    return caller;
}

static inline bool dlw_python_note(struct dlw_python_self *self, uintptr_t handle,
                                   uintptr_t out[DLW_NOTED_WORDS])
{
    const struct dlw_python *python = dlw_python();

    if (!python || !python->layout.has_lines ||
        (__builtin_expect(!dlw_python_self_has_gil(python, self, handle), 0) &&
         !dlw_python_find_again(python, self, handle)))
        return false;
    const struct dlw_python_layout *layout = &python->layout;
    uintptr_t frame = dlw_python_word(self->state + layout->thread_frame);
    if (layout->has_cframe && frame)
        frame = dlw_python_word(frame + layout->cframe_frame);
    if (!frame)
        return false;
    uintptr_t caller = dlw_python_caller(layout, frame);
    out[DLW_NOTED_CODE] = dlw_python_word(frame + layout->frame_code);
    out[DLW_NOTED_INSTRUCTION] = dlw_python_word(frame + layout->frame_instruction);
    out[DLW_NOTED_FRAME] = frame;
    out[DLW_NOTED_CALLER] = caller;
    out[DLW_NOTED_CALL] = caller ? dlw_python_word(caller + layout->frame_instruction) : 0;
    return true;
}

#endif
