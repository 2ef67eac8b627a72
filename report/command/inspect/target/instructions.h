/*
 * What a few instructions of a process say, where no table of a stripped library does: read from
 * its memory, by the encodings of x86-64 (Intel's manual, volume 2: CALL, JMP) and of aarch64 (Arm
 * ARM, DDI 0487, C6.2: ADRP, BL, BLR, LDR).
 */
#ifndef DLW_COMMAND_INSPECT_TARGET_INSTRUCTIONS_H
#define DLW_COMMAND_INSPECT_TARGET_INSTRUCTIONS_H

#include "report/command/inspect/target/target.h"

/* The function that the call before a return address leads to, through a stub of the procedure
 * linkage table or a slot; 0: not known. */
uint64_t dlw_called_function(struct dlw_target *target, uint64_t return_address);

/* Where the load nearest to a place in a loop has its word from, by the thread's registers as they
 * stand there (aarch64); false: there is none. */
bool dlw_loaded_address(struct dlw_target *target, const struct dlw_registers *registers,
                        uint64_t *out);

#endif
