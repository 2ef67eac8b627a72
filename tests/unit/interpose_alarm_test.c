/*
 * One thread's alarm, set by another while the thread itself wakes, waits anew, or is rung: all
 * interleavings around the system calls, on a timer that is only played. The thread that runs
 * meanwhile is called the sleeper, the one that sets the other.
 */
#include "graph/base/sys.h"

#include <check.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

static long played_call(long number, long third);
#undef dlw_syscall
#define DLW_PLAYED(number, a, b, c, ...) played_call(number, ((void)(a), (void)(b), (long)(c)))
#define dlw_syscall(...) DLW_PLAYED(__VA_ARGS__, 0, 0, 0, 0)

#include "interpose/threads/alarm.c" /* NOLINT(bugprone-suspicious-include) */

__thread struct dlw_thread *dlw_self, *dlw_fast;
_Atomic bool dlw_confined;

void dlw_ability_lacks(enum dlw_ability ability, const char *why)
{
    (void)ability, (void)why;
}

bool dlw_proc_read(uintptr_t from, void *to, size_t size)
{
    (void)from, (void)to, (void)size;
    return false;
}

bool dlw_platform_interrupted_call(const void *context, struct dlw_platform_call *out)
{
    (void)context, (void)out;
    return false;
}

uintptr_t dlw_platform_interrupted_stack(const void *context)
{
    (void)context;
    return (uintptr_t)__builtin_frame_address(0);
}

void dlw_platform_call_on(uintptr_t sp, void (*function)(void *), void *argument)
{
    (void)sp;
    function(argument);
}

void dlw_threads_each(bool (*visit)(void *context, struct dlw_thread *thread), void *context)
{
    (void)visit, (void)context;
}

/* ---- the play ---- */

enum { SLEEPERS_TIME = 1000, OTHERS_TIME = 2000, MOST = 3 };

static struct dlw_thread sleeper, other;
static uint64_t armed; /* ns, 0: not */
static bool is_wanted; /* the sleeper waits, and nothing has rung since */
static unsigned rung;
/* What comes between: one letter an act, and where: 0 before the first system call, 1 behind it...
 */
static const char *acts;
static unsigned at[MOST], calls, done;
static bool is_acting;

static void wake(void)
{
    dlw_alarm_clear(&sleeper);
    is_wanted = false;
}

static void wait_anew(void)
{
    wake();
    is_wanted = dlw_alarm_set(&sleeper, SLEEPERS_TIME);
    ck_assert(is_wanted);
}

/* The kernel's timer is over. */
static void expire(void)
{
    siginfo_t info = {.si_code = SI_TIMER};

    info.si_value.sival_ptr = &sleeper;
    if (!armed)
        return;
    armed = 0;
    on_signal(SIGNAL, &info, NULL);
}

static void act(char what)
{
    struct dlw_thread *kept = dlw_self;

    dlw_self = what == 'o' ? &other : &sleeper;
    if (what == 'w')
        wake();
    else if (what == 'a')
        wait_anew();
    else if (what == 'x')
        expire();
    else
        dlw_alarm_set(&sleeper, OTHERS_TIME);
    dlw_self = kept;
}

/* What is due before or behind a call of whom the play is about. */
static void interleave(void)
{
    unsigned number = calls++;

    is_acting = true;
    for (; acts[done] && at[done] == number; done++)
        act(acts[done]);
    is_acting = false;
}

static long played_call(long number, long third)
{
    bool is_of_play = !is_acting;

    if (is_of_play)
        interleave();
    if (number == SYS_timer_settime) {
        const struct itimerspec *spec = (const void *)third; /* NOLINT */
        armed = (uint64_t)spec->it_value.tv_nsec;
    } else if (number == SYS_timer_create) {
        *(int *)third = 0; /* NOLINT */
    }
    if (is_of_play)
        interleave();
    return 0;
}

static void on_ring(struct dlw_thread *self, bool asleep)
{
    (void)asleep;
    ck_assert_ptr_eq(self, &sleeper);
    is_wanted = false;
    rung++;
}

static void begin(const char *between)
{
    memset(&sleeper, 0, sizeof(sleeper));
    memset(&other, 0, sizeof(other));
    atomic_store(&sleeper.wait.may_ring, true);
    sleeper.guard = DLW_GUARD_WAITING;
    sleeper.wait.call.sp = (uintptr_t)__builtin_frame_address(0) + DLW_ALARM_STACK / 2;
    sleeper.timer = 1;
    dlw_alarm_start(on_ring);
    acts = between;
    armed = 0;
    calls = done = rung = 0;
}

static void other_sets(void)
{
    dlw_self = &other;
    is_wanted = true; /* by the other, for the wait that the sleeper is in */
    dlw_alarm_set(&sleeper, OTHERS_TIME);
}

static void sleeper_waits_twice(void)
{
    dlw_self = &sleeper;
    wait_anew();
    wait_anew();
}

/* A wait that should be rung will be; one that is over is not. */
static void check_end(void)
{
    uint32_t state = atomic_load(&sleeper.alarm);

    if (is_wanted) {
        ck_assert_uint_eq(state, DLW_ALARM_SET);
        ck_assert_uint_ne(armed, 0);
    } else if (state != DLW_ALARM_SET) { /* one set too late is cleared before the next wait */
        ck_assert_uint_eq(state, DLW_ALARM_NONE);
        ck_assert_uint_eq(armed, 0);
    }
    act('a');
    ck_assert_uint_eq(atomic_load(&sleeper.alarm), DLW_ALARM_SET);
    ck_assert_uint_eq(armed, SLEEPERS_TIME);
    act('w');
    ck_assert_uint_eq(atomic_load(&sleeper.alarm), DLW_ALARM_NONE);
    ck_assert_uint_eq(armed, 0);
}

/* All ways to put the acts, in their order, around the first system calls. Returns how many. */
static unsigned play_all(void (*play)(void), const char *between)
{
    enum { CALLS = 9 };
    unsigned played = 0;

    for (unsigned i = 0; i < CALLS * CALLS * CALLS; i++) {
        at[0] = i % CALLS;
        at[1] = i / CALLS % CALLS;
        at[2] = i / (CALLS * CALLS);
        if (at[0] > at[1] || at[1] > at[2])
            continue;
        begin(between);
        play();
        for (is_acting = true; acts[done]; done++) /* what has not come between comes behind */
            act(acts[done]);
        is_acting = true;
        check_end();
        is_acting = false;
        played++;
    }
    return played;
}

START_TEST(another_sets_while_the_sleeper_acts)
{
    static const char *const plays[] = {"",   "w",  "a",   "x",   "wa",  "aw",  "aa",
                                        "xa", "ax", "waw", "awa", "xax", "axa", "wax"};

    ck_assert_uint_gt(play_all(other_sets, plays[_i]), 0);
}
END_TEST

START_TEST(the_sleeper_acts_while_another_sets)
{
    static const char *const plays[] = {"", "o", "x", "oo", "ox", "xo", "oxo", "xox"};

    ck_assert_uint_gt(play_all(sleeper_waits_twice, plays[_i]), 0);
}
END_TEST

Suite *interpose_alarm_suite(void);

Suite *interpose_alarm_suite(void)
{
    Suite *suite = suite_create("interpose_alarm");
    TCase *tcase = tcase_create("interleavings");

    tcase_add_loop_test(tcase, another_sets_while_the_sleeper_acts, 0, 14);
    tcase_add_loop_test(tcase, the_sleeper_acts_while_another_sets, 0, 8);
    suite_add_tcase(suite, tcase);
    return suite;
}
