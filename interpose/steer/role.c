#include "interpose/steer/role.h"

#include "graph/base/sys.h"
#include "interpose/base/state.h"
#include "interpose/python/gils.h"
#include "interpose/stacks/modules.h"
#include "interpose/stacks/walk.h"
#include "interpose/threads/held.h"
#include "interpose/watch/gil.h"

#include <fcntl.h>
#include <string.h>

/* Files, in the order loaded: written in the constructor. */
enum { FILES = 4 };
static struct loaded {
    struct dlw_role_file *file;
    const struct dlw_role_user *user;
} files[FILES];
static unsigned n_files;
static bool has_thread_roles; /* a thread stands in one from its start to its end */
static struct dlw_arena arena;

/* ---- addresses ---- */

static bool is_module(const struct dlw_role_module *module, const struct dlw_journal_module *seen)
{
    if (module->build_id_size)
        return module->build_id_size == seen->build_id_size &&
               memcmp(module->build_id, seen->build_id, seen->build_id_size) == 0;
    return strcmp(module->path, seen->path) == 0;
}

static bool is_in(const struct dlw_role_range *list, const struct dlw_role_file *file, uintptr_t pc)
{
    for (const struct dlw_role_range *range = list; range; range = range->next) {
        uintptr_t base =
            atomic_load_explicit(&file->modules[range->module]->base, memory_order_relaxed);
        if (base && pc - base >= range->from && pc - base < range->to)
            return true;
    }
    return false;
}

static bool begins_or_ends(const struct dlw_role_file *file, uintptr_t pc)
{
    for (const struct dlw_role_cycle *cycle = file->cycles; cycle; cycle = cycle->next)
        for (uint32_t i = 0; i < cycle->n; i++)
            if (is_in(cycle->roles[i]->first.frames[0], file, pc) ||
                is_in(cycle->roles[i]->second.frames[0], file, pc))
                return true;
    return false;
}

/* A module that is loaded again, or twice, counts where it was seen last. */
static bool see_modules(const struct dlw_role_file *file, const struct dlw_journal_module *seen)
{
    bool is_any = false;

    for (uint32_t i = 0; i < file->n_modules; i++) {
        if (!is_module(file->modules[i], seen))
            continue;
        atomic_store_explicit(&file->modules[i]->base, seen->base, memory_order_relaxed);
        is_any = true;
    }
    return is_any;
}

bool dlw_role_is_place(uintptr_t pc)
{
    struct dlw_module_described seen;

    if (n_files == 0 || !dlw_module_describe(pc - 1, &seen))
        return false;
    for (unsigned i = 0; i < n_files; i++)
        if (see_modules(files[i].file, &seen.module) && begins_or_ends(files[i].file, pc))
            return true;
    return false;
}

bool dlw_role_module_is_seen(const struct dlw_role_module *module)
{
    return atomic_load_explicit(&module->base, memory_order_relaxed) != 0;
}

/* ---- the frames of a call ---- */

struct frames {
    uintptr_t pc[DLW_ROLE_FRAMES];
    unsigned n;
    struct dlw_call last; /* of the last of them */
    bool is_whole;        /* walked as far as it goes */
};

static void walk_on(struct dlw_thread *self, struct frames *frames)
{
    struct dlw_memory memory = {frames->last.sp, self->stack_high, NULL};
    struct dlw_walked walked[DLW_ROLE_FRAMES];
    enum dlw_walk_end end;

    if (memory.high < memory.low)
        memory.high = memory.low;
    frames->is_whole = true;
    dlw_guard_enter(self);
    unsigned n =
        dlw_frames_walk(&frames->last, &memory, walked, DLW_ROLE_FRAMES - (frames->n - 1), &end);
    for (unsigned i = 1; i < n; i++)
        frames->pc[frames->n++] = walked[i].pc;
    dlw_guard_leave(self);
}

static bool matches(struct dlw_thread *self, const struct dlw_role_place *place,
                    const struct dlw_role_file *file, struct frames *frames)
{
    if (place->n == 0 || !is_in(place->frames[0], file, frames->pc[0]))
        return false;
    if (place->n > frames->n && !frames->is_whole)
        walk_on(self, frames);
    for (unsigned i = 1; i < place->n; i++)
        if (i >= frames->n || !is_in(place->frames[i], file, frames->pc[i]))
            return false;
    return true;
}

/* ---- where a thread stands ---- */

enum { STANDS_BYTES = 4096, STANDS = STANDS_BYTES / sizeof(struct dlw_role_stand) };

static bool is_held_by(struct dlw_thread *self, const struct dlw_role_stand *stand)
{
    uintptr_t lock = atomic_load_explicit(&stand->lock, memory_order_relaxed);

    if (lock == 0)
        return true;
    int index = dlw_held_find(self, (const void *)lock); /* NOLINT(performance-no-int-to-ptr) */
    if (index < 0)
        return false;
    const struct dlw_held_lock *held = dlw_held_at(self, (uint32_t)index);
    return held->pc[0] == stand->pc && held->sp == stand->sp;
}

static void move(struct dlw_role_stand *to, const struct dlw_role_stand *from)
{
    atomic_store_explicit(&to->role, NULL, memory_order_relaxed);
    to->user = from->user;
    to->pc = from->pc;
    to->sp = from->sp;
    atomic_store_explicit(&to->state, atomic_load_explicit(&from->state, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(&to->asked, atomic_load_explicit(&from->asked, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(&to->lock, atomic_load_explicit(&from->lock, memory_order_relaxed),
                          memory_order_relaxed);
    /* For walkers: the rest is whole. Pairs with the acquire in dlw_role_is_played. */
    atomic_store_explicit(&to->role, atomic_load_explicit(&from->role, memory_order_relaxed),
                          memory_order_release);
}

/* Stands whose lock has been let go of are none. */
static uint32_t drop_stale(struct dlw_thread *self)
{
    uint32_t n = atomic_load_explicit(&self->n_stands, memory_order_relaxed), kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (!is_held_by(self, &self->stands[i])) {
            if (self->stands[i].user->leaves)
                self->stands[i].user->leaves(self, &self->stands[i]);
            continue;
        }
        if (kept != i)
            move(&self->stands[kept], &self->stands[i]);
        kept++;
    }
    atomic_store_explicit(&self->n_stands, kept, memory_order_release);
    if (kept == 0)
        dlw_guard_clear(self, DLW_GUARD_STANDS);
    return kept;
}

/* NULL: there is no room. */
static struct dlw_role_stand *stand(struct dlw_thread *self, const struct dlw_role *role,
                                    const struct dlw_role_user *user,
                                    const struct dlw_held_lock *held)
{
    uint32_t n = atomic_load_explicit(&self->n_stands, memory_order_relaxed);

    if (!self->stands)
        self->stands = dlw_pages_map(STANDS_BYTES);
    if (!self->stands || n == STANDS)
        return NULL;
    struct dlw_role_stand *out = &self->stands[n];
    atomic_store_explicit(&out->role, NULL, memory_order_relaxed);
    out->user = user;
    out->pc = held ? held->pc[0] : 0;
    out->sp = held ? held->sp : 0;
    atomic_store_explicit(&out->state, 0, memory_order_relaxed);
    atomic_store_explicit(&out->asked, 0, memory_order_relaxed);
    atomic_store_explicit(&out->lock,
                          held ? atomic_load_explicit(&held->lock, memory_order_relaxed) : 0,
                          memory_order_relaxed);
    atomic_store_explicit(&out->role, role, memory_order_release); /* as in move() */
    atomic_store_explicit(&self->n_stands, n + 1, memory_order_release);
    dlw_guard_set(self, DLW_GUARD_STANDS);
    return out;
}

static void enter_roles_of(struct dlw_thread *self, const struct loaded *loaded,
                           const struct dlw_held_lock *held, struct frames *frames)
{
    for (struct dlw_role_cycle *cycle = loaded->file->cycles; cycle; cycle = cycle->next)
        for (uint32_t i = 0; i < cycle->n; i++) {
            struct dlw_role *role = cycle->roles[i];
            if (role->held_kind != held->kind || !matches(self, &role->first, loaded->file, frames))
                continue;
            struct dlw_role_stand *entered = stand(self, role, loaded->user, held);
            if (entered && loaded->user->enters)
                loaded->user->enters(self, entered);
        }
}

/* NULL: all is as it was; else the entry of a lock that was given back and taken again. */
static struct dlw_held_lock *enter_roles(struct dlw_thread *self, struct dlw_held_lock *held,
                                         struct dlw_call call)
{
    struct frames frames = {.n = held->levels, .last = {0, held->sp, held->fp}};
    struct dlw_held_lock *again = NULL;

    for (unsigned i = 0; i < frames.n; i++)
        frames.pc[i] = held->pc[i];
    frames.last.pc = held->pc[frames.n - 1];
    drop_stale(self);
    for (unsigned i = 0; i < n_files; i++)
        enter_roles_of(self, &files[i], held, &frames);
    for (unsigned i = 0; i < n_files && !again; i++)
        if (files[i].user->entered)
            again = files[i].user->entered(self, held, call);
    return again;
}

void dlw_role_taken(struct dlw_thread *self, struct dlw_held_lock *held, struct dlw_call call)
{
    while (held && held->levels && !(self->guard & DLW_GUARD_DEPTH))
        held = enter_roles(self, held, call);
}

void dlw_role_left_slow(struct dlw_thread *self)
{
    uint32_t n = self->guard & DLW_GUARD_DEPTH ? 0 : drop_stale(self);

    for (uint32_t i = 0; i < n; i++) {
        uintptr_t asked = atomic_load_explicit(&self->stands[i].asked, memory_order_relaxed);
        if (asked && dlw_held_find(self, (const void *)asked) < 0) /* NOLINT */
            atomic_store_explicit(&self->stands[i].asked, 0, memory_order_relaxed);
    }
}

void dlw_role_thread_starts(struct dlw_thread *self)
{
    if (!has_thread_roles)
        return;
    for (unsigned i = 0; i < n_files; i++)
        for (struct dlw_role_cycle *cycle = files[i].file->cycles; cycle; cycle = cycle->next)
            for (uint32_t k = 0; k < cycle->n; k++)
                if (dlw_role_has_no_first(cycle->roles[k]->held_kind))
                    stand(self, cycle->roles[k], files[i].user, NULL);
}

/* ---- what it asks for ---- */

static const struct dlw_role_file *file_of(const struct dlw_role_user *user)
{
    for (unsigned i = 0; i < n_files; i++)
        if (files[i].user == user)
            return files[i].file;
    return NULL;
}

/* In the interpreter there are many ways to its GIL: only the program's own call counts, which is
 * the outermost frame of the place. */
static bool comes_from(struct dlw_thread *self, const struct dlw_role_place *place,
                       const struct dlw_role_file *file, struct frames *frames)
{
    if (!frames->is_whole)
        walk_on(self, frames);
    for (unsigned i = 0; i < frames->n; i++)
        if (is_in(place->frames[place->n - 1], file, frames->pc[i]))
            return true;
    return false;
}

/* 0: it runs no Python now. */
static uintptr_t gil_of(struct dlw_thread *self)
{
    for (uint32_t i = 0; i < dlw_held_depth(self); i++) {
        const struct dlw_held_lock *held = dlw_held_at(self, i);
        if (held->kind == DLW_LOCK_GIL && dlw_held_is_there(held))
            return atomic_load_explicit(&held->lock, memory_order_relaxed);
    }
    return 0;
}

uintptr_t dlw_role_lock(struct dlw_thread *self, const struct dlw_role_stand *stand)
{
    const struct dlw_role *role = atomic_load_explicit(&stand->role, memory_order_relaxed);

    return role->held_kind == DLW_LOCK_GIL
               ? gil_of(self)
               : atomic_load_explicit(&stand->lock, memory_order_relaxed);
}

static bool wants(struct dlw_thread *self, const struct dlw_role_stand *at,
                  const struct dlw_role_wish *wish, struct frames *frames)
{
    const struct dlw_role *role = atomic_load_explicit(&at->role, memory_order_relaxed);

    if (role->wanted_kind != wish->kind || (role->held_kind == DLW_LOCK_GIL && !gil_of(self)))
        return false;
    if (wish->kind == DLW_LOCK_GIL)
        return comes_from(self, &role->second, file_of(at->user), frames);
    return atomic_load_explicit(&at->lock, memory_order_relaxed) != wish->lock &&
           matches(self, &role->second, file_of(at->user), frames);
}

static bool may_be_place(uintptr_t pc)
{
    const struct dlw_rule_slot *slot = dlw_rule_find(pc);

    return slot ? (slot->rule.levels & DLW_RULE_ROLE) != 0 : dlw_role_is_place(pc);
}

/* Once more what it has, as a recursive mutex. */
static bool is_had(struct dlw_thread *self, const struct dlw_role_wish *wish)
{
    return dlw_held_find(self, (const void *)wish->lock) >=
           0; /* NOLINT(performance-no-int-to-ptr) */
}

/* The interpreter locks a mutex of the GIL's before it takes it. */
static bool is_for_gil(const struct dlw_role_wish *wish)
{
    return wish->kind == DLW_LOCK_MUTEX &&
           dlw_gil_is_mutex((pthread_mutex_t *)wish->lock); /* NOLINT(performance-no-int-to-ptr) */
}

void dlw_role_asks_slow(struct dlw_thread *self, const struct dlw_role_wish *asked_for)
{
    struct dlw_role_wish changed = *asked_for;
    const struct dlw_role_wish *wish = &changed;
    bool for_gil = is_for_gil(asked_for);
    if (for_gil) {
        changed.kind = DLW_LOCK_GIL;
        changed.lock -= DLW_GIL_MUTEX;
    }
    struct frames frames = {.pc = {wish->call.pc}, .n = 1, .last = wish->call};
    struct dlw_role_stand *asked[STANDS];
    uint32_t n = self->guard & DLW_GUARD_DEPTH ? 0 : drop_stale(self);

    if (n == 0 || !(for_gil || may_be_place(wish->call.pc)) || is_had(self, wish))
        return;
    for (unsigned i = 0; i < n_files; i++) {
        unsigned n_asked = 0;
        if (!files[i].user->asks)
            continue;
        for (uint32_t k = 0; k < n; k++)
            if (self->stands[k].user == files[i].user &&
                wants(self, &self->stands[k], wish, &frames))
                asked[n_asked++] = &self->stands[k];
        if (n_asked)
            files[i].user->asks(self, wish, asked, n_asked);
    }
}

bool dlw_role_is_played(const struct dlw_thread *thread, const struct dlw_role *role,
                        unsigned *from, uintptr_t *lock)
{
    uint32_t n = atomic_load_explicit(&thread->n_stands, memory_order_acquire);
    const struct dlw_held_lock *held = atomic_load_explicit(&thread->held, memory_order_acquire);
    uint32_t depth = atomic_load_explicit(&thread->depth, memory_order_relaxed);

    while (*from < n) {
        const struct dlw_role_stand *at = &thread->stands[(*from)++];
        if (atomic_load_explicit(&at->role, memory_order_acquire) != role)
            continue;
        *lock = atomic_load_explicit(&at->lock, memory_order_relaxed);
        if (*lock == 0)
            return true;
        for (uint32_t i = 0; i < depth; i++)
            if (atomic_load_explicit(&held[i].lock, memory_order_relaxed) == *lock)
                return true;
    }
    return false;
}

/* ---- files ---- */

static char *read_whole(const char *path)
{
    enum { MOST = 64 << 20 };
    long fd = dlw_syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    long size = fd >= 0 ? dlw_syscall(SYS_lseek, fd, 0, SEEK_END) : -1;
    char *text = size >= 0 && size < MOST ? dlw_pages_map((size_t)size + 1) : NULL;
    long got, n = 0;

    while (text && n < size && (got = dlw_syscall(SYS_pread64, fd, text + n, size - n, n)) > 0)
        n += got;
    if (fd >= 0)
        dlw_syscall(SYS_close, fd);
    return text;
}

void dlw_roles_add(struct dlw_role_file *file, const struct dlw_role_user *user)
{
    if (n_files == FILES)
        return;
    for (struct dlw_role_cycle *cycle = file->cycles; cycle; cycle = cycle->next)
        for (uint32_t i = 0; i < cycle->n; i++)
            has_thread_roles |= dlw_role_has_no_first(cycle->roles[i]->held_kind);
    files[n_files++] = (struct loaded){file, user};
}

bool dlw_roles_load(struct dlw_role_file *out, const char *path, const struct dlw_role_user *user,
                    unsigned *line, const char **why)
{
    char *text = read_whole(path);

    *line = 0;
    *why = "it can't be read";
    if (!text || !dlw_role_file_parse(out, &arena, text, line, why))
        return false;
    dlw_roles_add(out, user);
    return true;
}
