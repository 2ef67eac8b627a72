/* Names as people say them, and the step that they are told to change. */
#include "report/command/document/classify.h"
#include "report/command/document/names/expression.h"
#include "tests/unit/command_sample.h"

#include <check.h>
#include <stdlib.h>

START_TEST(test_source_names_the_lock)
{
    static const char *const lines[][2] = {
        {"pthread_mutex_lock(&from->lock);", "from->lock"},
        {"if (pthread_rwlock_rdlock( &table[hash(key, 3)].lock )) return;",
         "table[hash(key, 3)].lock"},
        {"GST_STATE_LOCK (element);", "GST_STATE_LOCK (element)"},
        {"g_mutex_lock (&priv->mutex);", "priv->mutex"},
        {"std::lock_guard<std::mutex> held(state->lock);", "state->lock"},
        {"std::unique_lock lk{this->m_, std::defer_lock};", "this->m_"},
        {"state->mutex.lock();", "state->mutex"},
        {"pools_[i]->Lock();", "pools_[i]"},
        {"sem_wait(&pool->slots);", "pool->slots"},
        {"pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &end);", "m"},
        {"block(&x);", NULL},
        {"clock_gettime(CLOCK_REALTIME, &now);", NULL},
        {"pthread_mutex_unlock(&m);", NULL},
        {"lock_all();", NULL},
        {"take(", NULL},
        {"lock((a, [b", NULL},
    };
    struct dlw_region region = {0};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const char *found = dlw_lock_expression(&region, lines[i][0]);
        ck_assert_msg(found ? lines[i][1] && strcmp(found, lines[i][1]) == 0 : !lines[i][1],
                      "%s: %s", lines[i][0], found ? found : "nothing");
    }
    dlw_region_free(&region);
}
END_TEST

START_TEST(test_a_line_of_python_names_the_lock)
{
    static const char *const lines[][2] = {
        {"    with left:", "left"},
        {"with self.locks[key]:  # its own", "self.locks[key]"},
        {"with pool.lock as held:", "pool.lock"},
        {"with left, right:", NULL},
        {"with lock_of(account):", NULL},
        {"if not self._lock.acquire(timeout=3):", "self._lock"},
        {"job = jobs.get()", "jobs"},
        {"a.put(b.get())", NULL},
        {"threads[0].join()", "threads[0]"},
        {"return value", NULL},
    };
    struct dlw_region region = {0};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const char *found = dlw_python_expression(&region, lines[i][0]);
        ck_assert_msg(found ? lines[i][1] && strcmp(found, lines[i][1]) == 0 : !lines[i][1],
                      "%s: %s", lines[i][0], found ? found : "nothing");
    }
    dlw_region_free(&region);
}
END_TEST

/* The program, or else the library of Python; never what the interpreter has within itself, or what
 * stands between a line and its lock. */
START_TEST(test_a_line_of_python_is_the_place)
{
    static const struct {
        const char *files[3];
        size_t place;
    } stacks[] = {
        {{"/usr/lib/python3.11/threading.py", "/srv/app.py", "<frozen runpy>"}, 1},
        {{"/usr/lib/python3.11/threading.py", "/usr/lib/python3.11/concurrent/futures/_base.py",
          "/srv/app.py"},
         2},
        {{"/usr/lib/python3.11/multiprocessing/synchronize.py", "/srv/app.py"}, 1},
        {{"/srv/multiprocessing/app.py", "/srv/app.py"}, 0},
        {{"/usr/lib/python3.11/threading.py", "/usr/lib/python3.11/logging/config.py",
          "<frozen runpy>"},
         1},
        {{"<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>",
          "/srv/threading.py"},
         2},
    };
    for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
        struct dlw_frame frames[3] = {0};
        struct dlw_stack stack = {.frames = frames, .n = 3};
        for (size_t k = 0; k < 3; k++)
            frames[k] = (struct dlw_frame){
                .language = "python", .file = stacks[i].files[k], .line = 1, .function = "f"};
        ck_assert_msg(dlw_stack_place(&stack) == stacks[i].place, "%s", stacks[i].files[0]);
    }
}
END_TEST

/* Where a thread begins is no place; what only begins with that name is. */
START_TEST(test_a_place_may_be_called_like_where_threads_begin)
{
    static const struct {
        const char *function;
        size_t place;
    } inner[] = {{"clone_account", 0}, {"start_threads", 0}, {"_start_locked", 0},
                 {"clone(int)", 0},    {"clone", 1},         {"clone3", 1},
                 {"start_thread", 1},  {"clone.cold", 1}};
    for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++) {
        struct dlw_frame frames[2] = {{.file = "a.c", .line = 1, .function = inner[i].function},
                                      {.file = "a.c", .line = 2, .function = "pay"}};
        struct dlw_stack stack = {.frames = frames, .n = 2};
        ck_assert_msg(dlw_stack_place(&stack) == inner[i].place, "%s", inner[i].function);
    }
}
END_TEST

START_TEST(test_functions_have_the_names_that_people_say)
{
    static const char *const names[][2] = {
        {"transfer", "transfer"},
        {"Bank::pay(int, char const*)", "Bank::pay"},
        {"(anonymous namespace)::Bank::pay(int)", "Bank::pay"},
        {"main::{lambda()#1}::operator()() const", "lambda in main"},
        {"main::{lambda}::operator()", "lambda in main"},
        {"main()::<lambda(int)>::operator()(int) const", "lambda in main"},
        {"Bank::run(int)::{lambda(int, std::pair<int, int>)#2}::operator()(int, std::pair<int, "
         "int>) const",
         "lambda in Bank::run"},
        {"find(std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > "
         "const&)",
         "find"},
        {"std::map<std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> "
         ">, "
         "int, std::less<std::__cxx11::basic_string<char, std::char_traits<char>, "
         "std::allocator<char> > >, std::allocator<std::pair<int const, int> > >::at(int)",
         "std::map<std::string, int>::at"},
        {"std::vector<Account*, std::allocator<Account*> >* make<int>(int)", "make<int>"},
        {"Guard::operator()(int)", "Guard::operator()"},
        {"broken<(", "broken<"},
        {"<core::option::Option<T>>::take", "<core::option::Option<T>>::take"},
    };
    struct dlw_region region = {0};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_str_eq(dlw_function_title(&region, names[i][0]), names[i][1]);
    dlw_region_free(&region);
}
END_TEST

static void expect_advice(struct dlw_doc *doc, const struct dlw_doc_finding *finding,
                          const char *advice)
{
    struct dlw_remedy remedy = dlw_finding_remedy_by_labels(&doc->region, finding);
    ck_assert_uint_gt(remedy.n, 0);
    ck_assert_str_eq(remedy.paragraphs[0], advice);
}

START_TEST(test_a_thread_without_a_name_is_called_after_its_code)
{
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_doc_finding *finding = sample_cycle(doc, DLW_DEADLOCK, "transfer", 10);
    finding->cycle[0].thread->name = finding->cycle[1].thread->name = NULL;
    finding->cycle[0].wants.stack = SAMPLE_STACK(
        doc, {"transfer", "bank.c", 11}, {"main::{lambda()#1}::operator()() const", "bank.c", 40});
    finding->cycle[1].thread->start = "serve";
    finding->cycle[1].wants.stack.cut = true;
    dlw_doc_finish(doc, NULL);
    ck_assert_str_eq(finding->message,
                     "lambda in main and serve wait for each other, and neither can go on");
    ck_assert_str_eq(dlw_thread_origin(&doc->region, finding->cycle[0].thread), "bank.c:40");
    dlw_doc_free(doc);
}
END_TEST

START_TEST(test_labels_follow_the_circle)
{
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_doc_finding *finding = sample_cycle(doc, DLW_DEADLOCK, "transfer", 10);
    finding->cycle[0].thread->id = 9; /* so that the circle begins with the other */
    dlw_doc_finish(doc, NULL);
    ck_assert_str_eq(finding->cycle[0].holds.lock->id, "L1");
    ck_assert_str_eq(finding->cycle[0].holds.lock->name, "second+40");
    ck_assert_str_eq(finding->locks[1]->id, "L2");
    dlw_doc_free(doc);
}
END_TEST

START_TEST(test_a_lock_without_anything_has_no_address_in_its_name)
{
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_doc_finding *finding = sample_cycle(doc, DLW_LOCK_ORDER_INVERSION, "transfer", 10);
    finding->locks[0]->name = finding->locks[1]->name = NULL;
    dlw_doc_finish(doc, NULL);
    ck_assert_str_eq(
        finding->message,
        "worker-1 takes the mutex L1 before the mutex L2, worker-2 takes them the other way round");
    dlw_doc_free(doc);
}
END_TEST

/* Lets a library's function stand between the place and the lock. */
static void through_library(struct dlw_doc *doc, struct dlw_stack *stack, unsigned line)
{
    *stack = SAMPLE_STACK(doc, {"Lib::Mutex::lock()", "/usr/include/lib/mutex.h", 5},
                          {"Lib::Center::remove(int)", NULL, 0}, {"close_all", "bank.c", line},
                          {"main", "bank.c", 90});
    stack->frames[0].module = stack->frames[1].module = "/usr/lib/liblib.so.1";
}

START_TEST(test_the_step_to_change_is_in_the_users_code)
{
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_doc_finding *finding = sample_cycle(doc, DLW_LOCK_ORDER_INVERSION, "pay", 10);
    struct dlw_doc_step whole = finding->cycle[0], other = finding->cycle[1];
    finding->cycle[1].holds.stack = finding->cycle[0].holds.stack;
    finding->cycle[1].wants.stack = finding->cycle[0].wants.stack;
    expect_advice(
        doc, finding,
        "In pay (bank.c:10) the arguments decide which lock comes first: take the one with "
        "the lower address first. That breaks \"circular wait\".");
    /* pthread's locks are no less so in C++; those of its own library are taken together */
    finding->cycle[0].wants.stack = SAMPLE_STACK(doc, {"pay(int)", "bank.c", 11});
    finding->cycle[0].holds.stack = SAMPLE_STACK(doc, {"pay(int)", "bank.c", 10});
    finding->cycle[1].wants.stack = finding->cycle[0].wants.stack;
    finding->cycle[1].holds.stack = finding->cycle[0].holds.stack;
    expect_advice(
        doc, finding,
        "In pay (bank.c:10) the arguments decide which lock comes first: take the one with "
        "the lower address first. That breaks \"circular wait\".");
    finding->cycle[0].wants.stack =
        SAMPLE_STACK(doc, {"std::mutex::lock()", "/usr/include/c++/12/bits/std_mutex.h", 100},
                     {"pay(int)", "bank.c", 11});
    finding->cycle[1].wants.stack = finding->cycle[0].wants.stack;
    expect_advice(
        doc, finding,
        "In pay (bank.c:10) the arguments decide which lock comes first: take both at once, by "
        "\"std::scoped_lock both(a, b);\" in place of the two. That breaks \"hold and wait\".");
    finding->cycle[0] = whole;
    finding->cycle[1] = other;
    expect_advice(doc, finding,
                  "Take L1 before L2 everywhere, as T1 does: back (bank.c:70) takes L2 too early, "
                  "before L1 at bank.c:71. That breaks \"circular wait\".");
    through_library(doc, &finding->cycle[0].wants.stack, 12);
    ck_assert_uint_eq(dlw_stack_place(&finding->cycle[0].wants.stack), 2);
    ck_assert_uint_eq(dlw_stack_innermost(&finding->cycle[0].wants.stack), 0);
    expect_advice(doc, finding,
                  "Let go of L1 before close_all (bank.c:12) calls Lib::Center::remove, which "
                  "takes L2, a lock of its own. That breaks \"hold and wait\".");
    finding->cycle[0].wants.lock->name = NULL;
    through_library(doc, &finding->cycle[0].wants.lock->first, 12);
    ck_assert_str_eq(dlw_lock_title(&doc->region, finding->cycle[0].wants.lock),
                     "the mutex in liblib");
    struct dlw_doc_lock *made = finding->cycle[0].wants.lock;
    made->created = SAMPLE_STACK(doc, {NULL, NULL, 0});
    made->created.frames[0].module = "/usr/lib/liblib.so.1";
    ck_assert_ptr_null(dlw_lock_origin(&doc->region, made));
    made->created.frames[0].module = "/opt/bank";
    ck_assert_ptr_nonnull(dlw_lock_origin(&doc->region, made));
    /* nothing but the library's own is there: better that than nothing */
    finding->cycle[0].wants.stack.n = 2;
    ck_assert_uint_eq(dlw_stack_place(&finding->cycle[0].wants.stack), 0);
    dlw_doc_free(doc);
}
END_TEST

START_TEST(test_a_projects_own_wrappers_are_passed_over)
{
    static const char *const wrappers[] = {"Mutex::lock()", "my::Mutex::Lock()",
                                           "MutexLock::MutexLock(Mutex&)",
                                           "Guard<Mutex>::Guard(Mutex&)", "mutex_lock"};
    static const char *const others[] = {"Door::unlock()", "lock_all", "Lock::open(int)", "block"};
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_stack stack =
        SAMPLE_STACK(doc, {"lock", "lock.h", 1}, {"pay", "bank.c", 2}, {"main", "bank.c", 3});
    for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++) {
        stack.frames[0].function = wrappers[i];
        ck_assert_msg(dlw_stack_place(&stack) == 1, "%s", wrappers[i]);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        stack.frames[0].function = others[i];
        ck_assert_msg(dlw_stack_place(&stack) == 0, "%s", others[i]);
    }
    /* where there is nothing else it is the place */
    stack.frames[0].function = "Mutex::lock()";
    stack.n = 1;
    ck_assert_uint_eq(dlw_stack_place(&stack), 0);
    dlw_doc_free(doc);
}
END_TEST

START_TEST(test_a_circle_of_a_librarys_own_locks)
{
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_doc_finding *finding = sample_cycle(doc, DLW_LOCK_ORDER_INVERSION, "pay", 10);
    for (size_t i = 0; i < 2; i++) {
        through_library(doc, &finding->cycle[i].holds.stack, 20 + (unsigned)i);
        through_library(doc, &finding->cycle[i].wants.stack, 20 + (unsigned)i);
    }
    expect_advice(
        doc, finding,
        "Don't let close_all (bank.c:21) call Lib::Center::remove where the library has "
        "called it with L2 in hand: it takes L1. Do that later, from outside. That breaks "
        "\"hold and wait\".");
    /* no call of the program's stands between the two locks */
    for (size_t i = 0; i < 2; i++)
        finding->cycle[i].wants.stack.n = 2;
    expect_advice(
        doc, finding,
        "Both locks are liblib's own, and its makers must mend the order. Until they have, "
        "don't let close_all (bank.c:20) call Lib::Center::remove while T2 can be where it "
        "stands above.");
    ck_assert_str_eq(dlw_finding_frame(finding)->function, "close_all");
    for (size_t i = 0; i < 2; i++)
        finding->cycle[i].holds.stack.n = 2;
    expect_advice(
        doc, finding,
        "Both locks are liblib's own: its makers must mend the order in which its functions "
        "above take them. That breaks \"circular wait\".");
    dlw_doc_free(doc);
}
END_TEST

START_TEST(test_what_calls_c_for_python_is_no_place)
{
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_stack stack = SAMPLE_STACK(
        doc, {"take_gil", "Python/ceval_gil.h", 231}, {"closure_fcn", "callbacks.c", 310},
        {NULL, NULL, 0}, {"notify", "native.cpp", 22}, {NULL, NULL, 0}, {"main", "native.cpp", 9});
    stack.frames[0].module = "/usr/bin/python3.11";
    stack.frames[1].module = "/usr/lib/python3.11/lib-dynload/_ctypes.cpython-311.so";
    stack.frames[2].module = stack.frames[4].module = "/usr/lib/libffi.so.8";
    ck_assert_uint_eq(dlw_stack_place(&stack), 3);
    ck_assert_ptr_null(dlw_stack_entry(&stack));
    ck_assert(dlw_frame_is_plumbing(&stack.frames[4]));
    stack.frames[4].module = "/usr/lib/libother.so.8";
    ck_assert(!dlw_frame_is_plumbing(&stack.frames[4]));
    ck_assert(dlw_frame_is_nameless(&stack.frames[4]));
    dlw_doc_free(doc);
}
END_TEST

START_TEST(test_a_writer_in_line_holds_nothing_to_let_go_of)
{
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_doc_finding *finding = sample_cycle(doc, DLW_DEADLOCK, "pay", 10);
    struct dlw_doc_step *steps = dlw_region_alloc(&doc->region, 3 * sizeof(*steps));
    struct dlw_doc_lock *page = finding->cycle[1].holds.lock;
    page->kind = "rwlock";
    steps[0] = finding->cycle[0];
    steps[1] = finding->cycle[1];
    steps[1].holds.mode = DLW_EXCLUSIVE;
    steps[2] = finding->cycle[1];
    /* T2 waits in line for the page that T3 reads */
    steps[1].wants = steps[1].holds;
    steps[2].thread = sample_thread(doc, 4, "worker-3");
    steps[2].holds.mode = DLW_SHARED;
    steps[2].holds.stack.frames[0].line = 20;
    finding->cycle = steps;
    finding->n_cycle = 3;
    ck_assert(dlw_step_is_in_line(finding, &steps[1]));
    expect_advice(doc, finding,
                  "One change opens the circle: back (bank.c:20) takes L2 before L1 at bank.c:71; "
                  "let it take L1 first, or let go of L2 in between. That breaks \"circular "
                  "wait\".");
    dlw_doc_free(doc);
}
END_TEST

Suite *command_names_suite(void);
Suite *command_names_suite(void)
{
    Suite *suite = suite_create("command_names");
    TCase *tests = tcase_create("names");
    tcase_add_test(tests, test_source_names_the_lock);
    tcase_add_test(tests, test_a_line_of_python_names_the_lock);
    tcase_add_test(tests, test_a_line_of_python_is_the_place);
    tcase_add_test(tests, test_a_place_may_be_called_like_where_threads_begin);
    tcase_add_test(tests, test_functions_have_the_names_that_people_say);
    tcase_add_test(tests, test_a_thread_without_a_name_is_called_after_its_code);
    tcase_add_test(tests, test_labels_follow_the_circle);
    tcase_add_test(tests, test_a_lock_without_anything_has_no_address_in_its_name);
    tcase_add_test(tests, test_the_step_to_change_is_in_the_users_code);
    tcase_add_test(tests, test_a_projects_own_wrappers_are_passed_over);
    tcase_add_test(tests, test_a_circle_of_a_librarys_own_locks);
    tcase_add_test(tests, test_what_calls_c_for_python_is_no_place);
    tcase_add_test(tests, test_a_writer_in_line_holds_nothing_to_let_go_of);
    suite_add_tcase(suite, tests);
    return suite;
}
