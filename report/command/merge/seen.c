#include "report/command/merge/seen.h"

#include "report/command/base/command.h"

#include <stdlib.h>
#include <string.h>

/* A short list is never turned into bits. */
enum { SHORT = 64, WORD = 64 };

static void *grown(void *array, size_t size)
{
    void *result = realloc(array, size);
    if (!result) {
        dlw_message("out of memory");
        exit(DLW_STATUS_TROUBLE);
    }
    return result;
}

static void set_bit(struct dlw_seen *seen, uint32_t number)
{
    size_t word = number / WORD;
    if (word >= seen->room) {
        size_t room = word + 1 + word / 8;
        seen->bits = grown(seen->bits, room * sizeof(*seen->bits));
        memset(seen->bits + seen->room, 0, (room - seen->room) * sizeof(*seen->bits));
        seen->room = room;
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.*): it has room */
    seen->bits[word] |= UINT64_C(1) << (number % WORD);
}

static void turn_into_bits(struct dlw_seen *seen)
{
    uint32_t *list = seen->list;
    size_t n = seen->n;
    *seen = (struct dlw_seen){.list = NULL};
    for (size_t i = n; i-- > 0;) /* the largest first: room is made once */
        set_bit(seen, list[i]);
    free(list);
}

/* Where the number stands, or has to. */
static size_t find(const struct dlw_seen *seen, uint32_t number)
{
    size_t low = 0, high = seen->n;
    if (seen->n && seen->list[seen->n - 1] < number)
        return seen->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (seen->list[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert(struct dlw_seen *seen, size_t at, uint32_t number)
{
    if (seen->n == seen->room) {
        seen->room = seen->room ? seen->room + seen->room / 2 + 1 : 2;
        seen->list = grown(seen->list, seen->room * sizeof(*seen->list));
    }
    memmove(seen->list + at + 1, seen->list + at, (seen->n - at) * sizeof(*seen->list));
    seen->list[at] = number;
    seen->n++;
}

void dlw_seen_add(struct dlw_seen *seen, uint32_t number)
{
    if (seen->bits) {
        set_bit(seen, number);
        return;
    }
    size_t at = find(seen, number);
    if (at < seen->n && seen->list[at] == number)
        return;
    insert(seen, at, number);
    /* A number in the list takes as much as 32 bits. */
    if (seen->n > SHORT && seen->n > seen->list[seen->n - 1] / 32)
        turn_into_bits(seen);
}

bool dlw_seen_has(const struct dlw_seen *seen, uint32_t number)
{
    if (seen->bits)
        return number / WORD < seen->room && (seen->bits[number / WORD] >> (number % WORD) & 1);
    size_t at = find(seen, number);
    return at < seen->n && seen->list[at] == number;
}

size_t dlw_seen_numbers(const struct dlw_seen *seen, uint32_t *out)
{
    size_t n = 0;
    if (!seen->bits) {
        if (out && seen->n)
            memcpy(out, seen->list, seen->n * sizeof(*out));
        return seen->n;
    }
    for (size_t word = 0; word < seen->room; word++)
        for (uint64_t rest = seen->bits[word]; rest; rest &= rest - 1) {
            if (out)
                out[n] = (uint32_t)(word * WORD) + (uint32_t)__builtin_ctzll(rest);
            n++;
        }
    return n;
}

void dlw_seen_free(struct dlw_seen *seen)
{
    free(seen->list);
    free(seen->bits);
    *seen = (struct dlw_seen){.list = NULL};
}
