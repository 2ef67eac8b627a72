/*
 * Where CPython keeps what a watcher reads of it, for the library (its own process) and the command
 * (another one, or a core). Plain tables: nothing here reads memory of an interpreter.
 *
 * From 3.13 on `_PyRuntime` begins with a table of its own, which is believed where its cookie, its
 * version and its distances fit; older versions are in a table here, measured on the headers. What
 * is in neither has no layout, and nothing is guessed.
 */
#ifndef DLW_EMIT_PYTHON_LAYOUT_H
#define DLW_EMIT_PYTHON_LAYOUT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of `_PyRuntime` that dlw_python_layout_of() looks at. */
enum { DLW_PYTHON_HEAD = 664 };

/* Distances in bytes; 0: there is no such field (but interpreter_next may be 0). */
struct dlw_python_layout {
    uint16_t version;           /* 0x030b: 3.11 */
    bool is_per_interpreter;    /* `gil` lies in an interpreter, else in _PyRuntime */
    uint32_t gil;               /* where `interval`, its first field, is */
    uint32_t gil_pointer;       /* in an interpreter: to the one that it uses */
    uint32_t finalizing;        /* in _PyRuntime: not NULL from when it ends */
    uint32_t interpreters_head; /* in _PyRuntime */
    uint32_t interpreter_next, interpreter_finalizing; /* in an interpreter */
    uint32_t thread_interpreter, thread_id, native_id; /* in a thread's state */
    /* The frame that runs. From 3.11 to 3.12 a pointer stands between: thread_frame is that of
     * the pointer, and cframe_frame the frame's in it. */
    uint32_t thread_frame, cframe_frame;
    bool has_cframe;
    uint32_t frame_code, frame_instruction; /* in a frame; 3.9 and 3.10: a number of the code's
                                               bytes or pairs of them, else an address */
    uint32_t code_bytes, code_filename;     /* in a code object; code_bytes only to 3.10 */
    /* What else the lines of any thread take (frames.h). Not where has_lines is false. */
    bool has_lines;
    uint32_t interpreter_threads, thread_next;
    uint32_t thread_cframe, cframe_previous; /* 3.10 to 3.12: on the C stack, innermost first */
    uint32_t frame_previous, frame_owner, frame_is_entry; /* is_entry: only 3.11 */
    uint32_t code_name, code_qualified_name, code_first_line, code_lines;
    uint32_t code_instructions;        /* from 3.11: the code itself lies there */
    uint32_t bytes_size, bytes_data;   /* in a bytes object */
    uint32_t text_length, text_state;  /* in a str */
    uint32_t ascii_size, compact_size; /* of one of ASCII, of others: the characters follow */
};

/* A GIL, from `interval` on, in every version that has a layout. */
enum {
    DLW_GIL_INTERVAL = 0,
    DLW_GIL_HOLDER = 8,
    DLW_GIL_LOCKED = 16,
    DLW_GIL_NUMBER = 24, /* of switches from one thread to another */
    DLW_GIL_CONDITION = 32,
    DLW_GIL_MUTEX = DLW_GIL_CONDITION + sizeof(pthread_cond_t),
    /* Who drops it on request waits here until another has it. */
    DLW_GIL_SWITCH_CONDITION = DLW_GIL_MUTEX + sizeof(pthread_mutex_t),
    DLW_GIL_SWITCH_MUTEX = DLW_GIL_SWITCH_CONDITION + sizeof(pthread_cond_t),
};

/* Of a version without a layout. */
extern const char dlw_python_unknown[];

/*
 * `version` as in PY_VERSION_HEX >> 16; `head` the first DLW_PYTHON_HEAD bytes of _PyRuntime.
 * False: `why` says it, a sentence part that lasts. Of a free-threaded build *out is filled all
 * the same, for its lines: `version` is 0 where nothing is known.
 */
bool dlw_python_layout_of(unsigned version, const void *head, struct dlw_python_layout *out,
                          const char **why);
/* The version that such a head tells of itself, as above; 0: it tells none (before 3.13). */
unsigned dlw_python_version_of(const void *head);

#endif
