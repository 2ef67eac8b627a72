/* The kinds of locks, as text: how one is declared, made, taken in each way, and given back. */
#ifndef DLW_TESTS_RANDOM_LOCKS_H
#define DLW_TESTS_RANDOM_LOCKS_H

#include "tests/random/program.h"

enum kind {
    NORMAL,
    RECURSIVE,
    ERRORCHECK,
    ADAPTIVE,
    ROBUST,
    INHERIT,
    PROTECT, /* only from a thread with a real-time priority, see say_priority() */
    SHARED,  /* between processes */
    READERS, /* a rwlock where readers pass a waiting writer */
    WRITERS, /* and one where they don't */
    SPIN,
    SEMAPHORE,
    C11,
    C11_RECURSIVE,
    CUSTOM, /* the program's own, told of through dlwatch.h */
    N_KINDS
};

enum mode { EXCLUSIVE, SHARED_MODE };
/* SOON: with a limit that does run out. */
enum way { BLOCK, TRY, TIMED, EXPIRED, SOON, N_WAYS };

struct lock {
    enum kind kind;
    int units;        /* of a semaphore */
    const char *name; /* as findings call it; "-": it has none */
    const char *expr; /* what & stands before */
};

/* Declares a lock, and says how to make it before everything else. */
struct lock new_lock(struct program *p, enum kind kind);
struct lock new_heap_lock(struct program *p, enum kind kind);
struct lock new_pool(struct program *p, int units);
enum kind any_kind(struct program *p);

bool is_rwlock(const struct lock *lock);
bool can_be_timed(const struct lock *lock);

/* An expression that is 0 when the lock was had. */
const char *take(const struct lock *lock, enum mode mode, enum way way);
const char *drop(const struct lock *lock);
const char *make_lock(const struct lock *lock);
const char *destroy(const struct lock *lock);

/* "mutex p1_lock0", or "rwlock p1_lock0 shared", as findings.jq puts it. */
const char *seen(const struct lock *lock, enum mode mode);
/* The same where no mode is said. */
const char *seen_as_wanted(const struct lock *lock);

/* Where threads may have a real-time priority (asked once); else PROTECT is never picked. */
extern bool priority_is_allowed;

#endif
