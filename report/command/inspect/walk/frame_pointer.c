#include "report/command/inspect/walk/frame_pointer.h"

#include "report/command/inspect/target/sections.h"

#include <elf.h>
#include <string.h>

enum { PROLOGUE = 40, CALL = 7 };

static bool is_at(const unsigned char *code, size_t size, size_t at, const char *bytes, size_t n)
{
    return at + n <= size && !memcmp(code + at, bytes, n);
}

/* endbr64? push rbp; mov rbp, rsp; push …; sub rsp, N */
int64_t dlw_frame_size(const unsigned char *code, size_t size)
{
    size_t at = is_at(code, size, 0, "\xf3\x0f\x1e\xfa", 4) ? 4 : 0;
    int64_t frame = 0;
    int32_t more;
    if (!is_at(code, size, at, "\x55\x48\x89\xe5", 4))
        return -1;
    for (at += 4; at + 2 <= size; frame += 8) {
        if (code[at] >= 0x50 && code[at] <= 0x57)
            at += 1;
        else if (code[at] == 0x41 && code[at + 1] >= 0x50 && code[at + 1] <= 0x57)
            at += 2;
        else
            break;
    }
    if (is_at(code, size, at, "\x48\x83\xec", 3) && at + 4 <= size)
        return code[at + 3] < 0x80 ? frame + code[at + 3] : -1;
    /* 128 is subtracted by adding -128, which is shorter. */
    if (is_at(code, size, at, "\x48\x83\xc4\x80", 4))
        return frame + 128;
    if (!is_at(code, size, at, "\x48\x81\xec", 3) || at + 7 > size)
        return frame;
    memcpy(&more, code + at + 3, sizeof more);
    return more >= 0 ? frame + more : -1;
}

/* e8 rel32, or ff /2 with its operand in up to seven bytes. */
bool dlw_ends_with_call(const unsigned char *code, size_t size)
{
    if (size >= 5 && code[size - 5] == 0xe8)
        return true;
    for (size_t n = 2; n <= CALL && n <= size; n++)
        if (code[size - n] == 0xff && (code[size - n + 1] & 0x38) == 0x10)
            return true;
    return false;
}

static bool is_return_address(struct dlw_target *target, uint64_t address)
{
    const struct dlw_mapping *mapping = dlw_target_mapping(target, address);
    unsigned char before[CALL];
    return mapping && mapping->is_executable &&
           dlw_target_read(target, address - sizeof before, before, sizeof before) &&
           dlw_ends_with_call(before, sizeof before);
}

bool dlw_frame_pointer(struct dlw_target *target, const struct dlw_seen_thread *thread,
                       const struct dlw_place *place, uint64_t *out)
{
    uint64_t pc = place->pc - place->is_return, return_address;
    Dwfl_Module *module = dlw_sections_module(target->dwfl, pc);
    unsigned char code[PROLOGUE];
    GElf_Off offset;
    GElf_Sym symbol;
    if (target->machine != EM_X86_64 || !place->sp || !module ||
        !dwfl_module_addrinfo(module, pc, &offset, &symbol, NULL, NULL, NULL) ||
        !dlw_target_read(target, pc - offset, code, sizeof code))
        return false;
    int64_t frame = dlw_frame_size(code, sizeof code);
    if (frame < 0)
        return false;
    *out = place->sp + (uint64_t)frame;
    return dlw_target_read_stack(target, thread, *out + 8, &return_address,
                                 sizeof return_address) &&
           is_return_address(target, return_address);
}
