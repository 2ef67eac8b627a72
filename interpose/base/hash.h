#ifndef DLW_BASE_HASH_H
#define DLW_BASE_HASH_H

/* 2^64 divided by the golden ratio: a product with it spreads the bits of a word upwards. */
#define DLW_GOLDEN 0x9E3779B97F4A7C15ULL

#endif
