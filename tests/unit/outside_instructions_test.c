/* What instructions say: bytes of both processors in memory of our own, read as a process' is. */
#include "report/command/inspect/target/instructions.h"

#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

Suite *outside_instructions_suite(void);

enum { FUNCTION = 0x123456789, PAGE = 4096 };

static struct {
    _Alignas(PAGE) uint32_t code[PAGE / 4];
    uint64_t slots[PAGE / 8]; /* on the next page */
} memory;

static struct dlw_target target;

static void begin(int machine)
{
    memset(&memory, 0, sizeof memory);
    target = (struct dlw_target){.machine = machine, .memory = open("/proc/self/mem", O_RDONLY)};
}

static void end(void)
{
    close(target.memory);
}

static uint64_t address(const void *of)
{
    return (uint64_t)(uintptr_t)of;
}

static uint64_t called(size_t return_to)
{
    return dlw_called_function(&target, address(&memory.code[return_to]));
}

/* ---- aarch64 ---- */

enum {
    BL = 0x94000000,           /* words in 26 bits */
    BTI = 0xd503245f,          /* a landing pad */
    ADRP_16 = 0xb0000010,      /* adrp x16, the next page */
    LDR_17 = 0xf9400211,       /* ldr x17, [x16, …] */
    ADD_16 = 0x91000210,       /* add x16, x16, … */
    BR_17 = 0xd61f0220,        /* br x17 */
    ADRP_3 = 0xb0000003,       /* adrp x3, the next page */
    LDR_3 = 0xf9400063,        /* ldr x3, [x3, …] */
    MOV_0_19 = 0xaa1303e0,     /* mov x0, x19 */
    BLR_3 = 0xd63f0060,        /* blr x3 */
    LDR_W0_X19 = 0xb9400260,   /* ldr w0, [x19] */
    LDAXR_W0_X20 = 0x885ffe80, /* ldaxr w0, [x20] */
    CBNZ = 0x35ffffa0,         /* cbnz w0, … */
    OFFSET = 1 << 10,          /* of a load, in eights */
};

START_TEST(test_aarch64_calls_straight)
{
    begin(EM_AARCH64);
    memory.code[10] = (uint32_t)BL | 90;
    ck_assert_uint_eq(called(11), address(&memory.code[100]));
    memory.code[200] = (uint32_t)BL | ((0u - 100) & 0x3ffffff); /* back */
    ck_assert_uint_eq(called(201), address(&memory.code[100]));
    memory.code[10] = BTI;
    ck_assert_uint_eq(called(11), 0);
    end();
}
END_TEST

START_TEST(test_aarch64_calls_through_a_stub)
{
    begin(EM_AARCH64);
    memory.slots[5] = FUNCTION;
    memory.code[10] = (uint32_t)BL | 90;
    const uint32_t stub[] = {ADRP_16, (uint32_t)LDR_17 + 5 * OFFSET, ADD_16, BR_17};
    memcpy(&memory.code[100], stub, sizeof stub);
    ck_assert_uint_eq(called(11), FUNCTION);
    memory.code[100] = BTI;
    memcpy(&memory.code[101], stub, sizeof stub);
    ck_assert_uint_eq(called(11), FUNCTION);
    memory.code[104] = BTI; /* no jump: it is the function itself */
    ck_assert_uint_eq(called(11), address(&memory.code[100]));
    end();
}
END_TEST

START_TEST(test_aarch64_calls_through_a_slot)
{
    begin(EM_AARCH64);
    memory.slots[7] = FUNCTION;
    memory.code[100] = ADRP_3;
    memory.code[102] = (uint32_t)LDR_3 + 7 * OFFSET;
    memory.code[103] = MOV_0_19;
    memory.code[104] = BLR_3;
    ck_assert_uint_eq(called(105), FUNCTION);
    memory.code[102] = MOV_0_19; /* where x3 comes from is not there */
    ck_assert_uint_eq(called(105), 0);
    memory.code[102] = (uint32_t)LDR_3 + 7 * OFFSET;
    memory.code[100] = MOV_0_19;
    ck_assert_uint_eq(called(105), 0);
    end();
}
END_TEST

START_TEST(test_aarch64_loop_that_loads)
{
    struct dlw_registers registers = {.known = 0xffffffff};
    uint64_t lock = 0;
    begin(EM_AARCH64);
    registers.value[19] = 0x1900;
    registers.value[20] = 0x2000;
    memory.code[100] = LDAXR_W0_X20;
    memory.code[105] = LDR_W0_X19;
    memory.code[106] = CBNZ;
    registers.pc = address(&memory.code[106]);
    ck_assert(dlw_loaded_address(&target, &registers, &lock));
    ck_assert_uint_eq(lock, 0x1900);
    registers.pc = address(&memory.code[101]);
    ck_assert(dlw_loaded_address(&target, &registers, &lock));
    ck_assert_uint_eq(lock, 0x2000);
    registers.known = 1;
    ck_assert(!dlw_loaded_address(&target, &registers, &lock));
    registers.known = 0xffffffff;
    registers.pc = address(&memory.code[300]); /* none near */
    ck_assert(!dlw_loaded_address(&target, &registers, &lock));
    end();
}
END_TEST

/* ---- x86-64 ---- */

static void put(size_t at, const char *bytes, size_t n, int32_t displacement)
{
    unsigned char *code = (unsigned char *)memory.code + at;
    memcpy(code, bytes, n);
    memcpy(code + n, &displacement, sizeof displacement);
}

static uint64_t called_by_byte(size_t return_to)
{
    return dlw_called_function(&target, address(memory.code) + return_to);
}

START_TEST(test_x86_64_calls)
{
    begin(EM_X86_64);
    memory.slots[3] = FUNCTION;
    put(100, "\xe8", 1, 95); /* to 200 */
    ck_assert_uint_eq(called_by_byte(105), address(memory.code) + 200);
    put(200, "\xff\x25", 2, PAGE + 24 - 206);
    ck_assert_uint_eq(called_by_byte(105), FUNCTION);
    put(200, "\xf3\x0f\x1e\xfa\xf2\xff\x25", 7, PAGE + 24 - 211);
    ck_assert_uint_eq(called_by_byte(105), FUNCTION);
    put(300, "\xff\x15", 2, PAGE + 24 - 306);
    ck_assert_uint_eq(called_by_byte(306), FUNCTION);
    ck_assert_uint_eq(called_by_byte(400), 0);
    end();
}
END_TEST

START_TEST(test_others)
{
    struct dlw_registers registers = {.known = 0xffffffff};
    uint64_t lock;
    begin(EM_386);
    put(100, "\xe8", 1, 95);
    ck_assert_uint_eq(called_by_byte(105), 0);
    ck_assert(!dlw_loaded_address(&target, &registers, &lock));
    end();
    begin(EM_AARCH64);
    ck_assert_uint_eq(dlw_called_function(&target, 4), 0); /* nothing is there */
    end();
}
END_TEST

Suite *outside_instructions_suite(void)
{
    Suite *suite = suite_create("outside_instructions");
    TCase *calls = tcase_create("calls");
    tcase_add_test(calls, test_aarch64_calls_straight);
    tcase_add_test(calls, test_aarch64_calls_through_a_stub);
    tcase_add_test(calls, test_aarch64_calls_through_a_slot);
    tcase_add_test(calls, test_aarch64_loop_that_loads);
    tcase_add_test(calls, test_x86_64_calls);
    tcase_add_test(calls, test_others);
    suite_add_tcase(suite, calls);
    return suite;
}
