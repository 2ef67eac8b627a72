#include "report/command/inspect/glibc/runtime.h"

#include "report/command/inspect/target/modules.h"
#include "report/command/inspect/target/sections.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

static bool begins_with(const char *text, const char *start)
{
    return !strncmp(text, start, strlen(start));
}

bool dlw_runtime_is_libc_name(const char *name)
{
    return begins_with(name, "libc.so.6") || begins_with(name, "libc-2.") ||
           begins_with(name, "libpthread.so") || begins_with(name, "libpthread-2.");
}

static bool is_part_of_library(const char *name)
{
    return dlw_runtime_is_libc_name(name) || begins_with(name, "ld-linux") ||
           begins_with(name, "ld-2.") || begins_with(name, "libdlwatch.so") ||
           begins_with(name, "libstdc++.so") || begins_with(name, "libc++");
}

bool dlw_runtime_is_library(const struct dlw_target *target, uint64_t pc)
{
    const char *path = dlw_modules_path(target, pc);
    if (!path)
        return false;
    if (target->is_static)
        return target->exe && !strcmp(path, target->exe);
    return is_part_of_library(dlw_modules_base_name(path));
}

struct look {
    struct dlw_target *target;
    Dwfl_Module *libc, *exe;
    bool is_musl;
};

static int look_at_module(Dwfl_Module *module, void **unused, const char *path, Dwarf_Addr start,
                          void *argument)
{
    struct look *look = argument;
    const char *name = dlw_modules_base_name(path);
    (void)unused;
    (void)start;
    look->is_musl |=
        begins_with(name, "ld-musl") || begins_with(name, "libc.musl") ||
        !strcmp(name, "libc.so"); /* glibc's ends in .so.6; this name is a text there */
    look->target->is_preloaded |= begins_with(name, "libdlwatch.so");
    /* Where there are both, libc proper has the version. */
    if (dlw_runtime_is_libc_name(name) && (!look->libc || begins_with(name, "libc")))
        look->libc = module;
    if (look->target->exe && !strcmp(path, look->target->exe))
        look->exe = module;
    return DWARF_CB_OK;
}

/* "GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36." stands in every glibc. */
static int banner_version(Dwfl_Module *module)
{
    static const char before[] = "release version ";
    char text[8];
    if (!module || !dlw_sections_find_text(module, ".rodata", before, text, sizeof text))
        return 0;
    return dlw_layout_version(text);
}

static int version_of(Dwfl_Module *module)
{
    char text[16] = "";
    struct dlw_symbol_bytes at = {"__nptl_version", text, sizeof text - 1};
    int version = dlw_sections_symbol(module, &at) ? dlw_layout_version(text) : 0;
    if (version)
        return version;
    at.name = "nptl_version";
    version = dlw_sections_symbol(module, &at) ? dlw_layout_version(text) : 0;
    return version ? version : banner_version(module);
}

/* Where a descriptor keeps a field of 32 bits, by the library's record; false: it has none. */
static bool recorded_field(Dwfl_Module *libc, const char *symbol, int32_t *out)
{
    uint32_t field[3];
    struct dlw_symbol_bytes at = {symbol, field, sizeof field};
    if (!dlw_sections_symbol(libc, &at) || field[0] != 32)
        return false;
    *out = (int32_t)field[2];
    return true;
}

/* glibc leaves a record for debuggers: where a descriptor keeps its tid, and how large it is. The
 * word of the joiners is not in it, but the priority is, two fields behind that word. */
static void adjust_layout(struct look *look)
{
    enum { JOIN_TO_PRIORITY = 16 };
    struct dlw_target *target = look->target;
    int32_t tid, priority;
    uint32_t size;
    if (!look->libc || !recorded_field(look->libc, "_thread_db_pthread_tid", &tid))
        return;
    target->layout.thread_tid = tid;
    if (target->layout.thread_join &&
        recorded_field(look->libc, "_thread_db_pthread_schedparam_sched_priority", &priority))
        target->layout.thread_join = priority - JOIN_TO_PRIORITY - tid;
    if (target->machine != EM_AARCH64)
        return;
    struct dlw_symbol_bytes at = {"_thread_db_sizeof_pthread", &size, sizeof size};
    if (dlw_sections_symbol(look->libc, &at))
        target->layout.thread_size = size;
}

/*
 * Each thread's number must stand in its descriptor. In a core that a debugger outside of a
 * container wrote, the numbers differ, and what stands in memory is what locks name.
 */
static size_t confirm_layout(struct dlw_target *target, size_t *asked)
{
    size_t confirmed = 0;
    *asked = 0;
    for (size_t i = 0; i < target->n_threads; i++) {
        struct dlw_seen_thread *thread = &target->threads[i];
        uint64_t handle = dlw_thread_handle(target, thread);
        uint32_t number;
        if (!handle ||
            !dlw_target_u32(target, handle + (uint64_t)target->layout.thread_tid, &number))
            continue;
        ++*asked;
        confirmed += number == thread->inner;
    }
    return confirmed;
}

static void adopt_numbers(struct dlw_target *target)
{
    for (size_t i = 0; i < target->n_threads; i++) {
        struct dlw_seen_thread *thread = &target->threads[i];
        uint64_t handle = dlw_thread_handle(target, thread);
        if (handle)
            dlw_target_u32(target, handle + (uint64_t)target->layout.thread_tid, &thread->inner);
    }
}

static void check_layout(struct dlw_target *target, struct dlw_doc *doc)
{
    size_t asked, confirmed = confirm_layout(target, &asked);
    if (confirmed || !asked)
        return;
    if (target->is_core && target->layout.is_certain) {
        adopt_numbers(target);
        return;
    }
    target->runtime = DLW_RUNTIME_UNKNOWN;
    dlw_target_trouble(target, doc,
                       "the thread descriptors are not where glibc keeps them: who holds a lock "
                       "can't be told");
}

static void say_version(struct dlw_target *target, struct dlw_doc *doc)
{
    if (!target->libc_version)
        dlw_target_trouble(target, doc,
                           "the C library's version can't be told: its locks are read as those of "
                           "the versions known");
    else if (!target->layout.is_certain)
        dlw_target_trouble(target, doc,
                           "glibc %d.%d is not among the versions known: its locks are read as "
                           "those of the nearest",
                           target->libc_version / 1000, target->libc_version % 1000);
}

static void recognise_glibc(struct look *look, struct dlw_doc *doc)
{
    struct dlw_target *target = look->target;
    target->libc_version = version_of(look->libc);
    if (!dlw_layout_find(target->libc_version, target->machine, &target->layout)) {
        target->runtime = DLW_RUNTIME_UNKNOWN;
        dlw_target_trouble(target, doc,
                           "locks of this processor's programs are not known: stacks and waits are "
                           "shown without owners");
        return;
    }
    target->runtime = DLW_RUNTIME_GLIBC;
    adjust_layout(look);
    say_version(target, doc);
    check_layout(target, doc);
}

static bool is_exe_glibc(const struct look *look)
{
    return look->exe && (dlw_sections_has(look->exe, ".note.ABI-tag") || banner_version(look->exe));
}

static void say_without_owners(struct dlw_target *target, struct dlw_doc *doc, const char *what)
{
    dlw_target_trouble(target, doc, "%s: stacks and waits are shown without owners", what);
}

void dlw_runtime_recognise(struct dlw_target *target, struct dlw_doc *doc)
{
    struct look look = {.target = target};
    char rest[2];
    dwfl_getmodules(target->dwfl, look_at_module, &look, 0);
    target->runtime = DLW_RUNTIME_UNKNOWN;
    target->is_rust =
        look.exe && (dlw_sections_find_text(look.exe, ".comment", "rustc", rest, sizeof rest) ||
                     dlw_sections_find_text(look.exe, ".rodata", "/rustc/", rest, sizeof rest));
    target->is_static = !look.libc && !look.is_musl;
    if (!target->n_mappings) {
        return; /* not permitted: said already */
    } else if (target->is_narrow) {
        say_without_owners(target, doc, "a 32-bit process");
    } else if (look.exe && dlw_sections_has(look.exe, ".gopclntab") && !look.libc) {
        target->runtime = DLW_RUNTIME_GO;
        say_without_owners(target, doc,
                           "a Go program, whose goroutines wait on futexes of their own");
    } else if (look.is_musl) {
        target->runtime = DLW_RUNTIME_MUSL;
        say_without_owners(target, doc, "the C library is musl, not glibc");
    } else if (look.libc) {
        recognise_glibc(&look, doc);
    } else if (is_exe_glibc(&look)) {
        look.libc = look.exe;
        recognise_glibc(&look, doc);
        dlw_doc_note(doc,
                     "statically linked: what belongs to the C library is told by names alone");
    } else {
        say_without_owners(target, doc,
                           look.exe ? "a statically linked program whose C library is not glibc"
                                    : "the program's C library is not there to look at");
    }
}

void dlw_runtime_say_unowned(struct dlw_target *target, struct dlw_doc *doc)
{
    size_t n = 0;
    for (size_t i = 0; i < target->n_threads; i++)
        n += target->threads[i].wait.kind == DLW_WAIT_SYSCALL && target->threads[i].wait.word;
    if (n && target->is_rust)
        dlw_target_trouble(target, doc,
                           "a Rust program: its own locks are futexes that name no holder; %zu "
                           "wait%s of that kind without owners",
                           n, n == 1 ? " is" : "s are");
}
