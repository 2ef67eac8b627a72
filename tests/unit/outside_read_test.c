/* Reading what the kernel and glibc write: calls, layouts, registers, notes, prologues. */
#include "report/command/inspect/glibc/entry.h"
#include "report/command/inspect/glibc/layouts.h"
#include "report/command/inspect/target/core.h"
#include "report/command/inspect/target/image.h"
#include "report/command/inspect/target/proc.h"
#include "report/command/inspect/target/registers.h"
#include "report/command/inspect/target/sections.h"
#include "report/command/inspect/walk/frame_pointer.h"

#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

Suite *outside_read_suite(void);

START_TEST(test_call_when_blocked)
{
    struct dlw_call call;
    ck_assert(dlw_proc_parse_call("202 0x7f00 0x80 0x2 0x0 0x5 0x6 0x7ffd10 0x7f0b42\n", &call));
    ck_assert(call.is_known && !call.is_running);
    ck_assert_int_eq(call.number, 202);
    ck_assert_uint_eq(call.arguments[0], 0x7f00);
    ck_assert_uint_eq(call.arguments[5], 6);
    ck_assert_uint_eq(call.sp, 0x7ffd10);
    ck_assert_uint_eq(call.pc, 0x7f0b42);
}
END_TEST

START_TEST(test_call_when_running_or_elsewhere)
{
    struct dlw_call call;
    ck_assert(dlw_proc_parse_call("running\n", &call));
    ck_assert(call.is_running && !call.is_known);
    ck_assert(dlw_proc_parse_call("-1 0x10 0x20\n", &call));
    ck_assert(!call.is_running && !call.is_known);
    ck_assert_uint_eq(call.sp, 0x10);
    ck_assert(!dlw_proc_parse_call("", &call));
    ck_assert(!dlw_proc_parse_call("202 0x1 0x2 0x3\n", &call));
    ck_assert(!dlw_proc_parse_call("rubbish", &call));
}
END_TEST

START_TEST(test_layout_by_version)
{
    struct dlw_layout layout;
    static const struct {
        int version, condition, join;
        bool is_certain;
    } rows[] = {{2031, 40, 0, true},   {2035, 40, 0, true},  {2036, 40, 0, true},
                {2039, 40, 0, true},   {2041, 32, 0, true},  {2042, 32, 0, true},
                {0, 40, 0, false},     {2017, 40, 0, false}, {2043, 32, 856, true},
                {2999, 32, 856, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert(dlw_layout_find(rows[i].version, EM_X86_64, &layout));
        ck_assert_int_eq(layout.cond_signals, rows[i].condition);
        ck_assert_int_eq(layout.thread_join, rows[i].join);
        ck_assert_int_eq(layout.is_certain, rows[i].is_certain);
        ck_assert_int_eq(layout.mutex_owner, 8);
    }
    ck_assert(!dlw_layout_find(2036, EM_S390, &layout));
}
END_TEST

START_TEST(test_layout_version_text)
{
    ck_assert_int_eq(dlw_layout_version("2.36"), 2036);
    ck_assert_int_eq(dlw_layout_version("2.4."), 2004);
    ck_assert_int_eq(dlw_layout_version("2"), 0);
    ck_assert_int_eq(dlw_layout_version(""), 0);
    ck_assert_int_eq(dlw_layout_version("999999999999.1"), 0);
    ck_assert_int_eq(dlw_layout_version("2.x"), 0);
}
END_TEST

START_TEST(test_entry_names)
{
    ck_assert_int_eq(dlw_entry_of_name("pthread_mutex_lock"), DLW_ENTRY_MUTEX);
    ck_assert_int_eq(dlw_entry_of_name("__pthread_mutex_lock_full"), DLW_ENTRY_MUTEX);
    ck_assert_int_eq(dlw_entry_of_name("___pthread_mutex_lock"), DLW_ENTRY_MUTEX);
    ck_assert_int_eq(dlw_entry_of_name("__GI___pthread_rwlock_rdlock"), DLW_ENTRY_READ);
    ck_assert_int_eq(dlw_entry_of_name("__pthread_rwlock_wrlock_full64"), DLW_ENTRY_WRITE);
    ck_assert_int_eq(dlw_entry_of_name("__new_sem_wait_slow64.constprop.0"), DLW_ENTRY_SEMAPHORE);
    ck_assert_int_eq(dlw_entry_of_name("__pthread_once_slow"), DLW_ENTRY_ONCE);
    ck_assert_int_eq(dlw_entry_of_name("__cxa_guard_acquire"), DLW_ENTRY_GUARD);
    ck_assert_int_eq(dlw_entry_of_name("syscall"), DLW_ENTRY_OTHER);
    ck_assert_int_eq(dlw_entry_of_name("syscall_my_own"), DLW_ENTRY_UNKNOWN);
    ck_assert_int_eq(dlw_entry_of_name("pthread_mutex_unlock"), DLW_ENTRY_UNKNOWN);
    ck_assert_int_eq(dlw_entry_of_name("pthread_mutex"), DLW_ENTRY_UNKNOWN);
    ck_assert_int_eq(dlw_entry_of_name(""), DLW_ENTRY_UNKNOWN);
}
END_TEST

static int64_t frame_of(const char *bytes, size_t n)
{
    return dlw_frame_size((const unsigned char *)bytes, n);
}

START_TEST(test_frame_size_of_prologues)
{
    /* push rbp; mov rbp,rsp; sub rsp,0x20 */
    ck_assert_int_eq(frame_of("\x55\x48\x89\xe5\x48\x83\xec\x20\x90\x90", 10), 0x20);
    /* endbr64 before it, push rbx and r12 after it */
    ck_assert_int_eq(frame_of("\xf3\x0f\x1e\xfa\x55\x48\x89\xe5\x53\x41\x54\x48\x83\xec\x10", 15),
                     0x20);
    /* sub rsp,0x1000 */
    ck_assert_int_eq(frame_of("\x55\x48\x89\xe5\x48\x81\xec\x00\x10\x00\x00", 11), 0x1000);
    /* add rsp,-128 */
    ck_assert_int_eq(frame_of("\x55\x48\x89\xe5\x48\x83\xc4\x80", 8), 128);
    /* none at all: the frame is what the pushes took */
    ck_assert_int_eq(frame_of("\x55\x48\x89\xe5\x90\x90", 6), 0);
    /* no frame pointer; a negative size; cut short */
    ck_assert_int_eq(frame_of("\x48\x83\xec\x08\x90\x90", 6), -1);
    ck_assert_int_eq(frame_of("\x55\x48\x89\xe5\x48\x81\xec\x00\x00\x00\x80", 11), -1);
    ck_assert_int_eq(frame_of("\x55\x48", 2), -1);
    ck_assert_int_eq(frame_of("\x55\x48\x89\xe5\x48\x83\xec", 7), 0);
}
END_TEST

START_TEST(test_call_instructions)
{
    ck_assert(dlw_ends_with_call((const unsigned char *)"\x90\x90\xe8\x01\x02\x03\x04", 7));
    ck_assert(dlw_ends_with_call((const unsigned char *)"\xff\xd0", 2));                 /* rax */
    ck_assert(dlw_ends_with_call((const unsigned char *)"\xff\x15\x01\x02\x03\x04", 6)); /* slot */
    ck_assert(dlw_ends_with_call((const unsigned char *)"\x41\xff\x54\x24\x08", 5));
    ck_assert(!dlw_ends_with_call((const unsigned char *)"\x90\x90\x90\x90\x90\x90\x90", 7));
    ck_assert(!dlw_ends_with_call((const unsigned char *)"", 0));
}
END_TEST

START_TEST(test_registers_by_processor)
{
    uint64_t wide[40] = {0};
    uint32_t narrow[17] = {0};
    struct dlw_registers registers;
    struct dlw_call call;
    wide[10] = (uint64_t)-512; /* rax: to be restarted */
    wide[14] = 0xabc;          /* rdi */
    wide[15] = 202;
    wide[16] = 0x1000;
    wide[19] = 0x2000;
    wide[21] = 0x3000;
    ck_assert(dlw_registers_parse(EM_X86_64, wide, 27 * 8, &registers, &call));
    ck_assert(call.is_known && call.number == 202 && call.arguments[0] == 0xabc);
    ck_assert_uint_eq(registers.pc, 0x1000);
    ck_assert_uint_eq(registers.sp, 0x2000);
    ck_assert_uint_eq(registers.thread_pointer, 0x3000);
    wide[10] = 0; /* it has returned */
    ck_assert(dlw_registers_parse(EM_X86_64, wide, 27 * 8, &registers, &call));
    ck_assert(!call.is_known && call.is_running);
    narrow[11] = 240;
    narrow[6] = (uint32_t)-512;
    narrow[12] = 0x8048000;
    ck_assert(dlw_registers_parse(EM_386, narrow, sizeof narrow, &registers, &call));
    ck_assert(call.is_known && call.number == 240);
    ck_assert_uint_eq(registers.pc, 0x8048000);
    ck_assert(!dlw_registers_parse(EM_S390, wide, 27 * 8, &registers, &call));
    ck_assert(!dlw_registers_parse(EM_X86_64, wide, 12, &registers, &call));
    ck_assert(!dlw_registers_parse(EM_X86_64, wide, 1 << 20, &registers, &call));
}
END_TEST

/* A result stands where the first argument did: only who is set back to his call is in it. */
START_TEST(test_registers_of_aarch64)
{
    enum { SVC = 0xd4000001, NOP = 0xd503201f };
    uint64_t wide[34] = {(uint64_t)-110, [8] = 98, [31] = 0x2000, [32] = 0x1000};
    struct dlw_registers registers;
    struct dlw_call call;
    ck_assert(dlw_registers_parse(EM_AARCH64, wide, sizeof wide, &registers, &call));
    ck_assert(!call.is_known && call.is_running && call.number == 98);
    ck_assert(dlw_registers_ask_code(EM_AARCH64, &call));
    dlw_registers_settle((uint32_t)NOP, &call);
    ck_assert(!call.is_known && call.pc == 0x1000);
    wide[0] = 0xabc;
    ck_assert(dlw_registers_parse(EM_AARCH64, wide, sizeof wide, &registers, &call));
    dlw_registers_settle((uint32_t)SVC, &call);
    ck_assert(call.is_known && !call.is_running && call.arguments[0] == 0xabc);
    ck_assert_uint_eq(call.pc, 0x1004);
    ck_assert_uint_eq(registers.sp, 0x2000);
}
END_TEST

/* What lies behind the last variable is no module's, though it is on the same page; the linker
 * knows where that is. */
START_TEST(test_module_ends_where_its_segments_do)
{
    extern const char __executable_start[], _end[]; /* NOLINT: the linker's names */
    static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_linux_proc_find_elf,
                                             .find_debuginfo = dwfl_standard_find_debuginfo};
    Dwarf_Addr end = (Dwarf_Addr)(uintptr_t)_end;
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)__executable_start;
    GElf_Addr base = header->e_type == ET_DYN ? (GElf_Addr)(uintptr_t)__executable_start : 0;
    Dwfl *dwfl = dwfl_begin(&callbacks);
    ck_assert_ptr_nonnull(dwfl);
    ck_assert_ptr_nonnull(dwfl_report_elf(dwfl, "self", "/proc/self/exe", -1, base, true));
    ck_assert_int_eq(dwfl_report_end(dwfl, NULL, NULL), 0);
    Dwfl_Module *module = dlw_sections_module(dwfl, end - 1);
    ck_assert_ptr_nonnull(module);
    ck_assert_ptr_eq(dlw_sections_module(dwfl, (Dwarf_Addr)(uintptr_t)frame_of), module);
    if (end % 4096)
        ck_assert_ptr_eq(dwfl_addrmodule(dwfl, end), module);
    ck_assert_ptr_null(dlw_sections_module(dwfl, end));
    ck_assert_ptr_null(dlw_sections_module(NULL, end));
    dwfl_end(dwfl);
}
END_TEST

START_TEST(test_call_names)
{
    ck_assert_str_eq(dlw_syscall_name(EM_X86_64, 202), "futex");
    ck_assert_str_eq(dlw_syscall_name(EM_X86_64, 232), "epoll_wait");
    ck_assert_str_eq(dlw_syscall_name(EM_AARCH64, 98), "futex");
    ck_assert_ptr_null(dlw_syscall_name(EM_X86_64, 99999));
    ck_assert_ptr_null(dlw_syscall_name(EM_X86_64, -1));
    ck_assert(dlw_syscall_is_futex(EM_X86_64, 202) && !dlw_syscall_is_futex(EM_X86_64, 98));
    ck_assert(dlw_syscall_is_restart(EM_X86_64, 219));
    struct dlw_call call = {.is_known = true, .number = 25, .arguments = {3, F_SETLKW}};
    ck_assert(dlw_syscall_waits_for_file(EM_AARCH64, &call));
    ck_assert(!dlw_syscall_waits_for_file(EM_X86_64, &call));
    call.arguments[1] = F_SETLK;
    ck_assert(!dlw_syscall_waits_for_file(EM_AARCH64, &call));
    call.number = 73; /* flock */
    ck_assert(dlw_syscall_waits_for_file(EM_X86_64, &call));
}
END_TEST

static size_t put_note(unsigned char *at, uint32_t type, const void *content, uint32_t size)
{
    Elf64_Nhdr note = {.n_namesz = 5, .n_descsz = size, .n_type = type};
    memcpy(at, &note, sizeof note);
    memcpy(at + sizeof note, "CORE\0\0\0", 8);
    memcpy(at + sizeof note + 8, content, size);
    return sizeof note + 8 + (size + 3) / 4 * 4;
}

/* A process of one thread with one file. */
static size_t make_notes(unsigned char *out)
{
    unsigned char status[336] = {0}, program[136] = {0};
    uint64_t files[5] = {1, 4096, 0x1000, 0x3000, 0}, vector[4] = {AT_ENTRY, 0x1234, 0, 0};
    unsigned char list[48] = {0};
    size_t n = 0;
    status[12] = 6;
    status[32] = 77;
    program[24] = 77;
    memcpy(program + 40, "prog", 4);
    memcpy(program + 56, "prog  one two ", 14);
    memcpy(list, files, sizeof files);
    memcpy(list + sizeof files, "/x/prog", 8);
    n += put_note(out + n, NT_PRSTATUS, status, sizeof status);
    n += put_note(out + n, NT_PRPSINFO, program, sizeof program);
    n += put_note(out + n, NT_AUXV, vector, sizeof vector);
    n += put_note(out + n, 0x46494c45, list, sizeof list);
    return n;
}

START_TEST(test_notes_of_a_core)
{
    unsigned char notes[1024];
    struct dlw_region region = {0};
    struct dlw_target target = {.region = &region, .machine = EM_X86_64, .is_core = true};
    struct dlw_core_facts facts = {0};
    dlw_core_read_notes(&target, notes, make_notes(notes), &facts);
    ck_assert_uint_eq(target.n_threads, 1);
    ck_assert_uint_eq(target.threads[0].tid, 77);
    ck_assert_int_eq(target.signal, 6);
    ck_assert_uint_eq(target.argc, 3);
    ck_assert_str_eq(target.argv[2], "two");
    ck_assert_uint_eq(facts.entry, 0x1234);
    ck_assert_uint_eq(facts.n_files, 1);
    ck_assert_str_eq(facts.files[0].path, "/x/prog");
    ck_assert_uint_eq(facts.files[0].end, 0x3000);
    dlw_region_free(&region);
}
END_TEST

START_TEST(test_notes_when_damaged)
{
    unsigned char notes[1024];
    size_t n = make_notes(notes);
    srand(7);
    for (int round = 0; round < 20000; round++) {
        struct dlw_region region = {0};
        struct dlw_target target = {.region = &region, .machine = EM_X86_64, .is_core = true};
        struct dlw_core_facts facts = {0};
        size_t length = (size_t)rand() % (n + 1);
        unsigned char *copy = malloc(length + 1); /* so that reading past the end is noticed */
        target.is_narrow = rand() % 2;
        memcpy(copy, notes, length);
        for (int i = 0; i < 4 && length; i++)
            copy[(size_t)rand() % length] = (unsigned char)rand();
        dlw_core_read_notes(&target, copy, length, &facts);
        free(copy);
        dlw_region_free(&region);
    }
}
END_TEST

START_TEST(test_build_id_of_notes)
{
    struct dlw_image image = {0};
    unsigned char bytes[36];
    char hex[2 * DLW_BUILD_ID_ROOM + 1];
    Elf64_Nhdr note = {.n_namesz = 4, .n_descsz = 4, .n_type = NT_GNU_BUILD_ID};
    memcpy(bytes, &note, sizeof note);
    memcpy(bytes + sizeof note, "GNU\0\xde\xad\xbe\xef", 8);
    dlw_image_read_notes(bytes, sizeof note + 8, &image);
    dlw_image_hex(&image, hex);
    ck_assert_str_eq(hex, "deadbeef");
    for (size_t cut = 0; cut < sizeof note + 8; cut++) {
        image.n_build_id = 0;
        dlw_image_read_notes(bytes, cut, &image);
        ck_assert_uint_eq(image.n_build_id, 0);
    }
    note.n_descsz = UINT32_MAX;
    memcpy(bytes, &note, sizeof note);
    dlw_image_read_notes(bytes, sizeof bytes, &image);
    ck_assert_uint_eq(image.n_build_id, 0);
}
END_TEST

Suite *outside_read_suite(void)
{
    Suite *suite = suite_create("outside_read");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, test_call_when_blocked);
    tcase_add_test(tests, test_call_when_running_or_elsewhere);
    tcase_add_test(tests, test_layout_by_version);
    tcase_add_test(tests, test_layout_version_text);
    tcase_add_test(tests, test_entry_names);
    tcase_add_test(tests, test_frame_size_of_prologues);
    tcase_add_test(tests, test_call_instructions);
    tcase_add_test(tests, test_registers_by_processor);
    tcase_add_test(tests, test_registers_of_aarch64);
    tcase_add_test(tests, test_module_ends_where_its_segments_do);
    tcase_add_test(tests, test_call_names);
    tcase_add_test(tests, test_notes_of_a_core);
    tcase_add_test(tests, test_notes_when_damaged);
    tcase_add_test(tests, test_build_id_of_notes);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return suite;
}
