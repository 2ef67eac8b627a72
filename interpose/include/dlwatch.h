/*
 * dlwatch.h: what a program can say of its locks to dlwatch, where it can't see for itself.
 *
 *   - locks that are not pthread's (futexes, spinning words, lock-free hand-overs),
 *   - names, classes and nesting levels of any lock, pthread's included,
 *   - orders that are meant, and hand-overs that put one thread's doings before another's,
 *   - where one test of a test program begins and ends.
 *
 * Header only, C99 or C++, nothing to link. Without the library each call is one load and one
 * branch that is not taken; with it, the price of a watched pthread call. -DDLWATCH_DISABLE,
 * another compiler than gcc or clang, or another system than Linux leave nothing of it. The library
 * is looked for once, when the program or shared object that includes this is loaded.
 *
 * Nothing here changes what the program does; errno is kept. A call says what is so: dlwatch
 * believes it, and a wrong word makes wrong reports.
 *
 *   static void my_lock(struct my_lock *lock)
 *   {
 *       if (!my_try(lock)) {
 *           dlwatch_wants(lock, DLWATCH_EXCLUSIVE);      // about to sleep: can it ever wake?
 *           my_sleep_until_mine(lock);
 *       }
 *       dlwatch_acquired(lock, DLWATCH_EXCLUSIVE);
 *   }
 *
 *   static void my_unlock(struct my_lock *lock)
 *   {
 *       dlwatch_released(lock);                          // before it happens
 *       my_wake_next(lock);
 *   }
 */
#ifndef DLWATCH_H
#define DLWATCH_H

#ifdef __cplusplus
extern "C" {
#endif

/* How a lock is asked for or had; words are joined with |. */
enum dlwatch_how {
    DLWATCH_EXCLUSIVE = 0,
    DLWATCH_SHARED = 1, /* with others that share it */
    DLWATCH_TRY = 2,    /* had without waiting: proves no order of asking */
    DLWATCH_TIMED = 4   /* the wait ends by itself: never a deadlock */
};

#define DLWATCH_VERSION 1

/* What the library offers. Later versions add at the end; `size` says how much is there. */
struct dlwatch_calls {
    unsigned long size;
    void (*created)(const void *lock);
    void (*destroyed)(const void *lock);
    void (*wants)(const void *lock, int how);
    void (*gave_up)(const void *lock);
    void (*acquired)(const void *lock, int how);
    void (*released)(const void *lock);
    void (*handed_over)(const void *lock);
    void (*name)(const void *lock, const char *name);
    void (*lock_class)(const void *lock, const char *name, int level);
    void (*intended)(const void *outer, const void *inner);
    void (*intended_classes)(const char *outer, const char *inner);
    void (*forget)(const void *object);
    void (*happens_before)(const void *object);
    void (*happens_after)(const void *object);
    void (*scope)(const char *name);
};

/* Exported by the library; NULL when it doesn't know this version. Not for calling. */
const struct dlwatch_calls *dlwatch_annotations(unsigned version);

#if defined(DLWATCH_LIBRARY)
#define DLWATCH_CALL(name, arguments)
#elif defined(__GNUC__) && defined(__ELF__) && defined(__linux__) && !defined(DLWATCH_DISABLE)

struct dlwatch_module {
    const struct dlwatch_calls *calls; /* NULL: nobody watches */
    int has_looked;
};

/* One for each program or shared object, whatever the number of files that include this. */
__attribute__((weak, visibility("hidden"))) struct dlwatch_module dlwatch_here;

/* NULL in a static program, and where nothing links to the loader's interface. */
static void *dlwatch_find(void *scope, const char *name) __attribute__((weakref("dlsym")));
static char *dlwatch_find_error(void) __attribute__((weakref("dlerror")));

/* Before the program's own constructors. Not later, in a call: the loader's lock is taken. */
__attribute__((constructor(101))) static void dlwatch_look(void)
{
    union {
        void *object;
        const struct dlwatch_calls *(*function)(unsigned);
    } found;

    if (dlwatch_here.has_looked || !dlwatch_find)
        return;
    dlwatch_here.has_looked = 1;
    found.object = dlwatch_find((void *)0, "dlwatch_annotations");
    if (found.object)
        dlwatch_here.calls = found.function(DLWATCH_VERSION);
    else if (dlwatch_find_error)
        dlwatch_find_error(); /* as if it had not been asked */
}

#define DLWATCH_INLINE static __inline__ __attribute__((always_inline, unused))
#define DLWATCH_CALL(name, arguments)                                                              \
    if (__builtin_expect(dlwatch_here.calls != (void *)0, 0))                                      \
    dlwatch_here.calls->name arguments
/* Of a call that came after the first release: an older library does not have it. */
#define DLWATCH_LATER_CALL(name, arguments)                                                        \
    if (__builtin_expect(dlwatch_here.calls != (void *)0, 0) &&                                    \
        dlwatch_here.calls->size > __builtin_offsetof(struct dlwatch_calls, name))                 \
    dlwatch_here.calls->name arguments

/* 1 while the library is there. */
DLWATCH_INLINE int dlwatch_is_watching(void)
{
    return dlwatch_here.calls != (void *)0;
}
#else
#define DLWATCH_INLINE static inline
#define DLWATCH_CALL(name, arguments)
#define DLWATCH_LATER_CALL(name, arguments)
DLWATCH_INLINE int dlwatch_is_watching(void)
{
    return 0;
}
#endif

#if !defined(DLWATCH_LIBRARY)

/* ---- locks that are not pthread's ----
 *
 * A lock is known by its address. Call these in the functions that lock and unlock, not in helpers
 * of them that return: the stack of the call is what the report shows. Of a lock that its holder
 * may take again, tell the outermost taking only.
 */

/* The lock begins to live here, or ends: another may live at its address later. Not needed for one
 * that lives as long as the program. Ending while it is held or waited for is reported. */
DLWATCH_INLINE void dlwatch_created(const void *lock)
{
    (void)lock;
    DLWATCH_CALL(created, (lock));
}

DLWATCH_INLINE void dlwatch_destroyed(const void *lock)
{
    (void)lock;
    DLWATCH_CALL(destroyed, (lock));
}

/* The calling thread is about to wait for the lock. Followed by `acquired` or `gave_up`; until then
 * its pthread calls pass unseen. Not needed where the lock is had at once. */
DLWATCH_INLINE void dlwatch_wants(const void *lock, int how)
{
    (void)lock;
    (void)how;
    DLWATCH_CALL(wants, (lock, how));
}

/* It waits no longer, and did not get it: time was up, a signal came. */
DLWATCH_INLINE void dlwatch_gave_up(const void *lock)
{
    (void)lock;
    DLWATCH_CALL(gave_up, (lock));
}

/* It holds the lock now. Once more with DLWATCH_EXCLUSIVE where it shared it: an upgrade. */
DLWATCH_INLINE void dlwatch_acquired(const void *lock, int how)
{
    (void)lock;
    (void)how;
    DLWATCH_CALL(acquired, (lock, how));
}

/* It is about to let go of it. A lock that one thread takes and another lets go of has no owner
 * from then on, and no order: say `handed_over` where it has. */
DLWATCH_INLINE void dlwatch_released(const void *lock)
{
    (void)lock;
    DLWATCH_CALL(released, (lock));
}

/* The lock stays locked but is no longer this thread's: another will say `taken_over`. In between
 * nobody is accused of keeping it. */
DLWATCH_INLINE void dlwatch_handed_over(const void *lock)
{
    (void)lock;
    DLWATCH_CALL(handed_over, (lock));
}

DLWATCH_INLINE void dlwatch_taken_over(const void *lock, int how)
{
    (void)lock;
    (void)how;
    DLWATCH_CALL(acquired, (lock, how | DLWATCH_TRY));
}

/* ---- any lock, pthread's too ----
 *
 * These are kept by address until the lock is destroyed (pthread_*_destroy or _init,
 * dlwatch_destroyed) or forgotten (below). Texts are copied. Say them before the lock is first
 * used.
 */

/* What reports call it. One name for one lock, the same in every run: `dlwatch merge` takes locks
 * of one name for one. */
DLWATCH_INLINE void dlwatch_name(const void *lock, const char *name)
{
    (void)lock;
    (void)name;
    DLWATCH_CALL(name, (lock, name));
}

/*
 * It is one of many alike. Two locks of one class that are asked for at rising levels are taken in
 * the order that is meant, even when another time the levels, and so the order, are the other way
 * round. A level may be changed by calling this again. Levels that fall or stay prove nothing.
 */
DLWATCH_INLINE void dlwatch_class(const void *lock, const char *name, int level)
{
    (void)lock;
    (void)name;
    (void)level;
    DLWATCH_CALL(lock_class, (lock, name, level));
}

/* Asking for `inner` while `outer` is held is meant: a cycle of orders that goes this way is a
 * note, not an error. A deadlock is reported all the same. */
DLWATCH_INLINE void dlwatch_intended(const void *outer, const void *inner)
{
    (void)outer;
    (void)inner;
    DLWATCH_CALL(intended, (outer, inner));
}

DLWATCH_INLINE void dlwatch_intended_classes(const char *outer, const char *inner)
{
    (void)outer;
    (void)inner;
    DLWATCH_CALL(intended_classes, (outer, inner));
}

/* Whatever was said of this address is void: its memory goes to something else. For locks without a
 * destroy call (std::mutex) and for objects of the two below. */
DLWATCH_INLINE void dlwatch_forget(const void *object)
{
    (void)object;
    DLWATCH_CALL(forget, (object));
}

/*
 * What this thread did before `happens_before` always comes before what a thread does after
 * `happens_after` of the same object: a message, a queue, a flag that is waited for. Orders taken
 * on the two sides then never meet, as across pthread_create and pthread_join. Say it only where it
 * can't be otherwise; that it was so once (two critical sections of a lock) proves nothing.
 */
DLWATCH_INLINE void dlwatch_happens_before(const void *object)
{
    (void)object;
    DLWATCH_CALL(happens_before, (object));
}

DLWATCH_INLINE void dlwatch_happens_after(const void *object)
{
    (void)object;
    DLWATCH_CALL(happens_after, (object));
}

/* ---- tests ----
 *
 * A test program runs its tests one after the other and joins what each has started, so two tests
 * never meet in it, although the program that they test may run the same code at once. Between
 * these calls what the thread does, and what the threads do that it creates, belongs to the test of
 * that name; NULL, or another name, ends it. Lock orders that only create and join between two
 * tests keep apart are then reported as a warning that names both (an error with show=strict).
 * Within one test, and against what belongs to none (set-up, a pool of threads made before),
 * nothing changes; nor do orders that one thread alone takes, or that a lock held around them keeps
 * apart.
 *
 * The name is copied and is the test: one that is run again, under the same name, is the same test,
 * and what its own joins keep apart in one turn stays so in the next. Parameters that matter belong
 * in the name. A thread that outlives the test it was created in still belongs to it.
 */
DLWATCH_INLINE void dlwatch_scope(const char *name)
{
    (void)name;
    DLWATCH_LATER_CALL(scope, (name));
}

#endif /* !DLWATCH_LIBRARY */

#ifdef __cplusplus
}
#endif

#endif
