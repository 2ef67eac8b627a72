#include "interpose/base/platform.h"

#include "graph/base/sys.h"
#include "interpose/base/real.h"

#include <string.h>
#include <ucontext.h>

static bool mutex_is_as_known(int type, uint32_t tid)
{
    pthread_mutexattr_t attributes;
    pthread_mutex_t mutex;
    static const struct dlw_mark empty;
    bool good;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, type);
    real.pthread_mutex_init(&mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    good = (int)dlw_mutex_kind(&mutex) == type && dlw_mutex_owner(&mutex) == 0;
    real.pthread_mutex_lock(&mutex);
    good = good && dlw_mutex_owner(&mutex) == tid && dlw_mutex_word(&mutex) != 0;
    if (type == PTHREAD_MUTEX_RECURSIVE)
        good = good && dlw_mutex_count(&mutex) == 1;
    good = good && memcmp(dlw_mutex_mark(&mutex), &empty, sizeof(empty)) == 0;
    atomic_store_explicit(&dlw_mutex_mark(&mutex)->id, ~0ULL, memory_order_relaxed);
    real.pthread_mutex_unlock(&mutex);
    good = good && dlw_mutex_owner(&mutex) == 0 && dlw_mutex_word(&mutex) == 0 &&
           atomic_load_explicit(&dlw_mutex_mark(&mutex)->id, memory_order_relaxed) == ~0ULL;
    real.pthread_mutex_destroy(&mutex);
    return good;
}

static bool rwlock_is_as_known(uint32_t tid)
{
    pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
    bool good;

    real.pthread_rwlock_wrlock(&rwlock);
    good = dlw_rwlock_writer(&rwlock) == tid;
    atomic_store_explicit(dlw_rwlock_id(&rwlock), ~0ULL, memory_order_relaxed);
    atomic_store_explicit(dlw_rwlock_chain(&rwlock), ~0ULL, memory_order_relaxed);
    real.pthread_rwlock_unlock(&rwlock);
    good = good && dlw_rwlock_writer(&rwlock) == 0;
    real.pthread_rwlock_rdlock(&rwlock);
    good = good && dlw_rwlock_readers(&rwlock) == 1;
    real.pthread_rwlock_unlock(&rwlock);
    return good && dlw_rwlock_readers(&rwlock) == 0 &&
           atomic_load_explicit(dlw_rwlock_id(&rwlock), memory_order_relaxed) == ~0ULL &&
           atomic_load_explicit(dlw_rwlock_chain(&rwlock), memory_order_relaxed) == ~0ULL;
}

/* ---- a jump's buffer ---- */

static bool jumps_are_known; /* written in the constructor */

#if defined(__x86_64__)
/* glibc sysdeps/x86_64/jmpbuf-offsets.h, and PTR_MANGLE of sysdeps/unix/sysv/linux/x86_64/
 * pointer_guard.h: exclusive or with the word at %fs:0x30, then turned left by 17. */
static uintptr_t read_target(const void *buffer)
{
    enum { STACK_POINTER = 6, TURNED = 17, BITS = 64 };
    uintptr_t word = ((const uintptr_t *)buffer)[STACK_POINTER], guard;

    __asm__("mov %%fs:0x30, %0" : "=r"(guard));
    return (word >> TURNED | word << (BITS - TURNED)) ^ guard;
}
#else
static uintptr_t read_target(const void *buffer)
{
    (void)buffer;
    return 0;
}
#endif

uintptr_t dlw_platform_jump_target(const void *buffer)
{
    return jumps_are_known ? read_target(buffer) : 0;
}

static DLW_NOINLINE bool jump_is_as_known(void)
{
    enum { PLENTY = 1024 };
    jmp_buf buffer;

    if (_setjmp(buffer) != 0)
        return false;
    uintptr_t target = read_target(buffer), frame = (uintptr_t)__builtin_frame_address(0);
    return target <= frame && frame - target < PLENTY;
}

/* ---- checks ---- */

unsigned dlw_condition_word =
    offsetof(pthread_cond_t, __data.__wrefs) / sizeof(unsigned); /* written in the constructor */

/* One that is made for several processes has a flag set in that word, and nothing else. */
static bool find_condition_word(void)
{
    enum { WORDS = sizeof(pthread_cond_t) / sizeof(unsigned) };
    pthread_condattr_t attributes;
    pthread_cond_t condition;
    unsigned words[WORDS];
    unsigned n_set = 0;

    pthread_condattr_init(&attributes);
    pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&condition, &attributes);
    pthread_condattr_destroy(&attributes);
    memcpy(words, &condition, sizeof(words));
    for (unsigned i = 0; i < WORDS; i++) {
        if (!words[i])
            continue;
        dlw_condition_word = i;
        n_set += words[i] == 1 ? 1 : 2;
    }
    return n_set == 1;
}

static bool owner_is_tid; /* of a recursive mutex; written in the constructor */

bool dlw_platform_check(uint32_t tid)
{
    jumps_are_known = jump_is_as_known();
    owner_is_tid = mutex_is_as_known(PTHREAD_MUTEX_RECURSIVE, tid);
    return owner_is_tid && mutex_is_as_known(PTHREAD_MUTEX_NORMAL, tid) &&
           mutex_is_as_known(PTHREAD_MUTEX_ERRORCHECK, tid) &&
           mutex_is_as_known(PTHREAD_MUTEX_ADAPTIVE_NP, tid) && rwlock_is_as_known(tid) &&
           find_condition_word();
}

/* A recursive one, since lock elision leaves those alone, and with it the owner. */
uint32_t dlw_platform_tid(void)
{
    pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

    if (!owner_is_tid)
        return (uint32_t)dlw_syscall(SYS_gettid);
    real.pthread_mutex_lock(&mutex);
    uint32_t tid = dlw_mutex_owner(&mutex);
    real.pthread_mutex_unlock(&mutex);
    return tid;
}

/* ---- a signal's context ---- */

/*
 * The kernel sets the program counter back to the system call instruction, and the registers to
 * what they were before it (Linux arch/x86/kernel/signal.c, handle_signal; arch/arm64/kernel/
 * signal.c, do_signal). The instruction is the program's own code, so it can be read.
 */
#if defined(__x86_64__)
bool dlw_platform_interrupted_call(const void *context, struct dlw_platform_call *out)
{
    static const unsigned char instruction[] = {0x0f, 0x05};
    const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
    const void *pc = (const void *)registers[REG_RIP]; /* NOLINT(performance-no-int-to-ptr) */

    *out = (struct dlw_platform_call){registers[REG_RAX],
                                      {(unsigned long)registers[REG_RDI],
                                       (unsigned long)registers[REG_RSI],
                                       (unsigned long)registers[REG_RDX]}};
    return memcmp(pc, instruction, sizeof(instruction)) == 0;
}

uintptr_t dlw_platform_interrupted_stack(const void *context)
{
    return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RSP];
}

__attribute__((noinline)) void dlw_platform_call_on(uintptr_t sp, void (*function)(void *),
                                                    void *argument)
{
    sp &= ~(uintptr_t)15;
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
#elif defined(__aarch64__)
uintptr_t dlw_platform_interrupted_stack(const void *context)
{
    return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.sp;
}

__attribute__((noinline)) void dlw_platform_call_on(uintptr_t sp, void (*function)(void *),
                                                    void *argument)
{
    register void *x0 __asm__("x0") = argument;

    sp &= ~(uintptr_t)15;
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

bool dlw_platform_interrupted_call(const void *context, struct dlw_platform_call *out)
{
    static const uint32_t instruction = 0xd4000001; /* svc #0 */
    const mcontext_t *registers = &((const ucontext_t *)context)->uc_mcontext;
    const void *pc = (const void *)registers->pc; /* NOLINT(performance-no-int-to-ptr) */

    *out = (struct dlw_platform_call){(long)registers->regs[8],
                                      {registers->regs[0], registers->regs[1], registers->regs[2]}};
    return memcmp(pc, &instruction, sizeof(instruction)) == 0;
}
#endif
