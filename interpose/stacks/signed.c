/* The form of the tables: Linux Standard Base, "Exception Frames"; DWARF 5, 6.4 (call frames). */
#include "interpose/stacks/signed.h"

#include <stdbool.h>
#include <string.h>

struct cursor {
    const unsigned char *at, *end;
    bool is_over; /* it ran out, or makes no sense */
};

static void skip(struct cursor *cursor, uint64_t n)
{
    if (n > (uint64_t)(cursor->end - cursor->at)) {
        cursor->is_over = true;
        n = (uint64_t)(cursor->end - cursor->at);
    }
    cursor->at += n;
}

static unsigned read_byte(struct cursor *cursor)
{
    const unsigned char *at = cursor->at;

    skip(cursor, 1);
    return cursor->is_over ? 0 : *at;
}

static uint32_t read_word(struct cursor *cursor)
{
    const unsigned char *at = cursor->at;
    uint32_t word = 0;

    skip(cursor, sizeof(word));
    if (!cursor->is_over)
        memcpy(&word, at, sizeof(word));
    return word;
}

/* LEB128. To skip it, it matters not whether it has a sign. */
static uint64_t read_number(struct cursor *cursor)
{
    uint64_t number = 0;

    for (unsigned shift = 0; !cursor->is_over; shift += 7) {
        unsigned byte = read_byte(cursor);
        number |= shift < 64 ? (uint64_t)(byte & 127) << shift : 0;
        if (byte < 128)
            break;
    }
    return number;
}

/* Of a pointer in this encoding; 0: of none that is known. */
static unsigned size_of(unsigned encoding)
{
    static const unsigned char sizes[] = {8, 0, 2, 4, 8, 0, 0, 0, 8, 0, 2, 4, 8, 0, 0, 0};

    return sizes[encoding & 15];
}

/* What a common entry says of those that refer to it: have they augmentation data, and how long is
 * a pointer in them? */
static unsigned read_common(struct cursor common, bool *has_data)
{
    const char *letters;
    unsigned size = sizeof(uint64_t);

    skip(&common, 2 * sizeof(uint32_t) + 1); /* length, 0, version */
    letters = (const char *)common.at;
    while (read_byte(&common))
        ;
    read_number(&common); /* of code, of data, the register of the return address */
    read_number(&common);
    read_number(&common);
    *has_data = !common.is_over && *letters == 'z';
    if (!*has_data)
        return common.is_over || *letters ? 0 : size;
    read_number(&common);
    while (!common.is_over && *++letters)
        if (*letters == 'R')
            return size_of(read_byte(&common));
        else if (*letters == 'L')
            read_byte(&common);
        else if (*letters == 'P')
            skip(&common, size_of(read_byte(&common)));
    return common.is_over ? 0 : size;
}

/* Skips the operands of an instruction; false: it is not known. */
static bool skip_operands(struct cursor *cursor, unsigned instruction, unsigned pointer)
{
    /* By number: 1, 2, 4: so many bytes; p: a pointer; n: a number; b: a number of bytes, and they;
     * ?: not known. */
    static const char *const operands[] = {
        "",   "p", "1", "2", "4",  "nn", "n",  "n", "n",  "nn", "",   "",
        "nn", "n", "n", "b", "nb", "nn", "nn", "n", "nn", "nn", "nb",
    };
    enum { KNOWN = sizeof(operands) / sizeof(operands[0]), OFFSET = 2, NEGATE = 0x2d, ARGUMENTS };
    const char *form = instruction < KNOWN        ? operands[instruction]
                       : instruction == NEGATE    ? ""
                       : instruction == ARGUMENTS ? "n"
                                                  : "?";

    if (instruction >> 6)
        form = instruction >> 6 == OFFSET ? "n" : "";
    for (; *form; form++)
        if (*form == '?')
            return false;
        else if (*form == 'n')
            read_number(cursor);
        else if (*form == 'b')
            skip(cursor, read_number(cursor));
        else
            skip(cursor, *form == 'p' ? pointer : (unsigned)(*form - '0'));
    return !cursor->is_over;
}

void dlw_signs_find(uintptr_t fde, uintptr_t start, uintptr_t end, struct dlw_signs *out)
{
    enum { NEGATE = 0x2d };
    struct cursor entry = {(const void *)fde, (const void *)end, false}; /* NOLINT */
    bool has_data = false;

    out->n = 0;
    uint32_t length = read_word(&entry);
    if (entry.is_over || length > (uint64_t)(entry.end - entry.at)) /* or in 64 bits */
        return;
    entry.end = entry.at + length;
    uintptr_t common = (uintptr_t)entry.at;
    common -= read_word(&entry);
    if (common < start || common >= end)
        return;
    unsigned pointer =
        read_common((struct cursor){(const void *)common, (const void *)end, false}, /* NOLINT */
                    &has_data);
    skip(&entry, 2 * (uint64_t)pointer); /* where the function begins, how long it is */
    if (has_data)
        skip(&entry, read_number(&entry));
    while (pointer && !entry.is_over && entry.at < entry.end && out->n < DLW_SIGNS) {
        uintptr_t at = (uintptr_t)entry.at;
        unsigned instruction = read_byte(&entry);
        if (!skip_operands(&entry, instruction, pointer))
            return;
        if (instruction == NEGATE)
            out->at[out->n++] = at;
    }
}

void dlw_signs_hide(const struct dlw_signs *signs, uintptr_t address, void *copy, size_t size)
{
    enum { NOTHING = 0 }; /* DW_CFA_nop */

    for (unsigned i = 0; i < signs->n; i++)
        if (signs->at[i] - address < size)
            ((unsigned char *)copy)[signs->at[i] - address] = NOTHING;
}
