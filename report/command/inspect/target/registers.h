/* Register sets as the kernel hands them out (ptrace, notes of a core), by processor. */
#ifndef DLW_COMMAND_INSPECT_TARGET_REGISTERS_H
#define DLW_COMMAND_INSPECT_TARGET_REGISTERS_H

#include "report/command/inspect/target/target.h"

/* Numbers of registers in DWARF, as `value` of dlw_registers has them. */
struct dlw_register_numbers {
    unsigned stack_pointer, frame_pointer, program_counter;
    uint64_t kept;            /* the ones that a call leaves as they are, a bit each */
    bool has_return_register; /* a call puts its return address there, and not on the stack */
};

/* NULL: a processor that we don't know. */
const struct dlw_register_numbers *dlw_register_numbers(int machine);

/* Fills registers and, where the thread is in one, the system call. `size` tells a 32-bit thread
 * from a 64-bit one. False: a processor that we don't know. */
bool dlw_registers_parse(int machine, const void *set, size_t size, struct dlw_registers *out,
                         struct dlw_call *call);
/* Does it take the instruction at the program counter to know whether the thread is in a call? Then
 * that settles it. */
bool dlw_registers_ask_code(int machine, const struct dlw_call *call);
void dlw_registers_settle(uint32_t instruction, struct dlw_call *call);
/* A set of which only these two are known: a thread that was not stopped. */
void dlw_registers_of_call(int machine, const struct dlw_call *call, struct dlw_registers *out);
/* The number that a system call has under its name in this processor's table; "futex", … NULL: it
 * has none here. */
const char *dlw_syscall_name(int machine, long number);
bool dlw_syscall_is_futex(int machine, long number);
/* For the lock of a file, without end. */
bool dlw_syscall_waits_for_file(int machine, const struct dlw_call *call);
bool dlw_syscall_is_restart(int machine, long number);

#endif
