/*
 * A thread that was not stopped shows where it is and where its stack is, but no other register.
 * Code built without optimisation keeps its frame by the frame pointer, so unwinding would end
 * there. What its prologue does to the stack tells the frame pointer all the same.
 */
#ifndef DLW_COMMAND_INSPECT_WALK_FRAME_POINTER_H
#define DLW_COMMAND_INSPECT_WALK_FRAME_POINTER_H

#include "report/command/inspect/target/target.h"

/* The frame pointer at a place, exact by the function's prologue and checked against the return
 * address beside it; false where the function has another prologue. */
bool dlw_frame_pointer(struct dlw_target *target, const struct dlw_seen_thread *thread,
                       const struct dlw_place *place, uint64_t *out);

/* How far below the frame pointer the stack pointer stands after a prologue (x86-64); negative:
 * it is none that keeps a frame pointer. */
int64_t dlw_frame_size(const unsigned char *code, size_t size);

/* Does a call instruction end at the end of these bytes? */
bool dlw_ends_with_call(const unsigned char *code, size_t size);

#endif
