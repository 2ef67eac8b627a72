#include "report/command/journal/json_get.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t dlw_json_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : 0;
    return number > 0 ? (uint64_t)number : 0;
}

double dlw_json_real(const json_t *object, const char *key, double otherwise)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

const char *dlw_json_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

bool dlw_json_flag(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

bool dlw_json_parse_address(const char *text, uint64_t *out)
{
    char *end;
    if (!text || strncmp(text, "0x", 2) != 0 || strlen(text) > 18 ||
        strspn(text + 2, "0123456789abcdefABCDEF") != strlen(text + 2))
        return false;
    *out = strtoull(text + 2, &end, 16);
    return end != text + 2;
}

uint64_t dlw_json_address(const json_t *object, const char *key)
{
    uint64_t address;
    return dlw_json_parse_address(dlw_json_text(object, key), &address) ? address : 0;
}
