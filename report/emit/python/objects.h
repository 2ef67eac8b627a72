/*
 * Attributes of Python objects, read from outside of the interpreter as frames are (frames.h):
 * CPython 3.9 to 3.13 with its GIL. An object keeps its attributes in a dict of its own, or, beside
 * names that all of its class share, in a row. What is read may change meanwhile.
 */
#ifndef DLW_EMIT_PYTHON_OBJECTS_H
#define DLW_EMIT_PYTHON_OBJECTS_H

#include "report/emit/python/frames.h"

/* False: the object has no attribute of this name, or it can't be read. */
bool dlw_python_attribute(const struct dlw_python_reader *python, uint64_t object, const char *name,
                          uint64_t *out);

/* The first argument of the function that runs in this frame. */
bool dlw_python_first_argument(const struct dlw_python_reader *python,
                               const struct dlw_python_frame *frame, uint64_t *out);

/* Bytes that a thread's name gets, with the end of the text. */
enum { DLW_PYTHON_NAME = 64 };

/* `threading.Thread.name` of the thread whose outermost frame this is; UTF-8, of one that is longer
 * than its room the end is there. False: the module threading did not begin it, or it can't be
 * read. */
bool dlw_python_thread_name(const struct dlw_python_reader *python,
                            const struct dlw_python_frame *outermost, char *out, size_t room);

/* Is a `threading.Lock` a word in its object, of whose taking no call tells? By the one in the
 * Thread that is being started in this frame. False: it is not, or that can't be read. */
bool dlw_python_has_inline_locks(const struct dlw_python_reader *python,
                                 const struct dlw_python_frame *starting);

#endif
