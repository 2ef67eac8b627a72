/*
 * The processor: all that interpose/ knows of it, one header each with the same names. A processor
 * that has none here is refused. (System calls are in graph/base/sys.h.)
 *
 * Registers: DLW_PC_REGISTER, DLW_SP_REGISTER, DLW_FP_REGISTER, DLW_LR_REGISTER (-1: none), as
 * libunwind numbers them; DLW_UNWIND_NAME and DLW_UNWIND_LIBRARY, where it is.
 *
 * Files: DLW_OWN_MACHINE and the kinds of relocation that call or give an address.
 *
 * Wrappers have a frame of {caller's frame pointer, return address}, right below the caller's
 * stack: DLW_FRAME_HERE() in a function that the program has called, or in what is inlined into it.
 * DLW_CALLER_HERE() is that frame's return address. Where the compiler makes other frames, the
 * program calls an entry with such a one, which calls the function: for an exported function
 * DLW_EXPORTED_NAME (before its definition: it is called otherwise) and DLW_EXPORTED_ENTRY (once);
 * for another DLW_ENTRY (in the file it is defined in, behind it), and its address is DLW_ENTERED.
 * An entry passes on what is in registers: no function with arguments on the stack may have one.
 *
 * Any function: DLW_RETURN_HERE(), the word that its frame keeps behind the frame pointer, as it
 * stands there; dlw_arch_address(), such a word as an address of code.
 *
 * Addresses: DLW_ADDRESSES_ARE_BARE, neither these words nor pointers of the program have more in
 * their upper 16 bits than zeros.
 *
 * Unwind rules: DLW_RULE_SLOTS, what struct dlw_rule keeps of a frame (stacks/rules.h), slots being
 * words from the CFA: fp_slot, at least DLW_LOWEST_SLOT; DLW_RULE_PC_SLOT, where the return address
 * is (0: in the link register); DLW_RULE_SET_PC_SLOT, false where a rule can't say that.
 *
 * Signals: DLW_SIGNAL_RETURN, the code that a handler returns to; DLW_SIGNAL_PC and so on, where
 * the interrupted registers lie from the stack pointer there (LR 0: none); our own handlers' way
 * back, for the kernel; DLW_REGISTER_PC and so on, of a handler's context.
 *
 * Jumps: dlw_arch_jump_target(), the stack pointer in a jmp_buf; dlw_arch_learn_jump(), called once
 * with a buffer that the function at hand has just filled, finds the word that the former wants,
 * where that can't be read.
 *
 * Code: dlw_arch_call_on, DLW_THUNK, DLW_MAKE_MICROTASK_CALL. Memory: dlw_arch_copy, dlw_arch_fill,
 * many bytes; false where a loop does as well. dlw_arch_has_bits(word, constant), is any of these
 * bits set in an int.
 */
#ifndef DLW_ARCH_ARCH_H
#define DLW_ARCH_ARCH_H

#if defined(__x86_64__)
#include "interpose/base/arch/x86_64.h"
#elif defined(__aarch64__)
#include "interpose/base/arch/aarch64.h"
#else
#error                                                                                             \
    "the library does not know this processor: interpose/base/arch/arch.h and graph/base/sys.h say what it wants to know"
#endif

#endif
