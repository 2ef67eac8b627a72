/*
 * The Python frames of a thread, read from outside of the interpreter: nothing is locked and
 * nothing of CPython is called. What is read may change meanwhile. Each step is bounded and each
 * pointer is looked at before it is followed; whoever needs certainty that frames belong together
 * reads them twice, or while the thread can't run.
 */
#ifndef DLW_EMIT_PYTHON_FRAMES_H
#define DLW_EMIT_PYTHON_FRAMES_H

#include "report/emit/python/layout.h"

/* Reads memory of the process that is looked at; false where it can't be had, never a fault. */
struct dlw_python_memory {
    bool (*read)(void *context, uint64_t address, void *out, size_t size);
    void *context;
};

struct dlw_python_reader {
    const struct dlw_python_layout *layout; /* with has_lines */
    struct dlw_python_memory memory;
    uint64_t runtime; /* address of _PyRuntime */
};

/* A thread that the runtime knows of. */
struct dlw_python_state {
    uint64_t address;
    uint64_t thread; /* what pthread_self gives there */
    uint64_t native; /* its tid; 0: not kept (before 3.11) */
};

/* Over all states of all interpreters; begins zeroed. False: there are no more. */
struct dlw_python_walk {
    uint64_t interpreter, state;
    unsigned steps;
};
bool dlw_python_next(const struct dlw_python_reader *python, struct dlw_python_walk *walk,
                     struct dlw_python_state *out);

struct dlw_python_frame {
    uint64_t address;     /* its own: the same as long as the call lasts */
    uint64_t code;        /* address of its code object */
    uint32_t instruction; /* in bytes from the first of the code; DLW_PYTHON_NOWHERE: not known */
    uint64_t anchor;      /* lies in the frame that the evaluation function has on the C stack;
                             several Python frames may share it. 0: not kept (3.9) */
};
#define DLW_PYTHON_NOWHERE UINT32_MAX

/* The frames of a state, innermost first, up to `room`; *is_cut says that there are more. False:
 * what was found there are no frames, and *out holds `*n` that still were. */
bool dlw_python_frames(const struct dlw_python_reader *python, uint64_t state,
                       struct dlw_python_frame *out, size_t room, size_t *n, bool *is_cut);

/* The same from what stands in the frame's own words of its code and its instruction. */
struct dlw_python_frame dlw_python_frame_of_words(const struct dlw_python_layout *layout,
                                                  uint64_t address, uint64_t code,
                                                  uint64_t instruction);

/* A str, as UTF-8; of one that is longer than its room the end. False: it is none, or can't be
 * read. */
bool dlw_python_text(const struct dlw_python_reader *python, uint64_t text, char *out, size_t room);

/* The outermost frame of a state. False: it has none, more than can be gone through, or can't be
 * read. */
bool dlw_python_outermost(const struct dlw_python_reader *python, uint64_t state,
                          struct dlw_python_frame *out);

/* What people call a frame. Texts are UTF-8; of one that is longer than its room the end is there.
 */
struct dlw_python_place {
    char file[512];
    char function[256];
    unsigned line; /* 0: not known */
};
/* False: what lies there is no code object, or can't be read. */
bool dlw_python_describe(const struct dlw_python_reader *python,
                         const struct dlw_python_frame *frame, struct dlw_python_place *out);

#endif
