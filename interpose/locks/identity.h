/*
 * Identity of locks: which lock is this, and is it the one that lived at this address before?
 *
 * A lock gets an identity the first time it is taken while another is held. Where the
 * object has words that glibc leaves alone, a mark there names it: {record, check}, the
 * check mixing a nonce of this process, the address and the record. A mark is a hint:
 * before it is believed here, check and record are compared. It dies by itself
 * when the memory is initialised again. Locks without room for a mark are known by address alone;
 * they all pass an init or destroy call. A new tenant at an address retires the old one.
 *
 * Called with the graph lock held, where the name ends in _locked.
 */
#ifndef DLW_LOCKS_IDENTITY_H
#define DLW_LOCKS_IDENTITY_H

#include "graph/order/order.h"
#include "interpose/base/hash.h"
#include "interpose/threads/record.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    DLW_ATTR_RECURSIVE = 1,
    DLW_ATTR_ERRORCHECK = 2,
    DLW_ATTR_ADAPTIVE = 4,
    DLW_ATTR_ROBUST = 8,
    DLW_ATTR_INHERIT = 16,
    DLW_ATTR_SHARED = 32,
    DLW_ATTR_PREFER_WRITER = 64,
    /* Of a semaphore. It was taken under another lock, kept when that one was let go, and posted
     * under it later: so do the readers of a room, the first and the last of them for all. Then it
     * is no lock of one thread, also where one thread alone was seen to do so. */
    DLW_ATTR_OUTLIVES = 1,
};

/* Stands in the id word after an init call. The lock has no identity yet, but the low half of the
 * word tells one such life from another, and the chain word holds the place of the call. FRESH
 * instead of CREATED: a semaphore with one unit that nobody has taken yet. */
#define DLW_MARK_FRESH 0x0C7EA7EC00000000ULL
#define DLW_MARK_CREATED 0x0C7EA7ED00000000ULL

static inline bool dlw_mark_is_created(uint64_t mark) /* fresh or not */
{
    return (mark >> 32 | 1) == DLW_MARK_CREATED >> 32;
}

/* Each thread draws its numbers in blocks: no counter is shared on this path. */
enum { DLW_BIRTHS = 1024 };
void dlw_mark_draw_births(struct dlw_thread *self);

/* Has it one left? */
static inline bool dlw_mark_is_drawn(const struct dlw_thread *self)
{
    return __builtin_expect(self->next_birth % DLW_BIRTHS != 0, 1);
}

static inline uint64_t dlw_mark_of_drawn(struct dlw_thread *self)
{
    return DLW_MARK_CREATED | self->next_birth++;
}

static inline uint64_t dlw_mark_of_birth(struct dlw_thread *self)
{
    if (!dlw_mark_is_drawn(self))
        dlw_mark_draw_births(self);
    return dlw_mark_of_drawn(self);
}

/* POOL: a semaphore with several units, whose number is the low half. SIGNAL: one that other
 * threads post. Neither is a lock; where a report names one it is known by its address. ENDED: a
 * signal as well, and who gets it has joined a thread of Python's (order/python_join.h). */
#define DLW_MARK_POOL 0x0C7EA7EE00000000ULL
#define DLW_MARK_SIGNAL 0x0C7EA7EF00000000ULL
#define DLW_MARK_ENDED 0x0C7EA7F000000000ULL

static inline bool dlw_mark_is_pool(uint64_t mark)
{
    return mark >> 32 == DLW_MARK_POOL >> 32;
}

/* A lock as a wrapper sees it. */
struct dlw_lock_ref {
    uintptr_t address;
    _Atomic uint64_t *id; /* its mark's words; NULL: the address table knows it */
    _Atomic uint64_t *chain;
    uint8_t kind; /* enum dlw_lock_kind */
    uint8_t attributes;
    uint32_t thread; /* kind thread: whose end it is */
};

/*
 * What tells the lock from others that lived at its address: its mark, or where none can stand,
 * the number of times that a lock has left, or come to, one of the addresses that share a counter,
 * spread over the word. Keys carry it, so that those of the lock before fit no more; that
 * of another lock on the same counter is asked for once again.
 */
enum { DLW_TENANCIES = 1024 };
extern _Atomic uint32_t dlw_tenancies[DLW_TENANCIES];

static inline _Atomic uint32_t *dlw_tenancy_of(uintptr_t address)
{
    return &dlw_tenancies[(uint64_t)address * DLW_GOLDEN >> 54];
}

/* The id of a lock without a mark. The hot path of a plain mutex doesn't know that it can bear none
 * (its address is odd) and reads 0, so this returns 0 too. */
static inline uint64_t dlw_lock_tenant(uintptr_t address, unsigned kind)
{
    return kind == DLW_LOCK_MUTEX && address % 8
               ? 0
               : atomic_load_explicit(dlw_tenancy_of(address), memory_order_relaxed) * DLW_GOLDEN;
}

static inline uint64_t dlw_lock_id_of(const struct dlw_lock_ref *ref)
{
    return ref->id ? atomic_load_explicit(ref->id, memory_order_relaxed)
                   : dlw_lock_tenant(ref->address, ref->kind);
}

/* What the journal says of a lock. */
struct dlw_lock_facts {
    uint64_t lock; /* as findings call it: dlw_order's tag */
    uintptr_t address;
    uintptr_t created; /* return address of the init call, 0: none seen */
    uint32_t first;  /* stack where it was first taken while others were held, or was held first */
    uint32_t thread; /* kind thread: whose end it is */
    uint8_t kind, attributes;
    const char *name, *class_name; /* given by the program, or NULL; never freed */
};

/* The node of the lock; makes an identity when it has none. 0: out of memory. */
dlw_node dlw_lock_node_locked(const struct dlw_lock_ref *ref);
/* The node if it has an identity, else 0. */
dlw_node dlw_lock_known_locked(const struct dlw_lock_ref *ref);
/* The end of a thread as a lock: no address of memory, and no other thread's. */
static inline uintptr_t dlw_lock_end_of(uint32_t thread)
{
    return (uintptr_t)1 << 63 | thread;
}

static inline bool dlw_lock_is_end(uintptr_t address)
{
    return address >> 63;
}

/* The lock is no longer of interest: its node and edges go. */
void dlw_lock_retire_locked(dlw_node node);
/* The node of the lock that bore this mark at this address, if it lives; the memory is not read. */
dlw_node dlw_lock_of_mark_locked(uintptr_t address, uint64_t mark);
/* The node of a lock without a mark, if the one that lives at the address is still the one whose
 * taking had this id. */
dlw_node dlw_lock_of_tenant_locked(uintptr_t address, unsigned kind, uint64_t id);
/* The node of a pool in which `mark` stands, as a gate. 0: it is too large to be one, or out of
 * memory. The memory is not read. */
dlw_node dlw_lock_pool_locked(uintptr_t address, uint64_t mark);

/* A lock at this address is initialised or destroyed: whatever lived there is gone. `created` 0 for
 * a destroy. */
void dlw_lock_reborn(const struct dlw_lock_ref *ref, uintptr_t created);
/* Raises the guard for that. Most locks that come and go are never known: then no internal lock is
 * taken, and signals need not be blocked. */
bool dlw_lock_rebirth_is_brief(const struct dlw_lock_ref *ref);
static inline __attribute__((always_inline)) void
dlw_lock_enter_rebirth(struct dlw_thread *self, const struct dlw_lock_ref *ref)
{
    if (dlw_lock_rebirth_is_brief(ref))
        dlw_guard_enter_briefly(self);
    else
        dlw_guard_enter(self);
}

/* Another thread released it: from now on a signal without an owner. Its edges go. */
void dlw_lock_becomes_signal(const struct dlw_lock_ref *ref);

/* The semaphore has shown that (DLW_ATTR_OUTLIVES). True: for the first time. */
bool dlw_lock_outlives(const struct dlw_lock_ref *ref);

/* Is this lock of kind custom released by other threads than its holder? If there is any such lock
 * in the process this takes the graph lock, with the guard up. */
bool dlw_lock_is_signal(uintptr_t lock);

bool dlw_lock_facts_locked(uint64_t lock, struct dlw_lock_facts *out);
void dlw_lock_saw_stack_locked(dlw_node node, uint32_t stack);
uint64_t dlw_lock_tag_locked(dlw_node node);
/* Does the lock with this tag still live? */
bool dlw_lock_lives_locked(uint64_t tag);

/* The journal's number of a lock, from the tag that findings carry. */
static inline uint64_t dlw_lock_serial(uint64_t lock)
{
    return lock >> 32;
}

/* Without the lock: does the mark fit this address? (Its record may be gone.) */
bool dlw_lock_mark_is_good(uint64_t mark, uintptr_t address);

uint64_t dlw_locks_ever(void);

/* Retires some locks whose memory is gone or was used again. Called with the graph lock held. */
void dlw_locks_sweep_locked(void);

#endif
