/*
 * Damage as it really looks: lines lost, doubled and out of order, ends cut off, numbers that are
 * huge or refer to what isn't there, one text in another's place. Half of the time the fuzzer's own
 * bytes, which seldom leave a line of JSON one.
 */
#ifndef DLW_FUZZ_MUTATE_H
#define DLW_FUZZ_MUTATE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);

struct piece {
    size_t at, n;
};

static uint32_t mutate_random;

static size_t below(size_t limit)
{
    mutate_random = mutate_random * 1664525 + 1013904223;
    return limit ? (mutate_random >> 8) % limit : 0;
}

/* Puts `n` bytes in the place of `old`; the size stays when there is no room. */
static size_t replace(uint8_t *data, size_t size, size_t room, struct piece old, const void *with,
                      size_t n)
{
    if (size - old.n + n > room)
        return size;
    void *copy = malloc(n + 1);
    memcpy(copy, with, n);
    memmove(data + old.at + n, data + old.at + old.n, size - old.at - old.n);
    memcpy(data + old.at, copy, n);
    free(copy);
    return size - old.n + n;
}

/* From a random place on: the next run of bytes between two of `bounds`; empty at the end. */
static struct piece between(const uint8_t *data, size_t size, const char *bounds)
{
    size_t at = below(size + 1);
    while (at < size && at > 0 && !strchr(bounds, data[at - 1]))
        at++;
    size_t n = 0;
    while (at + n < size && !strchr(bounds, data[at + n]))
        n++;
    return (struct piece){at, n};
}

static struct piece line_of(const uint8_t *data, size_t size)
{
    struct piece line = between(data, size, "\n");
    line.n += line.at + line.n < size;
    return line;
}

static struct piece number_of(const uint8_t *data, size_t size)
{
    size_t at = below(size);
    while (at < size && (data[at] < '0' || data[at] > '9'))
        at++;
    size_t n = 0;
    while (at + n < size && data[at + n] >= '0' && data[at + n] <= '9')
        n++;
    return (struct piece){at, n};
}

static size_t other_number(uint8_t *data, size_t size, size_t room)
{
    static const char *const numbers[] = {"0",          "1",
                                          "2",          "3",
                                          "-1",         "4294967295",
                                          "4294967296", "9223372036854775807",
                                          "1e308",      "18446744073709551616",
                                          "0.5",        "100000000"};
    const char *number = numbers[below(sizeof(numbers) / sizeof(numbers[0]))];
    return replace(data, size, room, number_of(data, size), number, strlen(number));
}

static size_t other_text(uint8_t *data, size_t size, size_t room)
{
    struct piece from = between(data, size, "\"\n");
    return replace(data, size, room, between(data, size, "\"\n"), data + from.at, from.n);
}

static size_t line_again(uint8_t *data, size_t size, size_t room)
{
    struct piece line = line_of(data, size);
    struct piece place = {line_of(data, size).at, 0};
    return replace(data, size, room, place, data + line.at, line.n);
}

static size_t deep(uint8_t *data, size_t size, size_t room)
{
    char open[2048];
    memset(open, below(2) ? '[' : '{', sizeof(open));
    return replace(data, size, room, number_of(data, size), open, 1 + below(sizeof(open)));
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    mutate_random = seed;
    if (!size || below(2))
        return LLVMFuzzerMutate(data, size, room);
    for (size_t n = 1 + below(4); n && size; n--) {
        switch (below(8)) {
        case 0:
            size = replace(data, size, room, line_of(data, size), "", 0);
            break;
        case 1:
        case 2:
            size = line_again(data, size, room);
            break;
        case 3:
            size = below(4) ? size : below(size);
            break;
        case 4:
            size = deep(data, size, room);
            break;
        case 5:
            size = other_text(data, size, room);
            break;
        default:
            size = other_number(data, size, room);
            break;
        }
    }
    return size;
}

#endif
