/*
 * Everything that depends on how glibc lays out its objects; what depends on the processor is in
 * arch/. Another layout is an addition here; interpose/start.c runs
 * dlw_platform_check() once and falls back to the address table where a layout is not confirmed.
 *
 * Sources: glibc 2.36 sysdeps/nptl/bits/struct_mutex.h, struct_rwlock.h and
 * nptl/pthreadP.h (kinds); unchanged from 2.31 to 2.41 on x86-64 and aarch64. What an older glibc
 * lacks: base/objects.h, base/real.c, and dlw_is_single_threaded() below.
 */
#ifndef DLW_BASE_PLATFORM_H
#define DLW_BASE_PLATFORM_H

#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(__GLIBC__)
#error "dlwatch knows glibc only"
#elif !__GLIBC_PREREQ(2, 31)
#error "the library needs glibc 2.31; the command builds alone: make build/dlwatch"
#endif
#if __GLIBC_PREREQ(2, 32)
#include <sys/single_threaded.h>
#else
extern char __libc_single_threaded __attribute__((weak)); /* built here, and run with a newer one */
#endif

/* Of libpthread alone before 2.34: not to be needed for being named here (base/real.c). */
#if !__GLIBC_PREREQ(2, 34)
#pragma weak __pthread_register_cancel
#pragma weak __pthread_unregister_cancel
#pragma weak pthread_attr_getguardsize
#pragma weak pthread_attr_getstacksize
#pragma weak pthread_condattr_setpshared
#pragma weak pthread_getspecific
#pragma weak pthread_key_delete
#pragma weak pthread_mutexattr_destroy
#pragma weak pthread_mutexattr_init
#pragma weak pthread_mutexattr_settype
#pragma weak pthread_setspecific
#pragma weak pthread_testcancel
#endif

#include "interpose/base/arch/arch.h"

/* The process has one thread, and libc does without atomic operations for its locks. False in
 * doubt. */
static inline bool dlw_is_single_threaded(void)
{
#if __GLIBC_PREREQ(2, 32)
    return __libc_single_threaded;
#else
    return &__libc_single_threaded ? __libc_single_threaded : dlw_arch_is_single_threaded();
#endif
}

/*
 * Copies and fills of a few words, as most are, a word at a time: to begin one long instruction
 * costs as much as twenty such words. The empty assembly keeps compilers from making a call of the
 * loop. Forwards, so that a copy may go to lower addresses of what it reads.
 */
typedef uint64_t __attribute__((may_alias, aligned(1))) dlw_any_word;
enum { DLW_FEW_BYTES = 128 };

static inline void dlw_platform_copy(void *to, const void *from, size_t n)
{
    char *out = to;
    const char *in = from;

    if (n > DLW_FEW_BYTES && dlw_arch_copy(to, from, n))
        return;
    for (; n >= sizeof(dlw_any_word); n -= sizeof(dlw_any_word)) {
        *(dlw_any_word *)out = *(const dlw_any_word *)in;
        out += sizeof(dlw_any_word);
        in += sizeof(dlw_any_word);
        __asm__ volatile("" ::: "memory");
    }
    for (; n > 0; n--) {
        *out++ = *in++;
        __asm__ volatile("" ::: "memory");
    }
}

static inline void dlw_platform_fill(void *to, int byte, size_t n)
{
    uint64_t word = 0x0101010101010101ULL * (unsigned char)byte;
    char *out = to;

    if (n > DLW_FEW_BYTES && dlw_arch_fill(to, byte, n))
        return;
    for (; n >= sizeof(dlw_any_word); n -= sizeof(dlw_any_word)) {
        *(dlw_any_word *)out = word;
        out += sizeof(dlw_any_word);
        __asm__ volatile("" ::: "memory");
    }
    for (; n > 0; n--) {
        *out++ = (char)byte;
        __asm__ volatile("" ::: "memory");
    }
}

/*
 * Where a wrapper was called from. A wrapper's frame (DLW_FRAME_HERE, arch/arch.h) begins with
 * {caller's frame pointer, return address} and the caller's stack begins right behind: the return
 * address lies DLW_RETURN_SLOT below the caller's stack pointer.
 */
enum { DLW_RETURN_SLOT = 8 };

struct dlw_call {
    uintptr_t pc; /* return address into the caller */
    uintptr_t sp; /* the caller's stack pointer after the return: the wrapper's CFA */
    uintptr_t fp; /* the caller's frame pointer register */
};

/* The same, still in the wrapper's frame: one word, to be handed on and read where it is needed. */
struct dlw_frame {
    uintptr_t fp, pc;
};

/* Around a call that a frame was handed to: what comes after it keeps compilers from giving the
 * frame up first, as they would for a call in last place. */
static inline int dlw_in_frame(int result)
{
    __asm__ volatile("" : "+r"(result));
    return result;
}

static inline struct dlw_call dlw_call_of(const struct dlw_frame *frame)
{
    return (struct dlw_call){.pc = frame->pc, .sp = (uintptr_t)(frame + 1), .fp = frame->fp};
}

/* In a function that is inlined into wrappers: the frame that was handed to it, or else (NULL) the
 * wrapper's own, which then need not be kept in a register. */
#define DLW_FRAME(given) ((given) ? (given) : DLW_FRAME_HERE())

#define DLW_CALL_HERE() dlw_call_of(DLW_FRAME_HERE())

/*
 * Functions of one argument that hand on a second one, their number: each calls target(argument,
 * number) with no frame of its own. DLW_MAKE_THUNKS makes them, once, where the target is.
 */
enum { DLW_THUNKS = 1024, DLW_THUNK_BYTES = 16 };
extern const char dlw_thunks[] __attribute__((visibility("hidden")));

static inline void (*dlw_platform_thunk(unsigned number))(void *)
{
    return (void (*)(void *))(uintptr_t)(dlw_thunks + (size_t)number * DLW_THUNK_BYTES);
}

#define DLW_MAKE_THUNKS(target)                                                                    \
    __asm__(".pushsection .text\n"                                                                 \
            ".p2align 4\n"                                                                         \
            ".hidden dlw_thunks\n"                                                                 \
            ".globl dlw_thunks\n"                                                                  \
            ".hidden " #target "\n"                                                                \
            "dlw_thunks:\n"                                                                        \
            ".set number, 0\n"                                                                     \
            ".rept 1024\n"                                                                         \
            ".p2align 4\n" DLW_THUNK(target) ".set number, number + 1\n"                           \
                                             ".endr\n"                                             \
                                             ".popsection\n");                                     \
    _Static_assert(DLW_THUNKS == 1024 && DLW_THUNK_BYTES == 16, "as many, and as far apart")

/* Bits of pthread_mutex_t.__data.__kind. */
enum {
    DLW_KIND_TYPE = 3,     /* PTHREAD_MUTEX_{NORMAL,RECURSIVE,ERRORCHECK,ADAPTIVE_NP} */
    DLW_KIND_ROBUST = 16,  /* PTHREAD_MUTEX_ROBUST_NORMAL_NP */
    DLW_KIND_INHERIT = 32, /* PTHREAD_MUTEX_PRIO_INHERIT_NP */
    DLW_KIND_PROTECT = 64, /* PTHREAD_MUTEX_PRIO_PROTECT_NP */
    DLW_KIND_LAST = 255,
    DLW_KIND_SHARED = 128,  /* PTHREAD_MUTEX_PSHARED_BIT */
    DLW_KIND_ELISION = 256, /* PTHREAD_MUTEX_ELISION_NP */
    DLW_KIND_NO_ELISION =
        512, /* PTHREAD_MUTEX_NO_ELISION_NP: of one that was made normal by name */
};

static inline unsigned dlw_mutex_kind(const pthread_mutex_t *mutex)
{
    return (unsigned)mutex->__data.__kind & ~(unsigned)(DLW_KIND_ELISION | DLW_KIND_NO_ELISION);
}

static inline uint32_t dlw_mutex_owner(const pthread_mutex_t *mutex)
{
    return (uint32_t)__atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED);
}

static inline unsigned dlw_mutex_word(const pthread_mutex_t *mutex)
{
    return (unsigned)__atomic_load_n(&mutex->__data.__lock, __ATOMIC_RELAXED);
}

/* The word of a priority-protected mutex holds its ceiling too, whether it is held or not (glibc
 * nptl/pthreadP.h, PTHREAD_MUTEX_PRIO_CEILING_MASK). */
static inline unsigned dlw_mutex_held_word(const pthread_mutex_t *mutex, unsigned kind)
{
    enum { CEILING = 0xfff80000 };

    return dlw_mutex_word(mutex) & (kind & DLW_KIND_PROTECT ? ~(unsigned)CEILING : ~0U);
}

/* The holder's tid, 0: free. A robust mutex and one with priority inheritance have it in their
 * word; the owner field of a robust one says only "inconsistent" until it is made consistent. */
static inline uint32_t dlw_mutex_holder(const pthread_mutex_t *mutex)
{
    if (dlw_mutex_kind(mutex) & (DLW_KIND_ROBUST | DLW_KIND_INHERIT))
        return dlw_mutex_word(mutex) & FUTEX_TID_MASK;
    return dlw_mutex_owner(mutex);
}

static inline unsigned dlw_mutex_count(const pthread_mutex_t *mutex)
{
    return mutex->__data.__count;
}

/* Held; not destroyed (the kind is -1 then: EINVAL at once), nor robust with an owner that has died
 * (EOWNERDEAD at once). */
static inline bool dlw_mutex_keeps_waiting(const pthread_mutex_t *mutex)
{
    unsigned kind = dlw_mutex_kind(mutex);
    unsigned word = dlw_mutex_held_word(mutex, kind);

    return word != 0 && kind <= DLW_KIND_LAST &&
           !((kind & DLW_KIND_ROBUST) && (word & FUTEX_OWNER_DIED));
}

static inline uint32_t dlw_rwlock_writer(const pthread_rwlock_t *rwlock)
{
    return (uint32_t)__atomic_load_n(&rwlock->__data.__cur_writer, __ATOMIC_RELAXED);
}

/* Readers that hold the lock or wait for it: the word counts both, in units of 8 above three flag
 * bits. */
static inline unsigned dlw_rwlock_readers(const pthread_rwlock_t *rwlock)
{
    return (unsigned)__atomic_load_n(&rwlock->__data.__readers, __ATOMIC_RELAXED) >> 3;
}

static inline bool dlw_rwlock_prefers_writers(const pthread_rwlock_t *rwlock)
{
    return rwlock->__data.__flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
}

static inline bool dlw_rwlock_is_shared(const pthread_rwlock_t *rwlock)
{
    return rwlock->__data.__shared != 0;
}

/*
 * The two words in a lock that glibc leaves alone. `id` carries the identity, `chain` the
 * held chain under which the lock was last validated (until then: the place of its init call).
 */
struct dlw_mark {
    _Atomic uint64_t id;
    _Atomic uint64_t chain;
};

static inline struct dlw_mark *dlw_mutex_mark(pthread_mutex_t *mutex)
{
    return (struct dlw_mark *)&mutex->__data.__list;
}

/* The rwlock's spare words lie apart: __pad3/__pad4 and __pad2. */
static inline _Atomic uint64_t *dlw_rwlock_id(pthread_rwlock_t *rwlock)
{
    return (_Atomic uint64_t *)(void *)&rwlock->__data.__pad3;
}

static inline _Atomic uint64_t *dlw_rwlock_chain(pthread_rwlock_t *rwlock)
{
    return (_Atomic uint64_t *)(void *)&rwlock->__data.__pad2;
}

/*
 * sem_t (glibc sysdeps/nptl/internaltypes.h, struct new_sem on 64 bits): value and waiters in one
 * word, then 0 for a private one; the last sixteen bytes are unused and not cleared by sem_init.
 */
static inline _Atomic uint64_t *dlw_semaphore_id(sem_t *semaphore)
{
    return (_Atomic uint64_t *)(void *)((char *)semaphore + 16);
}

static inline _Atomic uint64_t *dlw_semaphore_chain(sem_t *semaphore)
{
    return (_Atomic uint64_t *)(void *)((char *)semaphore + 24);
}

static inline unsigned dlw_semaphore_value(const sem_t *semaphore)
{
    return (unsigned)__atomic_load_n((const uint64_t *)(const void *)semaphore, __ATOMIC_ACQUIRE);
}

static inline bool dlw_semaphore_has_waiters(const sem_t *semaphore)
{
    return __atomic_load_n((const uint64_t *)(const void *)semaphore, __ATOMIC_RELAXED) >> 32;
}

/* pthread_barrier_t (glibc sysdeps/nptl/internaltypes.h, struct pthread_barrier): in,
 * current_round, count, shared, out. */
static inline unsigned dlw_barrier_count(const pthread_barrier_t *barrier)
{
    return ((const unsigned *)(const void *)barrier)[2];
}

/* How many stand at it in this round. */
static inline unsigned dlw_barrier_arrived(const pthread_barrier_t *barrier)
{
    const unsigned *words = (const unsigned *)(const void *)barrier;

    return __atomic_load_n(&words[0], __ATOMIC_RELAXED) -
           __atomic_load_n(&words[1], __ATOMIC_RELAXED);
}

/* How many have come and not left yet, let through or not. Who destroys it waits for them. */
static inline unsigned dlw_barrier_inside(const pthread_barrier_t *barrier)
{
    const unsigned *words = (const unsigned *)(const void *)barrier;

    return __atomic_load_n(&words[0], __ATOMIC_RELAXED) -
           __atomic_load_n(&words[4], __ATOMIC_RELAXED);
}

static inline bool dlw_barrier_is_shared(const pthread_barrier_t *barrier)
{
    return ((const unsigned *)(const void *)barrier)[3] != 0;
}

/* 0 for a private one, FUTEX_PRIVATE_FLAG for one between processes. */
static inline bool dlw_semaphore_is_shared(const sem_t *semaphore)
{
    return ((const unsigned *)(const void *)semaphore)[2] != 0;
}

/* Which word of a condition counts its waiters and has its flags: found at start, since another
 * glibc than the one built with may keep it elsewhere (2.41, and what took its change over). */
extern unsigned dlw_condition_word;

static inline unsigned dlw_condition_refs(const pthread_cond_t *condition)
{
    const unsigned *words = (const unsigned *)(const void *)condition;

    return __atomic_load_n(&words[dlw_condition_word], __ATOMIC_RELAXED);
}

static inline bool dlw_condition_is_shared(const pthread_cond_t *condition)
{
    return dlw_condition_refs(condition) & 1;
}

/* How many have not come out of their wait yet, signalled or not (glibc nptl/pthread_cond_wait.c:
 * three bits of the word are flags). Who destroys it waits for them. */
static inline unsigned dlw_condition_waiters(const pthread_cond_t *condition)
{
    return dlw_condition_refs(condition) >> 3;
}

/* One word. */
static inline bool dlw_spin_is_locked(const pthread_spinlock_t *lock)
{
    return __atomic_load_n(lock, __ATOMIC_RELAXED) != DLW_SPIN_FREE;
}

/* pthread_once_t: 1 in the low bit while a thread runs the routine, 2 once it is done. */
static inline bool dlw_once_is_done(const pthread_once_t *once)
{
    return __atomic_load_n(once, __ATOMIC_ACQUIRE) & 2;
}

static inline bool dlw_once_is_running(const pthread_once_t *once)
{
    return __atomic_load_n(once, __ATOMIC_ACQUIRE) & 1;
}

_Static_assert(sizeof(sem_t) == 32, "room for the mark in a semaphore");
_Static_assert(offsetof(pthread_mutex_t, __data.__owner) == 8, "owner's tid in a mutex");
_Static_assert(offsetof(pthread_mutex_t, __data.__kind) == 16, "kind in a mutex");
_Static_assert(sizeof(((pthread_mutex_t *)0)->__data.__list) == sizeof(struct dlw_mark),
               "room for the mark in a mutex");
_Static_assert(offsetof(pthread_mutex_t, __data.__list) % 8 == 0, "the mark is aligned");
_Static_assert(offsetof(pthread_rwlock_t, __data.__pad3) % 8 == 0, "the rwlock's id is aligned");
_Static_assert(offsetof(pthread_rwlock_t, __data.__pad4) ==
                   offsetof(pthread_rwlock_t, __data.__pad3) + 4,
               "the rwlock's id has eight bytes");
_Static_assert(offsetof(pthread_rwlock_t, __data.__cur_writer) == 24, "writer's tid in a rwlock");
_Static_assert(offsetof(pthread_rwlock_t, __data.__pad2) % 8 == 0, "the rwlock's chain is aligned");
_Static_assert(sizeof(((pthread_rwlock_t *)0)->__data.__pad2) == 8, "the rwlock's chain is a word");

/* The system call that a signal handler interrupted and that the kernel will begin again when the
 * handler returns. False: the signal came between two instructions of the program. `context` is the
 * handler's third argument. */
struct dlw_platform_call {
    long number;
    unsigned long arguments[3];
};
bool dlw_platform_interrupted_call(const void *context, struct dlw_platform_call *out);
/* The stack pointer of the interrupted code. */
uintptr_t dlw_platform_interrupted_stack(const void *context);
/* function(argument) with its frames below `sp`, of which so much more is unused. Returns. */
void dlw_platform_call_on(uintptr_t sp, void (*function)(void *), void *argument);

/* The stack pointer that a jump by this buffer (a jmp_buf of libc) sets; 0: how libc writes it down
 * is not known. */
uintptr_t dlw_platform_jump_target(const void *buffer);

/* Runs real locks of each kind and compares every word above with what it must be. */
bool dlw_platform_check(uint32_t tid);

/* The calling thread's, of a thread that libc made: what libc itself writes into a mutex as its
 * owner, where the check has confirmed that, or else the kernel's word. */
uint32_t dlw_platform_tid(void);

#endif
