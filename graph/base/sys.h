/*
 * Raw system calls: no errno, no cancellation point, no libc symbol that a
 * program could have replaced. Results are the kernel's: -errno on failure.
 *
 * One of the two places that know the processor (the other is interpose/base/arch/); a new
 * architecture adds its stubs here: a system call
 * with six arguments, and dlw_clone_call, which makes a process that runs
 * function(argument) on a stack of its own, 16-byte aligned at its end. The
 * function must not return. Nothing compiled runs on both sides of the split,
 * so the two may share memory.
 */
#ifndef DLW_BASE_SYS_H
#define DLW_BASE_SYS_H

#include <stdint.h>
#include <sys/syscall.h>

/* Newer than the headers of glibc 2.31; the kernel says whether it has it. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#if defined(__x86_64__)
static inline long dlw_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long ret;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
}

static inline long dlw_clone_call(long flags, void *stack_end, void (*function)(void *),
                                  void *argument)
{
    register long r10 __asm__("r10") = 0;
    register long r8 __asm__("r8") = 0;
    long ret;
    __asm__ volatile("syscall\n\t"
                     "testq %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "movq %[argument], %%rdi\n\t"
                     "callq *%[function]\n\t"
                     "hlt\n"
                     "1:"
                     : "=a"(ret)
                     : "a"((long)SYS_clone), "D"(flags), "S"(stack_end), "d"(0L), "r"(r10),
                       "r"(r8), [function] "r"(function), [argument] "r"(argument)
                     : "rcx", "r11", "cc", "memory");
    return ret;
}
#elif defined(__aarch64__)
static inline long dlw_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}

static inline long dlw_clone_call(long flags, void *stack_end, void (*function)(void *),
                                  void *argument)
{
    register long x8 __asm__("x8") = SYS_clone;
    register long x0 __asm__("x0") = flags;
    register void *x1 __asm__("x1") = stack_end;
    register long x2 __asm__("x2") = 0;
    register long x3 __asm__("x3") = 0;
    register long x4 __asm__("x4") = 0;
    __asm__ volatile("svc 0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x0, %[argument]\n\t"
                     "blr %[function]\n\t"
                     "brk 1\n"
                     "1:"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3),
                       "r"(x4), [function] "r"(function), [argument] "r"(argument)
                     : "x30", "cc", "memory");
    return x0;
}
#else
#error "dlwatch does not know how this processor makes system calls: add its stub here"
#endif

#define DLW_SYSCALL_PICK(a, b, c, d, e, f, g, name, ...) name
#define dlw_syscall(...)                                                                           \
    DLW_SYSCALL_PICK(__VA_ARGS__, dlw_sys6, dlw_sys5, dlw_sys4, dlw_sys3, dlw_sys2, dlw_sys1,      \
                     dlw_sys0)                                                                     \
    (__VA_ARGS__)
#define dlw_sys0(n) dlw_syscall6(n, 0, 0, 0, 0, 0, 0)
#define dlw_sys1(n, a) dlw_syscall6(n, (long)(a), 0, 0, 0, 0, 0)
#define dlw_sys2(n, a, b) dlw_syscall6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define dlw_sys3(n, a, b, c) dlw_syscall6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define dlw_sys4(n, a, b, c, d) dlw_syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define dlw_sys5(n, a, b, c, d, e)                                                                 \
    dlw_syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define dlw_sys6(n, a, b, c, d, e, f)                                                              \
    dlw_syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

#endif
