/* Rust's symbols, as rustc 1.95 makes them, and what is none. */
#include "report/command/symbols/rust.h"

#include <check.h>
#include <string.h>

Suite *command_rust_suite(void);

static const struct {
    const char *symbol, *name;
} names[] = {
    {"_RNvNtNtCsjrHSEGnQ3l9_3std6thread9functions5sleep", "std::thread::functions::sleep"},
    {"_RNvNtCsjrHSEGnQ3l9_3std2rt19lang_start_internal", "std::rt::lang_start_internal"},
    {"_RNvMNtNtNtNtCsjrHSEGnQ3l9_3std3sys4sync5mutex5futexNtB2_5Mutex14lock_contended",
     "std::sys::sync::mutex::futex::Mutex::lock_contended"},
    {"_RNvNvMs0_NtNtNtCsjrHSEGnQ3l9_3std3sys6thread4unixNtB7_6Thread3new12thread_start",
     "std::sys::thread::unix::Thread::new::thread_start"},
    {"_RNCNvCs1234_4hang4main0B3_", "hang::main::{{closure}}"},
    {"_RINvNtC3std3mem8align_ofdE", "std::mem::align_of"},
    {"_RNvCs1234_4hang4main.llvm.123", "hang::main"},
};

START_TEST(test_path_of_a_symbol)
{
    char name[512];
    ck_assert(dlw_rust_demangle(names[_i].symbol, name, sizeof name));
    ck_assert_str_eq(name, names[_i].name);
}
END_TEST

START_TEST(test_cut_symbol_is_none)
{
    char name[512], symbol[128];
    for (size_t n = 0; n + 1 < strlen(names[2].symbol); n++) {
        memcpy(symbol, names[2].symbol, n);
        symbol[n] = '\0';
        ck_assert(!dlw_rust_demangle(symbol, name, sizeof name));
    }
}
END_TEST

START_TEST(test_what_is_none)
{
    static const char *const symbols[] = {
        "",
        "_R",
        "main",
        "_ZN4main",
        "_RB_",
        "_RNvB_4main",
        "_RNvC99999999999999999999x4main",
        "_RNvCu3abc4main",
        "_RMB_B_",
    };
    char name[64];
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
        ck_assert_msg(!dlw_rust_demangle(symbols[i], name, sizeof name), "%s", symbols[i]);
    /* Deeper than any that is real, and one that would be longer than there is room. */
    char deep[300] = "_R";
    memset(deep + 2, 'I', 290);
    ck_assert(!dlw_rust_demangle(deep, name, sizeof name));
    ck_assert(!dlw_rust_demangle(names[2].symbol, name, 16));
}
END_TEST

START_TEST(test_older_names_are_decoded)
{
    char name[] = "hang::main::_$u7b$$u7b$closure$u7d$$u7d$";
    char other[] = "_$LT$T$u20$as$u20$core..fmt..Debug$GT$::fmt";
    dlw_rust_decode(name);
    ck_assert_str_eq(name, "hang::main::{{closure}}");
    dlw_rust_decode(other);
    ck_assert_str_eq(other, "<T as core::fmt::Debug>::fmt");
}
END_TEST

Suite *command_rust_suite(void)
{
    Suite *suite = suite_create("command_rust");
    TCase *tests = tcase_create("all");
    tcase_add_loop_test(tests, test_path_of_a_symbol, 0, sizeof names / sizeof *names);
    tcase_add_test(tests, test_cut_symbol_is_none);
    tcase_add_test(tests, test_what_is_none);
    tcase_add_test(tests, test_older_names_are_decoded);
    suite_add_tcase(suite, tests);
    return suite;
}
