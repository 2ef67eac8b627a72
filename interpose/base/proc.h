/* What /proc tells of this process. Raw system calls; nothing when confined. */
#ifndef DLW_BASE_PROC_H
#define DLW_BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies memory of this process, by the kernel: what is not there makes it false, not a fault. */
bool dlw_proc_read(uintptr_t from, void *to, size_t size);
/* `n` pieces of one size, one behind the other, with one question to the kernel. False: it was not
 * asked, or one of them can't be read, and nothing is known of the others. */
enum { DLW_PROC_PIECES = 8 };
bool dlw_proc_read_pieces(const uintptr_t *from, unsigned n, void *to, size_t size);

/* The same where it matters why not: not all there; or nothing is known (the kernel won't). */
enum dlw_proc_reading { DLW_PROC_READ, DLW_PROC_GONE, DLW_PROC_UNKNOWN };
enum dlw_proc_reading dlw_proc_try_read(uintptr_t from, void *to, size_t size);

/* Can the word be written to? Asked by adding nothing to it, which the kernel refuses where not. */
bool dlw_proc_is_writable(uintptr_t word);
/* Would it fault to read the object, or to write there? libc's destroy functions of semaphores,
 * read-write locks and spin locks do neither, and programs call them when the memory has gone.
 * False where the kernel must not be asked. A system call, of some 100 ns. */
bool dlw_proc_lacks(const volatile void *object, size_t size);

/* Number of tasks, negative when it can't be known. */
long dlw_proc_tasks(void);
/* Is a handler installed for any signal that could wake a thread: but glibc's own two, and those
 * that say that the program has broken? True when it can't be known. */
bool dlw_proc_catches_signals(void);
/* Can the kernel not be asked where this process's threads sleep? NULL: it can, or nobody knows;
 * else why not. */
const char *dlw_proc_hides_sleepers(void);
/* The futex a thread sleeps on; 0 when it doesn't, or it can't be known. */
uintptr_t dlw_proc_futex(uint32_t tid);
/* Does it sleep on a futex that has still the value with which it fell asleep? Then nothing that
 * changes the value before it wakes has begun to wake it. */
bool dlw_proc_sleeps_on(uint32_t tid, uintptr_t low, uintptr_t high);
struct dlw_mapping {
    uintptr_t low, high;
    bool is_shared;
};

/* The mapping that holds the address; false when there is none or it can't be known. */
bool dlw_proc_mapping(uintptr_t address, struct dlw_mapping *out);
/* Upper end of the mapping that holds `address`, or a guess close by. */
uintptr_t dlw_proc_stack_end_of(uintptr_t address);
/* Does the address lie in memory shared with other processes? True when it can't be known. */
bool dlw_proc_is_shared(uintptr_t address);
/* The same as a hint, remembered for some addresses: mappings come and go. */
bool dlw_proc_was_shared(uintptr_t address);

#endif
