#include "report/command/inspect/target/registers.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>

/* Where a register stands in the kernel's set, by DWARF number. */
static const unsigned char x86_64_order[] = {10, 12, 11, 5, 13, 14, 4, 19, 9,
                                             8,  7,  6,  3, 2,  1,  0, 16};
enum { X64_ORIG_RAX = 15, X64_RAX = 10, X64_FS_BASE = 21, X64_N = 27 };
static const unsigned char x64_arguments[] = {14, 13, 12, 7, 9, 8};
static const unsigned char i386_order[] = {6, 1, 2, 0, 15, 5, 3, 4, 12};
enum { I386_ORIG_EAX = 11, I386_EAX = 6, I386_N = 17 };
static const unsigned char i386_arguments[] = {0, 1, 2, 3, 4, 5};

const struct dlw_register_numbers *dlw_register_numbers(int machine)
{
    /* by the ABIs' tables of registers: rbx, rbp, r12 to r15; ebx, ebp, esi, edi; x19 to x29 */
    static const struct dlw_register_numbers x86_64 = {7, 6, 16, 0xf048, false};
    static const struct dlw_register_numbers i386 = {4, 5, 8, 0xe8, false};
    static const struct dlw_register_numbers aarch64 = {31, 29, 32, 0x3ff80000, true};
    return machine == EM_X86_64    ? &x86_64
           : machine == EM_386     ? &i386
           : machine == EM_AARCH64 ? &aarch64
                                   : NULL;
}

/* Blocked in a call: the kernel has written one of its restart codes where the result will be, or
 * has not yet written anything; or the limit of its wait ran out as it was stopped, and it has not
 * run since. */
static bool is_inside_call(int64_t number, int64_t result)
{
    return number >= 0 &&
           ((result <= -512 && result >= -516) || result == -38 || result == -4 || result == -110);
}

static void parse_x86_64(const uint64_t *set, struct dlw_registers *out, struct dlw_call *call)
{
    for (unsigned i = 0; i < sizeof x86_64_order; i++)
        out->value[i] = set[x86_64_order[i]];
    out->known = (1u << sizeof x86_64_order) - 1;
    out->pc = out->value[16];
    out->sp = out->value[7];
    out->thread_pointer = set[X64_FS_BASE];
    call->number = (long)set[X64_ORIG_RAX];
    call->is_known = is_inside_call((int64_t)set[X64_ORIG_RAX], (int64_t)set[X64_RAX]);
    for (int i = 0; i < 6; i++)
        call->arguments[i] = set[x64_arguments[i]];
}

static void parse_i386(const uint32_t *set, struct dlw_registers *out, struct dlw_call *call)
{
    for (unsigned i = 0; i < sizeof i386_order; i++)
        out->value[i] = set[i386_order[i]];
    out->known = (1u << sizeof i386_order) - 1;
    out->pc = out->value[8];
    out->sp = out->value[4];
    call->number = (int32_t)set[I386_ORIG_EAX];
    call->is_known = is_inside_call((int32_t)set[I386_ORIG_EAX], (int32_t)set[I386_EAX]);
    for (int i = 0; i < 6; i++)
        call->arguments[i] = set[i386_arguments[i]];
}

/* Before a thread stops, the kernel sets it back to the call that it will begin again, with its
 * first argument (Linux arch/arm64/kernel/signal.c, do_signal): see dlw_registers_settle(). Behind
 * the call that argument is lost to the result: /proc may have told it before. */
static void parse_aarch64(const uint64_t *set, struct dlw_registers *out, struct dlw_call *call)
{
    memcpy(out->value, set, 32 * sizeof *set);
    out->known = 0xffffffff;
    out->sp = set[31];
    out->pc = set[32];
    call->number = (long)set[8];
    for (int i = 0; i < 6; i++)
        call->arguments[i] = set[i];
}

bool dlw_registers_parse(int machine, const void *set, size_t size, struct dlw_registers *out,
                         struct dlw_call *call)
{
    union {
        uint64_t wide[40];
        uint32_t narrow[80];
    } copy;
    if (size > sizeof copy)
        return false;
    memcpy(&copy, set, size);
    *out = (struct dlw_registers){0};
    *call = (struct dlw_call){0};
    if (machine == EM_X86_64 && size >= X64_N * 8)
        parse_x86_64(copy.wide, out, call);
    else if ((machine == EM_386 || machine == EM_X86_64) && size == I386_N * 4)
        parse_i386(copy.narrow, out, call);
    else if (machine == EM_AARCH64 && size >= 34 * 8)
        parse_aarch64(copy.wide, out, call);
    else
        return false;
    call->sp = out->sp;
    call->pc = out->pc;
    call->is_running = !call->is_known;
    return true;
}

bool dlw_registers_ask_code(int machine, const struct dlw_call *call)
{
    return machine == EM_AARCH64 && !call->is_known;
}

void dlw_registers_settle(uint32_t instruction, struct dlw_call *call)
{
    enum { SVC = 0xd4000001 }; /* svc #0 */
    call->is_known = instruction == (uint32_t)SVC;
    call->is_running = !call->is_known;
    if (call->is_known) /* behind it, as /proc says */
        call->pc += sizeof instruction;
}

void dlw_registers_of_call(int machine, const struct dlw_call *call, struct dlw_registers *out)
{
    const struct dlw_register_numbers *numbers = dlw_register_numbers(machine);
    *out = (struct dlw_registers){.pc = call->pc, .sp = call->sp};
    if (!numbers)
        return;
    out->value[numbers->stack_pointer] = call->sp;
    out->value[numbers->program_counter] = call->pc;
    out->known = UINT64_C(1) << numbers->stack_pointer | UINT64_C(1) << numbers->program_counter;
}

struct name {
    int number;
    const char *text;
};

#define S(number, name) {number, #name},
static const struct name x86_64_names[] = {
#include "report/command/inspect/walk/syscalls_x86_64.def"
};
static const struct name i386_names[] = {
#include "report/command/inspect/walk/syscalls_i386.def"
};
static const struct name generic_names[] = {
#include "report/command/inspect/walk/syscalls_generic.def"
};
#undef S

static const char *find(const struct name *names, size_t n, long number)
{
    for (size_t i = 0; i < n; i++)
        if (names[i].number == number)
            return names[i].text;
    return NULL;
}

const char *dlw_syscall_name(int machine, long number)
{
    if (machine == EM_X86_64)
        return find(x86_64_names, sizeof x86_64_names / sizeof *x86_64_names, number);
    if (machine == EM_AARCH64)
        return find(generic_names, sizeof generic_names / sizeof *generic_names, number);
    if (machine == EM_386)
        return find(i386_names, sizeof i386_names / sizeof *i386_names, number);
    return NULL;
}

bool dlw_syscall_is_futex(int machine, long number)
{
    if (machine == EM_386)
        return number == 240 || number == 422;
    return number == (machine == EM_X86_64 ? 202 : 98);
}

bool dlw_syscall_waits_for_file(int machine, const struct dlw_call *call)
{
    const char *name = call->is_known ? dlw_syscall_name(machine, call->number) : NULL;
    return name && (!strcmp(name, "flock") ||
                    (!strcmp(name, "fcntl") &&
                     (call->arguments[1] == F_SETLKW || call->arguments[1] == F_OFD_SETLKW)));
}

bool dlw_syscall_is_restart(int machine, long number)
{
    if (machine == EM_386)
        return number == 0;
    return number == (machine == EM_X86_64 ? 219 : 128);
}
