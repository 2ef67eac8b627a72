/*
 * x86-64, for interpose/base/arch/arch.h, which says what each of these is.
 * Sources: System V ABI, AMD64 Architecture Processor Supplement (frames, relocations, registers by
 * DWARF number); glibc 2.36 sysdeps/x86_64 and sysdeps/unix/sysv/linux/x86_64.
 */
#ifndef DLW_ARCH_X86_64_H
#define DLW_ARCH_X86_64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#define DLW_PC_REGISTER 16 /* UNW_X86_64_RIP */
#define DLW_SP_REGISTER 7  /* UNW_X86_64_RSP */
#define DLW_FP_REGISTER 6  /* UNW_X86_64_RBP */
#define DLW_UNWIND_NAME(name) "_Ux86_64_" name
#define DLW_UNWIND_LIBRARY "libunwind-x86_64.so.8"

#define DLW_ADDRESSES_ARE_BARE 1
#define DLW_OWN_MACHINE EM_X86_64
#define DLW_R_JUMP_SLOT R_X86_64_JUMP_SLOT
#define DLW_R_GLOBAL_SLOT R_X86_64_GLOB_DAT
#define DLW_R_DATA R_X86_64_64

/* Names of which libc has an older version that is another function, and the version that programs
 * are linked with (objdump -T). */
#define DLW_NEWER_VERSIONS(TAKE)                                                                   \
    TAKE(pthread_cond_wait, "GLIBC_2.3.2")                                                         \
    TAKE(pthread_cond_timedwait, "GLIBC_2.3.2")                                                    \
    TAKE(pthread_cond_signal, "GLIBC_2.3.2")                                                       \
    TAKE(pthread_cond_broadcast, "GLIBC_2.3.2")                                                    \
    TAKE(pthread_cond_destroy, "GLIBC_2.3.2")                                                      \
    TAKE(posix_spawn, "GLIBC_2.15")                                                                \
    TAKE(posix_spawnp, "GLIBC_2.15")                                                               \
    TAKE(quick_exit, "GLIBC_2.24")

enum { DLW_SPIN_FREE = 1 }; /* sysdeps/x86_64/nptl/pthread_spin_init.c */

static inline void dlw_cpu_relax(void)
{
    __builtin_ia32_pause();
}

/* Of libc's before 2.32: tcbhead_t.multiple_threads, which its own locks look at (lowlevellock.h).
 */
static inline bool dlw_arch_is_single_threaded(void)
{
    int has_others;

    __asm__ volatile("movl %%fs:0x18, %0" : "=r"(has_others));
    return !has_others;
}

/* ---- frames ---- */

/* A call pushes the return address, and the function its caller's frame pointer below that: so
 * every frame has the shape that a wrapper's must have. */
#define DLW_ENTRY(function)
#define DLW_ENTERED(function) function
#define DLW_EXPORTED_NAME(name)
#define DLW_EXPORTED_ENTRY(name)
#define DLW_FRAME_HERE() ((const struct dlw_frame *)__builtin_frame_address(0))
#define DLW_RETURN_HERE() ((uintptr_t)__builtin_return_address(0))
#define DLW_CALLER_HERE() DLW_RETURN_HERE()

/* The return address always lies right below the CFA. */
#define DLW_RULE_SLOTS int8_t fp_slot;
#define DLW_RULE_PC_SLOT(rule) (-1)
#define DLW_RULE_SET_PC_SLOT(rule, slot) ((void)(rule), (slot) == -1)
enum { DLW_LOWEST_SLOT = INT8_MIN };

enum { DLW_SIGNS_RETURNS = false };

static inline uintptr_t dlw_arch_address(uintptr_t word)
{
    return word;
}

/* ---- signals ---- */

/* mov $15,%rax; syscall */
#define DLW_SIGNAL_RETURN                                                                          \
    {                                                                                              \
        0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05                                                \
    }
enum { DLW_SIGNAL_RETURN_IS_OF_LIBC = true };

#define DLW_CONTEXT_REGISTER(number)                                                               \
    (offsetof(ucontext_t, uc_mcontext.gregs) + (number) * sizeof(greg_t))
#define DLW_SIGNAL_PC DLW_CONTEXT_REGISTER(REG_RIP)
#define DLW_SIGNAL_SP DLW_CONTEXT_REGISTER(REG_RSP)
#define DLW_SIGNAL_FP DLW_CONTEXT_REGISTER(REG_RBP)
enum { DLW_LR_REGISTER = -1, DLW_SIGNAL_LR = 0 }; /* there is none */

/* As glibc's own, byte for byte: debuggers and unwinders know a signal frame by this code. */
#define DLW_MAKE_SIGNAL_RESTORER(name)                                                             \
    __asm__(".text\n"                                                                              \
            ".balign 16\n"                                                                         \
            "nop\n"                                                                                \
            ".type " #name ", @function\n" #name ":\n"                                             \
            "mov $15, %rax\n"                                                                      \
            "syscall\n"                                                                            \
            ".size " #name ", . - " #name "\n");                                                   \
    void name(void) __attribute__((visibility("hidden")))
#define DLW_SIGNAL_RESTORER(name) name
enum { DLW_SIGNAL_RESTORER_FLAG = 0x04000000 };

static inline bool dlw_arch_is_system_call(const void *pc)
{
    static const unsigned char instruction[] = {0x0f, 0x05};

    return memcmp(pc, instruction, sizeof(instruction)) == 0;
}

/* Program counter, stack pointer, number of the call, its first three arguments. */
#define DLW_REGISTERS(context) (((const ucontext_t *)(context))->uc_mcontext.gregs)
#define DLW_REGISTER_PC(context) DLW_REGISTERS(context)[REG_RIP]
#define DLW_REGISTER_SP(context) DLW_REGISTERS(context)[REG_RSP]
#define DLW_REGISTER_CALL(context) DLW_REGISTERS(context)[REG_RAX]
#define DLW_REGISTER_ARGUMENTS(context)                                                            \
    {                                                                                              \
        (unsigned long)DLW_REGISTERS(context)[REG_RDI],                                            \
            (unsigned long)DLW_REGISTERS(context)[REG_RSI],                                        \
            (unsigned long)DLW_REGISTERS(context)[REG_RDX]                                         \
    }

static inline void dlw_arch_call_on(uintptr_t sp, void (*function)(void *), void *argument)
{
    __asm__ volatile("mov %%rsp, %%rbx\n"
                     "mov %[sp], %%rsp\n"
                     "call *%[function]\n"
                     "mov %%rbx, %%rsp\n"
                     : "+D"(argument), [sp] "+S"(sp), [function] "+a"(function)
                     :
                     : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0",
                       "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                       "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

/* ---- a jump's buffer ---- */

/* sysdeps/x86_64/jmpbuf-offsets.h, and PTR_MANGLE of sysdeps/unix/sysv/linux/x86_64/
 * pointer_guard.h: exclusive or with the word at %fs:0x30, then turned left by 17. */
static inline uintptr_t dlw_arch_jump_target(const void *buffer, uintptr_t known)
{
    enum { STACK_POINTER = 6, TURNED = 17, BITS = 64 };
    uintptr_t word = ((const uintptr_t *)buffer)[STACK_POINTER], guard;

    (void)known;
    __asm__("mov %%fs:0x30, %0" : "=r"(guard));
    return (word >> TURNED | word << (BITS - TURNED)) ^ guard;
}

static inline bool dlw_arch_learn_jump(const void *buffer, uintptr_t function, uintptr_t *guard)
{
    (void)buffer, (void)function, (void)guard;
    return true;
}

/* ---- code ---- */

#define DLW_THUNK(target) "endbr64\n movl $number, %esi\n jmp " #target "\n"

/* microtask(a, b, arguments[0], … arguments[n - 1]); as many as go in registers can be read. */
enum { DLW_MICROTASK_REGISTERS = 4 };
#define DLW_MAKE_MICROTASK_CALL(name)                                                              \
    __asm__(".pushsection .text\n"                                                                 \
            ".p2align 4\n"                                                                         \
            ".hidden " #name "\n"                                                                  \
            ".globl " #name "\n"                                                                   \
            ".type " #name ", @function\n" #name ":\n"                                             \
            ".cfi_startproc\n"                                                                     \
            "endbr64\n"                                                                            \
            "push %rbp\n"                                                                          \
            ".cfi_def_cfa_offset 16\n"                                                             \
            ".cfi_offset %rbp, -16\n"                                                              \
            "mov %rsp, %rbp\n"                                                                     \
            ".cfi_def_cfa_register %rbp\n"                                                         \
            "mov %rdi, %r11\n"                                                                     \
            "mov %rcx, %r10\n"                                                                     \
            "mov %r8, %rax\n"                                                                      \
            "mov %rsi, %rdi\n"                                                                     \
            "mov %rdx, %rsi\n"                                                                     \
            "cmp $4, %rax\n" /* the rest goes onto the stack, the last first */                    \
            "jbe 2f\n"                                                                             \
            "test $1, %al\n"                                                                       \
            "jz 1f\n"                                                                              \
            "sub $8, %rsp\n"                                                                       \
            "1: push -8(%r10,%rax,8)\n"                                                            \
            "dec %rax\n"                                                                           \
            "cmp $4, %rax\n"                                                                       \
            "ja 1b\n"                                                                              \
            "2: mov (%r10), %rdx\n"                                                                \
            "mov 8(%r10), %rcx\n"                                                                  \
            "mov 16(%r10), %r8\n"                                                                  \
            "mov 24(%r10), %r9\n"                                                                  \
            "xor %eax, %eax\n"                                                                     \
            "call *%r11\n"                                                                         \
            "leave\n"                                                                              \
            ".cfi_def_cfa %rsp, 8\n"                                                               \
            "ret\n"                                                                                \
            ".cfi_endproc\n"                                                                       \
            ".size " #name ", . - " #name "\n"                                                     \
            ".popsection\n")

/* ---- memory ---- */

/* In one instruction, and no register is known to hold 0 afterwards: compilers would keep that for
 * the next 0 that is wanted, and the fast path has none to spare. */
#define dlw_arch_has_bits(word, bits)                                                              \
    ({                                                                                             \
        bool has_one;                                                                              \
        __asm__("testl %2, %1" : "=@ccnz"(has_one) : "m"(*(word)), "i"(bits));                     \
        has_one;                                                                                   \
    })

static inline bool dlw_arch_copy(void *to, const void *from, size_t n)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory");
    return true;
}

static inline bool dlw_arch_fill(void *to, int byte, size_t n)
{
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(byte) : "memory");
    return true;
}

#endif
