#include "interpose/wrap/thread_end.h"

#include "graph/base/arena.h"
#include "graph/base/lock.h"
#include "interpose/base/real.h"
#include "interpose/base/signals.h"
#include "interpose/base/trampoline.h"

#include <errno.h>
#include <limits.h>

typedef void destructor(void *value);

/* RANK_ENDS: protects the arena and the guests' key; held for some ns, nests nothing. */
static struct dlw_lock ends_lock = DLW_LOCK_INIT(DLW_RANK_ENDS);
static struct dlw_arena arena;
static void (*end_of)(struct dlw_thread *self);

void dlw_end_start(void (*end)(struct dlw_thread *self))
{
    end_of = end;
}

/* ---- keys and their destructors ---- */

enum {
    ROUNDS = PTHREAD_DESTRUCTOR_ITERATIONS,
    FIRST_BLOCK = 32, /* values of later keys are malloc'd by libc at the first that is set */
};

/*
 * libc is given a thunk in place of each destructor. A thunk stands for one function for ever, so
 * that one which is called late, when its key has been deleted and made again, still calls what it
 * was made for. The table only grows: a free place is claimed by compare-and-swap.
 */
static destructor *_Atomic functions[DLW_THUNKS];
/* Keys whose destructor is a thunk. One that was deleted reads as NULL in every thread. */
static _Atomic bool is_destroyed[PTHREAD_KEYS_MAX];
static _Atomic unsigned n_keys; /* one more than the highest of them */

/* NULL: no place is left, and that destructor's key is not waited for. */
static destructor *thunk_of(destructor *function)
{
    for (unsigned i = 0; i < DLW_THUNKS; i++) {
        destructor *there = atomic_load_explicit(&functions[i], memory_order_relaxed);
        if (!there)
            atomic_compare_exchange_strong_explicit(&functions[i], &there, function,
                                                    memory_order_relaxed, memory_order_relaxed);
        if (!there || there == function)
            return dlw_platform_thunk(i);
    }
    return NULL;
}

static void note_key(pthread_key_t key, bool has_destructor)
{
    unsigned known = atomic_load_explicit(&n_keys, memory_order_relaxed);

    if (key >= PTHREAD_KEYS_MAX)
        return;
    atomic_store_explicit(&is_destroyed[key], has_destructor, memory_order_relaxed);
    while (has_destructor && known <= key)
        if (atomic_compare_exchange_weak_explicit(&n_keys, &known, key + 1, memory_order_relaxed,
                                                  memory_order_relaxed))
            return;
}

/* As libc looks for the next: by rising keys, a round after the other until one found nothing. */
static bool has_destructors_left(struct dlw_thread *self)
{
    unsigned n = atomic_load_explicit(&n_keys, memory_order_relaxed);

    while (self->end_rounds < ROUNDS) {
        bool is_whole_round = self->end_key == 0;
        while (self->end_key < n) {
            unsigned key = self->end_key++;
            if (atomic_load_explicit(&is_destroyed[key], memory_order_relaxed) &&
                pthread_getspecific(key))
                return true;
        }
        if (is_whole_round)
            return false;
        self->end_rounds++;
        self->end_key = 0;
    }
    return false;
}

static void look(struct dlw_thread *self)
{
    if (self && self->has_left && self->n_objects == 0 && !has_destructors_left(self))
        end_of(self);
}

void dlw_end_left(struct dlw_thread *self)
{
    if (self != dlw_self)
        return;
    self->has_left = true;
    look(self);
}

/* What a thunk jumps to. */
void dlw_end_destroy(void *value, unsigned number);
DLW_MAKE_THUNKS(dlw_end_destroy);
DLW_TRAMPOLINE __attribute__((used)) void dlw_end_destroy(void *value, unsigned number)
{
    atomic_load_explicit(&functions[number], memory_order_relaxed)(value);
    look(dlw_self);
}

/* ---- threads that were not begun by us ---- */

/* Their ends are told by a key after all, which is there only while there are such threads, and
 * given to the program when it wants the last one. Its destructor is as if the function was left.
 */
static pthread_key_t guest_key;
static unsigned n_guests;

static void drop_key_locked(void)
{
    pthread_key_delete(guest_key);
    n_guests = 0;
}

void dlw_end_forget_guest(struct dlw_thread *self)
{
    if (!self->is_guest)
        return;
    self->is_guest = false;
    dlw_guard_enter(self);
    if (dlw_lock_acquire_or_skip(&ends_lock)) {
        if (n_guests)
            pthread_setspecific(guest_key, NULL);
        if (n_guests && --n_guests == 0)
            drop_key_locked();
        dlw_lock_release(&ends_lock);
    }
    dlw_guard_leave(self);
}

static void on_guest_end(void *value)
{
    struct dlw_thread *self = value;

    if (self != dlw_self || !self->is_guest)
        return;
    dlw_end_forget_guest(self);
    dlw_end_left(self);
}

/* libc's functions of keys take no lock and call nobody. */
static bool has_key_locked(void)
{
    if (n_guests)
        return true;
    if (real.pthread_key_create(&guest_key, on_guest_end) != 0)
        return false;
    if (guest_key >= FIRST_BLOCK)
        pthread_key_delete(guest_key);
    return guest_key < FIRST_BLOCK;
}

/* Called with the guard up, or while signals are blocked. */
void dlw_end_watch_guest(struct dlw_thread *self)
{
    if (!dlw_lock_acquire_or_skip(&ends_lock))
        return;
    if (!self->is_guest && has_key_locked() && pthread_setspecific(guest_key, self) == 0) {
        self->is_guest = true;
        n_guests++;
    }
    dlw_lock_release(&ends_lock);
}

static bool gave_key_back(void)
{
    struct dlw_shield shield = {0};
    bool had_it = false;

    dlw_shield_raise(&shield);
    if (dlw_lock_acquire_or_skip(&ends_lock)) {
        had_it = n_guests != 0;
        if (had_it)
            drop_key_locked();
        dlw_lock_release(&ends_lock);
    }
    dlw_shield_lower(&shield);
    return had_it;
}

/* ---- the wrappers ---- */

DLW_EXPORT int pthread_key_create(pthread_key_t *key, void (*function)(void *))
{
    dlw_thread_self(); /* libraries call this in their constructors, before ours */
    destructor *thunk = function ? thunk_of(function) : NULL;
    int result = real.pthread_key_create(key, thunk ? thunk : function);

    if (result == EAGAIN && gave_key_back())
        result = real.pthread_key_create(key, thunk ? thunk : function);
    if (result == 0)
        note_key(*key, thunk != NULL);
    return result;
}

DLW_EXPORT int tss_create(tss_t *key, tss_dtor_t function)
{
    dlw_thread_self();
    destructor *thunk = function ? thunk_of(function) : NULL;
    int result = real.tss_create(key, thunk ? thunk : function);

    if (result != thrd_success && gave_key_back())
        result = real.tss_create(key, thunk ? thunk : function);
    if (result == thrd_success)
        note_key(*key, thunk != NULL);
    return result;
}

/* A thread-local C++ object and its destructor. */
struct object {
    destructor *function;
    void *value;
};

static struct object *keep_object(destructor *function, void *value)
{
    struct dlw_shield shield = {0};
    struct object *object = NULL;

    dlw_shield_raise(&shield);
    if (dlw_lock_acquire_or_skip(&ends_lock)) {
        object = dlw_arena_alloc(&arena, sizeof(*object));
        dlw_lock_release(&ends_lock);
    }
    dlw_shield_lower(&shield);
    if (object)
        *object = (struct object){function, value};
    return object;
}

static struct object take_object(struct object *kept)
{
    struct dlw_shield shield = {0};
    struct object object = *kept;

    dlw_shield_raise(&shield);
    if (dlw_lock_acquire_or_skip(&ends_lock)) {
        dlw_arena_free(&arena, kept, sizeof(*kept));
        dlw_lock_release(&ends_lock);
    }
    dlw_shield_lower(&shield);
    return object;
}

DLW_TRAMPOLINE static void destroy_object(void *kept)
{
    struct object object = take_object(kept);

    object.function(object.value);
    struct dlw_thread *self = dlw_self;
    if (self && self->n_objects) {
        self->n_objects--;
        look(self);
    }
}

/* Called by the C++ runtime (and others) for each thread-local object that has a destructor. No
 * header has it. */
int __cxa_thread_atexit_impl(void (*function)(void *), void *value, void *module);
DLW_EXPORT int __cxa_thread_atexit_impl(void (*function)(void *), void *value, void *module)
{
    struct dlw_thread *self = dlw_thread_self();
    struct object *object = dlw_thread_passes(self) ? NULL : keep_object(function, value);

    if (!object)
        return real.__cxa_thread_atexit_impl(function, value, module);
    self->n_objects++;
    int result = real.__cxa_thread_atexit_impl(destroy_object, object, module);
    if (result != 0) {
        self->n_objects--;
        take_object(object);
    }
    return result;
}

/* ---- fork ---- */

bool dlw_end_before_fork(void)
{
    return dlw_lock_acquire(&ends_lock);
}

/* The other guests are not in the child. */
void dlw_end_after_fork(bool child)
{
    bool is_guest = dlw_self && dlw_self->is_guest;

    if (!child) {
        dlw_lock_release(&ends_lock);
        return;
    }
    dlw_lock_reset(&ends_lock);
    if (n_guests && !is_guest)
        drop_key_locked();
    n_guests = is_guest;
}
