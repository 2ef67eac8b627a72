#include "interpose/base/platform.h"

#include "graph/base/sys.h"
#include "interpose/base/real.h"

#include <string.h>

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

/* Both written in the constructor. */
static bool jumps_are_known;
static uintptr_t jump_guard; /* where it must be worked out (arch.h) */

uintptr_t dlw_platform_jump_target(const void *buffer)
{
    return jumps_are_known ? dlw_arch_jump_target(buffer, jump_guard) : 0;
}

static DLW_NOINLINE bool jump_is_as_known(void)
{
    enum { PLENTY = 1024 };
    jmp_buf buffer;

    if (_setjmp(buffer) != 0)
        return false;
    if (!dlw_arch_learn_jump(buffer, (uintptr_t)jump_is_as_known, &jump_guard))
        return false;
    uintptr_t target = dlw_arch_jump_target(buffer, jump_guard),
              frame = (uintptr_t)__builtin_frame_address(0);
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
bool dlw_platform_interrupted_call(const void *context, struct dlw_platform_call *out)
{
    *out = (struct dlw_platform_call){(long)DLW_REGISTER_CALL(context),
                                      DLW_REGISTER_ARGUMENTS(context)};
    return dlw_arch_is_system_call(
        (const void *)DLW_REGISTER_PC(context)); /* NOLINT(performance-no-int-to-ptr) */
}

uintptr_t dlw_platform_interrupted_stack(const void *context)
{
    return (uintptr_t)DLW_REGISTER_SP(context);
}

__attribute__((noinline)) void dlw_platform_call_on(uintptr_t sp, void (*function)(void *),
                                                    void *argument)
{
    dlw_arch_call_on(sp & ~(uintptr_t)15, function, argument);
}
