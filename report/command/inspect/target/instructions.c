#include "report/command/inspect/target/instructions.h"

#include <elf.h>
#include <string.h>

/* ---- x86-64 ---- */

static uint64_t relative(uint64_t next, const unsigned char *displacement)
{
    int32_t value;
    memcpy(&value, displacement, sizeof value);
    return next + (uint64_t)(int64_t)value;
}

/* A stub of the procedure linkage table: an optional endbr64, then a jump through a slot. */
static uint64_t through_stub(struct dlw_target *target, uint64_t stub)
{
    static const unsigned char landing[] = {0xf3, 0x0f, 0x1e, 0xfa};
    unsigned char code[16];
    uint64_t slot;
    size_t at = 0;
    if (!dlw_target_read(target, stub, code, sizeof code))
        return stub;
    if (!memcmp(code, landing, sizeof landing))
        at = sizeof landing;
    at += code[at] == 0xf2; /* bnd */
    if (code[at] != 0xff || code[at + 1] != 0x25)
        return stub;
    slot = relative(stub + at + 6, code + at + 2);
    return dlw_target_u64(target, slot, &stub) ? stub : 0;
}

static uint64_t called_by_x86_64(struct dlw_target *target, uint64_t return_address)
{
    unsigned char code[6];
    uint64_t function;
    if (!dlw_target_read(target, return_address - sizeof code, code, sizeof code))
        return 0;
    if (code[0] == 0xff && code[1] == 0x15) /* call through a slot */
        return dlw_target_u64(target, relative(return_address, code + 2), &function) ? function : 0;
    if (code[1] == 0xe8)
        return through_stub(target, relative(return_address, code + 2));
    return 0;
}

/* ---- aarch64 ---- */

enum { WORD = 4, WINDOW = 16 }; /* bytes of an instruction; how many are looked at */

static bool is_adrp(uint32_t code, unsigned to)
{
    return (code & 0x9f000000u) == 0x90000000u && (code & 31) == to;
}

static uint64_t page_of(uint64_t pc, uint32_t code)
{
    uint64_t pages = (uint64_t)(code >> 5 & 0x7ffff) << 2 | (code >> 29 & 3);
    if (pages >> 20)
        pages |= ~UINT64_C(0) << 21;
    return (pc & ~UINT64_C(0xfff)) + (pages << 12);
}

/* ldr xTO, [xN, #offset] */
static bool is_load_of(uint32_t code, unsigned to)
{
    return (code & 0xffc00000u) == 0xf9400000u && (code & 31) == to;
}

/* What was loaded into a register before instruction `n` of those that begin at `start`: an address
 * of a page, then a slot in it. */
static uint64_t through_slot(struct dlw_target *target, uint64_t start, const uint32_t *code,
                             size_t n, unsigned to)
{
    uint64_t function;
    while (n > 0 && !is_load_of(code[n - 1], to))
        n--;
    if (!n)
        return 0;
    uint32_t load = code[--n];
    while (n > 0 && !is_adrp(code[n - 1], load >> 5 & 31))
        n--;
    if (!n)
        return 0;
    uint64_t page = page_of(start + (n - 1) * WORD, code[n - 1]);
    return dlw_target_u64(target, page + (load >> 10 & 0xfff) * 8, &function) ? function : 0;
}

/* A stub: an optional landing pad, the slot's page, a load of it, its address, a jump. */
static uint64_t through_branch(struct dlw_target *target, uint64_t stub)
{
    enum { SLOT = 17, JUMP = 0xd61f0220 }; /* br x17 */
    uint32_t code[5];
    if (!dlw_target_read(target, stub, code, sizeof code))
        return stub;
    for (size_t n = 3; n < sizeof code / sizeof *code; n++)
        if (code[n] == (uint32_t)JUMP) {
            uint64_t function = through_slot(target, stub, code, n, SLOT);
            return function ? function : stub;
        }
    return stub;
}

static uint64_t called_by_aarch64(struct dlw_target *target, uint64_t return_address)
{
    uint32_t code[WINDOW], call;
    uint64_t at = return_address - WORD, start = return_address - sizeof code;
    if (!dlw_target_u32(target, at, &call))
        return 0;
    if (call >> 26 == 0x25) { /* bl */
        uint64_t words = call & 0x3ffffff;
        if (words >> 25)
            words |= ~UINT64_C(0) << 26;
        return through_branch(target, at + words * WORD);
    }
    if ((call & 0xfffffc1fu) == 0xd63f0000u && /* blr */
        dlw_target_read(target, start, code, sizeof code))
        return through_slot(target, start, code, WINDOW - 1, call >> 5 & 31);
    return 0;
}

/* ldr, ldar or ldaxr wN, [xM] */
static bool is_plain_load(uint32_t code)
{
    uint32_t kind = code & 0xfffffc00u;
    return kind == 0xb9400000u || kind == 0x88dffc00u || kind == 0x885ffc00u;
}

bool dlw_loaded_address(struct dlw_target *target, const struct dlw_registers *registers,
                        uint64_t *out)
{
    enum { REACH = WINDOW / 2 };
    uint32_t code;
    if (target->machine != EM_AARCH64)
        return false;
    for (uint64_t distance = 0; distance < REACH; distance++)
        for (int is_behind = 0; is_behind < 2; is_behind++) {
            uint64_t way = distance * WORD;
            if (!dlw_target_u32(target, registers->pc + (is_behind ? way : -way), &code) ||
                !is_plain_load(code))
                continue;
            unsigned from = code >> 5 & 31;
            *out = registers->value[from];
            return from != 31 && registers->known >> from & 1;
        }
    return false;
}

uint64_t dlw_called_function(struct dlw_target *target, uint64_t return_address)
{
    return target->machine == EM_X86_64    ? called_by_x86_64(target, return_address)
           : target->machine == EM_AARCH64 ? called_by_aarch64(target, return_address)
                                           : 0;
}
