/*
 * Roles: what a thread does in a known cycle. It takes a lock at the role's first place and asks
 * for another, while it holds that one, at the second (role_file.h). Where all roles of a cycle are
 * played at once, by different threads and with locks that match, they deadlock.
 *
 * What it costs: nothing while no file is loaded, and nothing at other places when one is. A place
 * of a role is never plain (stacks/rules.h: its rule bears DLW_RULE_ROLE, found out when the rule
 * is learned, so that code loaded later is known when it comes), so its takings leave the hot path
 * after the lock is had. From there on the thread stands in the role: DLW_GUARD_STANDS is up, and
 * all its calls take the cold half of their wrappers, which say what they are about to ask for.
 * That ends at the first call that finds the lock no longer held.
 *
 * Whoever loads a file is asked at both moments. Called with no internal lock held and the guard
 * down; errno is kept by whoever is called.
 */
#ifndef DLW_STEER_ROLE_H
#define DLW_STEER_ROLE_H

#include "interpose/steer/role_file.h"
#include "interpose/threads/record.h"

/* A thread stands in a role. Written by its thread; walkers read all but `pc` and `sp`. */
struct dlw_role_stand {
    _Atomic uintptr_t lock; /* the first lock; 0: the end of the thread itself */
    _Atomic(const struct dlw_role *) role;
    const struct dlw_role_user *user;
    uintptr_t pc, sp;       /* of the held stack's entry */
    _Atomic uint32_t state; /* 0 at first; its user's own */
    /* 0 at first; of its user, and 0 again once it is no lock that the thread has. */
    _Atomic uintptr_t asked;
};

/* What the thread asks for. */
struct dlw_role_wish {
    uintptr_t lock; /* the object; of a join the handle */
    uint8_t kind;   /* enum dlw_lock_kind */
    uint8_t mode;   /* enum dlw_mode */
    struct dlw_call call;
};

struct dlw_role_user {
    /* The lock is had, at a role's first place: `stand` is published already. NULL: not asked. */
    void (*enters)(struct dlw_thread *self, struct dlw_role_stand *stand);
    /* All stands of a taking are published. NULL: the lock stays taken. Else it was given back and
     * is taken again: the entry that it has now, which is asked about anew. NULL: not asked. */
    struct dlw_held_lock *(*entered)(struct dlw_thread *self, struct dlw_held_lock *held,
                                     struct dlw_call call);
    /* A stand ends: its lock is let go of. NULL: not asked. */
    void (*leaves)(struct dlw_thread *self, struct dlw_role_stand *stand);
    /* It is about to ask for the second, and has not begun: once for all the roles in which it
     * stands and whose second place this is. NULL: not asked. */
    void (*asks)(struct dlw_thread *self, const struct dlw_role_wish *wish,
                 struct dlw_role_stand *const *stands, unsigned n);
};

/* From the constructor only, before a rule is learned. False: it can't be read, `line` (0: not at
 * all) and `why` say more. `out` and `user` live as long as the process. */
bool dlw_roles_load(struct dlw_role_file *out, const char *path, const struct dlw_role_user *user,
                    unsigned *line, const char **why);
/* The same once the file is in memory. */
void dlw_roles_add(struct dlw_role_file *file, const struct dlw_role_user *user);

/* Does any role begin or end at this return address? Takes no lock: it is asked with the one of the
 * rules held. */
bool dlw_role_is_place(uintptr_t pc);
/* Of a module of the file: has any code of it been seen? */
bool dlw_role_module_is_seen(const struct dlw_role_module *module);

/* The hooks (threads/hooks.h). */
void dlw_role_taken(struct dlw_thread *self, struct dlw_held_lock *held, struct dlw_call call);
void dlw_role_thread_starts(struct dlw_thread *self);

/* By which lock of the calling thread it stands there; 0: by its own end. */
uintptr_t dlw_role_lock(struct dlw_thread *self, const struct dlw_role_stand *stand);

/* For the cold half of a wrapper, before it tries or asks for a lock that it may have to wait for.
 * Not for tries, nor for calls with a limit. */
void dlw_role_asks_slow(struct dlw_thread *self, const struct dlw_role_wish *wish);
static inline void dlw_role_asks(struct dlw_thread *self, const void *lock, unsigned kind,
                                 unsigned mode, struct dlw_call call)
{
    if (__builtin_expect(self->guard & DLW_GUARD_STANDS, 0))
        dlw_role_asks_slow(
            self, &(struct dlw_role_wish){(uintptr_t)lock, (uint8_t)kind, (uint8_t)mode, call});
}

/* For the cold half of a wrapper that has let go of a lock: its stands end. */
void dlw_role_left_slow(struct dlw_thread *self);
static inline void dlw_role_left(struct dlw_thread *self)
{
    if (__builtin_expect(self->guard & DLW_GUARD_STANDS, 0))
        dlw_role_left_slow(self);
}

/* Does the thread, any one, stand in the role now? The lock by which it does goes to *lock: of each
 * such stand from the *from'th on, which goes behind it. */
bool dlw_role_is_played(const struct dlw_thread *thread, const struct dlw_role *role,
                        unsigned *from, uintptr_t *lock);

#endif
