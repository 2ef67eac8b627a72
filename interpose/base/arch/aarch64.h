/*
 * aarch64, little endian, for interpose/base/arch/arch.h, which says what each of these is.
 * Sources: Procedure Call Standard for the Arm 64-bit Architecture (AAPCS64: registers, frame
 * record, alignment of the stack), ELF for the Arm 64-bit Architecture (AAELF64: relocations),
 * DWARF for it (AADWARF64: register numbers); Linux arch/arm64/kernel/signal.c and
 * vdso/sigreturn.S, include/uapi/asm/sigcontext.h; glibc 2.36 sysdeps/aarch64.
 */
#ifndef DLW_ARCH_AARCH64_H
#define DLW_ARCH_AARCH64_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#if defined(__AARCH64EB__) || defined(__ILP32__)
#error "the library knows aarch64 as little endian with 64-bit pointers only"
#endif

#define DLW_PC_REGISTER 32 /* UNW_AARCH64_PC */
#define DLW_SP_REGISTER 31 /* UNW_AARCH64_SP */
#define DLW_FP_REGISTER 29 /* UNW_AARCH64_X29 */
#define DLW_UNWIND_NAME(name) "_Uaarch64_" name
#define DLW_UNWIND_LIBRARY "libunwind-aarch64.so.8"

#define DLW_ADDRESSES_ARE_BARE 0
#define DLW_OWN_MACHINE EM_AARCH64
#define DLW_R_JUMP_SLOT R_AARCH64_JUMP_SLOT
#define DLW_R_GLOBAL_SLOT R_AARCH64_GLOB_DAT
#define DLW_R_DATA R_AARCH64_ABS64

/* Here libc began with the versions that stand. */
#define DLW_NEWER_VERSIONS(TAKE)

enum { DLW_SPIN_FREE = 0 }; /* sysdeps/nptl: nptl/pthread_spin_init.c */

static inline void dlw_cpu_relax(void)
{
    __asm__ volatile("yield");
}

/* ---- frames ---- */

/*
 * A call leaves the return address in x30. What a function makes of it is the compiler's affair:
 * gcc puts the frame record {x29, x30} at the bottom of the frame, below everything else that is
 * saved. So calls of the program come to an entry whose whole frame is that record. It begins with
 * a landing pad (bti c); nothing is signed in it.
 */
#define DLW_ENTRY_AT(entry, function, hidden)                                                      \
    __asm__(".pushsection .text\n"                                                                 \
            ".p2align 4\n"                                                                         \
            ".hidden " hidden "\n"                                                                 \
            ".globl " entry "\n"                                                                   \
            ".type " entry ", %function\n" entry ":\n"                                             \
            ".cfi_startproc\n"                                                                     \
            "hint #34\n"                                                                           \
            "stp x29, x30, [sp, #-16]!\n"                                                          \
            ".cfi_def_cfa_offset 16\n"                                                             \
            ".cfi_offset 29, -16\n"                                                                \
            ".cfi_offset 30, -8\n"                                                                 \
            "mov x29, sp\n"                                                                        \
            "bl " function "\n"                                                                    \
            "ldp x29, x30, [sp], #16\n"                                                            \
            ".cfi_restore 30\n"                                                                    \
            ".cfi_restore 29\n"                                                                    \
            ".cfi_def_cfa_offset 0\n"                                                              \
            "ret\n"                                                                                \
            ".cfi_endproc\n"                                                                       \
            ".size " entry ", . - " entry "\n"                                                     \
            ".popsection\n")

#define DLW_PRAGMA(text) _Pragma(#text)
#define DLW_EXPORTED_NAME(name) DLW_PRAGMA(redefine_extname name dlw_called_##name)
#define DLW_EXPORTED_ENTRY(name) DLW_ENTRY_AT(#name, "dlw_called_" #name, "dlw_called_" #name);
/* A static function whose address is kept is in the assembly as it is called in C. */
#define DLW_ENTRY(function)                                                                        \
    static __typeof__(function) *const dlw_kept_##function __attribute__((used)) = function;       \
    __typeof__(function) dlw_entry_##function __attribute__((visibility("hidden")));               \
    DLW_ENTRY_AT("dlw_entry_" #function, #function, "dlw_entry_" #function);
#define DLW_ENTERED(function) dlw_entry_##function

/* The entry's frame is the one outside of the function's own, which it called. */
#pragma GCC diagnostic ignored "-Wframe-address"
#define DLW_FRAME_HERE() ((const struct dlw_frame *)__builtin_frame_address(1))
#define DLW_CALLER_HERE() (DLW_FRAME_HERE()->pc)
/* As it stands there: it may be signed. */
#define DLW_RETURN_HERE() (((const uintptr_t *)__builtin_frame_address(0))[1])

/* The frame record may lie anywhere below the CFA. */
#define DLW_RULE_SLOTS int32_t fp_slot, pc_slot;
#define DLW_RULE_PC_SLOT(rule) ((rule).pc_slot)
#define DLW_RULE_SET_PC_SLOT(rule, slot) ((rule)->pc_slot = (slot), true)
enum { DLW_LOWEST_SLOT = INT32_MIN / 8 };

enum { DLW_SIGNS_RETURNS = true };

/* xpaclri: takes the signature off x30, and does nothing where there are none. */
static inline uintptr_t dlw_arch_address(uintptr_t word)
{
    register uintptr_t x30 __asm__("x30") = word;

    __asm__("hint #7" : "+r"(x30));
    return x30;
}

/* ---- signals ---- */

/* mov x8, #139; svc #0 */
#define DLW_SIGNAL_RETURN                                                                          \
    {                                                                                              \
        0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4                                             \
    }
enum { DLW_SIGNAL_RETURN_IS_OF_LIBC = false };

/* struct rt_sigframe: a siginfo_t, then the context. */
#define DLW_SIGNAL_WORD(member) (sizeof(siginfo_t) + offsetof(ucontext_t, uc_mcontext.member))
#define DLW_SIGNAL_PC DLW_SIGNAL_WORD(pc)
#define DLW_SIGNAL_SP DLW_SIGNAL_WORD(sp)
#define DLW_SIGNAL_FP DLW_SIGNAL_WORD(regs[29])
#define DLW_SIGNAL_LR DLW_SIGNAL_WORD(regs[30])
enum { DLW_LR_REGISTER = 30 }; /* UNW_AARCH64_X30 */

/* The kernel brings its own way back; with SA_RESTORER it would go where we say. */
#define DLW_MAKE_SIGNAL_RESTORER(name) _Static_assert(1, "")
#define DLW_SIGNAL_RESTORER(name) NULL
enum { DLW_SIGNAL_RESTORER_FLAG = 0 };

static inline bool dlw_arch_is_system_call(const void *pc)
{
    static const uint32_t instruction = 0xd4000001; /* svc #0 */

    return memcmp(pc, &instruction, sizeof(instruction)) == 0;
}

#define DLW_REGISTERS(context) (((const ucontext_t *)(context))->uc_mcontext)
#define DLW_REGISTER_PC(context) DLW_REGISTERS(context).pc
#define DLW_REGISTER_SP(context) DLW_REGISTERS(context).sp
#define DLW_REGISTER_CALL(context) DLW_REGISTERS(context).regs[8]
#define DLW_REGISTER_ARGUMENTS(context)                                                            \
    {                                                                                              \
        DLW_REGISTERS(context).regs[0], DLW_REGISTERS(context).regs[1],                            \
            DLW_REGISTERS(context).regs[2]                                                         \
    }

static inline void dlw_arch_call_on(uintptr_t sp, void (*function)(void *), void *argument)
{
    register void *x0 __asm__("x0") = argument;

    __asm__ volatile("mov x19, sp\n"
                     "mov sp, %[sp]\n"
                     "blr %[function]\n"
                     "mov sp, x19\n"
                     : "+r"(x0)
                     : [sp] "r"(sp), [function] "r"(function)
                     : "x19", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
                       "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x30", "memory", "cc", "v0",
                       "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20",
                       "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
}

/* ---- a jump's buffer ---- */

/*
 * sysdeps/aarch64/jmpbuf-offsets.h and setjmp.S: return address and stack pointer, each by
 * exclusive or with a word of the loader's. That is no symbol for others, so it is worked out from
 * a buffer whose stack pointer is known, and believed where the return address agrees.
 */
enum { DLW_JUMP_LR = 11, DLW_JUMP_SP = 13 };

static inline uintptr_t dlw_arch_jump_target(const void *buffer, uintptr_t guard)
{
    return ((const uintptr_t *)buffer)[DLW_JUMP_SP] ^ guard;
}

static inline __attribute__((always_inline)) bool
dlw_arch_learn_jump(const void *buffer, uintptr_t function, uintptr_t *guard)
{
    enum { LONGEST = 1024 };
    const uintptr_t *words = buffer;
    uintptr_t sp;

    __asm__("mov %0, sp" : "=r"(sp));
    *guard = words[DLW_JUMP_SP] ^ sp;
    return (words[DLW_JUMP_LR] ^ *guard) - function < LONGEST;
}

/* ---- code ---- */

#define DLW_THUNK(target) "hint #34\n mov w1, #number\n b " #target "\n"

/* microtask(a, b, arguments[0], … arguments[n - 1]): six of them go in registers, the rest onto the
 * stack, upwards. */
enum { DLW_MICROTASK_REGISTERS = 6 };
#define DLW_MAKE_MICROTASK_CALL(name)                                                              \
    __asm__(".pushsection .text\n"                                                                 \
            ".p2align 4\n"                                                                         \
            ".hidden " #name "\n"                                                                  \
            ".globl " #name "\n"                                                                   \
            ".type " #name ", %function\n" #name ":\n"                                             \
            ".cfi_startproc\n"                                                                     \
            "hint #34\n"                                                                           \
            "stp x29, x30, [sp, #-16]!\n"                                                          \
            ".cfi_def_cfa_offset 16\n"                                                             \
            ".cfi_offset 29, -16\n"                                                                \
            ".cfi_offset 30, -8\n"                                                                 \
            "mov x29, sp\n"                                                                        \
            ".cfi_def_cfa_register 29\n"                                                           \
            "mov x9, x0\n"                                                                         \
            "mov x10, x3\n"                                                                        \
            "mov x0, x1\n"                                                                         \
            "mov x1, x2\n"                                                                         \
            "subs x11, x4, #6\n"                                                                   \
            "b.ls 2f\n"                                                                            \
            "add x12, x11, #1\n" /* words of the stack, an even number */                          \
            "and x12, x12, #-2\n"                                                                  \
            "sub sp, sp, x12, lsl #3\n"                                                            \
            "mov x13, sp\n"                                                                        \
            "add x14, x10, #48\n"                                                                  \
            "1: ldr x15, [x14], #8\n"                                                              \
            "str x15, [x13], #8\n"                                                                 \
            "subs x11, x11, #1\n"                                                                  \
            "b.ne 1b\n"                                                                            \
            "2: ldp x2, x3, [x10]\n"                                                               \
            "ldp x4, x5, [x10, #16]\n"                                                             \
            "ldp x6, x7, [x10, #32]\n"                                                             \
            "blr x9\n"                                                                             \
            "mov sp, x29\n"                                                                        \
            ".cfi_def_cfa_register 31\n"                                                           \
            "ldp x29, x30, [sp], #16\n"                                                            \
            ".cfi_def_cfa_offset 0\n"                                                              \
            "ret\n"                                                                                \
            ".cfi_endproc\n"                                                                       \
            ".size " #name ", . - " #name "\n"                                                     \
            ".popsection\n")

/* ---- memory ---- */

#define dlw_arch_has_bits(word, bits) ((*(word) & (bits)) != 0)

static inline bool dlw_arch_copy(void *to, const void *from, size_t n)
{
    (void)to, (void)from, (void)n;
    return false;
}

static inline bool dlw_arch_fill(void *to, int byte, size_t n)
{
    (void)to, (void)byte, (void)n;
    return false;
}

#endif
