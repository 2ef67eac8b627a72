/* What a trail tells: in order, with what was given back between two entries. */
#include "report/emit/trail.h"

#include "graph/finding.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

Suite *emit_trail_suite(void);

static struct dlw_trail trail;
static struct dlw_trail_event events[DLW_TRAIL_TOLD];
static bool is_cut;
static char told[1024];

/* As the library does it: the number `held` is of before, but of a taking with it. */
static void put(enum dlw_trail_what what, uint64_t lock, unsigned held)
{
    trail.last++;
    unsigned slot = trail.last % DLW_TRAIL_ENTRIES;
    bool is_taking = what == DLW_TRAIL_TOOK || what == DLW_TRAIL_TOOK_BY_TRY;
    uint64_t count = is_taking && held ? held + 1 : held;
    trail.entries[slot].subject = lock | (uint64_t)what << DLW_TRAIL_WHAT;
    trail.entries[slot].place = (0x100 + trail.last) | (count & 0xFFFF) << 48;
    if (trail.last >= DLW_TRAIL_ENTRIES)
        trail.first = trail.last - DLW_TRAIL_ENTRIES + 1;
}

static void begin(void)
{
    memset(&trail, 0, sizeof(trail));
    trail.first = 1;
}

/* "+1 +2 -2 ?3": taken, given back, asked for. */
static const char signs[] = {
    [DLW_TRAIL_TOOK] = '+',  [DLW_TRAIL_TOOK_BY_TRY] = '*', [DLW_TRAIL_GAVE] = '-',
    [DLW_TRAIL_ASKED] = '?', [DLW_TRAIL_TRIED] = '!',       [DLW_TRAIL_CONFUSED] = '~'};

/* "+1/0 +2/1": the same, each with how many are held. */
static void play(const char *steps)
{
    for (const char *step = steps; step; step = strchr(step, ' ')) {
        char sign;
        unsigned lock, held;
        step += *step == ' ';
        ck_assert_int_eq(sscanf(step, "%c%u/%u", &sign, &lock, &held), 3);
        const char *known = memchr(signs, sign, sizeof(signs));
        ck_assert_ptr_nonnull(known);
        put((enum dlw_trail_what)(known - signs), lock, held);
    }
}

static const char *tell(void)
{
    uint32_t n = dlw_trail_tell(&trail, events, &is_cut);
    size_t used = 0;
    told[0] = 0;
    for (uint32_t i = 0; i < n; i++)
        used += (size_t)snprintf(told + used, sizeof(told) - used, "%s%c%llu", i ? " " : "",
                                 signs[events[i].what], (unsigned long long)events[i].lock);
    return told;
}

static void now_holds(unsigned n)
{
    trail.held = n;
    trail.held_is_known = true;
}

START_TEST(test_nothing)
{
    begin();
    now_holds(0);
    ck_assert_str_eq(tell(), "");
    ck_assert(!is_cut);
}
END_TEST

START_TEST(test_what_was_given_back_shows_by_the_next)
{
    begin();
    play("+1/0 +2/1 +3/1 ?4/1"); /* 2 is gone */
    now_holds(1);
    ck_assert_str_eq(tell(), "+1 +2 -2 +3 -3 ?4");
    ck_assert_uint_eq(events[0].place, 0x101);
    ck_assert_uint_eq(events[2].place, 0);
    ck_assert(!is_cut);
    now_holds(0);
    ck_assert_str_eq(tell(), "+1 +2 -2 +3 -3 ?4 -1");
}
END_TEST

START_TEST(test_another_order)
{
    begin();
    play("+1/0 +2/1 +3/2 -1/3 *4/1 !5/2"); /* 3 is gone, and 2 is held */
    now_holds(2);
    ck_assert_str_eq(tell(), "+1 +2 +3 -1 -3 *4 !5");
    now_holds(0);
    ck_assert_str_eq(tell(), "+1 +2 +3 -1 -3 *4 !5 -4 -2");
}
END_TEST

/* Holes in the held stack count as held until they are closed: nothing is concluded from that. */
START_TEST(test_more_than_are_known)
{
    begin();
    play("+1/0 +2/4 +3/2");
    now_holds(3);
    ck_assert_str_eq(tell(), "+1 +2 +3");
}
END_TEST

START_TEST(test_of_one_that_runs)
{
    begin();
    play("+1/0");
    trail.held = 0;
    trail.held_is_known = false;
    ck_assert_str_eq(tell(), "+1");
}
END_TEST

START_TEST(test_wraps_around)
{
    begin();
    for (unsigned i = 1; i <= 1000; i++)
        put(DLW_TRAIL_TOOK, i, 0);
    now_holds(1);
    tell();
    ck_assert(is_cut);
    /* The last of all is held, and of each before it the end is known. */
    ck_assert_uint_eq(events[DLW_TRAIL_TOLD - 1].lock, 1000);
    ck_assert_uint_eq(events[DLW_TRAIL_TOLD - 1].what, DLW_TRAIL_TOOK);
    for (unsigned i = 0; i + 1 < DLW_TRAIL_TOLD; i++) {
        ck_assert_uint_eq(events[i].lock, 1000 - DLW_TRAIL_TOLD / 2 + (i + 1) / 2);
        ck_assert_uint_eq(events[i].what, i % 2 ? DLW_TRAIL_TOOK : DLW_TRAIL_GAVE);
    }
}
END_TEST

/* Taken before the first entry that is left: it can be given back all the same. */
START_TEST(test_held_since_before)
{
    begin();
    play("+1/0 +2/1");
    for (unsigned i = 0; i < DLW_TRAIL_ENTRIES - 2; i++)
        put(DLW_TRAIL_TRIED, 9, 2);
    play("-1/2 +3/1");
    now_holds(0);
    tell();
    ck_assert_ptr_nonnull(strstr(told, "!9 -1 +3 -3"));
    ck_assert(is_cut);
}
END_TEST

START_TEST(test_what_was_lost)
{
    begin();
    play("+1/0 +2/1 ~0/1 +3/1");
    now_holds(0);
    ck_assert_str_eq(tell(), "+1 +2 +3 -3");
}
END_TEST

/* 16 bits of how many are held. */
START_TEST(test_very_many_held)
{
    begin();
    for (unsigned i = 0; i < 20; i++)
        put(DLW_TRAIL_TOOK, i + 1, 65530 + i);
    now_holds(65549);
    tell();
    ck_assert_str_eq(strrchr(told, '+'), "+20 -20");
    ck_assert_ptr_eq(strchr(told, '-'), strrchr(told, '-'));
}
END_TEST

START_TEST(test_times_of_waits)
{
    begin();
    play("?1/0 +1/0 ?2/1");
    trail.waits[3].number = 1;
    trail.waits[3].began = 500;
    trail.waits[3].ended = 700;
    trail.waits[7].number = 3;
    trail.waits[7].began = 900;
    now_holds(1);
    ck_assert_str_eq(tell(), "?1 +1 ?2");
    ck_assert_uint_eq(events[0].began, 500);
    ck_assert_uint_eq(events[0].ended, 700);
    ck_assert_uint_eq(events[1].began, 0);
    ck_assert_uint_eq(events[2].began, 900);
    ck_assert_uint_eq(events[2].ended, 0);
}
END_TEST

START_TEST(test_words)
{
    for (int what = 0; what < DLW_TRAIL_CONFUSED; what++)
        ck_assert_int_eq(dlw_trail_find(dlw_trail_word((enum dlw_trail_what)what)), what);
    ck_assert_int_eq(dlw_trail_find("stole"), -1);
    ck_assert_str_eq(dlw_trail_word(DLW_TRAIL_CONFUSED), "");
}
END_TEST

Suite *emit_trail_suite(void)
{
    Suite *suite = suite_create("emit_trail");
    TCase *tests = tcase_create("trail");
    tcase_add_test(tests, test_nothing);
    tcase_add_test(tests, test_what_was_given_back_shows_by_the_next);
    tcase_add_test(tests, test_another_order);
    tcase_add_test(tests, test_more_than_are_known);
    tcase_add_test(tests, test_of_one_that_runs);
    tcase_add_test(tests, test_wraps_around);
    tcase_add_test(tests, test_held_since_before);
    tcase_add_test(tests, test_what_was_lost);
    tcase_add_test(tests, test_very_many_held);
    tcase_add_test(tests, test_times_of_waits);
    tcase_add_test(tests, test_words);
    suite_add_tcase(suite, tests);
    return suite;
}
