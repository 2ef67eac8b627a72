#include "interpose/steer/avoid.h"

#include "graph/base/sys.h"
#include "interpose/base/platform.h"
#include "interpose/base/state.h"
#include "interpose/steer/known.h"
#include "interpose/steer/yield.h"
#include "interpose/tell/avoid_file.h"
#include "interpose/tell/reporter.h"
#include "interpose/watch/live_view.h"
#include "report/emit/say.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>

static const struct dlw_role_user user;

/* ---- who stands where ---- */

/* Of a stand. ENTERING: its thread has not decided yet whether it stays. */
enum { ENTERING, INSIDE, OUT };

enum { FEW = 48 };

struct crowd {
    struct dlw_thread *self;
    const struct dlw_known *known;
    bool counts_all; /* also those who have yet to decide, and will after this thread */
    uint32_t n, room;
    struct dlw_player *players;
    uint32_t *tids; /* of the players */
};

static bool counts(const struct crowd *crowd, const struct dlw_thread *thread,
                   const struct dlw_role_stand *stand, const struct dlw_role *role)
{
    uint32_t state = atomic_load_explicit(&stand->state, memory_order_seq_cst);

    if (!role || stand->user != &user || role->cycle->own != crowd->known || state == OUT)
        return false;
    return state == INSIDE || crowd->counts_all || thread->id < crowd->self->id;
}

static bool holds(struct dlw_thread *thread, uintptr_t lock)
{
    return lock && dlw_view_find_held(thread, lock) >= 0;
}

static uint32_t role_of(const struct dlw_known *known, uint32_t step)
{
    return known->most_alike ? DLW_ANY_ROLE : step;
}

static void join_crowd(struct crowd *crowd, struct dlw_thread *thread,
                       const struct dlw_role_stand *stand)
{
    const struct dlw_role *role = atomic_load_explicit(&stand->role, memory_order_acquire);
    uintptr_t lock = atomic_load_explicit(&stand->lock, memory_order_relaxed);
    uintptr_t asked = atomic_load_explicit(&stand->asked, memory_order_relaxed);

    if (!counts(crowd, thread, stand, role) || !holds(thread, lock) ||
        atomic_load_explicit(&stand->role, memory_order_acquire) != role)
        return;
    if (crowd->n < crowd->room) {
        crowd->players[crowd->n] = (struct dlw_player){
            thread->id, role_of(crowd->known, role->step), lock, asked, holds(thread, asked)};
        crowd->tids[crowd->n] = atomic_load_explicit(&thread->tid, memory_order_relaxed);
    }
    crowd->n++;
}

static bool visit(void *context, struct dlw_thread *thread)
{
    struct crowd *crowd = context;
    uint32_t n = atomic_load_explicit(&thread->n_stands, memory_order_acquire);

    for (uint32_t i = 0; i < n && thread != crowd->self; i++)
        join_crowd(crowd, thread, &thread->stands[i]);
    return true;
}

/* Is there anybody, beside this thread, in each other role? A look at counters, which spares the
 * one at all threads. */
static bool may_close(const struct dlw_thread *self, const struct dlw_known *known, uint32_t mine)
{
    uint32_t own[DLW_ROLE_STEPS] = {0};
    uint32_t n = atomic_load_explicit(&self->n_stands, memory_order_relaxed);

    for (uint32_t i = 0; i < n; i++) {
        const struct dlw_role *role =
            atomic_load_explicit(&self->stands[i].role, memory_order_relaxed);
        if (self->stands[i].user == &user && role->cycle->own == known)
            own[role->step]++;
    }
    for (uint32_t i = 0; i < known->cycle.n; i++)
        if ((i != mine || known->most_alike) &&
            atomic_load_explicit(&known->inside[i], memory_order_seq_cst) <= own[i])
            return false;
    return true;
}

/* Those whom the thread would wait for. */
struct others {
    uint32_t tids[DLW_YIELDS_TO], n;
};

static bool closes_at_length(const struct crowd *crowd, uint32_t n, struct others *out)
{
    uint32_t chosen[DLW_ROLE_STEPS], me = crowd->n;

    if (!dlw_instance_closes(crowd->known->parts, n, crowd->players, me + 1, me, chosen))
        return false;
    out->n = 0;
    for (uint32_t i = 0; i < n && out->n < DLW_YIELDS_TO; i++)
        if (chosen[i] != me)
            out->tids[out->n++] = crowd->tids[chosen[i]];
    return true;
}

static bool closes_with(struct crowd *crowd, uint32_t role, uintptr_t lock, struct others *out)
{
    const struct dlw_known *known = crowd->known;
    uint32_t me = crowd->n;

    crowd->players[me] = (struct dlw_player){crowd->self->id, role_of(known, role), lock, 0, false};
    crowd->tids[me] = 0;
    if (!known->most_alike)
        return closes_at_length(crowd, known->cycle.n, out);
    for (uint32_t n = 2; n <= known->most_alike && n <= me + 1; n++)
        if (closes_at_length(crowd, n, out))
            return true;
    return false;
}

/* Would the cycle be able to close, with this thread in that role by that lock? The guard is up. */
static bool closes(struct dlw_thread *self, const struct dlw_known *known, uint32_t role,
                   uintptr_t lock, bool counts_all, struct others *out)
{
    struct dlw_player few[FEW];
    uint32_t few_tids[FEW];
    struct crowd crowd = {self, known, counts_all, 0, FEW - 1, few, few_tids};
    size_t bytes = 0;

    if (!may_close(self, known, role))
        return false;
    for (;;) {
        crowd.n = 0;
        dlw_threads_each(visit, &crowd);
        if (crowd.n <= crowd.room)
            break;
        if (bytes)
            dlw_pages_unmap(crowd.players, bytes);
        crowd.room = crowd.n * 2;
        bytes = (crowd.room + 1) * (sizeof(*crowd.players) + sizeof(*crowd.tids));
        crowd.players = dlw_pages_map(bytes);
        if (!crowd.players)
            return false;
        crowd.tids = (uint32_t *)(crowd.players + crowd.room + 1);
    }
    bool is_found = closes_with(&crowd, role, lock, out);
    if (bytes)
        dlw_pages_unmap(crowd.players, bytes);
    return is_found;
}

/* ---- the decision ---- */

/* Why it gives way: the cycle that would be able to close. */
struct danger {
    struct dlw_known *known;
    uint32_t role;
    struct others others;
};

static bool is_entering(const struct dlw_role_stand *stand, uintptr_t lock)
{
    return stand->user == &user &&
           atomic_load_explicit(&stand->lock, memory_order_relaxed) == lock &&
           atomic_load_explicit(&stand->state, memory_order_relaxed) == ENTERING;
}

static void set_states(struct dlw_thread *self, uintptr_t lock, uint32_t state)
{
    uint32_t n = atomic_load_explicit(&self->n_stands, memory_order_relaxed);

    for (uint32_t i = 0; i < n; i++)
        if (is_entering(&self->stands[i], lock))
            atomic_store_explicit(&self->stands[i].state, state, memory_order_seq_cst);
}

enum outlook { STAYS, GIVES_WAY, UNDECIDED };

static enum outlook look(struct dlw_thread *self, uintptr_t lock, struct danger *danger)
{
    uint32_t n = atomic_load_explicit(&self->n_stands, memory_order_relaxed);
    enum outlook outlook = STAYS;

    for (uint32_t i = 0; i < n; i++) {
        const struct dlw_role *role =
            atomic_load_explicit(&self->stands[i].role, memory_order_relaxed);
        if (!is_entering(&self->stands[i], lock))
            continue;
        struct dlw_known *known = role->cycle->own;
        if (atomic_load_explicit(&known->is_off, memory_order_relaxed))
            continue;
        for (int all = 0; all < 2; all++) {
            struct others others;
            if (!closes(self, known, role->step, lock, all, &others))
                continue;
            *danger = (struct danger){known, role->step, others};
            if (!all)
                return GIVES_WAY;
            outlook = UNDECIDED;
        }
    }
    return outlook;
}

/* Changes whenever somebody leaves a role or asks for its second lock. */
static _Atomic uint32_t changes;

/* Most are between their two locks for less than a us: what they ask for shows then, and mostly it
 * is another lock than this one. True: something has changed. */
static bool changes_soon(uint32_t seen)
{
    enum { PAUSES = 200 };

    for (int i = 0; i < PAUSES; i++) {
        dlw_cpu_relax();
        if (atomic_load_explicit(&changes, memory_order_relaxed) != seen)
            return true;
    }
    return false;
}

/* Somebody who enters at the same moment, and gives way to this thread if it sees it, has not said
 * yet whether it does. It needs some us, and its processor. */
static bool gives_way(struct dlw_thread *self, uintptr_t lock, struct danger *danger)
{
    enum { PATIENCE = 10000000 /* ns */, LOOKS = 4 };
    uint64_t until = 0;

    for (int looks = 0;; looks++) {
        uint32_t seen = atomic_load_explicit(&changes, memory_order_seq_cst);
        enum outlook outlook = look(self, lock, danger);
        if (outlook == STAYS)
            return false;
        if (outlook == GIVES_WAY) {
            if (looks < LOOKS && changes_soon(seen))
                continue;
            return true;
        }
        uint64_t now = dlw_now();
        if (!until)
            until = now + PATIENCE;
        if (now >= until)
            return true;
        dlw_syscall(SYS_sched_yield);
    }
}

/* ---- the wait ---- */

static _Atomic uint32_t sleepers;

static void wake(void)
{
    atomic_fetch_add_explicit(&changes, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&sleepers, memory_order_seq_cst))
        dlw_syscall(SYS_futex, &changes, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void sleep_on(uint32_t seen, uint64_t ns)
{
    struct timespec slice = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};

    atomic_fetch_add_explicit(&sleepers, 1, memory_order_seq_cst);
    dlw_syscall(SYS_futex, &changes, FUTEX_WAIT_PRIVATE, seen, &slice, NULL, 0);
    atomic_fetch_sub_explicit(&sleepers, 1, memory_order_relaxed);
}

static void publish_yield(struct dlw_thread *self, const struct others *others)
{
    for (uint32_t i = 0; i < DLW_YIELDS_TO; i++)
        atomic_store_explicit(&self->yields_to[i], i < others->n ? others->tids[i] : 0,
                              memory_order_seq_cst);
}

enum outcome { WAITS, OF_USE, LET_GO, EXHAUSTED };

static enum outcome look_again(struct dlw_thread *self, uintptr_t lock, struct danger *danger)
{
    enum outcome outcome = OF_USE;

    dlw_guard_enter(self);
    if (!atomic_load_explicit(&danger->known->is_off, memory_order_relaxed) &&
        closes(self, danger->known, danger->role, lock, true, &danger->others)) {
        publish_yield(self, &danger->others);
        outcome =
            dlw_yield_is_waited_for(self, danger->others.tids, danger->others.n) ? LET_GO : WAITS;
    }
    dlw_guard_leave(self);
    return outcome;
}

/* No lock of the library is held, and its guard is down: handlers run as in any wait. The slices
 * are for what wakes nobody: a lock that is had, a cycle of waits that closes, or another thread
 * that confines the process, which then sees no call of ours any more. */
static enum outcome wait_until(struct dlw_thread *self, uintptr_t lock, struct danger *danger,
                               uint64_t until)
{
    enum { FIRST = 100000, LONGEST = 2000000 }; /* ns */
    uint64_t slice = FIRST;

    for (;;) {
        uint32_t seen = atomic_load_explicit(&changes, memory_order_seq_cst);
        enum outcome outcome = look_again(self, lock, danger);
        uint64_t now = dlw_now();
        if (outcome != WAITS)
            return outcome;
        if (atomic_load_explicit(&dlw_confined, memory_order_relaxed))
            return LET_GO;
        if (now >= until)
            return EXHAUSTED;
        sleep_on(seen, slice < until - now ? slice : until - now);
        if (slice < LONGEST)
            slice *= 2;
    }
}

/* ---- what came of it ---- */

static void tell(struct dlw_known *known)
{
    struct dlw_journal_avoided line = {
        .name = known->name,
        .count = atomic_load_explicit(&known->avoided, memory_order_relaxed),
        .exhausted = atomic_load_explicit(&known->limits, memory_order_relaxed),
        .let_go = atomic_load_explicit(&known->let_go, memory_order_relaxed),
        .is_off = atomic_load_explicit(&known->is_off, memory_order_relaxed)};

    if (atomic_exchange_explicit(&known->told, line.count, memory_order_relaxed) != line.count ||
        line.is_off)
        dlw_report_avoided(&line);
}

static void tell_all(void)
{
    char count[24];

    for (struct dlw_known *known = dlw_known_first(); known; known = known->next) {
        tell(known);
        if (dlw_options.verbosity > 0)
            dlw_say(
                "avoid: the known deadlock ", known->name, ": times avoided: ",
                dlw_say_number(count, atomic_load_explicit(&known->avoided, memory_order_relaxed)),
                NULL);
    }
}

static void switch_off(struct dlw_known *known)
{
    if (atomic_exchange_explicit(&known->is_off, true, memory_order_relaxed))
        return;
    dlw_report_note("avoid: the known deadlock ", known->name,
                    " is not avoided any more: waiting was three times of no use, since its "
                    "threads did not go on meanwhile",
                    NULL);
    tell(known);
}

static bool is_power_of_two(uint64_t n)
{
    return (n & (n - 1)) == 0;
}

/* `left`: of the deadlock, when the wait began. A limit is in vain only where nobody went on: else
 * there were always others. */
static void count(struct dlw_thread *self, struct dlw_known *known, enum outcome outcome,
                  uint32_t left)
{
    enum { MOST_EXHAUSTED = 3 };
    uint64_t n = atomic_fetch_add_explicit(&known->avoided, 1, memory_order_relaxed) + 1;
    bool goes_on = atomic_load_explicit(&known->left, memory_order_relaxed) != left;

    dlw_guard_enter(self);
    if (outcome == LET_GO)
        atomic_fetch_add_explicit(&known->let_go, 1, memory_order_relaxed);
    if (outcome == EXHAUSTED)
        atomic_fetch_add_explicit(&known->limits, 1, memory_order_relaxed);
    if (goes_on || outcome == OF_USE)
        atomic_store_explicit(&known->delays_only, 0, memory_order_relaxed);
    else if (outcome == EXHAUSTED &&
             atomic_fetch_add_explicit(&known->delays_only, 1, memory_order_relaxed) + 1 >=
                 MOST_EXHAUSTED)
        switch_off(known);
    if (is_power_of_two(n))
        tell(known);
    dlw_guard_leave(self);
}

static const char *why_met(uint64_t number)
{
    const struct dlw_known *known = dlw_known_find(number);

    if (!known)
        return "this process began before it was known";
    if (atomic_load_explicit(&known->is_off, memory_order_relaxed))
        return "its threads met between their locks too often, so it was given up";
    if (atomic_load_explicit(&known->limits, memory_order_relaxed))
        return "a thread waited as long as avoid_limit allows, and the others did not go on: "
               "they meet between their locks";
    if (atomic_load_explicit(&known->let_go, memory_order_relaxed))
        return "a thread that waited was let go, since the others waited for it";
    return "a lock of it was taken by a try, with a limit, or is of a kind that can't be given "
           "back";
}

/* ---- what the roles ask (role.h) ---- */

/* Of yield_until. */
enum { NOT_YIELDED = 0, ENOUGH = 1 };

static struct dlw_held_lock *yield(struct dlw_thread *self, struct dlw_held_lock *held,
                                   struct dlw_call call, struct danger *danger)
{
    uintptr_t lock = atomic_load_explicit(&held->lock, memory_order_relaxed);
    uint64_t until = self->yield_until;
    const struct others nobody = {.n = 0};
    struct dlw_held_lock was;

    memcpy(&was, held, sizeof(was));
    if (until == NOT_YIELDED)
        until = dlw_now() + (uint64_t)dlw_options.avoid_limit * 1000000;
    self->yield_until = NOT_YIELDED; /* for what a handler does meanwhile */
    uint32_t left = atomic_load_explicit(&danger->known->left, memory_order_relaxed);
    dlw_yield_gives_back(self, held);
    enum outcome outcome = wait_until(self, lock, danger, until);
    publish_yield(self, &nobody);
    count(self, danger->known, outcome, left);
    held = dlw_yield_takes_again(self, &was, call);
    self->yield_until = outcome == OF_USE ? until : ENOUGH;
    return held;
}

static bool has_entered(const struct dlw_thread *self, uintptr_t lock)
{
    uint32_t n = atomic_load_explicit(&self->n_stands, memory_order_relaxed);

    for (uint32_t i = 0; i < n; i++)
        if (is_entering(&self->stands[i], lock))
            return true;
    return false;
}

static struct dlw_held_lock *entered(struct dlw_thread *self, struct dlw_held_lock *held,
                                     struct dlw_call call)
{
    uintptr_t lock = atomic_load_explicit(&held->lock, memory_order_relaxed);
    struct danger danger;
    int error = errno;

    if (!has_entered(self, lock))
        return NULL;
    bool may_yield = self->yield_until != ENOUGH && dlw_yield_is_possible(self, held);
    dlw_guard_enter(self);
    atomic_thread_fence(memory_order_seq_cst); /* published before the look */
    bool yields = may_yield && gives_way(self, lock, &danger);
    set_states(self, lock, yields ? OUT : INSIDE);
    dlw_guard_leave(self);
    held = yields ? yield(self, held, call, &danger) : NULL;
    if (!yields)
        self->yield_until = NOT_YIELDED;
    errno = error;
    return held;
}

static void enters(struct dlw_thread *self, struct dlw_role_stand *stand)
{
    const struct dlw_role *role = atomic_load_explicit(&stand->role, memory_order_relaxed);
    struct dlw_known *known = role->cycle->own;

    (void)self;
    atomic_fetch_add_explicit(&known->inside[role->step], 1, memory_order_seq_cst);
}

static void leaves(struct dlw_thread *self, struct dlw_role_stand *stand)
{
    const struct dlw_role *role = atomic_load_explicit(&stand->role, memory_order_relaxed);
    struct dlw_known *known = role->cycle->own;

    (void)self;
    atomic_fetch_sub_explicit(&known->inside[role->step], 1, memory_order_seq_cst);
    if (atomic_load_explicit(&stand->state, memory_order_relaxed) == INSIDE)
        atomic_fetch_add_explicit(&known->left, 1, memory_order_relaxed);
    wake();
}

static void asks(struct dlw_thread *self, const struct dlw_role_wish *wish,
                 struct dlw_role_stand *const *stands, unsigned n)
{
    (void)self;
    for (unsigned i = 0; i < n; i++)
        atomic_store_explicit(&stands[i]->asked, wish->lock, memory_order_seq_cst);
    wake();
}

static const struct dlw_role_user user = {
    .enters = enters, .entered = entered, .leaves = leaves, .asks = asks};

void dlw_avoid_after_fork(void)
{
    for (struct dlw_known *known = dlw_known_first(); known; known = known->next) {
        atomic_store_explicit(&known->avoided, 0, memory_order_relaxed);
        atomic_store_explicit(&known->limits, 0, memory_order_relaxed);
        atomic_store_explicit(&known->let_go, 0, memory_order_relaxed);
        atomic_store_explicit(&known->told, 0, memory_order_relaxed);
    }
}

void dlw_avoid_start(const char *folder)
{
    dlw_known_start(folder, &user);
    dlw_avoid_why_met = why_met;
    dlw_report_before_end = tell_all;
}
