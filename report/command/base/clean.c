#include "report/command/base/clean.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { REPLACEMENT = 3 }; /* bytes of U+FFFD */

/* The length of the character that begins here, and the character; 0: it is none. */
static size_t decode(const unsigned char *at, uint32_t *out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = *at < 0x80 ? 1 : *at >> 5 == 6 ? 2 : *at >> 4 == 14 ? 3 : *at >> 3 == 30 ? 4 : 0;
    if (!n)
        return 0;
    uint32_t character = n == 1 ? *at : *at & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if (at[i] >> 6 != 2) /* the end of the text as well */
            return 0;
        character = character << 6 | (at[i] & 0x3f);
    }
    if (character < least[n] || character > 0x10ffff || character >> 11 == 0xd800 >> 11)
        return 0;
    *out = character;
    return n;
}

static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

static bool turns_direction(uint32_t c)
{
    return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

static bool is_no_character(uint32_t c)
{
    return (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
}

/* Copies one character as it may be shown; returns its length, and where the text goes on. */
static size_t put(char *out, const unsigned char **text, bool keeps_tabs)
{
    uint32_t character;
    size_t n = decode(*text, &character);
    const unsigned char *from = *text;
    *text += n ? n : 1;
    if (!n)
        from = (const unsigned char *)"\xef\xbf\xbd", n = REPLACEMENT;
    else if (!(keeps_tabs && character == '\t') &&
             (is_control(character) || turns_direction(character) || is_no_character(character)))
        from = (const unsigned char *)"?", n = 1;
    memcpy(out, from, n);
    return n;
}

char *dlw_clean(struct dlw_region *region, const char *text)
{
    if (!text)
        return NULL;
    const unsigned char *at = (const unsigned char *)text;
    size_t plain = 0, n = 0;
    while (text[plain] >= 0x20 && text[plain] < 0x7f)
        plain++;
    if (!text[plain])
        return dlw_region_cut(region, text, plain);
    char *out = dlw_region_alloc(region, plain + REPLACEMENT * strlen(text + plain) + 1);
    memcpy(out, text, plain);
    for (at += plain, n = plain; *at;)
        n += put(out + n, &at, false);
    out[n] = '\0';
    return out;
}

void dlw_clean_into(char *out, size_t room, const char *text, bool keeps_tabs)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t n = 0;
    while (*at && n + 4 < room)
        n += put(out + n, &at, keeps_tabs);
    out[n] = '\0';
}

size_t dlw_clean_fit(const char *text, size_t room)
{
    size_t n = strlen(text);
    if (n <= room)
        return n;
    while (room && ((unsigned char)text[room] & 0xc0) == 0x80)
        room--;
    return room;
}
