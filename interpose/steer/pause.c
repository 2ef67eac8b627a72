#include "interpose/steer/pause.h"

#include "graph/base/sys.h"
#include "interpose/base/state.h"
#include "interpose/steer/role.h"
#include "interpose/watch/quiescence.h"
#include "interpose/watch/wait.h"
#include "report/emit/say.h"
#include "report/emit/steering.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { MS = 1000000, SLICE_MS = 10, GIVEN_UP_AFTER = 6 };
enum { NOT_PAUSED, PAUSED, LET_GO };

/* RANK_STEER: protects who is paused and who is let go; held for one look at all threads. */
static struct dlw_lock steer_lock = DLW_LOCK_INIT(DLW_RANK_STEER);

static struct dlw_role_file file;
static struct dlw_steering unshared, *progress = &unshared;
static uint64_t limit, leader, skip, strict;
/* Pauses in this process that were in vain, by role. */
static _Atomic uint32_t in_vain[DLW_STEERING_ROLES];
/* When it was last looked whether anybody could still come, and what was seen then. */
static _Atomic uint64_t looked_at;
static uint64_t seen_motion;

static struct dlw_steering_role *counts_of(const struct dlw_role *role)
{
    return &progress->roles[role->step % DLW_STEERING_ROLES];
}

static uint64_t add(_Atomic uint64_t *count)
{
    return atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

static void raise_to(_Atomic uint64_t *most, uint64_t value)
{
    uint64_t seen = atomic_load_explicit(most, memory_order_relaxed);

    while (seen < value && !atomic_compare_exchange_weak_explicit(
                               most, &seen, value, memory_order_relaxed, memory_order_relaxed))
        continue;
}

/* ---- who stands where ---- */

struct player {
    struct dlw_thread *thread;
    const struct dlw_pause *pause;
};

struct players {
    struct player list[DLW_STEERING_ROLES];
    unsigned n;
};

static bool collect(void *context, struct dlw_thread *thread)
{
    struct players *players = context;

    if (atomic_load_explicit(&thread->pause.word, memory_order_relaxed) == PAUSED &&
        players->n < DLW_STEERING_ROLES)
        players->list[players->n++] = (struct player){thread, &thread->pause};
    return true;
}

static const struct dlw_pause_role *plays(const struct player *player, const struct dlw_role *role)
{
    for (unsigned i = 0; i < player->pause->n; i++)
        if (player->pause->roles[i].role == role)
            return &player->pause->roles[i];
    return NULL;
}

/* Does what `asks` wants keep waiting for the one who plays `role` so? */
static bool is_kept_by(const struct player *asks, const struct player *player,
                       const struct dlw_role *role, const struct dlw_pause_role *as)
{
    if (asks->pause->kind != role->held_kind)
        return false;
    if (role->held_kind == DLW_LOCK_THREAD)
        return pthread_equal(player->thread->handle, (pthread_t)asks->pause->lock);
    return asks->pause->lock == as->lock &&
           !(asks->pause->mode == DLW_SHARED && as->mode == DLW_SHARED);
}

static bool is_among(const struct player *const *cast, unsigned n, const struct player *player)
{
    for (unsigned i = 0; i < n; i++)
        if (cast[i] == player)
            return true;
    return false;
}

/* cast[0] stands in `first` as it is said; fills in who stands in the roles behind it. A lock has
 * one holder, or readers, so there is little to choose from. */
static bool complete(const struct players *players, const struct dlw_role *first,
                     const struct dlw_pause_role *first_as, const struct player **cast, unsigned n)
{
    const struct dlw_role_cycle *cycle = first->cycle;
    const struct dlw_role *role = cycle->roles[(first->step + n) % cycle->n];

    if (n == cycle->n)
        return is_kept_by(cast[n - 1], cast[0], first, first_as);
    for (unsigned i = 0; i < players->n; i++) {
        const struct player *player = &players->list[i];
        const struct dlw_pause_role *as = plays(player, role);
        if (!as || is_among(cast, n, player) || !is_kept_by(cast[n - 1], player, role, as))
            continue;
        cast[n] = player;
        if (complete(players, first, first_as, cast, n + 1))
            return true;
    }
    return false;
}

/* ---- letting go ---- */

static void let_go(struct dlw_thread *thread)
{
    atomic_store_explicit(&thread->pause.word, LET_GO, memory_order_relaxed);
    dlw_syscall(SYS_futex, &thread->pause.word, FUTEX_WAKE_PRIVATE, 1);
}

static bool has_semaphore(const struct dlw_role_cycle *cycle)
{
    for (uint32_t i = 0; i < cycle->n; i++)
        if (cycle->roles[i]->wanted_kind == DLW_LOCK_SEMAPHORE)
            return true;
    return false;
}

/* All are there: they go on together. True: the caller is one of them. */
static bool meet_locked(struct dlw_thread *self)
{
    struct players players = {.n = 0};
    const struct player *cast[DLW_ROLE_STEPS];

    dlw_threads_each(collect, &players);
    for (unsigned i = 0; i < players.n; i++) {
        if (players.list[i].thread != self)
            continue;
        for (unsigned k = 0; k < self->pause.n; k++) {
            const struct dlw_role *role = self->pause.roles[k].role;
            cast[0] = &players.list[i];
            if (!complete(&players, role, &self->pause.roles[k], cast, 1))
                continue;
            bool by_semaphore = has_semaphore(role->cycle);
            for (uint32_t m = 0; m < role->cycle->n; m++) {
                cast[m]->thread->pause.met = by_semaphore;
                let_go(cast[m]->thread);
            }
            add(&progress->met);
            return true;
        }
    }
    return false;
}

/* ---- is anybody left who could come? ---- */

struct look {
    bool any_could;
    uint64_t motion;
    struct dlw_thread *last; /* that was paused last */
    struct dlw_thread *awaited;
};

static bool waits_for_what(const struct dlw_thread *waiter, const struct dlw_thread *holder)
{
    const struct dlw_held_lock *held = atomic_load_explicit(&holder->held, memory_order_acquire);
    uint32_t depth = atomic_load_explicit(&holder->depth, memory_order_relaxed);
    uintptr_t on = atomic_load_explicit(&waiter->wait.on, memory_order_relaxed);

    for (uint32_t i = 0; i < depth; i++)
        if (atomic_load_explicit(&held[i].lock, memory_order_relaxed) == on)
            return true;
    return false;
}

static bool visit(void *context, struct dlw_thread *thread)
{
    struct look *look = context;
    uint32_t word = atomic_load_explicit(&thread->pause.word, memory_order_relaxed);

    if (atomic_load_explicit(&thread->tid, memory_order_relaxed) == 0) { /* it only begins */
        look->any_could = true;
        return false;
    }
    if (word == PAUSED) {
        if (!look->last || thread->pause.since > look->last->pause.since)
            look->last = thread;
        look->motion = look->motion * 31 + thread->pause.since;
        return true;
    }
    look->motion = look->motion * 31 +
                   atomic_load_explicit(&thread->wait.sequence, memory_order_seq_cst) + thread->id;
    look->any_could = word == LET_GO ||
                      !atomic_load_explicit(&thread->wait.is_endless, memory_order_relaxed) ||
                      !dlw_quiescence_sleeps(thread);
    return !look->any_could;
}

struct behind {
    struct dlw_thread *paused;
    bool is_awaited;
};

static bool visit_waiter(void *context, struct dlw_thread *thread)
{
    struct behind *behind = context;

    behind->is_awaited =
        atomic_load_explicit(&thread->pause.word, memory_order_relaxed) == NOT_PAUSED &&
        waits_for_what(thread, behind->paused);
    return !behind->is_awaited;
}

/* The first that somebody sleeps behind, else who came last: one at a time. */
static struct dlw_thread *choose_locked(const struct look *look)
{
    struct players players = {.n = 0};

    dlw_threads_each(collect, &players);
    for (unsigned i = 0; i < players.n; i++) {
        struct behind behind = {.paused = players.list[i].thread};
        dlw_threads_each(visit_waiter, &behind);
        if (behind.is_awaited)
            return behind.paused;
    }
    return look->last;
}

/*
 * All others are paused or sleep without limit, and none of them has moved since the look before:
 * then only a paused one can still do something. A thread that was woken just now still says that
 * it waits, but no longer sleeps on that.
 */
static void look_locked(uint64_t now)
{
    struct look look = {0};

    if (now - atomic_load_explicit(&looked_at, memory_order_relaxed) < (uint64_t)SLICE_MS * MS)
        return;
    atomic_store_explicit(&looked_at, now, memory_order_relaxed);
    dlw_threads_each(visit, &look);
    uint64_t motion = look.any_could ? 0 : look.motion | 1;
    bool is_same = motion && motion == seen_motion;
    seen_motion = motion;
    struct dlw_thread *chosen = is_same ? choose_locked(&look) : NULL;
    if (!chosen)
        return;
    for (unsigned i = 0; i < chosen->pause.n; i++)
        add(&counts_of(chosen->pause.roles[i].role)->blocked);
    let_go(chosen);
}

/* ---- a pause ---- */

/* 0: none. Each one in vain halves the next. */
static uint64_t limit_of(const struct dlw_pause *pause)
{
    uint64_t most = 0;

    for (unsigned i = 0; i < pause->n; i++) {
        uint32_t step = pause->roles[i].role->step % DLW_STEERING_ROLES;
        uint32_t vain = atomic_load_explicit(&in_vain[step], memory_order_relaxed);
        bool waits = (leader == 0 || leader == step + 1) && vain < GIVEN_UP_AFTER &&
                     pause->roles[i].arrival >= skip;
        if (waits && limit >> vain > most)
            most = limit >> vain;
    }
    return most;
}

static void sleep_on(_Atomic uint32_t *word, uint64_t most)
{
    uint64_t slice = most < (uint64_t)SLICE_MS * MS ? most : (uint64_t)SLICE_MS * MS;
    struct timespec time = {0, (long)slice};

    dlw_syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, PAUSED, &time, NULL, 0);
}

/* True: the pause goes on. Whoever can't have the lock goes on too, unsteered, and all do once the
 * process has confined itself. */
static bool turn(struct dlw_thread *self, uint64_t until)
{
    uint64_t now = dlw_now();
    bool goes_on = false;

    if (atomic_load_explicit(&dlw_confined, memory_order_relaxed))
        return false;
    dlw_guard_enter(self);
    if (dlw_lock_acquire_or_skip(&steer_lock)) {
        look_locked(now);
        goes_on =
            atomic_load_explicit(&self->pause.word, memory_order_relaxed) == PAUSED && now < until;
        if (!goes_on && atomic_load_explicit(&self->pause.word, memory_order_relaxed) == PAUSED) {
            self->pause.is_vain = until > self->pause.since;
            atomic_store_explicit(&self->pause.word, NOT_PAUSED, memory_order_relaxed);
        }
        dlw_lock_release(&steer_lock);
    }
    dlw_guard_leave(self);
    return goes_on;
}

/* True: it stands there, and nobody has let it go yet. */
static bool begin(struct dlw_thread *self)
{
    bool stands = false;

    dlw_guard_enter(self);
    if (dlw_lock_acquire_or_skip(&steer_lock)) {
        atomic_store_explicit(&self->pause.word, PAUSED, memory_order_relaxed);
        stands = !meet_locked(self);
        dlw_lock_release(&steer_lock);
    }
    dlw_guard_leave(self);
    return stands;
}

static void end(struct dlw_thread *self)
{
    uint64_t stood = (dlw_now() - self->pause.since) / MS;

    for (unsigned i = 0; i < self->pause.n; i++) {
        const struct dlw_role *role = self->pause.roles[i].role;
        raise_to(&counts_of(role)->stood, stood);
        if (!self->pause.is_vain)
            continue;
        add(&counts_of(role)->expired);
        uint32_t vain = 1 + atomic_fetch_add_explicit(&in_vain[role->step % DLW_STEERING_ROLES], 1,
                                                      memory_order_relaxed);
        if (vain == GIVEN_UP_AFTER)
            add(&progress->exhausted);
    }
    atomic_store_explicit(&self->pause.word, NOT_PAUSED, memory_order_relaxed);
    self->pause.frame = 0;
}

/* This is a signal handler that came in the middle of a pause, which is not nested; or the pause
 * was left by a jump, which is seen when a caller stands further out. */
static bool is_inside(const struct dlw_thread *self, uintptr_t sp)
{
    return self->pause.frame && sp < self->pause.frame;
}

/* Not of another variable than the finding's; of what is none, nobody knows. */
static bool is_variable(const struct dlw_role_variable *variable, uintptr_t lock)
{
    uintptr_t base =
        variable->is_known
            ? atomic_load_explicit(&file.modules[variable->module]->base, memory_order_relaxed)
            : 0;

    return !base || base + variable->offset == lock;
}

/* Is it the finding's own pair of locks, or may any other of that place be meant? */
static bool is_meant(const struct dlw_role *role, const struct dlw_role_wish *wish,
                     const struct dlw_role_stand *stand)
{
    return !strict ||
           (is_variable(&role->held, atomic_load_explicit(&stand->lock, memory_order_relaxed)) &&
            is_variable(&role->wanted, wish->lock));
}

static void fill(struct dlw_thread *self, const struct dlw_role_wish *wish,
                 struct dlw_role_stand *const *stands, unsigned n)
{
    struct dlw_pause *pause = &self->pause;

    pause->lock = wish->lock;
    pause->kind = wish->kind;
    pause->mode = wish->mode;
    pause->is_vain = pause->met = false;
    pause->since = dlw_now();
    pause->n = 0;
    for (unsigned i = 0; i < n && pause->n < DLW_PAUSE_ROLES; i++) {
        const struct dlw_role *role = atomic_load_explicit(&stands[i]->role, memory_order_relaxed);
        if (!is_meant(role, wish, stands[i]))
            continue;
        pause->roles[pause->n++] = (struct dlw_pause_role){
            .role = role,
            .lock = dlw_role_lock(self, stands[i]),
            .mode = role->held_mode,
            .arrival = add(&counts_of(role)->reached),
        };
    }
}

static void asks(struct dlw_thread *self, const struct dlw_role_wish *wish,
                 struct dlw_role_stand *const *stands, unsigned n)
{
    if (is_inside(self, wish->call.sp))
        return;
    atomic_store_explicit(&self->pause.word, NOT_PAUSED, memory_order_relaxed);
    fill(self, wish, stands, n);
    if (self->pause.n == 0)
        return;
    self->pause.frame = wish->call.sp;
    uint64_t until = self->pause.since + limit_of(&self->pause);
    for (bool stands_there = begin(self); stands_there; stands_there = turn(self, until))
        if (until > dlw_now())
            sleep_on(&self->pause.word, until - dlw_now());
    end(self);
}

static void enters(struct dlw_thread *self, struct dlw_role_stand *stand)
{
    (void)self;
    add(&counts_of(atomic_load_explicit(&stand->role, memory_order_relaxed))->entered);
}

/* ---- circles over semaphores ---- */

void dlw_pause_met(struct dlw_thread *self)
{
    enum { TURNS = 100, STILL = 20 };
    struct timespec slice = {0, (long)SLICE_MS * MS};
    uint64_t seen = 0;
    unsigned still = 0;

    self->pause.met = false;
    for (unsigned i = 0; i < TURNS && still < STILL; i++) {
        uint64_t motion = dlw_wait_circle_motion(self);
        still = motion && motion == seen ? still + 1 : 0;
        seen = motion;
        dlw_syscall(SYS_nanosleep, &slice, NULL);
    }
    if (still == STILL)
        dlw_wait_look_steered(self);
}

/* ---- start ---- */

static void open_progress(const char *path)
{
    long fd = path ? dlw_syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0) : -1;
    long at = fd >= 0 ? dlw_syscall(SYS_mmap, NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
                                    MAP_SHARED, fd, 0)
                      : -1;
    if (fd >= 0)
        dlw_syscall(SYS_close, fd);
    if (at <= 0 && at > -4096)
        return;
    struct dlw_steering *shared = (struct dlw_steering *)at; /* NOLINT(performance-no-int-to-ptr) */
    if (shared->magic == DLW_STEERING_MAGIC)
        progress = shared;
}

static const struct dlw_role_user user = {.enters = enters, .asks = asks};

void dlw_pause_start(const char *path)
{
    char number[21];
    unsigned line;
    const char *why;

    if (!path || !*path)
        return;
    if (!dlw_roles_load(&file, path, &user, &line, &why)) {
        dlw_say("steer: ", path, ", line ", dlw_say_number(number, line), ": ", why,
                "; nothing is steered", NULL);
        return;
    }
    limit = dlw_role_file_number(&file, "pause", 200) * MS;
    leader = dlw_role_file_number(&file, "leader", 0);
    skip = dlw_role_file_number(&file, "skip", 0);
    strict = dlw_role_file_number(&file, "strict", 0);
    open_progress(dlw_role_file_setting(&file, "progress"));
    add(&progress->processes);
}

void dlw_pause_after_fork(void)
{
    dlw_lock_reset(&steer_lock);
}
