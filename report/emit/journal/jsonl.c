#include "report/emit/journal/jsonl.h"

#include "report/emit/line.h"

#include <string.h>

static void put(struct dlw_jsonl *json, const char *bytes, size_t size)
{
    if (json->failed)
        return;
    if (json->room - json->used < size && !json->more(json, size)) {
        json->failed = true;
        json->used = json->line;
        return;
    }
    memcpy(json->text + json->used, bytes, size);
    json->used += size;
}

static void put_char(struct dlw_jsonl *json, char c)
{
    put(json, &c, 1);
}

static void separate(struct dlw_jsonl *json)
{
    if (json->failed || json->used == json->line)
        return;
    char last = json->text[json->used - 1];
    if (last != '{' && last != '[' && last != ':')
        put_char(json, ',');
}

/* ---- text ---- */

/* Length of the well-formed UTF-8 sequence at `s`, 0: there is none (Unicode 15, table 3-7). The
 * terminator is no continuation byte, so nothing behind it is read. */
static unsigned sequence_length(const unsigned char *s)
{
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    unsigned length;

    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    length = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    if (s[1] < low || s[1] > high)
        return 0;
    for (unsigned i = 2; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

static bool is_plain(unsigned char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

/* One that is not plain; returns how many bytes it took. */
static unsigned put_special(struct dlw_jsonl *json, const unsigned char *s)
{
    char escape[6] = {'\\', 'u', '0', '0', 0, 0};
    unsigned length = sequence_length(s);

    if (length == 0) {
        put(json, "\xef\xbf\xbd", 3);
        return 1;
    }
    if (*s == '"' || *s == '\\') {
        escape[1] = (char)*s;
        put(json, escape, 2);
    } else if (length == 1) {
        escape[4] = "0123456789abcdef"[*s >> 4];
        escape[5] = "0123456789abcdef"[*s & 15];
        put(json, escape, sizeof escape);
    } else {
        put(json, (const char *)s, length);
    }
    return length;
}

void dlw_jsonl_text(struct dlw_jsonl *json, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    separate(json);
    put_char(json, '"');
    while (*s) {
        size_t plain = 0;
        while (is_plain(s[plain]))
            plain++;
        put(json, (const char *)s, plain);
        s += plain;
        if (*s)
            s += put_special(json, s);
    }
    put_char(json, '"');
}

/* ---- numbers ---- */

void dlw_jsonl_number(struct dlw_jsonl *json, uint64_t number)
{
    char digits[20];
    char *start = dlw_line_digits(digits + sizeof digits, number, 10);

    separate(json);
    put(json, start, (size_t)(digits + sizeof digits - start));
}

void dlw_jsonl_hex(struct dlw_jsonl *json, uint64_t number)
{
    char digits[20];
    char *start = dlw_line_digits(digits + sizeof digits, number, 16);

    separate(json);
    put(json, "\"0x", 3);
    put(json, start, (size_t)(digits + sizeof digits - start));
    put_char(json, '"');
}

/* ---- structure ---- */

static void put_key(struct dlw_jsonl *json, const char *key)
{
    separate(json);
    put_char(json, '"');
    put(json, key, strlen(key));
    put(json, "\":", 2);
}

void dlw_jsonl_line_begin(struct dlw_jsonl *json, const char *type)
{
    json->line = json->used;
    put_char(json, '{');
    dlw_jsonl_text_field(json, "type", type);
}

void dlw_jsonl_line_end(struct dlw_jsonl *json)
{
    put(json, "}\n", 2);
    if (!json->failed)
        json->line = json->used;
}

void dlw_jsonl_open(struct dlw_jsonl *json, const char *key, char bracket)
{
    if (key)
        put_key(json, key);
    else
        separate(json);
    put_char(json, bracket);
}

void dlw_jsonl_close(struct dlw_jsonl *json, char bracket)
{
    put_char(json, bracket);
}

void dlw_jsonl_text_field(struct dlw_jsonl *json, const char *key, const char *text)
{
    put_key(json, key);
    dlw_jsonl_text(json, text);
}

void dlw_jsonl_number_field(struct dlw_jsonl *json, const char *key, uint64_t number)
{
    put_key(json, key);
    dlw_jsonl_number(json, number);
}

void dlw_jsonl_hex_field(struct dlw_jsonl *json, const char *key, uint64_t number)
{
    put_key(json, key);
    dlw_jsonl_hex(json, number);
}

void dlw_jsonl_true_field(struct dlw_jsonl *json, const char *key)
{
    put_key(json, key);
    put(json, "true", 4);
}

void dlw_jsonl_real_field(struct dlw_jsonl *json, const char *key, double number)
{
    bool in_range = number >= 0 && number < 9e12; /* false for what is no number, too */
    uint64_t micros = in_range ? (uint64_t)(number * 1e6 + 0.5) : 0;
    uint64_t fraction = micros % 1000000;
    char digits[7] = {'.'};

    for (int i = 6; i > 0; i--, fraction /= 10)
        digits[i] = (char)('0' + fraction % 10);
    size_t size = sizeof digits;
    while (size > 2 && digits[size - 1] == '0')
        size--;
    dlw_jsonl_number_field(json, key, micros / 1000000);
    put(json, digits, size);
}

void dlw_jsonl_spare(struct dlw_jsonl *json, size_t size)
{
    while (size--)
        put(json, " ", 1);
}

void dlw_jsonl_bytes_field(struct dlw_jsonl *json, const char *key, const unsigned char *bytes,
                           size_t size)
{
    put_key(json, key);
    put_char(json, '"');
    for (size_t i = 0; i < size; i++) {
        put_char(json, "0123456789abcdef"[bytes[i] >> 4]);
        put_char(json, "0123456789abcdef"[bytes[i] & 15]);
    }
    put_char(json, '"');
}
