/* Repeatable chance for the graphs' tests: the seed is printed and DLW_SEED sets it. */
#ifndef TESTS_GRAPH_RANDOM_H
#define TESTS_GRAPH_RANDOM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t random_state;

/* Seeds, and returns how many operations to do: from the environment, or `usual`. */
static inline uint64_t random_start(const char *operations, uint64_t usual)
{
    const char *seed = getenv("DLW_SEED");
    const char *count = getenv(operations);

    random_state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL) * 2 + 1;
    printf("DLW_SEED=%llu\n", (unsigned long long)random_state);
    fflush(stdout);
    random_state = random_state * 0x9e3779b97f4a7c15ULL + 1;
    return count ? strtoull(count, NULL, 0) : usual;
}

/* xorshift64* (S. Vigna, "An experimental exploration of Marsaglia's xorshift generators"). */
static inline uint32_t random_below(uint32_t n)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)(((random_state * 0x2545f4914f6cdd1dULL) >> 32) * n >> 32);
}

#endif
