/*
 * The pure functions of libc that the library needs, its own and hidden. A sanitizer's runtime, and
 * some allocators, put theirs in front of libc's: then what we do to our own memory under our own
 * locks would be judged as the program's doing, and reported as its data races (seen with
 * ThreadSanitizer: memcpy in the journal, memcmp in the table of stacks).
 *
 * Only slow paths come here; small copies of known size the compiler does in place. The empty
 * assembly keeps compilers from making a loop into a call of the function that it stands in.
 */
#include "interpose/base/platform.h"

#include <string.h>

/* glibc 2.43 has macros of these names, which choose the result's type by that of the argument. */
#undef memchr
#undef strchr
#undef strrchr
#undef strstr

#define ONE_BY_ONE() __asm__ volatile("" ::: "memory")

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    dlw_platform_copy(to, from, n);
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    char *out = to;
    const char *in = from;
    if (out <= in || out >= in + n) {
        dlw_platform_copy(to, from, n);
        return to;
    }
    while (n-- > 0) {
        out[n] = in[n];
        ONE_BY_ONE();
    }
    return to;
}

void *memset(void *to, int byte, size_t n)
{
    dlw_platform_fill(to, byte, n);
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    size_t i = 0;
    for (uint64_t u, v; i + sizeof(u) <= n; i += sizeof(u)) { /* stacks are compared so */
        __builtin_memcpy(&u, x + i, sizeof(u));
        __builtin_memcpy(&v, y + i, sizeof(v));
        if (u != v)
            break;
        ONE_BY_ONE();
    }
    for (; i < n; i++) {
        if (x[i] != y[i])
            return x[i] - y[i];
        ONE_BY_ONE();
    }
    return 0;
}

void *memchr(const void *bytes, int wanted, size_t n)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < n; i++) {
        if (at[i] == (unsigned char)wanted)
            return (void *)(at + i);
        ONE_BY_ONE();
    }
    return NULL;
}

size_t strnlen(const char *text, size_t most)
{
    size_t n = 0;
    while (n < most && text[n]) {
        n++;
        ONE_BY_ONE();
    }
    return n;
}

size_t strlen(const char *text)
{
    return strnlen(text, (size_t)-1);
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i] || !a[i])
            return (unsigned char)a[i] - (unsigned char)b[i];
        ONE_BY_ONE();
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, (size_t)-1);
}

char *strchr(const char *text, int wanted)
{
    for (;; text++) {
        if (*text == (char)wanted)
            return (char *)text;
        if (!*text)
            return NULL;
        ONE_BY_ONE();
    }
}

char *strrchr(const char *text, int wanted)
{
    const char *last = NULL;
    for (;; text++) {
        if (*text == (char)wanted)
            last = text;
        if (!*text)
            return (char *)last;
        ONE_BY_ONE();
    }
}

size_t strcspn(const char *text, const char *wanted)
{
    size_t n = 0;
    while (text[n] && !strchr(wanted, text[n]))
        n++;
    return n;
}

char *strstr(const char *text, const char *part)
{
    size_t n = strlen(part);
    for (;; text++) {
        if (strncmp(text, part, n) == 0)
            return (char *)text;
        if (!*text)
            return NULL;
    }
}

char *strncpy(char *restrict to, const char *restrict from, size_t n)
{
    size_t length = strnlen(from, n);
    dlw_platform_copy(to, from, length);
    dlw_platform_fill(to + length, 0, n - length);
    return to;
}
